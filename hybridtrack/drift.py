"""How far boxes may have left what they follow since a detector saw them last, told from the tracks alone."""

from __future__ import annotations

import numpy as np

from hybridtrack.boxes import area
from hybridtrack.types import Array, Origin, Tracks

_PER_WAY = 0.1  #: of the way that a box was followed over
_PER_S = 0.05  #: of its size in a second, wherever it goes
_BLIND_PER_WAY = 1.0  #: of the way that it was only predicted to have gone
_BLIND_PER_S = 1.0


class Drift:
    """Adds up, track by track, what following leaves open, in box sizes (the geometric mean of a box's sides)."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin a new source."""
        self._time_s: float | None = None
        self._drift: dict[int, float] = {}
        self._centre: dict[int, Array] = {}
        self._detected_s: dict[int, float] = {}

    def step(self, time_s: float, tracks: Tracks) -> Array:
        """Return the drift of each track at ``time_s``, float64 (N,)."""
        passed_s = 0.0 if self._time_s is None else time_s - self._time_s
        self._time_s = time_s
        ids = tracks.track_id.tolist()
        centres = (tracks.xyxy[:, :2] + tracks.xyxy[:, 2:]).astype(np.float64) / 2
        before = np.array([self._centre.get(number, one) for number, one in zip(ids, centres, strict=True)])
        way = np.linalg.norm(centres - before.reshape(-1, 2), axis=1) / np.sqrt(np.maximum(area(tracks.xyxy), 1.0))
        is_blind = tracks.origin == Origin.PREDICTED
        grown = np.where(is_blind, _BLIND_PER_WAY * way + _BLIND_PER_S * passed_s, _PER_WAY * way + _PER_S * passed_s)
        is_seen = tracks.last_detected_s != np.array([self._detected_s.get(number, np.nan) for number in ids])
        drift: Array = np.where(is_seen, 0.0, np.array([self._drift.get(number, 0.0) for number in ids]) + grown)
        self._drift = dict(zip(ids, drift.tolist(), strict=True))
        self._centre = dict(zip(ids, centres, strict=True))
        self._detected_s = dict(zip(ids, tracks.last_detected_s.tolist(), strict=True))
        return drift
