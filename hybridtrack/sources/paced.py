"""A recording that is played at its own pace, as a camera would show it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from typing import Final

from hybridtrack.sources.live import LiveSource
from hybridtrack.sources.source import Source
from hybridtrack.types import Frame

_SLOW_S: Final = 0.5  #: behind its pace from which the user is told

Wait = Callable[[threading.Event, float], object]  #: until the event is set, or for some seconds


class PacedSource(LiveSource):
    """The frames of a recording, each once it is due: as long after the first one as its time says.

    The first one is due when it is asked for. Frames that nobody took by the time that the next one is due are dropped.
    The next one is decoded while it is waited for: it is there in time unless decoding takes longer than frames last.
    """

    def __init__(
        self,
        recording: Source,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Wait = threading.Event.wait,
    ) -> None:
        """Play ``recording``, which is closed with it; ``clock`` tells seconds, and ``wait`` lets them pass."""
        self._recording = recording
        self._clock, self._wait = clock, wait
        self._is_begun, self._is_ended = threading.Event(), threading.Event()
        self._zero_s = 0.0  #: by ``clock``, when a frame of time 0 is due
        self._behind_s = 0.0
        super().__init__(recording.uri, self._play(), notes=lambda: [*recording.notes, *self._pace_notes()])
        self.info, self.expected_frames = recording.info, recording.expected_frames

    def due_s(self, time_s: float) -> float:
        """Return when the frame of this time is due, by the clock; known once the first one has been asked for."""
        return self._zero_s + time_s

    def __next__(self) -> Frame:
        self._is_begun.set()
        return super().__next__()

    def close(self) -> None:
        self._is_ended.set()
        self._is_begun.set()  # nobody waits for the first frame any more
        super().close()
        self._recording.close()

    def _play(self) -> Generator[Frame, None, None]:
        is_first = True
        for frame in self._recording:
            if is_first:
                yield frame
                self._is_begun.wait()
                self._zero_s = self._clock() - frame.time_s
                is_first = False
                continue
            self._wait_for(self.due_s(frame.time_s))
            if self._is_ended.is_set():
                return
            yield frame

    def _wait_for(self, due_s: float) -> None:
        """Return when it is ``due_s`` or when the source is closed."""
        self._behind_s = max(self._clock() - due_s, 0.0)
        while (left_s := due_s - self._clock()) > 0 and not self._is_ended.is_set():
            self._wait(self._is_ended, left_s)

    def _pace_notes(self) -> list[str]:
        if self._behind_s < _SLOW_S:
            return []
        return [f"{self.uri!r} was {self._behind_s:.1f} s behind its pace at last: it cannot be decoded as fast"]
