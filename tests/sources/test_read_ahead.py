from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator
from contextlib import closing

import numpy as np
import pytest

from hybridtrack.errors import SourceError
from hybridtrack.sources.read_ahead import DEPTH, ReadAhead, timed
from hybridtrack.sources.source import RecordedSource
from hybridtrack.types import Frame, VideoInfo

PIXELS = np.zeros((4, 4), np.uint8)


def frames(count: int) -> Generator[Frame, None, None]:
    for index in range(count):
        yield Frame.from_array(PIXELS, index=index)


def threads_left(before: int) -> int:
    """Return how many threads there are more than before."""
    return threading.active_count() - before


@pytest.mark.parametrize("count", [0, 1, DEPTH, 3 * DEPTH])
def test_frames_come_in_order_each_with_its_time(count: int) -> None:
    before = threading.active_count()
    with closing(ReadAhead(frames(count))) as ahead:
        read = list(ahead)
    assert [frame.index for frame, _ in read] == list(range(count))
    assert all(ms >= 0 for _, ms in read)
    assert threads_left(before) == 0


def test_what_reading_raises_comes_after_the_frames_before_it() -> None:
    def breaks() -> Iterator[Frame]:
        yield from frames(3)
        raise SourceError("the cable is out")

    with closing(ReadAhead(breaks())) as ahead:
        iterator = iter(ahead)
        assert [next(iterator)[0].index for _ in range(3)] == [0, 1, 2]
        with pytest.raises(SourceError, match="the cable is out"):
            next(iterator)


def test_no_more_is_read_than_the_depth_allows() -> None:
    asked: list[int] = []
    waits = threading.Event()

    def counted() -> Iterator[Frame]:
        for frame in frames(100):
            asked.append(frame.index)
            if frame.index == DEPTH + 1:
                waits.set()
            yield frame

    with closing(ReadAhead(counted())) as ahead:
        next(iter(ahead))
        assert waits.wait(10)  # one was taken, DEPTH are in store, and one more waits for room
    assert len(asked) == DEPTH + 2


@pytest.mark.parametrize("taken", [0, 1, 7, 50])
def test_closing_early_ends_the_thread(taken: int) -> None:
    before = threading.active_count()
    for _ in range(20):
        ahead = ReadAhead(frames(50))
        for _, _ in zip(range(taken), ahead, strict=False):
            pass
        ahead.close()
    assert threads_left(before) == 0


def test_read_that_hangs_is_left_behind() -> None:
    arrived, goes_on = threading.Event(), threading.Event()

    def hangs() -> Generator[Frame, None, None]:
        yield from frames(2)
        arrived.set()
        goes_on.wait()

    generator = hangs()
    source = RecordedSource("hangs", VideoInfo(width_px=4, height_px=4), next(generator), generator)
    begin_s = time.monotonic()
    with source, closing(ReadAhead(source)) as ahead:
        assert next(iter(ahead))[0].index == 0
        assert arrived.wait(10)
    assert time.monotonic() - begin_s < 8
    goes_on.set()


def test_timed_takes_nothing_before_it_is_asked() -> None:
    generator = frames(2)
    iterator = timed(generator)
    assert next(generator).index == 0
    assert next(iterator)[0].index == 1
    assert list(iterator) == []
