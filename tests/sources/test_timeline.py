from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridtrack.sources.timeline import Timeline

STEP = Fraction(1, 10)


def _times(stamps: list[Fraction | float | None]) -> list[float]:
    timeline = Timeline(Fraction(10))
    return [float(timeline.place(None if stamp is None else Fraction(stamp))) for stamp in stamps]


@pytest.mark.parametrize(
    ("stamps", "times"),
    [
        ([], []),
        ([5, 6, 8], [0, 1, 3]),  # the first frame is at 0; uneven steps stay
        ([None, None, None], [0, 0.1, 0.2]),  # no timestamps: one interval each
        ([7, None, 9], [0, 0.1, 2]),  # one is missing
        ([None, 7, 8], [0, 0.1, 1.1]),  # the first is missing: the next one sets the count
        ([0, 1, 1, 2], [0, 1, 1.05, 2]),  # repeated: half an interval behind, the next is met again
        ([0, 1, 0.5, 2], [0, 1, 1.05, 2]),  # a slip back of less than a second
        ([0, 5, 0, 1, 2], [0, 5, 5.1, 6.1, 7.1]),  # joined clips: the count goes on
        ([10, 15, 0, 16], [0, 5, 5.1, 6]),  # one frame far back: the old count is met again
    ],
)
def test_times_start_at_zero_and_grow(stamps: list[float | None], times: list[float]) -> None:
    assert _times(list(stamps)) == pytest.approx(times)


@given(st.lists(st.none() | st.fractions(-100, 100, max_denominator=1000)))
def test_times_grow_strictly_whatever_the_timestamps_are(stamps: list[Fraction | None]) -> None:
    times = _times(list(stamps))
    assert times[:1] in ([], [0.0])
    assert all(earlier < later for earlier, later in pairwise(times))


def test_notes_count_what_was_missing_and_what_was_moved() -> None:
    timeline = Timeline(Fraction(10))
    for stamp in (0, None, 1, 1, 1):
        timeline.place(None if stamp is None else Fraction(stamp))
    assert timeline.notes() == [
        "timestamps: 1 frame without a timestamp: frame intervals counted instead",
        "timestamps: 2 frames with a timestamp not later than the frame before: moved behind it",
    ]


def test_sound_timestamps_leave_no_note() -> None:
    timeline = Timeline()
    timeline.place(Fraction(0))
    timeline.place(Fraction(1))
    assert timeline.notes() == []


def test_a_given_origin_is_time_zero() -> None:
    assert Timeline(Fraction(10), Fraction(3)).place(Fraction(5)) == 2
