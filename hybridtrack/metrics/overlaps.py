"""The true and the tracked boxes of one sequence, side by side frame by frame, and how much they overlap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from hybridtrack import boxes
from hybridtrack.types import Array

EPS = float(np.finfo(np.float64).eps)  #: by which an IoU may miss a threshold that it should reach
_AT_ONCE = 1024  #: boxes that are laid beside all others of their frames at a time, which bounds memory in crowds


class Block(NamedTuple):
    """The pairs of one frame. cells: the place of each in the table of the frame's true boxes × tracked boxes."""

    frame: int
    pairs: slice
    cells: tuple[Array, Array]
    shape: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Overlaps:
    """G true and T tracked boxes, and the P pairs of a true and a tracked box of one frame that share an area.

    truth_frame, truth_id: int (G,); track_frame, track_id: int (T,); rows are in the order of their frames, ids count
    from 0 without a gap. truth_xyxy: float64 (G, 4); track_xyxy: float64 (T, 4), px. truth_row, track_row: int (P,),
    the boxes of each pair, in the order of truth_row, then of track_row. iou: float64 (P,), above 0, up to 1.
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

    def blocks(self) -> Iterator[Block]:
        """Yield the pairs of each frame that has any, in the order of frames."""
        pair_frame = self.pair_frame
        first = np.flatnonzero(np.diff(pair_frame, prepend=-1))
        frame = pair_frame[first]
        places = np.append(first, len(pair_frame)).tolist()
        truth_from, truth_to = (np.searchsorted(self.truth_frame, frame, side).tolist() for side in ("left", "right"))
        track_from, track_to = (np.searchsorted(self.track_frame, frame, side).tolist() for side in ("left", "right"))
        for number, at in enumerate(frame.tolist()):
            pairs = slice(places[number], places[number + 1])
            cells = self.truth_row[pairs] - truth_from[number], self.track_row[pairs] - track_from[number]
            shape = truth_to[number] - truth_from[number], track_to[number] - track_from[number]
            yield Block(at, pairs, cells, shape)


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
    truth_row, track_row = touching(truth_frame, truth_xyxy, track_frame, track_xyxy)
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


def touching(frame: Array, xyxy: Array, other_frame: Array, other_xyxy: Array) -> tuple[Array, Array]:
    """Return the rows (P,), (P,) of boxes (N, 4) and (M, 4) that share a frame and an area; frames are in order.

    >>> import numpy as np
    >>> box, right = np.array([[0.0, 0.0, 10.0, 10.0]]), np.array([[20.0, 0.0, 30.0, 10.0]])
    >>> rows, others = touching(np.array([3]), box, np.array([2, 3, 3]), np.concatenate([box, right, box]))
    >>> list(zip(rows.tolist(), others.tolist()))
    [(0, 2)]
    """
    found = [(np.empty(0, np.intp), np.empty(0, np.intp))]
    for start in range(0, len(frame), _AT_ONCE):
        rows, others = pair_up(frame[start : start + _AT_ONCE], other_frame)
        rows += start
        touches = boxes.paired_intersection(xyxy[rows], other_xyxy[others]) > 0
        found.append((rows[touches], others[touches]))
    rows, others = (np.concatenate(column) for column in zip(*found, strict=True))
    return rows, others


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

    score: (P,), 0 or more.
    """
    return np.concatenate([np.empty(0, np.intp), *(match_block(block, score[block.pairs]) for block in pairs.blocks())])


def match_block(block: Block, score: Array) -> Array:
    """Return the numbers (K,) of the pairs of one frame that are one to one and have the greatest total score."""
    table = np.zeros(block.shape)
    table[block.cells] = score
    number = np.full(block.shape, -1)
    number[block.cells] = np.arange(block.pairs.start, block.pairs.stop)
    chosen: Array = number[linear_sum_assignment(table, maximize=True)]
    return chosen[chosen >= 0]
