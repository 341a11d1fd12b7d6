"""HOTA: how well objects are found, how well they are kept apart, and how exact their boxes are.

Luiten, Ošep, Dendorfer, Torr, Geiger, Leal-Taixé, Leibe: "HOTA: A Higher Order Metric for Evaluating Multi-Object
Tracking", IJCV 2021. A match c of an object and a track has TPA(c), the boxes on which the two are matched, FNA(c), the
object's other boxes, and FPA(c), the track's others; A(c) = TPA / (TPA + FNA + FPA).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hybridtrack.metrics.counts import Counts
from hybridtrack.metrics.overlaps import EPS, Overlaps, match_frames
from hybridtrack.types import Array

ALPHA = np.arange(0.05, 0.99, 0.05)  #: the 19 IoU thresholds over which HOTA is a mean
_LEAST = 1e-10  #: no box matched: LocA is 1, as in TrackEval


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HotaCounts(Counts):
    """What HOTA counts at each of the thresholds: float64 (19,) each; counts of sequences add up.

    tp, fn, fp: matched boxes, true ones that were not found, tracked ones that are none. association: the sum of A(c)
    over the matched boxes. iou: the sum of their IoU.
    """

    tp: Array
    fn: Array
    fp: Array
    association: Array
    iou: Array

    @property
    def det_a(self) -> Array:
        """Detection accuracy, (19,), 0..1: TP / (TP + FN + FP)."""
        accuracy: Array = self.tp / np.maximum(1, self.tp + self.fn + self.fp)
        return accuracy

    @property
    def ass_a(self) -> Array:
        """Association accuracy, (19,), 0..1: the mean of A(c) over the matched boxes; 0 when there is none."""
        accuracy: Array = self.association / np.maximum(1, self.tp)
        return accuracy

    @property
    def loc_a(self) -> Array:
        """Localisation accuracy, (19,), 0..1: the mean IoU of the matched boxes; 1 when there is none."""
        accuracy: Array = np.maximum(_LEAST, self.iou) / np.maximum(_LEAST, self.tp)
        return accuracy

    @property
    def hota(self) -> Array:
        """HOTA at each threshold, (19,), 0..1: the geometric mean of ``det_a`` and ``ass_a``.

        The HOTA of a sequence is the mean over the thresholds.
        """
        means: Array = np.sqrt(self.det_a * self.ass_a)
        return means


def match_hota(pairs: Overlaps) -> Array:
    """Return the numbers (K,) of the pairs that HOTA matches, whatever their IoU; thresholds are for who counts them.

    One to one within each frame, so that the sum of IoU × alignment is greatest. The alignment of an object with a
    track is A(c) over the whole sequence before anything is matched: each pair of boxes counts its share of all IoU
    that the two have on the frame. So TrackEval comes near the paper's matching, which maximises each HOTA_α.
    """
    truth, track = pairs.truth_id[pairs.truth_row], pairs.track_id[pairs.track_row]
    of_truth = np.bincount(pairs.truth_row, pairs.iou, len(pairs.truth_id))
    of_track = np.bincount(pairs.track_row, pairs.iou, len(pairs.track_id))
    union = of_truth[pairs.truth_row] + of_track[pairs.track_row] - pairs.iou
    share = np.divide(pairs.iou, union, out=np.zeros_like(pairs.iou), where=union > EPS)
    truth_count, track_count = pairs.truth_count, pairs.track_count
    shape = len(truth_count), len(track_count)
    together = np.bincount(truth * shape[1] + track, share, shape[0] * shape[1]).reshape(shape)
    alignment = together / (truth_count[:, None] + track_count[None, :] - together)
    return match_frames(pairs, alignment[truth, track] * pairs.iou)


def count_hota(pairs: Overlaps, matches: Array) -> HotaCounts:
    """Return what HOTA counts in a sequence; ``matches`` are those of ``match_hota``.

    >>> import numpy as np
    >>> from hybridtrack.metrics.overlaps import overlaps
    >>> frame, one, box = np.arange(4), np.ones(4, int), np.tile([0.0, 0.0, 10.0, 10.0], (4, 1))
    >>> pairs = overlaps(frame, one, box, frame, np.array([1, 1, 2, 2]), box)  # two tracks of two frames each
    >>> counts = count_hota(pairs, match_hota(pairs))
    >>> [round(float(value.mean()), 4) for value in (counts.det_a, counts.ass_a, counts.hota)]
    [1.0, 0.5, 0.7071]
    """
    iou = pairs.iou[matches]
    truth, track = pairs.truth_id[pairs.truth_row[matches]], pairs.track_id[pairs.track_row[matches]]
    is_match = iou >= ALPHA[:, None] - EPS
    tp = is_match.sum(axis=1, dtype=np.float64)
    return HotaCounts(
        tp=tp,
        fn=len(pairs.truth_id) - tp,
        fp=len(pairs.track_id) - tp,
        association=_association(truth, track, is_match, pairs.truth_count, pairs.track_count),
        iou=is_match @ iou,
    )


def _association(truth: Array, track: Array, is_match: Array, truth_count: Array, track_count: Array) -> Array:
    """Return the sum (19,) of A(c) over matches of these ids (K,)."""
    total = np.zeros(len(is_match))
    if not len(truth):
        return total
    key, place = np.unique(truth * len(track_count) + track, return_inverse=True)
    both = truth_count[key // len(track_count)] + track_count[key % len(track_count)]
    for row, counted in enumerate(is_match):
        tpa = np.bincount(place[counted], minlength=len(key))
        total[row] = (tpa * (tpa / (both - tpa))).sum()
    return total
