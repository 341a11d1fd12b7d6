from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridtrack.attention import Outlook
from hybridtrack.cadence import Cadence
from hybridtrack.scheduler import Scheduler
from hybridtrack.types import Tracks


def runs_of(cadence: Cadence, moments: Sequence[tuple[int, float]]) -> list[int]:
    """Return the frames on which a detector of this cadence runs."""
    scheduler = Scheduler({"hand": cadence})
    return [index for index, time_s in moments if scheduler.decide(index, time_s)]


def empty_outlook(index: int) -> Outlook:
    """Return what automatic cadences go by where nothing is there."""
    return Outlook(
        frame_index=index,
        time_s=round(index / 30, 6),
        tracks=Tracks.empty(),
        classes=[],
        size_px=(640, 360),
        stirs=np.empty((0, 4)),
    )


def at_30_fps(indices: Sequence[int]) -> list[tuple[int, float]]:
    return [(index, round(index / 30, 6)) for index in indices]


@pytest.mark.parametrize(
    ("cadence", "frames", "expected"),
    [
        (Cadence(frames=1), range(4), [0, 1, 2, 3]),
        (Cadence(frames=3), range(8), [0, 3, 6]),
        (Cadence(frames=3, phase=1), range(8), [1, 4, 7]),
        (Cadence(frames=3, phase=2), range(3), [2]),
        (Cadence(frames=10), range(5), [0]),
        (Cadence(seconds=0.1), range(10), [0, 3, 6, 9]),
        (Cadence(seconds=0.05), range(7), [0, 2, 3, 5, 6]),  # due at 0, 1.5, 3, 4.5, 6 frames
        (Cadence(seconds=0.001), range(4), [0, 1, 2, 3]),
        (Cadence(seconds=1), range(40), [0, 30]),
    ],
    ids=str,
)
def test_detector_runs_on_the_frames_of_its_cadence(
    cadence: Cadence, frames: Sequence[int], expected: list[int]
) -> None:
    assert runs_of(cadence, at_30_fps(frames)) == expected


@pytest.mark.parametrize(
    ("cadence", "frames", "expected"),
    [
        (Cadence(frames=3), [0, 1, 2, 4, 5, 6], [0, 4, 6]),  # 3 was dropped, 4 makes up for it, 6 stays on the grid
        (Cadence(frames=3), [0, 10, 11, 12], [0, 10, 12]),  # three runs were missed, one is made up for
        (Cadence(frames=3, phase=1), [0, 2, 3, 4], [2, 4]),
        (Cadence(seconds=0.1), [0, 1, 5, 6, 7], [0, 5, 6]),
    ],
    ids=str,
)
def test_run_that_fell_on_a_dropped_frame_is_made_up_for_on_the_next(
    cadence: Cadence, frames: list[int], expected: list[int]
) -> None:
    assert runs_of(cadence, at_30_fps(frames)) == expected


@pytest.mark.parametrize(
    ("cadence", "expected"),
    [
        (Cadence(frames=3), [100, 103]),
        (Cadence(frames=3, phase=1), [101, 104]),
        (Cadence(seconds=0.1), [100, 103]),
    ],
    ids=str,
)
def test_first_frame_begins_the_cadence_whatever_its_number(cadence: Cadence, expected: list[int]) -> None:
    assert runs_of(cadence, at_30_fps(range(100, 105))) == expected


def test_variable_frame_rate_is_followed_by_time() -> None:
    moments = [(0, 0.0), (1, 0.02), (2, 0.25), (3, 0.26), (4, 0.2999996), (5, 0.5)]
    assert runs_of(Cadence(seconds=0.1), moments) == [0, 2, 4, 5]


def test_each_detector_has_its_own_cadence_and_says_why_it_runs() -> None:
    scheduler = Scheduler({"hand": Cadence(frames=2), "mug": Cadence(frames=4, phase=1)})
    decided = [scheduler.decide(index, index / 30) for index in range(6)]
    assert decided == [
        {"hand": "interval"},
        {"mug": "interval"},
        {"hand": "interval"},
        {},
        {"hand": "interval"},
        {"mug": "interval"},
    ]


def test_automatic_cadences_react_to_tracks_and_fixed_ones_do_not() -> None:
    scheduler = Scheduler(
        {"hand": Cadence(is_auto=True), "mug": Cadence(is_auto=True), "book": Cadence(frames=2)},
        {"hand": {"hand"}, "mug": {"object"}, "book": {"object"}},
    )
    assert [scheduler.decide(index, index / 30) for index in range(3)] == [
        {"book": "interval"},
        {},
        {"book": "interval"},
    ]
    reactions = [scheduler.react(empty_outlook(index)) for index in range(31)]
    assert reactions[0] == {"hand": "entry", "mug": "interval"}
    assert [index for index, one in enumerate(reactions) if "hand" in one] == [0, 6, 12, 18, 24, 30]
    assert [index for index, one in enumerate(reactions) if "mug" in one] == [0, 30]
    scheduler.reset()
    assert scheduler.react(empty_outlook(150)) == reactions[0]


def test_detector_that_is_busy_makes_up_for_its_run_when_it_is_free() -> None:
    scheduler = Scheduler({"slow": Cadence(frames=2), "hand": Cadence(is_auto=True)}, {"hand": {"hand"}})
    busy = [{"slow", "hand"} if index in (4, 5, 6, 7, 8) else set() for index in range(14)]
    decided = [scheduler.decide(index, index / 30, busy=busy[index]) for index in range(14)]
    assert [index for index, one in enumerate(decided) if one] == [0, 2, 9, 10, 12]
    reactions = [scheduler.react(empty_outlook(index), busy=busy[index]) for index in range(14)]
    assert [index for index, one in enumerate(reactions) if one] == [0, 9]  # was due on frame 6


def test_no_detector_is_no_run() -> None:
    assert Scheduler({}).decide(0, 0.0) == {}


def test_reset_begins_anew() -> None:
    scheduler = Scheduler({"hand": Cadence(frames=3), "mug": Cadence(seconds=0.1)})
    first = [scheduler.decide(index, index / 30) for index in range(5)]
    scheduler.reset()
    assert [scheduler.decide(index, index / 30) for index in range(5)] == first


@given(
    every=st.integers(1, 12),
    dropped=st.sets(st.integers(1, 60)),
)
def test_no_more_frames_lie_between_two_runs_than_the_cadence_and_the_gaps_allow(every: int, dropped: set[int]) -> None:
    kept = [index for index in range(60) if index not in dropped]
    runs = runs_of(Cadence(frames=every), at_30_fps(kept))
    assert runs[0] == 0
    for slot in range(0, 60, every):  # in each interval with a frame one run, on the first frame that is there
        there = [index for index in kept if slot <= index < slot + every]
        assert [index for index in runs if slot <= index < slot + every] == there[:1]
