"""Boxes by hand, for metrics."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hybridtrack.metrics.overlaps import Overlaps, overlaps

Row = tuple[float, float, float, float, float, float]  #: frame, id, left, top, width, height


def columns(rows: Sequence[Row]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return frames, ids and xyxy of rows."""
    table = np.array(rows, np.float64).reshape(-1, 6)
    xyxy = np.concatenate([table[:, 2:4], table[:, 2:4] + table[:, 4:]], axis=1)
    return table[:, 0].astype(int), table[:, 1].astype(int), xyxy


def paired(truth: Sequence[Row], tracks: Sequence[Row]) -> Overlaps:
    return overlaps(*columns(truth), *columns(tracks))


def still(number: int, frames: Sequence[int], left: float = 0.0, side: float = 10.0) -> list[Row]:
    """Return the rows of a box that does not move."""
    return [(frame, number, left, 0.0, side, side) for frame in frames]
