"""Struct arrays in MATLAB files (up to version 7.2)."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from data_tools.errors import DataError


def read_variable(path: Path, name: str) -> Any:
    """Return a variable of a MATLAB file as SciPy gives it. Raises DataError when file or variable cannot be read."""
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    damage = (MatReadError, zlib.error, ValueError, TypeError, KeyError, IndexError, OverflowError, EOFError)
    try:
        content = loadmat(path, variable_names=[name])
    except (OSError, NotImplementedError, *damage) as error:
        detail = " ".join(f"{type(error).__name__}: {error}".split())
        raise DataError(f"cannot read the MATLAB file {str(path)!r}: {detail}") from error
    if name not in content:
        raise DataError(f"the MATLAB file {str(path)!r} has no variable {name!r}")
    return content[name]


def read_structs(path: Path, name: str, fields: Sequence[str]) -> list[Any]:
    """Return the elements of a struct array in a MATLAB file. Raises DataError when it or a field is not there."""
    found = read_variable(path, name)
    missing = set(fields) - set(found.dtype.names or ())
    if missing:
        raise DataError(f"{name!r} in {str(path)!r} is to have the fields {', '.join(fields)}")
    return list(found.ravel())
