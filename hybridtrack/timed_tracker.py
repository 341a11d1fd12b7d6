"""What following pixels takes, apart from associating boxes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hybridtrack.hookspecs import BoxTracker, Measurement
from hybridtrack.types import Array, Frame


class TimedTracker:
    """A ``BoxTracker`` that is another one, and knows how long that took; making pixels is left out."""

    def __init__(self, tracker: BoxTracker) -> None:
        self._ms = 0.0
        self._tracker = tracker

    def take_ms(self) -> float:
        """Return the milliseconds that following boxes has taken since the last time."""
        taken, self._ms = self._ms, 0.0
        return taken

    @property
    def fills(self) -> bool:
        return self._tracker.fills

    @property
    def filters(self) -> bool:
        return self._tracker.filters

    def measure(self, frame: Frame, track_id: Array, xyxy: Array) -> Measurement:
        with self._booked(frame):
            return self._tracker.measure(frame, track_id, xyxy)

    def settle(self, frame: Frame, track_id: Array, xyxy: Array, detected: Array) -> None:
        with self._booked(frame):
            self._tracker.settle(frame, track_id, xyxy, detected)

    def reset(self) -> None:
        self._tracker.reset()

    def __getattr__(self, name: str) -> Any:
        """Return what the other tracker has beyond that, such as ``expect``; it takes no time to speak of."""
        return getattr(self._tracker, name)

    @contextmanager
    def _booked(self, frame: Frame) -> Iterator[None]:
        start_s, made_ms = time.perf_counter(), frame.convert_ms(is_own=True)
        yield
        self._ms += (time.perf_counter() - start_s) * 1000 - (frame.convert_ms(is_own=True) - made_ms)
