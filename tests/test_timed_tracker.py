from __future__ import annotations

import numpy as np

from hybridtrack.hookspecs import Measurement
from hybridtrack.timed_tracker import TimedTracker
from hybridtrack.tracking.motion import create_kalman
from hybridtrack.types import Array, Frame


class Recorder:
    """A tracker that asks for a picture and notes what it is told."""

    fills, filters = True, False

    def __init__(self) -> None:
        self.told: list[str] = []

    def measure(self, frame: Frame, track_id: Array, xyxy: Array) -> Measurement:
        self.told.append("measure")
        frame.gray((600, 400))
        return Measurement.none(xyxy)

    def settle(self, frame: Frame, track_id: Array, xyxy: Array, detected: Array) -> None:
        self.told.append("settle")

    def reset(self) -> None:
        self.told.append("reset")

    def expect(self, change_px: Array, may_hide: Array, is_solid: Array, is_hand: Array) -> None:
        self.told.append("expect")


def test_timed_tracker_is_the_tracker_and_books_its_time_without_the_pixels() -> None:
    inner = Recorder()
    timed = TimedTracker(inner)
    frame = Frame.from_array(np.zeros((480, 640), np.uint8))
    none = np.empty((0, 4))
    timed.reset()
    timed.expect(none, none, none, none)
    assert timed.take_ms() == 0
    assert len(timed.measure(frame, none, none).xyxy) == 0
    timed.settle(frame, none, none, none)
    assert inner.told == ["reset", "expect", "measure", "settle"]
    assert (timed.fills, timed.filters) == (True, False)
    assert timed.take_ms() > 0
    assert timed.take_ms() == 0
    assert not hasattr(TimedTracker(object()), "expect")  # type: ignore[arg-type]
    assert TimedTracker(create_kalman({})).looks is False
