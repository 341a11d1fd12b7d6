from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hybridtrack.errors import PluginError
from hybridtrack.hookspecs import Measurement
from hybridtrack.tracker_guard import GuardedTracker
from hybridtrack.tracking.motion import MotionOnlyTracker
from hybridtrack.types import Frame

NAME = "tracker 'still' (plugin 'still' of table-still 1.2)"
FRAME = Frame.from_array(np.zeros((60, 80, 3), np.uint8), index=7)
XYXY = np.array([(10.0, 20, 30, 50), (1, 2, 3, 4)])
IDS = np.array([1, 2])


def tracker(**methods: Any) -> GuardedTracker:
    """Return a guarded tracker that holds boxes, some of its methods replaced."""
    return GuardedTracker(type("Odd", (MotionOnlyTracker,), methods)(fills=True, filters=False), NAME)


def raising(error: BaseException) -> Any:
    def method(*_: object) -> None:
        raise error

    return method


def measuring(**parts: Any) -> Any:
    good = {"xyxy": XYXY, "std_px": np.ones((2, 4)), "is_measured": np.array([True, False]), "quality": np.ones(2)}
    return lambda *_: Measurement(**{**good, **parts})


def test_tracker_that_keeps_the_contract_is_passed_through() -> None:
    guarded = tracker(measure=measuring())
    guarded.reset()
    guarded.settle(FRAME, IDS, XYXY, np.zeros(2, bool))
    assert guarded.measure(FRAME, IDS, XYXY).is_measured.tolist() == [True, False]
    assert (guarded.fills, guarded.filters, guarded.looks) == (True, False, False)
    assert tracker(looks=True).looks is True


def test_box_that_was_not_measured_may_be_anything() -> None:
    xyxy = np.array([(10.0, 20, 30, 50), (np.nan,) * 4])
    assert tracker(measure=measuring(xyxy=xyxy)).measure(FRAME, IDS, XYXY).xyxy is xyxy


@pytest.mark.parametrize(
    ("measure", "cause"),
    [
        (raising(ValueError("two\nlines")), "ValueError: two lines"),
        (raising(SystemExit(3)), "SystemExit: 3"),
        (raising(BaseException("in Rust")), "BaseException: in Rust"),
        (lambda *_: XYXY, "TypeError: gave ndarray, expected Measurement"),
        (measuring(xyxy=XYXY[:1]), "ValueError: xyxy has shape (1, 4), expected (2, 4)"),
        (measuring(quality=1.0), "ValueError: quality has shape (), expected (2,)"),
        (measuring(xyxy=XYXY * np.nan), "ValueError: measured a box or a deviation that is not finite"),
        (measuring(std_px=np.full((2, 4), np.inf)), "ValueError: measured a box or a deviation that is not finite"),
    ],
)
def test_tracker_that_breaks_the_contract_is_named_with_frame_and_rule(measure: Any, cause: str) -> None:
    with pytest.raises(PluginError) as refusal:
        tracker(measure=measure).measure(FRAME, IDS, XYXY)
    assert str(refusal.value) == f"{NAME} fails on frame 7: {cause}; mend it or take another"


def test_reset_and_settle_that_raise_are_named_too() -> None:
    guarded = tracker(reset=raising(ValueError("no")), settle=raising(ValueError("no")))
    with pytest.raises(PluginError, match=r"fails to reset: ValueError: no; mend it or take another$"):
        guarded.reset()
    with pytest.raises(PluginError, match=r"fails on frame 7: ValueError: no; mend it or take another$"):
        guarded.settle(FRAME, IDS, XYXY, np.zeros(2, bool))


def test_interruption_by_the_user_goes_through() -> None:
    with pytest.raises(KeyboardInterrupt):
        tracker(reset=raising(KeyboardInterrupt())).reset()
