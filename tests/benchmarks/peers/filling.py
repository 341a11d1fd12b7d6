"""Boxes for the frames between updates of a tracker that shows none there; runs in the peers' environments."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TypeAlias

Row: TypeAlias = tuple[int, int, float, float, float, float]  #: frame, id, left, top, right, bottom
Rows: TypeAlias = list[Row]


def hold(rows: Rows, every: int, frames: int) -> Rows:
    """Return the rows with each repeated until the next update, ``every`` frames later, or the end."""
    return sorted((frame, *rest) for first, *rest in rows for frame in range(first, min(first + every, frames)))


def interpolate(rows: Rows, most: int) -> Rows:
    """Return the rows with straight lines from one to the next of the same id, up to ``most`` frames later."""
    ways: defaultdict[int, Rows] = defaultdict(list)
    for row in sorted(rows):
        ways[row[1]].append(row)
    filled = list(rows)
    for number, way in ways.items():
        for (first, _, *start), (last, _, *end) in pairwise(way):
            if last - first <= most:
                filled += [
                    (
                        frame,
                        number,
                        *(a + (b - a) * (frame - first) / (last - first) for a, b in zip(start, end, strict=True)),
                    )
                    for frame in range(first + 1, last)
                ]
    return sorted(filled)
