"""How often a detector may run on average: runs are saved while nothing happens, and spent when something does."""

from __future__ import annotations

import math

from hybridtrack.cadence import Cadence

_MOST_RUNS = 8.0  #: that can be saved up
_FIRST_RUNS = 4.0  #: that a source begins with
_LEAST_RELUCTANCE = 0.3  #: with all runs saved: what is not spent then is lost
_ROUNDING = 1e-6


class Budget:
    """A token bucket of runs, which fills with frames or with time.

    cadence: one run every so many frames or seconds. In a source as long as n of these there are at most n + 4 runs.
    """

    def __init__(self, cadence: Cadence) -> None:
        self._cadence = cadence
        self.reset()

    def reset(self) -> None:
        """Begin a new source."""
        self._saved = _FIRST_RUNS
        self._last: tuple[int, float] | None = None

    def pass_to(self, frame_index: int, time_s: float) -> None:
        """Save what has come in since the frame before."""
        frames, seconds = (0, 0.0) if self._last is None else (frame_index - self._last[0], time_s - self._last[1])
        self._last = frame_index, time_s
        every = self._cadence
        gained = seconds / every.seconds if every.seconds is not None else frames / (every.frames or 1)
        self._saved = min(self._saved + gained, _MOST_RUNS)

    @property
    def reluctance(self) -> float:
        """How strong a reason to run has to be: infinitely when no run is left, less than 1 when most are saved."""
        if self.is_empty:
            return math.inf
        missing = (_MOST_RUNS - self._saved) / 2
        return max(_LEAST_RELUCTANCE, missing / max(self._saved - 1, _ROUNDING))

    @property
    def is_empty(self) -> bool:
        """Whether no run is left."""
        return self._saved < 1 - _ROUNDING

    def spend(self) -> None:
        """Take one run; one that had to be although none was left is owed."""
        self._saved = max(self._saved - 1, -_MOST_RUNS)
