"""How well the boxes of two runs agree, frame by frame, whatever their numbers."""

from __future__ import annotations

from collections.abc import Sequence

from hybridtrack import boxes
from hybridtrack.association import assign
from hybridtrack.types import Array

MIN_IOU = 0.5  #: of two boxes that show the same


def count_shared(a: Array, b: Array) -> int:
    """Return how many boxes of ``a`` (N, 4) and ``b`` (M, 4) can be paired one to one at an IoU of ``MIN_IOU``."""
    overlap = boxes.iou(a, b)
    rows, _ = assign(1 - overlap, overlap >= MIN_IOU)
    return len(rows)


def agreement(found: Sequence[Array], wanted: Sequence[Array]) -> float | None:
    """Return the F1, 0..1, of the boxes found against those wanted, frame by frame; None when there are none at all."""
    total = sum(map(len, found)) + sum(map(len, wanted))
    shared = sum(map(count_shared, found, wanted))
    return 2 * shared / total if total else None
