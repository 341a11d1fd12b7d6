"""What the steps of a frame's way take."""

from __future__ import annotations

import time

from hybridtrack.types import Frame


class Laps:
    """Times what is done with frames step by step, less what their pixels took meanwhile: ``convert_ms`` in all."""

    def __init__(self, *frames: Frame) -> None:
        self.convert_ms = 0.0
        self._frames = frames
        self._read()

    def take_ms(self) -> float:
        """Return the milliseconds of the step that ends now."""
        start_s, before_ms = self._start_s, self._before_ms
        self._read()
        made_ms = self._before_ms - before_ms
        self.convert_ms += made_ms
        return (self._start_s - start_s) * 1000 - made_ms

    def _read(self) -> None:
        self._start_s = time.perf_counter()
        self._before_ms = sum(frame.convert_ms(is_own=True) for frame in self._frames)
