"""A run that goes on, as a page: its newest picture with the boxes of that frame, and what came before it."""

from __future__ import annotations

import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Any, Final

import cv2
import numpy as np

from hybridtrack.sinks.frame_rate import FrameRate
from hybridtrack.types import Frame, FrameResult, RunInfo, RunSummary
from hybridtrack.view.columns import pack
from hybridtrack.view.index import TrackIndex
from hybridtrack.view.server import Show
from hybridtrack.view.serving import LOOPBACK, PageServer
from hybridtrack.view.store import MAX_ROWS
from hybridtrack.wire import FrameLine, HeaderLine, decode_line, encode_line, frame_line, header_line, summary_line

_KEPT_ROWS: Final = 18_000  #: at least; ten minutes at 30 frames a second
_MAX_WIDTH_PX: Final = 1280  #: of the pictures that are sent
_QUALITY: Final = 82  #: of JPEG, 0 to 100
_FAREWELL_S: Final = 2.0  #: that a page has to hear that the run is over

Clock = Callable[[], float]


class LiveStore:
    """The last frames of a run, at least ten minutes of them; older ones go, and then a new ``generation`` begins."""

    def __init__(self, header: HeaderLine, kept_rows: int = _KEPT_ROWS) -> None:
        self.header = header
        self._kept_rows = kept_rows
        self._generation = 0
        self._is_over = self._is_told = False
        self._notes: list[str] = []
        self._lines: deque[bytes] = deque()
        self._index = TrackIndex()
        self._changed = threading.Condition()

    def add(self, line: FrameLine) -> None:
        """Take in the next frame."""
        with self._changed:
            self._lines.append(encode_line(line))
            self._index.add(line)
            if len(self._lines) >= 2 * self._kept_rows:
                self._forget()

    def end(self, summary: RunSummary | None, *, wait_s: float = 0.0) -> None:
        """Say that no more comes, and wait up to so many seconds until a page has heard of it."""
        with self._changed:
            self._index.summary = None if summary is None else summary_line(summary)
            self._notes = ["the run has ended, and its page with it: the frames that are here stay until it is closed"]
            self._is_over = True
            self._changed.wait_for(lambda: self._is_told, wait_s)

    def overview(self, since: int = 0, generation: int = 0) -> bytes:
        """Return what a page needs that knows the rows before ``since`` of this ``generation``."""
        with self._changed:
            block = self._index.overview(
                min(since, self._index.row_count) if generation == self._generation else 0,
                generation=self._generation,
                is_growing=not self._is_over,
                is_reading=False,
                notes=self._notes,
            )
            if self._is_over:
                self._is_told = True
                self._changed.notify_all()
        return block

    def lines(self, first: int, end: int) -> bytes:
        """Return the JSON lines of rows ``first`` to ``end``, the latter not included."""
        with self._changed:
            return b"".join(islice(self._lines, max(0, first), max(0, min(end, first + MAX_ROWS))))

    def _forget(self) -> None:
        while len(self._lines) > self._kept_rows:
            self._lines.popleft()
        self._index = TrackIndex()
        for text in self._lines:
            line = decode_line(text)
            assert isinstance(line, FrameLine)
            self._index.add(line)
        self._generation += 1


class NewestFrame:
    """The newest picture and what was found on it: who asks gets that one, however many came since they asked last."""

    def __init__(self) -> None:
        self._number = 0
        self._shown: tuple[Frame, dict[str, Any]] | None = None
        self._block: tuple[int, bytes] = (0, b"")
        self._changed = threading.Condition()
        self._encoding = threading.Lock()
        self._asked_s = -math.inf

    @property
    def was_asked_for(self) -> bool:
        """Whether a page has looked within the last seconds."""
        return time.monotonic() - self._asked_s < _FAREWELL_S

    def set(self, frame: Frame, said: dict[str, Any]) -> None:
        """Show this frame from now on; nothing is converted before somebody asks."""
        with self._changed:
            self._number += 1
            self._shown = frame, said
            self._changed.notify_all()

    def newest(self, after: int, wait_s: float) -> bytes | None:
        """Return the newest frame as a packed block, or None when none but number ``after`` comes in time."""
        self._asked_s = time.monotonic()
        with self._changed:
            self._changed.wait_for(lambda: self._shown is not None and self._number != after, wait_s)
            if self._shown is None or self._number == after:
                return None
            number, (frame, said) = self._number, self._shown
        with self._encoding:  # two pages that look at one frame share the work
            if self._block[0] != number:
                self._block = number, pack({**said, "number": number}, {"jpeg": _jpeg(frame)})
            return self._block[1]


class PageSink:
    """Shows a run in a page that it serves while the run goes on; ``tell`` hears its address, and warnings."""

    def __init__(
        self, *, host: str = LOOPBACK, port: int = 0, tell: Callable[[str], None], clock: Clock = time.monotonic
    ) -> None:
        self._host, self._port, self._tell = host, port, tell
        self._rate, self._delay = FrameRate(clock), Delay(clock)
        self._newest = NewestFrame()
        self._server: PageServer | None = None
        self._info: RunInfo | None = None

    def open(self, info: RunInfo) -> None:
        """Begin to serve. Raises UsageError when the address is taken."""
        self._info = info
        self._store = LiveStore(header_line(info))
        title = f"camera {info.uri}" if info.uri.isdecimal() else os.path.basename(info.uri.rstrip("/")) or info.uri
        show = Show(store=self._store, title=title, pictures=self._newest)
        self._server = PageServer(show, host=self._host, port=self._port)
        if self._server.warning:
            self._tell(self._server.warning)
        self._server.start()
        self._tell(self._server.url)

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Show one frame."""
        assert self._info is not None, "a sink is opened before it is written to"
        line = frame_line(result, self._info.classes)
        self._store.add(line)
        work_ms = sum(ms for stage, ms in result.stage_ms.items() if stage != "decode")
        keeps_pace = self._info.video.frame_count is None or bool(self._info.settings.get("pace"))
        said = {
            "line": line,
            "rate": self._rate.caption(),
            "work_ms": work_ms,
            "behind_ms": self._delay.behind_ms(frame.time_s, work_ms) if keeps_pace else None,
        }
        self._newest.set(frame, said)

    def close(self, summary: RunSummary | None) -> None:
        """Stop serving, once a page that looks has heard that the run is over."""
        server, self._server = self._server, None
        if server is not None:
            self._store.end(summary, wait_s=_FAREWELL_S if self._newest.was_asked_for else 0.0)
            server.stop()


class Delay:
    """How long after its capture a frame is shown, as far as that can be known from outside of the camera.

    A frame's time says how much later than others it was captured, so what is between that time and its result tells
    how much later than the quickest frame it is there; and that one took the work on it at least.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._least_s = math.inf

    def behind_ms(self, time_s: float, work_ms: float) -> float:
        """Return the delay of a frame of this time that is there now, after so much work, ms."""
        lag_s = self._clock() - time_s
        self._least_s = min(self._least_s, lag_s - work_ms / 1000)
        return (lag_s - self._least_s) * 1000


def _jpeg(frame: Frame) -> Any:
    """Return a picture as JPEG, uint8 (N,)."""
    width, height = frame.size_px
    shrink = min(1.0, _MAX_WIDTH_PX / width)
    bgr = frame.bgr() if shrink == 1 else frame.bgr((round(width * shrink), max(1, round(height * shrink))))
    _, content = cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))
    return np.asarray(content).ravel()
