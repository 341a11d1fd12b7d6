"""Which detection belongs to which track: optimal assignment on gated costs, the surest pairs first.

Only pairs that are within reach of each other are looked at, so that the cost grows with the crowd's density and not
with the square of its size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from hybridtrack.boxes import area, paired_intersection, paired_iou, xyxy_to_cxcywh
from hybridtrack.types import Array, TrackState

HIGH_SCORE = 0.5  #: a detection this sure begins a track by itself, and may join one that was lost
TENTATIVE_SCORE = 0.4  #: ... and this sure a tentative track, which a second one confirms

_MIN_IOU = 0.2  #: of a track and a detection that may be one object
_AGILE_MIN_IOU = 0.15  #: ... and of one that may have turned
_MAX_DISTANCE = 20.0  #: ... or their squared Mahalanobis distance: of 2000 right ones one is farther off
_LIKELIHOOD_SCALE = 6.0  #: of the squared distance, by which it tells pairs apart: boxes are off by more than noise
_LIKELIHOOD_WEIGHT = 0.5  #: in units of IoU
_MIN_CONTAINED = 0.6  #: share of the smaller box in the other, when a hand hides or sets free a part of an object
_GATE = 1.5  #: distance that a track's centre may be off at once, in box sizes
_GATE_PER_S = 4.0  #: ... and that it may have gone for every second it was not seen: hands cross a table in one or two
_MAX_GATE = 6.0
_LATE_PER_S = 0.5  #: box sizes by which a track not seen for a second has to be nearer than one just seen
_YOUNG_COST = 0.2  #: IoU by which a track just born has to fit better than one that has been there for long
_YOUNG_S = 0.5  #: time in which a track grows out of that
_FORBIDDEN = 1e6  #: cost while solving, so far above any allowed one that as many pairs as possible are allowed ones


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Expected:
    """N tracks of one identity class, where they are expected.

    xyxy: float (N, 4), px. state: (N,), of ``TrackState``. unseen_s: (N,), time since a detector saw them. tenure_s:
    (N,), from the first to the last time a detector did. is_agile: bool (N,), those that stop and turn at once. var:
    float (N, 4), px², of centre x, centre y, width and height; None: nobody knows, and boxes have to overlap.
    """

    xyxy: Array
    state: Array
    unseen_s: Array
    tenure_s: Array
    is_agile: Array
    var: Array | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """M detections of one identity class: xyxy (M, 4), px; score (M,); var (M, 4), px², as for ``Expected``."""

    xyxy: Array
    score: Array
    var: Array | None = None


def assign(cost: Array, allowed: Array) -> tuple[Array, Array]:
    """Return the row and column numbers of the pairs with the least total cost among the most allowed pairs.

    cost: float (N, M). allowed: bool (N, M); other pairs are never formed. Rows and columns in no pair are left out;
    N = 0 or M = 0 gives none.
    """
    rows, columns = np.nonzero(allowed)
    kept = assign_pairs(rows, columns, cost[rows, columns])
    return rows[kept], columns[kept]


def assign_pairs(row: Array, column: Array, cost: Array) -> Array:
    """Return which of P pairs to form, in the order of their rows: none has a row or column of another, as many as
    possible, at the least total cost.

    row, column: int (P,), each pair once. cost: float (P,).
    """
    row_count, column_count = np.bincount(row), np.bincount(column)
    is_alone = (row_count[row] == 1) & (column_count[column] == 1)
    alone, rest = is_alone.nonzero()[0], (~is_alone).nonzero()[0]
    if not len(rest):
        in_order: Array = alone[np.argsort(row[alone], kind="stable")]
        return in_order
    rows, i = np.unique(row[rest], return_inverse=True)
    columns, j = np.unique(column[rest], return_inverse=True)
    dense = np.full((len(rows), len(columns)), _FORBIDDEN)
    dense[i, j] = cost[rest]
    pair = np.full(dense.shape, -1)
    pair[i, j] = rest
    found = pair[linear_sum_assignment(dense)]
    kept = np.concatenate([alone, found[found >= 0]])
    return kept[np.argsort(row[kept], kind="stable")]


def associate(
    tracks: Expected,
    found: Seen,
    *,
    known: Array | bool = False,
    barred: Array | bool = False,
    in_reach: Array | bool = False,
    sure_score: float = HIGH_SCORE,
) -> tuple[Array, Array]:
    """Return the rows of tracks and of detections of one identity class that belong together, pair by pair.

    known, barred: (N, M), pairs that are told to be one object, or not to be. in_reach: (N, M), pairs within the reach
    of the hand that hides the track. sure_score: from which a detection is sure. Six passes, each on what the ones
    before it left over:

    1. pairs that are known, wherever they are;
    2. sure detections by overlap and by how likely it is that the track has come there;
    3. unsure ones by overlap, with tracks that are not lost (Zhang et al., "ByteTrack", 2022);
    4. sure ones of which one box contains the other's larger part, of agile tracks: smooth ones are not half hidden
       by what carries them, and the box within another one's is somebody else's;
    5. sure ones by distance, within a gate that grows with the box and with time; beyond what it is at once only where
       neither side has another choice, so that a crowd does not swap ids, or where a hand may have taken the object.
       A track that another detector has just seen has not gone anywhere, and smooth tracks go where they are expected;
    6. tentative tracks by overlap: a doubtful track never takes a detection from an established one.
    """
    if not (len(tracks.xyxy) and len(found.xyxy)):
        return np.empty(0, np.intp), np.empty(0, np.intp)
    was, seen = xyxy_to_cxcywh(tracks.xyxy), xyxy_to_cxcywh(found.xyxy)
    size = np.sqrt(np.maximum(was[:, 2] * was[:, 3], 1.0))
    gate = np.minimum(_GATE + _GATE_PER_S * tracks.unseen_s, _MAX_GATE) * tracks.is_agile
    i, j = np.nonzero(_may_meet(tracks, found, was, seen, gate * size) | known | in_reach)
    pairs = _Pairs(i, j, ~_of(barred, i, j))
    is_sure, is_possible = found.score[j] >= sure_score, found.score[j] >= TENTATIVE_SCORE
    is_real, is_shown = tracks.state[i] != TrackState.TENTATIVE, tracks.state[i] == TrackState.CONFIRMED
    overlap = paired_iou(tracks.xyxy[i], found.xyxy[j])
    fit, is_likely = _fit(tracks, found, was, seen, overlap, i, j)
    cost = _YOUNG_COST * np.exp(-tracks.tenure_s / _YOUNG_S)[i] - fit
    off = np.hypot(was[i, 0] - seen[j, 0], was[i, 1] - seen[j, 1]) / size[i]
    is_agile = tracks.is_agile[i]
    overlaps = overlap >= np.where(is_agile, _AGILE_MIN_IOU, _MIN_IOU)
    if known is not False:
        pairs.add(off, _of(known, i, j))
    pairs.add(cost, (overlaps | is_likely) & is_sure & is_real)
    pairs.add(cost, overlaps & ~is_sure & is_shown)
    if is_agile.any() and pairs.is_free.any():
        smaller = np.minimum(area(tracks.xyxy)[i], np.maximum(area(found.xyxy), 1.0)[j])
        contained = paired_intersection(tracks.xyxy[i], found.xyxy[j]) / smaller
        pairs.add(cost, (contained >= _MIN_CONTAINED) & is_sure & is_real & is_agile)
        reached = _of(in_reach, i, j)
        in_gate = pairs.is_free & is_sure & is_real & (tracks.unseen_s > 0)[i] & ((off <= gate[i]) | reached)
        choices, rivals = np.bincount(i[in_gate], minlength=len(was)), np.bincount(j[in_gate], minlength=len(seen))
        is_only_choice = (choices[i] == 1) & (rivals[j] == 1)
        late = _LATE_PER_S * tracks.unseen_s[i]
        pairs.add(off + late, in_gate & (is_only_choice | (off <= _GATE) | reached))
    pairs.add(cost, overlaps & is_possible & ~is_real)
    return pairs.rows, pairs.columns


def _may_meet(tracks: Expected, found: Seen, was: Array, seen: Array, gate_px: Array) -> Array:
    """Return which pairs (N, M) to look at: all that any pass could form, and some others.

    was, seen: cx, cy, w, h of tracks (N, 4) and detections (M, 4). gate_px: (N,).
    """
    own, other = was[:, 2:] / 2, seen[:, 2:] / 2
    if tracks.var is not None and found.var is not None:
        own = np.maximum(own, np.sqrt(_MAX_DISTANCE * tracks.var[:, :2]))
        other = np.maximum(other, np.sqrt(_MAX_DISTANCE * found.var[:, :2]))
    own = np.maximum(own, gate_px[:, None])
    near: Array = np.abs(was[:, None, 0] - seen[:, 0]) <= own[:, None, 0] + other[:, 0]
    near &= np.abs(was[:, None, 1] - seen[:, 1]) <= own[:, None, 1] + other[:, 1]
    return near


def _fit(
    tracks: Expected, found: Seen, was: Array, seen: Array, overlap: Array, i: Array, j: Array
) -> tuple[Array, Array]:
    """Return how well P pairs fit, in units of IoU, and which of them are likely though they hardly overlap."""
    if tracks.var is None or found.var is None:
        return overlap, np.zeros(len(i), bool)
    distance = (np.square(was[i] - seen[j]) / (tracks.var[i] + found.var[j])).sum(axis=1)
    height, other = was[i, 3], seen[j, 3]
    likeness = np.minimum(height, other) / np.maximum(np.maximum(height, other), 1e-9)
    fit = (overlap + _LIKELIHOOD_WEIGHT * np.exp(-distance / _LIKELIHOOD_SCALE)) * likeness
    return fit, distance < _MAX_DISTANCE


def _of(matrix: Array | bool, i: Array, j: Array) -> Array:
    """Return the entries (P,) of an (N, M) matrix, or of one that is everywhere the same."""
    return matrix[i, j] if isinstance(matrix, np.ndarray) else np.full(len(i), matrix)


class _Pairs:
    """Pairs of rows and columns, found pass by pass among P possible ones: none is in two pairs."""

    def __init__(self, row: Array, column: Array, is_free: Array) -> None:
        self.rows = self.columns = np.empty(0, np.intp)
        self.is_free = is_free
        self._row, self._column = row, column

    def add(self, cost: Array, allowed: Array) -> None:
        """Add the best pairs of what is left over. cost: (P,). allowed: bool (P,)."""
        possible = (allowed & self.is_free).nonzero()[0]
        if not len(possible):
            return
        chosen = possible[assign_pairs(self._row[possible], self._column[possible], cost[possible])]
        rows, columns = self._row[chosen], self._column[chosen]
        is_row_taken = np.zeros(self._row.max() + 1, bool)
        is_column_taken = np.zeros(self._column.max() + 1, bool)
        is_row_taken[rows] = is_column_taken[columns] = True
        self.is_free = self.is_free & ~is_row_taken[self._row] & ~is_column_taken[self._column]
        self.rows = np.concatenate([self.rows, rows])
        self.columns = np.concatenate([self.columns, columns])
