"""Which detection belongs to which track: optimal assignment on gated costs, the surest pairs first."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from hybridtrack.boxes import area, intersection, iou, xyxy_to_cxcywh
from hybridtrack.types import Array, TrackState

HIGH_SCORE = 0.5  #: a detection this sure begins a track by itself, and may join one that was lost
TENTATIVE_SCORE = 0.4  #: ... and this sure a tentative track, which a second one confirms

_MIN_IOU = 0.2  #: of a track and a sure detection that may be one object
_LOW_MIN_IOU = 0.3  #: ... and of a track and an unsure one
_MIN_CONTAINED = 0.6  #: share of the smaller box in the other, when a hand hides or sets free a part of an object
_GATE = 1.0  #: distance that a track's centre may be off at once, in box sizes
_GATE_PER_S = 4.0  #: ... and that it may have gone for every second it was not seen: hands cross a table in one or two
_MAX_GATE = 6.0
_LATE_PER_S = 0.5  #: box sizes by which a track not seen for a second has to be nearer than one just seen
_YOUNG_COST = 0.2  #: IoU by which a track just born has to fit better than one that has been there for long
_YOUNG_S = 0.5  #: time in which a track grows out of that
_FORBIDDEN = 1e6  #: cost while solving, so far above any allowed one that as many pairs as possible are allowed ones


def assign(cost: Array, allowed: Array) -> tuple[Array, Array]:
    """Return the row and column numbers of the pairs with the least total cost among the most allowed pairs.

    cost: float (N, M). allowed: bool (N, M); other pairs are never formed. Rows and columns in no pair are left out;
    N = 0 or M = 0 gives none.
    """
    rows, columns = np.flatnonzero(allowed.any(axis=1)), np.flatnonzero(allowed.any(axis=0))
    if len(rows) == 0:
        return rows, columns
    if len(rows) == 1:
        return rows, np.atleast_1d(np.argmin(np.where(allowed[rows[0]], cost[rows[0]], np.inf)))
    small = np.ix_(rows, columns)
    i, j = linear_sum_assignment(np.where(allowed[small], cost[small], _FORBIDDEN))
    rows, columns = rows[i], columns[j]
    kept = allowed[rows, columns]
    return rows[kept], columns[kept]


def associate(
    track_xyxy: Array,
    state: Array,
    unseen_s: Array,
    tenure_s: Array,
    detection_xyxy: Array,
    score: Array,
    *,
    known: Array | bool = False,
    barred: Array | bool = False,
    in_reach: Array | bool = False,
) -> tuple[Array, Array]:
    """Return the rows of tracks and of detections of one identity class that belong together, pair by pair.

    track_xyxy: float (N, 4), where the tracks are expected, px. state: (N,), of ``TrackState``. unseen_s: (N,), time
    since a detector saw them. tenure_s: (N,), from the first to the last time a detector did. detection_xyxy: (M, 4),
    px. score: (M,). known, barred: (N, M), pairs that are told to be one object, or not to be. in_reach: (N, M), pairs
    within the reach of the hand that hides the track. Six passes, each on what the ones before it left over:

    1. pairs that are known, wherever they are;
    2. sure detections by overlap;
    3. unsure ones by overlap, with tracks that are not lost (Zhang et al., "ByteTrack", 2022);
    4. sure ones of which one box contains the other's larger part;
    5. sure ones by distance, within a gate that grows with the box and with time; beyond one box size only where
       neither side has another choice, so that a crowd does not swap ids, or where a hand may have taken the object.
       A track that another detector has just seen has not gone anywhere;
    6. tentative tracks by overlap: a doubtful track never takes a detection from an established one.
    """
    pairs = _Pairs(len(track_xyxy), len(detection_xyxy))
    if not (len(track_xyxy) and len(detection_xyxy)):
        return pairs.rows, pairs.columns
    sure, possible = score >= HIGH_SCORE, score >= TENTATIVE_SCORE
    is_real, is_shown = (state != TrackState.TENTATIVE)[:, None], (state == TrackState.CONFIRMED)[:, None]
    overlap = iou(track_xyxy, detection_xyxy)
    cost = 1 - overlap + _YOUNG_COST * np.exp(-tenure_s / _YOUNG_S)[:, None]
    tracks, detections = xyxy_to_cxcywh(track_xyxy), xyxy_to_cxcywh(detection_xyxy)
    size = np.sqrt(tracks[:, 2] * tracks[:, 3])
    gap = np.linalg.norm(tracks[:, None, :2] - detections[None, :, :2], axis=2) / np.maximum(size, 1.0)[:, None]
    pairs.free &= ~np.asarray(barred)
    pairs.add(gap, np.asarray(known) & np.ones_like(pairs.free))
    pairs.add(cost, (overlap >= _MIN_IOU) & sure & is_real)
    pairs.add(cost, (overlap >= _LOW_MIN_IOU) & ~sure & is_shown)
    contained = intersection(track_xyxy, detection_xyxy) / np.minimum(
        area(track_xyxy)[:, None], np.maximum(area(detection_xyxy), 1.0)
    )
    pairs.add(cost, (contained >= _MIN_CONTAINED) & sure & is_real)
    gate = np.minimum(_GATE + _GATE_PER_S * unseen_s, _MAX_GATE)
    in_gate = pairs.free & ((gap <= gate[:, None]) | in_reach) & (sure & is_real) & (unseen_s > 0)[:, None]
    is_only_choice = (in_gate.sum(axis=0) == 1) & (in_gate.sum(axis=1) == 1)[:, None]
    pairs.add(gap + _LATE_PER_S * unseen_s[:, None], in_gate & (is_only_choice | (gap <= _GATE) | in_reach))
    pairs.add(cost, (overlap >= _LOW_MIN_IOU) & possible & ~is_real)
    return pairs.rows, pairs.columns


class _Pairs:
    """Pairs of N rows and M columns, found pass by pass: none is in two pairs."""

    def __init__(self, n: int, m: int) -> None:
        self.rows = self.columns = np.empty(0, np.intp)
        self.free = np.ones((n, m), bool)

    def add(self, cost: Array, allowed: Array) -> None:
        """Add the best pairs of what is left over."""
        allowed = allowed & self.free
        if not allowed.any():
            return
        rows, columns = assign(cost, allowed)
        self.free[rows] = False
        self.free[:, columns] = False
        self.rows = np.concatenate([self.rows, rows])
        self.columns = np.concatenate([self.columns, columns])
