"""Apache Parquet: the table of tracks, typed and compressed, for pandas, Polars, DuckDB, R and Spark."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from hybridtrack.export.columns import TRACK_FACETS, TRACKS
from hybridtrack.export.extra import optional
from hybridtrack.export.format import ExportFormat, Recording

EXTRA: Final = "parquet"
_GROUP_ROWS: Final = 1 << 16  #: rows that are held at a time


def write_parquet(recording: Recording, path: Path) -> None:
    """Write the table of tracks. Raises MissingPackageError."""
    arrow, parquet = optional("pyarrow", extra=EXTRA), optional("pyarrow.parquet", extra=EXTRA)
    types = {"int": arrow.int64(), "float": arrow.float64(), "text": arrow.string()}
    schema = arrow.schema([(column.name, types[column.kind]) for column in TRACKS.columns])
    rows: list[list[Any]] = []

    def flush() -> None:
        columns = zip(*rows, strict=True) if rows else ([] for _ in schema)
        writer.write_table(arrow.table([list(column) for column in columns], schema=schema))
        rows.clear()

    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for line in recording.frames:
            rows.extend(TRACKS.values(line))
            if len(rows) >= _GROUP_ROWS:
                flush()
        flush()


PARQUET = ExportFormat(
    name="parquet",
    suffix=".parquet",
    summary="the table of csv, typed and compressed (extra 'parquet')",
    holds=TRACK_FACETS,
    write=write_parquet,
)
