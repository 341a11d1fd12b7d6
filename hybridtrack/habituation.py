"""Which motion is worth a look: not where one was in vain a moment ago, as at arms, shadows and screens."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from hybridtrack.types import Array, Size, Tracks, TrackState

_Place: TypeAlias = tuple[slice, slice]  #: rows and columns of cells

_GRID = (9, 16)  #: rows and columns of the cells in which it is remembered
_WAIT_S = 0.1  #: after the first look in vain
_GROWTH = 3.0  #: of the wait with each look in vain
_MAX_WAIT_S = 8.0
_FORGET_S = 10.0  #: after a wait is over, for it to begin small again
_NEW_SHARE = 0.5  #: of the cells of what moves in which no wait holds
_ROUNDING_S = 1e-6


class Habituation:
    """Remembers, cell by cell of the picture, how long motion there is let be."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin a new source."""
        self._wait_s = np.zeros(_GRID)
        self._until_s = np.full(_GRID, -np.inf)
        self._looked: tuple[float, list[_Place]] | None = None

    def is_new(self, time_s: float, stirs: Array, size_px: Size) -> bool:
        """Return whether any of the moving boxes (M, 4), px, is mostly where no wait holds."""
        is_open = self._until_s <= time_s + _ROUNDING_S
        return any(is_open[_cells(one, size_px)].mean() >= _NEW_SHARE for one in stirs)

    def look(self, time_s: float, stirs: Array, size_px: Size) -> None:
        """Note that the detector looks now, while the boxes ``stirs`` (M, 4), px, move."""
        self._looked = time_s, [_cells(one, size_px, margin=1) for one in stirs]

    def step(self, time_s: float, tracks: Tracks, size_px: Size) -> None:
        """Learn from the detector's tracks after a look whether it found what moved."""
        if self._looked is not None:
            looked_s, places = self._looked
            is_found = (tracks.last_detected_s >= looked_s - _ROUNDING_S) & (tracks.state == TrackState.CONFIRMED)
            found = np.zeros(_GRID, bool)
            for box in tracks.xyxy[is_found]:
                found[_cells(box, size_px)] = True
            for place in places:
                self._learn(looked_s, place, is_found=bool(found[place].any()))
            self._looked = None
        self._wait_s[time_s - self._until_s > _FORGET_S] = 0.0

    def _learn(self, time_s: float, place: _Place, *, is_found: bool) -> None:
        wait_s = 0.0 if is_found else np.clip(_GROWTH * self._wait_s[place], _WAIT_S, _MAX_WAIT_S)
        self._wait_s[place] = wait_s
        self._until_s[place] = -np.inf if is_found else time_s + wait_s


def _cells(box: Array, size_px: Size, *, margin: int = 0) -> _Place:
    """Return the rows and columns of the cells that a box (4,), px, touches, ``margin`` cells more on each side."""
    x1, y1, x2, y2 = box / np.tile(size_px, 2) * np.tile(_GRID[::-1], 2)
    return _span(y1, y2, _GRID[0], margin), _span(x1, x2, _GRID[1], margin)


def _span(first: float, last: float, count: int, margin: int) -> slice:
    start = min(max(int(first), 0), count - 1)
    end = max(min(int(np.ceil(last)), count), start + 1)
    return slice(max(start - margin, 0), end + margin)
