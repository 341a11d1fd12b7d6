"""Where frames come from: video files, folders of images, cameras, network streams, or nowhere (``blank:``).

with open_source("table.mp4") as source:
    for frame in source:
        ...
"""

from __future__ import annotations

import os
import re
from fractions import Fraction
from typing import Final, Literal, TypeAlias

from hybridtrack.errors import SourceError, UsageError
from hybridtrack.sources.extent import Extent
from hybridtrack.sources.source import Source
from hybridtrack.sources.timeline import check_rate

__all__ = ["Source", "open_source"]

_STREAM: Final = re.compile(r"(rtsps?|rtmps?|https?|udp|tcp|rtp|srt)://", re.IGNORECASE)
_GLOB: Final = re.compile(r"[*?\[]")

_Kind: TypeAlias = Literal["camera", "stream", "blank", "images", "file"]


def open_source(
    uri: str,
    *,
    fps: float | Fraction | None = None,
    loop: int = 1,
    start_s: float | None = None,
    end_s: float | None = None,
    width_px: int | None = None,
    height_px: int | None = None,
    pace: bool = False,
) -> Source:
    """Return the source that ``uri`` names: a video file, a folder or glob of images, a camera number, a stream,
    or frames without a picture (``blank:WIDTHxHEIGHT@FPS:FRAMES``).

    A first frame has been decoded by then. ``fps`` is for images (default 30); ``loop``, ``start_s`` and ``end_s`` are
    for recordings (times and numbers stay those in the recording, and go on from round to round); so is ``pace``: it is
    played as fast as it was made, and what is not read in time is dropped. ``width_px`` and ``height_px`` are asked of
    a camera. Raises SourceError when there is no such source, UsageError for an option it cannot have.
    """
    extent = Extent(start_s=start_s or 0.0, end_s=float("inf") if end_s is None else end_s, loop=loop)
    kind = _kind(uri)
    if kind != "camera" and (width_px, height_px) != (None, None):
        raise UsageError(f"a width and a height can be asked of a camera, and {uri!r} is none; leave them out")
    if kind != "images" and fps is not None:
        raise UsageError(f"a frame rate can be given to images, and {uri!r} has its own; leave it out")
    if kind == "images" and fps is None and pace:
        raise UsageError(f"a pace can be kept where frames have times, and images have none; give {uri!r} fps as well")
    rate = None if fps is None else check_rate(fps)
    if kind == "camera":
        if extent != Extent():
            raise UsageError(f"start, end and loop are for recordings, and {uri!r} is a camera; leave them out")
        if pace:
            raise UsageError(f"a pace is for recordings, and {uri!r} is a camera, which has its own; leave it out")
        from hybridtrack.sources.camera import open_camera

        return open_camera(int(uri), width_px=width_px, height_px=height_px)
    source = _open(kind, uri, extent, rate)
    return _paced(source) if pace else source


def _kind(uri: str) -> _Kind:
    if uri.isdecimal():
        return "camera"
    if _STREAM.match(uri):
        return "stream"
    if uri.startswith("blank:"):
        return "blank"
    return "images" if _names_images(uri) else "file"


def _names_images(uri: str) -> bool:
    from pathlib import Path

    from hybridtrack.sources.images import is_image

    path = Path(uri)
    return path.is_dir() or (is_image(path) and path.is_file()) or (not path.exists() and _GLOB.search(uri) is not None)


def _open(kind: _Kind, uri: str, extent: Extent, fps: Fraction | None) -> Source:
    """Return the source, no camera, that ``uri`` names. One module for each kind, imported when it is needed: the
    command line asks for help far more often."""
    if kind == "stream":
        from hybridtrack.sources.stream import open_stream

        return open_stream(uri, extent)
    if kind == "blank":
        from hybridtrack.sources.blank import open_blank

        return open_blank(uri, extent)
    if kind == "images":
        from hybridtrack.sources.images import open_images

        return open_images(uri, extent, fps=fps)
    if not os.path.exists(uri):
        raise SourceError(f"no such file {uri!r}: give a video, a folder or glob of images, a camera number, a URL")
    from hybridtrack.sources.video import open_video

    return open_video(uri, extent)


def _paced(source: Source) -> Source:
    from hybridtrack.sources.paced import PacedSource

    if source.is_live:
        source.close()
        raise UsageError(f"a pace is for recordings, and {source.uri!r} is a stream, which has its own; leave it out")
    return PacedSource(source)
