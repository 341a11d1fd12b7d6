"""A recording at its own pace. Time passes when a test says so."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from hybridtrack.sources.paced import PacedSource
from hybridtrack.sources.source import RecordedSource
from hybridtrack.types import Frame, VideoInfo

PATIENCE_S = 20.0
COUNT = 10


class Clock:
    """A clock that stands still, and whoever waits by it, until a test lets time pass."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._now_s = 100.0
        self._awaited_s: float | None = None

    def now_s(self) -> float:
        with self._changed:
            return self._now_s

    def wait(self, ended: threading.Event, seconds: float) -> None:
        with self._changed:
            due_s = self._now_s + seconds
            self._awaited_s = due_s
            self._changed.notify_all()
            while self._now_s < due_s and not ended.is_set():
                self._changed.wait(0.01)
            self._awaited_s = None

    def until_it_is_waited_for(self) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._awaited_s is not None, PATIENCE_S)

    def go_to(self, now_s: float) -> None:
        """Let time pass, and return when the player waits for what is not due by then."""
        with self._changed:
            self._now_s = now_s
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: self._awaited_s is not None and self._awaited_s > now_s, PATIENCE_S)

    def end(self) -> None:
        with self._changed:
            self._now_s = 1e6
            self._changed.notify_all()


def recording(first: int = 0, clock: Clock | None = None, *, decode_s: float = 0.0) -> RecordedSource:
    """Return ten frames a second, from number ``first``; decoding each lets ``decode_s`` pass."""

    def frames() -> Generator[Frame, None, None]:
        for index in range(first, first + COUNT):
            if clock is not None:
                clock._now_s += decode_s
            yield Frame.from_array(np.zeros((4, 6), np.uint8), index=index, time_s=index / 10)

    made = frames()
    info = VideoInfo(width_px=6, height_px=4, frame_count=COUNT)
    return RecordedSource("clip", info, next(made), made, expected_frames=COUNT)


@contextmanager
def paced(clock: Clock, first: int = 0) -> Iterator[PacedSource]:
    with PacedSource(recording(first), clock=clock.now_s, wait=clock.wait) as source:
        yield source


def test_frames_come_when_they_are_due() -> None:
    clock = Clock()
    with paced(clock) as source:
        clock._now_s = 200.0  # however long it takes until the first one is asked for
        assert next(source).index == 0
        clock.until_it_is_waited_for()
        assert source.due_s(0.3) == pytest.approx(200.3)
        assert source._newest is None
        clock.go_to(200.05)
        assert source._newest is None
        clock.go_to(200.15)
        assert next(source).index == 1
        clock.go_to(200.25)
        assert next(source).index == 2
        assert (source.dropped, source.notes) == (0, [])


def test_late_reader_gets_the_newest_frame_and_the_rest_is_counted() -> None:
    clock = Clock()
    with paced(clock) as source:
        assert next(source).index == 0
        clock.until_it_is_waited_for()
        clock.go_to(100.45)  # 1, 2, 3 and 4 were due
        assert next(source).index == 4
        assert source.dropped == 3
        clock.go_to(100.55)
        assert next(source).index == 5
        clock.end()
        assert [frame.index for frame in source][-1] == 9


def test_part_of_a_recording_keeps_its_times_and_begins_at_once() -> None:
    clock = Clock()
    with paced(clock, first=40) as source:
        frame = next(source)
        assert (frame.index, frame.time_s) == (40, 4.0)
        clock.until_it_is_waited_for()
        assert source.due_s(frame.time_s) == pytest.approx(100.0)
        clock.go_to(100.15)
        assert next(source).index == 41


def test_it_tells_what_the_recording_is() -> None:
    with paced(Clock()) as source:
        assert (source.uri, source.info.frame_count, source.expected_frames, source.is_live) == ("clip", 10, 10, True)


@pytest.mark.parametrize("is_begun", [True, False])
def test_closing_ends_the_wait_and_releases_the_recording(is_begun: bool) -> None:
    clock, played = Clock(), recording()
    source = PacedSource(played, clock=clock.now_s, wait=clock.wait)
    if is_begun:
        next(source)
        clock.until_it_is_waited_for()
    source.close()
    source.close()
    assert not source._reader.is_alive()
    assert list(source) == list(played) == []


def test_recording_that_cannot_be_decoded_at_its_pace_is_told_of() -> None:
    clock = Clock()
    with PacedSource(recording(0, clock, decode_s=0.3), clock=clock.now_s, wait=clock.wait) as source:
        list(source)
        # frame 9 is there 2.7 s after frame 0 and was due after 0.9 s
        assert source.notes == ["'clip' was 1.8 s behind its pace at last: it cannot be decoded as fast"]
