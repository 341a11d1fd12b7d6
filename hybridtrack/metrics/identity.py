"""Identity: IDF1, how much of the boxes belongs together when each object may have one track only.

Ristani, Solera, Zou, Cucchiara, Tomasi: "Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking",
ECCV workshops 2016.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from hybridtrack.metrics.counts import Counts
from hybridtrack.metrics.overlaps import Overlaps

MIN_IOU = 0.5  #: of a true and a tracked box that may be one object


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityCounts(Counts):
    """IDTP, IDFN, IDFP: boxes whose object has this one track, true boxes and tracked boxes that are left over."""

    tp: int
    fn: int
    fp: int

    @property
    def idf1(self) -> float:
        """2 IDTP / (2 IDTP + IDFP + IDFN), 0..1; 0 when there is no box at all."""
        return self.tp / max(1.0, self.tp + 0.5 * self.fp + 0.5 * self.fn)


def count_identity(pairs: Overlaps, min_iou: float = MIN_IOU) -> IdentityCounts:
    """Return what Identity counts in a sequence: objects and tracks are paired one to one, for all of it, so that the
    most boxes of an IoU of at least ``min_iou`` lie in pairs.

    That is the least of IDFN + IDFP: each box in a pair takes one off both.

    >>> import numpy as np
    >>> from hybridtrack.metrics.overlaps import overlaps
    >>> frame, one, box = np.arange(4), np.ones(4, int), np.tile([0.0, 0.0, 10.0, 10.0], (4, 1))
    >>> pairs = overlaps(frame, one, box, frame, np.array([1, 1, 1, 2]), box)
    >>> count_identity(pairs).idf1
    0.75
    """
    shape = len(pairs.truth_count), len(pairs.track_count)
    is_allowed = pairs.iou >= min_iou
    truth, track = pairs.truth_id[pairs.truth_row[is_allowed]], pairs.track_id[pairs.track_row[is_allowed]]
    together = np.bincount(truth * shape[1] + track, minlength=shape[0] * shape[1]).reshape(shape)
    tp = int(together[linear_sum_assignment(together, maximize=True)].sum())
    return IdentityCounts(tp=tp, fn=len(pairs.truth_id) - tp, fp=len(pairs.track_id) - tp)
