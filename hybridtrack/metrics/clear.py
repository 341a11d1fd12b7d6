"""CLEAR: MOTA, identity switches, fragmentations, and how many objects were tracked for most of their time.

Bernardin, Stiefelhagen: "Evaluating Multiple Object Tracking Performance: The CLEAR MOT Metrics", EURASIP JIVP 2008;
fragmentations and mostly tracked: Li, Huang, Nevatia, "Learning to Associate: HybridBoosted Multi-Target Tracker for
Crowded Scene", CVPR 2009. Where the papers leave a choice, it is TrackEval's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hybridtrack.metrics.counts import Counts
from hybridtrack.metrics.overlaps import EPS, Overlaps, match_block
from hybridtrack.types import Array

MIN_IOU = 0.5  #: of a true and a tracked box that are one object
_STAY = 1000.0  #: worth of a pair that was one on the frame before: above all IoU of a frame together
_MOSTLY, _HARDLY = 0.8, 0.2  #: share of its frames on which an object is found


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearCounts(Counts):
    """What CLEAR counts; counts of sequences add up.

    tp, fn, fp: matched boxes, true ones that were not found, tracked ones that are none. id_switches: matches of an
    object to another track than its match before, however long ago that was. fragmentations: how often an object is
    found again after it was not; a frame without any true or any tracked box interrupts nothing. mostly_tracked,
    mostly_lost: objects found on more than .8, on less than .2 of their frames. objects: all of them.
    """

    tp: int
    fn: int
    fp: int
    id_switches: int
    fragmentations: int
    mostly_tracked: int
    mostly_lost: int
    objects: int

    @property
    def mota(self) -> float:
        """1 - (FN + FP + IDSW) / true boxes; at most 1, no least value; without a true box, as if there were one."""
        return (self.tp - self.fp - self.id_switches) / max(1, self.tp + self.fn)


def match_clear(pairs: Overlaps, min_iou: float = MIN_IOU) -> Array:
    """Return the numbers (K,) of the pairs that CLEAR matches, by frame.

    One to one within each frame, of an IoU of at least ``min_iou``: as many as possible of those that were matched on
    the frame before, and then with the greatest total IoU.
    """
    truth, track = pairs.truth_id[pairs.truth_row], pairs.track_id[pairs.track_row]
    is_allowed = pairs.iou >= min_iou - EPS
    worth = np.where(is_allowed, pairs.iou, 0.0)
    last = np.full(len(pairs.truth_count), -1)
    last_step = -1
    chosen = [np.empty(0, np.intp)]
    for block, step in zip(pairs.blocks(), np.unique(_steps(pairs)).tolist(), strict=True):
        if step > last_step + 1:
            last[:] = -1
        place = block.pairs
        goes_on = (last[truth[place]] == track[place]) & is_allowed[place]
        match = match_block(block, worth[place] + _STAY * goes_on)
        match = match[is_allowed[match]]
        last[:], last_step = -1, step
        last[truth[match]] = track[match]
        chosen.append(match)
    return np.concatenate(chosen)


def count_clear(pairs: Overlaps, matches: Array) -> ClearCounts:
    """Return what CLEAR counts in a sequence; ``matches`` are those of ``match_clear``.

    >>> import numpy as np
    >>> from hybridtrack.metrics.overlaps import overlaps
    >>> frame, one, box = np.arange(4), np.ones(4, int), np.tile([0.0, 0.0, 10.0, 10.0], (4, 1))
    >>> pairs = overlaps(frame, one, box, frame, np.array([1, 1, 2, 2]), box)
    >>> counts = count_clear(pairs, match_clear(pairs))
    >>> (counts.id_switches, counts.mota)
    (1, 0.75)
    """
    step = _steps(pairs)[matches]
    truth, track = pairs.truth_id[pairs.truth_row[matches]], pairs.track_id[pairs.track_row[matches]]
    order = np.lexsort((step, truth))
    step, truth, track = step[order], truth[order], track[order]
    goes_on = truth[1:] == truth[:-1]
    truth_count = pairs.truth_count
    found = np.bincount(truth, minlength=len(truth_count)) / np.maximum(1, truth_count)
    mostly, hardly = int((found > _MOSTLY).sum()), int((found < _HARDLY).sum())
    return ClearCounts(
        tp=len(matches),
        fn=len(pairs.truth_id) - len(matches),
        fp=len(pairs.track_id) - len(matches),
        id_switches=int((goes_on & (track[1:] != track[:-1])).sum()),
        fragmentations=int((goes_on & (np.diff(step) > 1)).sum()),
        mostly_tracked=mostly,
        mostly_lost=hardly,
        objects=len(truth_count),
    )


def _steps(pairs: Overlaps) -> Array:
    """Return the frame of each pair (P,), counted over the frames that have both true and tracked boxes."""
    shared = np.intersect1d(pairs.truth_frame, pairs.track_frame)
    return np.searchsorted(shared, pairs.pair_frame)
