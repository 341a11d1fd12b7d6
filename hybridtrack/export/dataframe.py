"""Tracks, relations and events as pandas data frames."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from hybridtrack.export.columns import table_called
from hybridtrack.export.extra import optional
from hybridtrack.track_file import read_tracks
from hybridtrack.wire import FrameLine

if TYPE_CHECKING:
    import pandas as pd

_TYPES: Final = {"int": "Int64", "float": "float64", "text": "string"}  #: Int64 has a place for what is not known


def to_pandas(frames: str | os.PathLike[str] | Iterable[FrameLine], table: str = "tracks") -> pd.DataFrame:
    """Return a table of a track file, or of frames that were read from one: a row a track and frame, in their order.

    table: ``tracks``, ``relations`` or ``events``; columns are those of docs/exports.md. What is not known is NA.
    Raises MissingPackageError without the extra ``pandas``, TrackFileError, and UsageError for another table.
    """
    wanted = table_called(table)
    pandas = optional("pandas", extra="pandas")
    if isinstance(frames, str | os.PathLike):
        with read_tracks(frames) as file:
            rows = [values for line in file for values in wanted.values(line)]
    else:
        rows = [values for line in frames for values in wanted.values(line)]
    columns: list[Any] = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in wanted.columns]
    return pandas.DataFrame(
        {
            one.name: pandas.array(values, dtype=_TYPES[one.kind])
            for one, values in zip(wanted.columns, columns, strict=True)
        }
    )
