"""How boxes have moved over the table in the last moments: translations that hands in the way cannot feign.

An object that a hand half covers shows a smaller box, whose centre moves with the hand although the object rests. What
covers a side can move that side alone. So a box counts as moved along an axis by as much as *both* its opposite sides
have moved in one direction, the lesser of the two.
"""

from __future__ import annotations

import numpy as np

from hybridtrack.types import Array

_STILL = np.eye(3)
_START_FRAMES = 64  #: of the memory; it grows with the frame rate


def to_reference(xyxy: Array, camera: Array) -> Array:
    """Return boxes (N, 4) as they would lie in the first frame's picture: the middles of their sides, taken back.

    camera: float64 (3, 3), maps pixels of the first frame to those of this one.
    """
    if (camera == _STILL).all():
        return xyxy
    back = np.linalg.inv(camera)
    centre = (xyxy[:, :2] + xyxy[:, 2:]) / 2
    x = np.stack([xyxy[:, 0], centre[:, 0], xyxy[:, 2], centre[:, 0]], axis=1)
    y = np.stack([centre[:, 1], xyxy[:, 1], centre[:, 1], xyxy[:, 3]], axis=1)
    depth = back[2, 0] * x + back[2, 1] * y + back[2, 2]
    across = (back[0, 0] * x + back[0, 1] * y + back[0, 2]) / depth
    down = (back[1, 0] * x + back[1, 1] * y + back[1, 2]) / depth
    return np.stack([across[:, 0], down[:, 1], across[:, 2], down[:, 3]], axis=1)


def translation(sides: Array) -> Array:
    """Return how far boxes went for certain, (…, 2), whose ``sides`` (…, 4) went so far."""
    low, high = sides[..., :2], sides[..., 2:]
    lesser, greater = np.minimum(low, high), np.maximum(low, high)
    both: Array = np.maximum(lesser, 0.0) + np.minimum(greater, 0.0)
    return both


class Memory:
    """The boxes of the last moments, track by track, in the picture of the first frame.

    After ``add``, ``time_s`` (T,), ``xyxy`` (T, N, 4) and ``origin`` (T, N) hold the frames that are remembered, the
    newest last, and the tracks of the newest frame; NaN where a track was not there yet.
    """

    def __init__(self, span_s: float) -> None:
        self._span_s = span_s
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._track_id = np.empty(0, np.int64)
        self._time_s = np.empty(_START_FRAMES)
        self._xyxy = np.empty((_START_FRAMES, 0, 4))
        self._origin = np.empty((_START_FRAMES, 0), np.uint8)
        self._first = self._end = 0

    def add(self, time_s: float, track_id: Array, xyxy: Array, origin: Array) -> None:
        """Remember the tracks of a frame; those that are not on it any more are forgotten."""
        self._keep(track_id)
        if self._end == len(self._time_s):
            self._make_room()
        self._time_s[self._end] = time_s
        self._xyxy[self._end] = xyxy
        self._origin[self._end] = origin
        self._end += 1
        self._first += int(np.searchsorted(self.time_s, time_s - self._span_s))

    @property
    def time_s(self) -> Array:
        return self._time_s[self._first : self._end]

    @property
    def xyxy(self) -> Array:
        return self._xyxy[self._first : self._end]

    @property
    def origin(self) -> Array:
        return self._origin[self._first : self._end]

    def _keep(self, track_id: Array) -> None:
        """Make the columns those of ``track_id``, in its order."""
        if np.array_equal(track_id, self._track_id):
            return
        order = np.argsort(self._track_id)
        place = np.searchsorted(self._track_id, track_id, sorter=order)
        column = order[np.minimum(place, len(order) - 1)] if len(order) else np.zeros(len(track_id), np.intp)
        is_known = self._track_id[column] == track_id if len(order) else np.zeros(len(track_id), bool)
        xyxy = np.full((len(self._time_s), len(track_id), 4), np.nan)
        origin = np.zeros((len(self._time_s), len(track_id)), np.uint8)
        xyxy[:, is_known] = self._xyxy[:, column[is_known]]
        origin[:, is_known] = self._origin[:, column[is_known]]
        self._track_id, self._xyxy, self._origin = track_id.copy(), xyxy, origin

    def _make_room(self) -> None:
        """Move what is remembered to the front, of a longer memory where it fills more than half."""
        frames = self._end - self._first
        length = len(self._time_s) * (2 if frames > len(self._time_s) // 2 else 1)
        for name in ("_time_s", "_xyxy", "_origin"):
            old = getattr(self, name)
            new = np.empty((length, *old.shape[1:]), old.dtype)
            new[:frames] = old[self._first : self._end]
            setattr(self, name, new)
        self._first, self._end = 0, frames
