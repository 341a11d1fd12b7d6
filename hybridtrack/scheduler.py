"""Which detectors run on a frame, and why: every so many frames, or every so many seconds."""

from __future__ import annotations

import math
from collections.abc import Mapping

from hybridtrack.config import Cadence

_ROUNDING_S = 1e-6  #: a time this little before a due time counts as on it: times are rounded to microseconds


class Scheduler:
    """Decides for frames in order. A run that fell on a dropped frame is made up for on the next one that is there."""

    def __init__(self, cadences: Mapping[str, Cadence]) -> None:
        self._cadences = dict(cadences)
        self.reset()

    def reset(self) -> None:
        """Begin a new source: its first frame is frame 0 of every cadence, whatever its number."""
        self._first: tuple[int, float] | None = None
        self._slots: dict[str, int] = dict.fromkeys(self._cadences, -1)

    def decide(self, frame_index: int, time_s: float) -> dict[str, str]:
        """Return the trigger of each detector that runs on this frame, by the detector's name."""
        if self._first is None:
            self._first = (frame_index, time_s)
        triggers = {}
        for name, cadence in self._cadences.items():
            slot = _slot(cadence, frame_index - self._first[0], time_s - self._first[1])
            if slot > self._slots[name]:
                self._slots[name] = slot
                triggers[name] = "interval"
        return triggers


def _slot(cadence: Cadence, frames: int, seconds: float) -> int:
    """Return how many runs were due before this moment, not counting the first; -1: none was due yet."""
    if cadence.frames is not None:
        return (frames - cadence.phase) // cadence.frames if frames >= cadence.phase else -1
    assert cadence.seconds is not None
    return math.floor((seconds + _ROUNDING_S) / cadence.seconds)
