"""Hits: how many boxes are found at all, on which frames you like, whoever they are."""

from __future__ import annotations

from dataclasses import dataclass

from hybridtrack.metrics.counts import Counts
from hybridtrack.metrics.overlaps import Overlaps, match_frames
from hybridtrack.types import Array

MIN_IOU = 0.5  #: of a true and a tracked box that are one object


@dataclass(frozen=True, slots=True, kw_only=True)
class HitCounts(Counts):
    """Matched boxes, tracked ones that are none, and true ones that were not found; counts of sequences add up."""

    tp: int
    fp: int
    fn: int

    @property
    def f1(self) -> float | None:
        """2 TP / (2 TP + FP + FN), 0..1; None when there is no box at all."""
        total = 2 * self.tp + self.fp + self.fn
        return 2 * self.tp / total if total else None


def count_hits(pairs: Overlaps, on_frame: Array, min_iou: float = MIN_IOU) -> HitCounts:
    """Return the hits on the frames that ``on_frame``, bool (F,), is true of.

    Boxes are paired one to one within each frame with the greatest total IoU; a pair below ``min_iou`` is no hit.
    """
    matches = match_frames(pairs, pairs.iou)
    is_hit = (pairs.iou[matches] >= min_iou) & on_frame[pairs.pair_frame[matches]]
    tp = int(is_hit.sum())
    return HitCounts(
        tp=tp, fp=int(on_frame[pairs.track_frame].sum()) - tp, fn=int(on_frame[pairs.truth_frame].sum()) - tp
    )
