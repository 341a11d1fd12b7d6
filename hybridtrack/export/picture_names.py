"""What the pictures of frames are called in formats that speak of picture files."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Final

from hybridtrack.errors import SourceError

_NAME: Final = re.compile(r"(?:.*[/\\])?frame_(\d+)\.\w+")


def picture_name(frame_index: int) -> str:
    """Return the name of the picture of a frame of a video, as CVAT calls it: ``frame_000017.jpg``."""
    return f"frame_{frame_index:06d}.jpg"


def frame_index_of(name: str) -> int | None:
    """Return the frame whose picture is called ``name``; None when it is called otherwise."""
    found = _NAME.fullmatch(name)
    return int(found[1]) if found else None


def picture_names(source_uri: str) -> Callable[[int], str]:
    """Return what names the picture of a frame: after the images of the source, where it is a folder that is there."""
    if not os.path.isdir(source_uri):
        return picture_name
    from hybridtrack.sources.images import find_images  # here, as it brings OpenCV along

    try:
        names = [path.name for path in find_images(source_uri)]
    except SourceError:  # none is left in it
        return picture_name
    return lambda frame_index: names[frame_index] if frame_index < len(names) else picture_name(frame_index)
