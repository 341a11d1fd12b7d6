"""The true and the tracked boxes of one sequence, side by side frame by frame, and how much they overlap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from hybridtrack import boxes
from hybridtrack.types import Array

EPS = float(np.finfo(np.float64).eps)  #: by which an IoU may miss a threshold that it should reach


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Overlaps:
    """G true and T tracked boxes, and the P pairs of a true and a tracked box that stand on one frame.

    truth_frame, truth_id: int (G,); track_frame, track_id: int (T,); rows are in the order of their frames, ids count
    from 0 without a gap. truth_xyxy: float64 (G, 4); track_xyxy: float64 (T, 4), px. truth_row, track_row: int (P,),
    the boxes of each pair: frame by frame, and within a frame each true box with every tracked one. iou: float64 (P,),
    0..1.
    """

    truth_frame: Array
    truth_id: Array
    truth_xyxy: Array
    track_frame: Array
    track_id: Array
    track_xyxy: Array
    truth_row: Array
    track_row: Array
    iou: Array

    @property
    def truth_count(self) -> Array:
        """How many boxes each true object has: int, one an id."""
        return np.bincount(self.truth_id)

    @property
    def track_count(self) -> Array:
        """How many boxes each track has: int, one an id."""
        return np.bincount(self.track_id)

    @property
    def pair_frame(self) -> Array:
        """The frame of each pair: int (P,)."""
        frame: Array = self.truth_frame[self.truth_row]
        return frame

    def frames(self) -> Iterator[tuple[slice, tuple[int, int]]]:
        """Yield the pairs of each frame that has any, and how many true and tracked boxes they are of."""
        first = np.flatnonzero(np.diff(self.pair_frame, prepend=-1))
        frame = self.pair_frame[first]
        n = np.bincount(self.truth_frame, minlength=1)[frame]
        m = np.bincount(self.track_frame, minlength=1)[frame]
        for start, rows, columns in zip(first.tolist(), n.tolist(), m.tolist(), strict=True):
            yield slice(start, start + rows * columns), (rows, columns)


def overlaps(
    truth_frame: Array, truth_id: Array, truth_xyxy: Array, track_frame: Array, track_id: Array, track_xyxy: Array
) -> Overlaps:
    """Return the overlaps of true boxes (G, 4) with tracked ones (T, 4) of the same frames, whatever their ids.

    Frames are in ascending order, and no id stands on one twice.

    >>> import numpy as np
    >>> box = np.array([[0.0, 0.0, 10.0, 10.0]])
    >>> one = overlaps(np.array([7]), np.array([3]), box, np.array([7]), np.array([9]), box + [5.0, 0.0, 5.0, 0.0])
    >>> (one.truth_id.tolist(), one.track_id.tolist(), one.iou.round(3).tolist())
    ([0], [0], [0.333])
    """
    truth_xyxy, track_xyxy = truth_xyxy.astype(np.float64), track_xyxy.astype(np.float64)
    truth_row, track_row = pair_up(truth_frame, track_frame)
    return Overlaps(
        truth_frame=truth_frame,
        truth_id=np.unique(truth_id, return_inverse=True)[1],
        truth_xyxy=truth_xyxy,
        track_frame=track_frame,
        track_id=np.unique(track_id, return_inverse=True)[1],
        track_xyxy=track_xyxy,
        truth_row=truth_row,
        track_row=track_row,
        iou=boxes.paired_iou(truth_xyxy[truth_row], track_xyxy[track_row]),
    )


def pair_up(frame: Array, other_frame: Array) -> tuple[Array, Array]:
    """Return the rows (P,), (P,) of all pairs on one frame, of frames (N,) and (M,) in ascending order.

    >>> import numpy as np
    >>> rows, others = pair_up(np.array([0, 0, 2]), np.array([0, 1, 2, 2]))
    >>> list(zip(rows.tolist(), others.tolist()))
    [(0, 0), (1, 0), (2, 2), (2, 3)]
    """
    first = np.searchsorted(other_frame, frame, "left")
    count = np.searchsorted(other_frame, frame, "right") - first
    rows = np.repeat(np.arange(len(frame)), count)
    place = np.arange(len(rows)) - np.repeat(np.cumsum(count) - count, count)
    return rows, np.repeat(first, count) + place


def match_frames(pairs: Overlaps, score: Array) -> Array:
    """Return the numbers (K,) of pairs that are one to one within each frame and have the greatest total score.

    score: (P,), 0 or more; a frame gets as many pairs as it has boxes on the side that has fewer, those of score 0
    among them.
    """
    chosen = [np.empty(0, np.intp)]
    for place, shape in pairs.frames():
        rows, columns = linear_sum_assignment(score[place].reshape(shape), maximize=True)
        chosen.append(place.start + rows * shape[1] + columns)
    return np.concatenate(chosen)
