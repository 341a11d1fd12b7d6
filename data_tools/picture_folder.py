"""Pictures in folders: which there are, how large they are."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2

from data_tools.annotation import DataSet
from data_tools.errors import DataError
from hybridtrack.sources.image_size import read_size
from hybridtrack.sources.images import is_image, natural_key
from hybridtrack.types import Size


def find_pictures(folder: Path) -> Iterator[Path]:
    """Yield the pictures in a folder and below, in the order of their names, numbers in them by their value."""
    found = (path for path in folder.rglob("*") if is_image(path) and path.is_file())
    yield from sorted(found, key=lambda path: natural_key(path.as_posix()))


def size_of(path: Path) -> Size | None:
    """Return (width, height) of a picture as shown upright, None when it is missing or cannot be read."""
    try:
        size_px = read_size(path)
    except OSError:
        return None
    if size_px is None:  # a format whose header tells it elsewhere
        bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
        return None if bgr is None else (bgr.shape[1], bgr.shape[0])
    return size_px


def first_folder(*candidates: Path) -> Path:
    """Return the first folder that exists, else the last one."""
    return next((path for path in candidates if path.is_dir()), candidates[-1])


def link_pictures(sources: DataSet, targets: DataSet) -> None:
    """Give every picture's file a second name, that of the same picture in ``targets``: a hard link, else a copy.

    Raises DataError.
    """
    for picture, wanted in zip(sources.pictures, targets.pictures, strict=True):
        target = wanted.path
        try:
            if target.exists():
                if target.samefile(picture.path):
                    continue
                target.unlink()
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(picture.path, target)
            except OSError:
                shutil.copyfile(picture.path, target)
        except OSError as error:
            raise DataError(f"cannot copy {str(picture.path)!r} to {str(target)!r}: {error.strerror}") from error
