"""Columns of numbers and what is to be said of them, as one block of bytes that a page reads without parsing digits.

Four bytes, little-endian: the length of the JSON text that follows, in UTF-8 and padded with spaces; then the columns
that its key ``columns`` lists, as ``[name, type, count]``, each beginning at a multiple of eight bytes.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import numpy as np

from hybridtrack.types import Array

MEDIA_TYPE: Final = "application/octet-stream"
_TYPES: Final = {"f8": np.float64, "i4": np.int32, "u1": np.uint8}
_ALIGNMENT: Final = 8


def pack(said: Mapping[str, Any], columns: Mapping[str, Array | array[Any]]) -> bytes:
    """Return the block; columns (N,) of float64, int32 or uint8. Raises KeyError for other types."""
    arrays = {name: np.asarray(column) for name, column in columns.items()}
    codes = {np.dtype(kind): code for code, kind in _TYPES.items()}
    listed = [[name, codes[column.dtype], len(column)] for name, column in arrays.items()]
    text = msgspec.json.encode({**said, "columns": listed})
    text += b" " * (-(len(text) + 4) % _ALIGNMENT)
    parts = [len(text).to_bytes(4, "little"), text]
    for column in arrays.values():
        content = column.astype(column.dtype.newbyteorder("<"), copy=False).tobytes()
        parts += [content, bytes(-len(content) % _ALIGNMENT)]
    return b"".join(parts)


def unpack(block: bytes) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return what ``pack`` was given."""
    start = 4 + int.from_bytes(block[:4], "little")
    said = msgspec.json.decode(block[4:start])
    columns = {}
    for name, code, count in said.pop("columns"):
        kind = np.dtype(_TYPES[code]).newbyteorder("<")
        columns[name] = np.frombuffer(block, kind, count, start)
        start += kind.itemsize * count + -(kind.itemsize * count) % _ALIGNMENT
    return said, columns
