"""Sizes of pictures from the first bytes of their files, without decoding them."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO, Final

from hybridtrack.types import Size

_JPEG_SIZE_MARKERS: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  #: SOF0 .. SOF15 without DHT, JPG, DAC
_JPEG_SCAN_MARKER: Final = 0xDA
_JPEG_EXIF_MARKER: Final = 0xE1
_EXIF_ORIENTATION_TAG: Final = 0x0112


def read_size(path: Path) -> Size | None:
    """Return (width, height) as shown upright, or None when the header of a PNG, BMP or JPEG does not tell it.

    Raises OSError when the file cannot be read.
    """
    with path.open("rb") as file:
        try:
            start = file.read(26)
            if start.startswith(b"\x89PNG\r\n\x1a\n"):
                return struct.unpack_from(">II", start, 16)
            if start.startswith(b"BM"):
                width, height = struct.unpack_from("<ii", start, 18)
                return width, abs(height)  # negative: rows from top to bottom
            if start.startswith(b"\xff\xd8"):
                file.seek(2)
                return _jpeg_size(file)
        except struct.error:  # the file ends within its header
            pass
    return None


def _jpeg_size(file: BinaryIO) -> Size | None:
    """Return the size that the first frame header tells, turned as the Exif data say; None without one."""
    is_turned = False
    while True:
        prefix, marker = struct.unpack(">BB", file.read(2))
        if prefix != 0xFF or marker == _JPEG_SCAN_MARKER:
            return None
        if marker == 0xFF:  # padding
            file.seek(-1, 1)
            continue
        (length,) = struct.unpack(">H", file.read(2))
        segment = file.read(length - 2)
        if marker in _JPEG_SIZE_MARKERS:
            height, width = struct.unpack_from(">HH", segment, 1)
            return (height, width) if is_turned else (width, height)
        if marker == _JPEG_EXIF_MARKER and segment.startswith(b"Exif\0\0"):
            is_turned = _exif_orientation(segment[6:]) in (5, 6, 7, 8)


def _exif_orientation(tiff: bytes) -> int:
    """Return the orientation (1..8) of the first directory of Exif data; 1, upright, when it tells none."""
    order = "<" if tiff.startswith(b"II") else ">"
    (directory,) = struct.unpack_from(f"{order}I", tiff, 4)
    (count,) = struct.unpack_from(f"{order}H", tiff, directory)
    for entry in range(directory + 2, directory + 2 + 12 * count, 12):
        tag, _, _, value = struct.unpack_from(f"{order}HHIH", tiff, entry)
        if tag == _EXIF_ORIENTATION_TAG:
            return int(value)
    return 1
