"""Delay: how long it takes until an object that comes into the picture is seen."""

from __future__ import annotations

import numpy as np

from hybridtrack.metrics.overlaps import EPS, Overlaps
from hybridtrack.types import Array

_NEVER = np.iinfo(np.int64).max
MIN_IOU = 0.5  #: of a box that shows the object


def delays_s(pairs: Overlaps, is_visible: Array, time_s: Array, min_iou: float = MIN_IOU) -> Array:
    """Return how long each object that came in was not seen, (K,), s: 0 or more, infinite when it never was.

    It counts from the first frame on which the object is visible to the first on which a tracked box, any, has an IoU
    of ``min_iou`` with it. Objects that are visible on frame 0 did not come in, and those that never are cannot be
    seen: they are left out. is_visible: bool (G,), of each true box. time_s: (F,), of each frame.
    """
    objects = len(pairs.truth_count)
    came = _first(pairs.truth_id[is_visible], pairs.truth_frame[is_visible], objects)
    seen = _first_seen(pairs, min_iou)
    came_in = (came > 0) & (came < _NEVER)
    time = np.append(time_s, np.inf)
    waited: Array = time[np.minimum(seen[came_in], len(time_s))] - time_s[came[came_in]]
    return np.maximum(waited, 0.0)


def count_never_seen(pairs: Overlaps, min_iou: float = MIN_IOU) -> int:
    """Return how many objects no tracked box ever had an IoU of ``min_iou`` with."""
    return int((_first_seen(pairs, min_iou) == _NEVER).sum())


def _first_seen(pairs: Overlaps, min_iou: float) -> Array:
    """Return the first frame on which each object has a box."""
    shows = pairs.iou >= min_iou - EPS
    return _first(pairs.truth_id[pairs.truth_row[shows]], pairs.pair_frame[shows], len(pairs.truth_count))


def _first(number: Array, frame: Array, count: int) -> Array:
    """Return the first frame (count,) of each number, ``_NEVER`` of one that is on none."""
    first = np.full(count, _NEVER)
    np.minimum.at(first, number, frame)
    return first
