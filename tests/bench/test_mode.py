from __future__ import annotations

import msgspec
import pytest

from hybridtrack.bench.mode import DETECT_ONLY, Mode, modes_of
from hybridtrack.cadence import Cadence, parse_cadence
from hybridtrack.config import Choice

EVERY_3 = Cadence(frames=3)


def test_detecting_on_every_frame_comes_first_and_a_cadence_counts_once() -> None:
    modes = modes_of(
        map(parse_cadence, ("1", "3", "100ms", "3")),
        trackers=("hold", "flow"),
        shrinks=(1, 2),
        rivals=[Choice(name="hand", options={"threads": "2"})],
    )
    assert list(map(str, modes)) == [
        "none every frame",
        "flow every frame",
        "hold every 3 frames",
        "hold every 100ms",
        "flow every 3 frames",
        "flow every 100ms",
        "flow two-way every 3 frames",
        "flow two-way every 100ms",
        "adaptive",
        "1/2 size every frame",
        "hand,threads=2 every frame",
    ]
    assert [mode.does_less for mode in modes] == [False, False, *[True] * 9]


def test_schedule_that_is_asked_for_as_auto_is_the_adaptive_one() -> None:
    modes = modes_of([Cadence(is_auto=True)], trackers=("hold", "flow"))
    assert list(map(str, modes)) == ["none every frame", "hold auto", "adaptive"]
    assert modes[-1].tracker == "flow"


def test_each_automatic_cadence_is_an_adaptive_mode() -> None:
    modes = modes_of([parse_cadence("auto"), parse_cadence("auto/5"), EVERY_3], trackers=("flow",))
    assert list(map(str, modes)) == [
        "none every frame",
        "flow every 3 frames",
        "flow two-way every 3 frames",
        "adaptive",
        "adaptive auto/5",
    ]


def test_without_flow_there_is_no_adaptive_schedule() -> None:
    assert list(map(str, modes_of([EVERY_3], trackers=("kalman",)))) == ["none every frame", "kalman every 3 frames"]


@pytest.mark.parametrize(
    ("mode", "every"),
    [
        (DETECT_ONLY, "1"),
        (Mode(name="flow", detect_every=Cadence(frames=10)), "3"),
        (Mode(name="flow", detect_every=Cadence(seconds=0.5)), "3"),
        (Mode(name="adaptive", detect_every=Cadence(is_auto=True)), "auto"),
        (Mode(name="adaptive", detect_every=parse_cadence("auto/5")), "auto/5"),
    ],
    ids=str,
)
def test_frames_are_timed_where_both_kinds_are_frequent(mode: Mode, every: str) -> None:
    assert str(mode.profiled.detect_every) == every
    assert mode.profiled.name == mode.name


def test_mode_goes_to_another_process_and_back() -> None:
    mode = Mode(
        name="x",
        detect_every=parse_cadence("auto/5:min=50ms"),
        shrink=2,
        detectors=(Choice(name="hand", options={"threads": "2"}),),
    )
    assert msgspec.json.decode(msgspec.json.encode(mode), type=Mode) == mode
