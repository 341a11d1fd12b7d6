"""Reads a source in a thread of its own, so that decoding overlaps with what is done with the frames."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable, Iterator

from hybridtrack.sources.source import WAIT_SLICE_S
from hybridtrack.types import Frame

DEPTH = 4  #: frames that may be read before they are asked for
_CLOSE_LIMIT_S = 1.0  #: how long ``close`` waits for a read that hangs


def timed(frames: Iterable[Frame]) -> Iterator[tuple[Frame, float]]:
    """Yield the frames, each with the milliseconds that reading it took."""
    iterator = iter(frames)
    while True:
        start = time.perf_counter()
        frame = next(iterator, None)
        if frame is None:
            return
        yield frame, (time.perf_counter() - start) * 1000


def untimed(frames: Iterable[Frame]) -> Iterator[tuple[Frame, None]]:
    """Yield the frames, each with None in place of the milliseconds, for where reading is waiting."""
    for frame in frames:
        yield frame, None


class ReadAhead:
    """The frames of another iterable in their order, each with the milliseconds that reading it took.

    What reading raises is raised here, after the frames before it. ``close`` ends the thread, unless a read hangs.
    """

    def __init__(self, frames: Iterable[Frame]) -> None:
        self._queue: queue.Queue[tuple[Frame, float] | BaseException | None] = queue.Queue(DEPTH)
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._read, args=(frames,), name="hybridtrack-read-ahead", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[tuple[Frame, float]]:
        while True:
            try:
                item = self._queue.get(timeout=WAIT_SLICE_S)
            except queue.Empty:
                continue
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item
            del item  # the consumer decides how long a frame's pixels are kept

    def close(self) -> None:
        """End reading and forget the frames that were read ahead."""
        self._is_closed.set()
        self._drop_all()  # a thread that waits for room goes on, and ends before it reads another frame
        self._thread.join(_CLOSE_LIMIT_S)
        self._drop_all()

    def _drop_all(self) -> None:
        while not self._queue.empty():
            self._queue.get_nowait()

    def _read(self, frames: Iterable[Frame]) -> None:
        try:
            for item in timed(frames):
                self._queue.put(item)
                del item
                if self._is_closed.is_set():
                    return
        except Exception as error:  # noqa: BLE001 (raised again where the frames are read)
            self._queue.put(error)
        else:
            self._queue.put(None)
