"""Optional libraries, imported when they are needed."""

from __future__ import annotations

import importlib
from typing import Any

from hybridtrack.errors import MissingPackageError


def optional(module: str, *, extra: str) -> Any:
    """Return a module of an optional library. Raises MissingPackageError that names the extra with it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        missing = (error.name or module).split(".")[0]
        raise MissingPackageError(
            f"{missing!r} is not installed: install the extra with it, pip install 'hybridtrack[{extra}]'"
        ) from error
