"""Jitter: how hard the box of an object is thrown about from frame to frame."""

from __future__ import annotations

import numpy as np

from hybridtrack.boxes import xyxy_to_cxcywh
from hybridtrack.metrics.hota import ALPHA
from hybridtrack.metrics.overlaps import EPS, Overlaps
from hybridtrack.types import Array


def track_accelerations(pairs: Overlaps, matches: Array, time_s: Array) -> Array:
    """Return how fast the velocity of boxes changes, (K,), in sizes of the true box per second squared.

    There is a value for every three frames in a row that have the true object: of the centres of the boxes that show
    it, whatever their track ids, so that a track that breaks up gains nothing. Where one of the three shows no box, the
    value is infinite. matches: those of ``match_hota``; the ones that reach its least threshold count. time_s: (F,), of
    each frame.
    """
    shown = matches[pairs.iou[matches] >= ALPHA[0] - EPS]
    centre_px = np.full((len(pairs.truth_id), 2), np.nan)
    centre_px[pairs.truth_row[shown]] = xyxy_to_cxcywh(pairs.track_xyxy[pairs.track_row[shown]])[:, :2]
    return _accelerations(pairs, centre_px, time_s)


def truth_accelerations(pairs: Overlaps, time_s: Array) -> Array:
    """Return the same of the true boxes: what of it is motion, and what the truth itself is thrown about."""
    return _accelerations(pairs, xyxy_to_cxcywh(pairs.truth_xyxy)[:, :2], time_s)


def median(values: Array) -> float | None:
    """Return the median of values (K,); None when there is none, or when half of them are infinite.

    >>> median(np.array([1.0, 2.0, np.inf]))
    2.0
    """
    middle = float(np.median(values)) if len(values) else np.inf
    return middle if np.isfinite(middle) else None


def _accelerations(pairs: Overlaps, centre_px: Array, time_s: Array) -> Array:
    """Return |v2 - v1| / ((t3 - t1) / 2) / size (K,); v1, v2: the mean velocities between three frames in a row.

    centre_px: (G, 2), NaN where nothing is shown. Frames whose times do not go up have no velocity and no value.
    """
    order = np.lexsort((pairs.truth_frame, pairs.truth_id))
    frame, number, centre_px = pairs.truth_frame[order], pairs.truth_id[order], centre_px[order]
    first = np.flatnonzero((number[2:] == number[:-2]) & (frame[2:] == frame[:-2] + 2))
    time = time_s[frame]
    first = first[(time[first] < time[first + 1]) & (time[first + 1] < time[first + 2])]
    before, after = time[first + 1] - time[first], time[first + 2] - time[first + 1]
    cxcywh = xyxy_to_cxcywh(pairs.truth_xyxy[order][first + 1])
    size_px = np.sqrt(np.maximum(cxcywh[:, 2] * cxcywh[:, 3], 0))
    change = (centre_px[first + 2] - centre_px[first + 1]) / after[:, None]
    change -= (centre_px[first + 1] - centre_px[first]) / before[:, None]
    acceleration = np.hypot(change[:, 0], change[:, 1]) / ((before + after) / 2)
    acceleration[np.isnan(acceleration)] = np.inf
    unknown = np.full_like(acceleration, np.inf)
    values: Array = np.divide(acceleration, size_px, out=unknown, where=size_px > 0)
    return values
