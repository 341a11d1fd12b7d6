"""Folders and globs of images as a recording: natural order, one size, times from a frame rate."""

from __future__ import annotations

import glob
import re
import zlib
from collections.abc import Generator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from hybridtrack.errors import SourceError
from hybridtrack.sources.extent import Extent
from hybridtrack.sources.image_size import read_size
from hybridtrack.sources.source import RecordedSource
from hybridtrack.sources.timeline import DEFAULT_FPS
from hybridtrack.types import Array, ArrayPicture, Frame, Size, VideoInfo

SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm")
_PNG: Final = b"\x89PNG\r\n\x1a\n"  #: what a PNG file begins with; chunks of length, kind, data and checksum follow


def is_image(path: Path) -> bool:
    """Return whether the name is that of an image; what the system hides (``._photo.jpg``) is none."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def natural_key(name: str) -> tuple[str | int, ...]:
    """Return a key that sorts ``frame_9`` before ``frame_10``."""
    return tuple(int(part) if part.isdecimal() else part.casefold() for part in re.split(r"(\d+)", name))


def open_images(uri: str, extent: Extent, *, fps: Fraction | None = None) -> RecordedSource:
    """Return the source of one image, of the images in a folder, or of those that a glob matches.

    Frame i is at i / ``fps`` s. Sizes are compared before the first frame. Raises SourceError when there is no image,
    when one cannot be read, or when they are not all of one size.
    """
    fps = DEFAULT_FPS if fps is None else fps
    paths = find_images(uri)
    size = _common_size(uri, paths)
    chosen = extent.frames(len(paths), fps, uri=uri)
    frames = _play(uri, paths, chosen, size, extent.loop, fps)
    info = VideoInfo(width_px=size[0], height_px=size[1], fps=fps, frame_count=len(paths))
    return RecordedSource(uri, info, next(frames), frames, expected_frames=extent.loop * len(chosen))


def read_image(path: Path) -> Array:
    """Return the picture, uint8 (H, W, 3) blue, green, red, upright; 16 bits become 8, alpha is left out.

    Raises SourceError when it cannot be read.
    """
    try:
        coded = np.fromfile(path, np.uint8)  # cv2.imread cannot open every name on every system
    except OSError as error:
        raise SourceError(f"cannot read image {str(path)!r}: {error.strerror}") from error
    is_hopeless = not coded.size or _has_damaged_chunk(coded.data)
    decoded = None if is_hopeless else cv2.imdecode(coded, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    if decoded is None:
        raise SourceError(
            f"cannot read image {str(path)!r}: its contents are no picture that can be decoded; remove it"
        )
    if decoded.dtype == np.uint16:
        decoded = (decoded >> 8).astype(np.uint8)
    if decoded.dtype != np.uint8:
        raise SourceError(f"cannot read image {str(path)!r}: its pixels are {decoded.dtype}; give 8 or 16 bits")
    picture: Array = decoded
    return picture


def _has_damaged_chunk(coded: memoryview) -> bool:
    """Return whether a PNG file has a critical chunk with a wrong checksum: libpng would complain on standard error."""
    start = len(_PNG)
    if coded[:start].tobytes() != _PNG:
        return False
    while (checked := start + 8 + int.from_bytes(coded[start : start + 4])) < len(coded):
        is_critical = chr(coded[start + 4]).isupper()
        if is_critical and zlib.crc32(coded[start + 4 : checked]) != int.from_bytes(coded[checked : checked + 4]):
            return True
        start = checked + 4
    return False


def find_images(uri: str) -> list[Path]:
    """Return the image, the images in a folder, or those that a glob matches, in natural order. Raises SourceError."""
    path = Path(uri)
    if path.is_file():
        return [path]
    if path.is_dir():
        asked, found = f"folder {uri!r}", list(path.iterdir())
    else:
        asked, found = f"glob {uri!r}", [Path(name) for name in glob.glob(uri, recursive=True)]
    images = sorted(filter(is_image, found), key=lambda image: natural_key(str(image)))
    if not images:
        raise SourceError(
            f"no image in {asked}: {len(found)} {'entry' if len(found) == 1 else 'entries'} found, none ends in "
            f"{', '.join(SUFFIXES)}; give a folder or a glob of images, or a video file"
        )
    return images


def _common_size(uri: str, paths: Sequence[Path]) -> Size:
    """Return the size of all images, read from their headers where those tell it. Raises SourceError."""
    first_size = None
    for path in paths:
        try:
            size = read_size(path)
        except OSError as error:
            raise SourceError(f"cannot read image {str(path)!r}: {error.strerror}") from error
        size = size or _size_of(read_image(path))
        first_size = first_size or size
        if size != first_size:
            raise _unequal(uri, paths[0], first_size, path, size)
    assert first_size is not None
    return first_size


def _unequal(uri: str, first: Path, first_size: Size, other: Path, size: Size) -> SourceError:
    return SourceError(
        f"the images of {uri!r} are not of one size: {first.name!r} has {first_size[0]}x{first_size[1]}, "
        f"{other.name!r} has {size[0]}x{size[1]}; give each size a folder of its own"
    )


def _size_of(picture: Array) -> Size:
    return picture.shape[1], picture.shape[0]


def _play(
    uri: str, paths: Sequence[Path], chosen: range, size: Size, loop: int, fps: Fraction
) -> Generator[Frame, None, None]:
    for round_number in range(loop):
        for number in chosen:
            picture = read_image(paths[number])
            if _size_of(picture) != size:  # its header had not told the truth
                raise _unequal(uri, paths[0], size, paths[number], _size_of(picture))
            index = number + round_number * len(chosen)
            yield Frame(ArrayPicture(picture), index=index, time_s=float(index / fps))
