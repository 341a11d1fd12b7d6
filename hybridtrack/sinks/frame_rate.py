"""How many frames a second a sink is given, shown in its pictures."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

_WINDOW_FRAMES = 30  #: long enough to be readable, short enough to follow a change


class FrameRate:
    """Frames per second over the last frames, by a clock that counts seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._times_s: deque[float] = deque(maxlen=_WINDOW_FRAMES + 1)

    def caption(self) -> str:
        """Count a frame and return the rate as text such as "31.5 FPS"; empty on the first frame."""
        self._times_s.append(self._clock())
        elapsed_s = self._times_s[-1] - self._times_s[0]
        return f"{(len(self._times_s) - 1) / elapsed_s:.1f} FPS" if elapsed_s > 0 else ""
