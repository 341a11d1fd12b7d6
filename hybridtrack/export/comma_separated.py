"""Comma-separated values: a row a track and frame."""

from __future__ import annotations

import csv
from pathlib import Path

from hybridtrack.export.columns import TRACK_FACETS, TRACKS
from hybridtrack.export.format import ExportFormat, Recording


def write_csv(recording: Recording, path: Path) -> None:
    """Write the table of tracks (RFC 4180) under its head; what is not known is empty."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(column.name for column in TRACKS.columns)
        for line in recording.frames:
            rows.writerows(TRACKS.values(line))


CSV = ExportFormat(
    name="csv",
    suffix=".csv",
    summary="a table with a row for each track and frame",
    holds=TRACK_FACETS,
    write=write_csv,
)
