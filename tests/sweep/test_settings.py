from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridtrack.cadence import Cadence, parse_cadence
from hybridtrack.sweep.settings import phases, settings_of


def test_every_setting_is_tried_once_and_nothing_is_filled_where_the_detector_always_runs() -> None:
    cadences = list(map(parse_cadence, ("1", "3", "auto", "3")))
    settings = settings_of(["hold", "kalman"], cadences, ["forward", "two-way"])
    assert list(map(str, settings)) == [
        "hold 1",
        "hold 3",
        "hold auto",
        "hold two-way 3",
        "hold two-way auto",
        "kalman 1",
        "kalman 3",
        "kalman auto",
        "kalman two-way 3",
        "kalman two-way auto",
    ]


@pytest.mark.parametrize(
    ("every", "most", "expected"),
    [
        ("1", None, [0]),
        ("3", None, [0, 1, 2]),
        ("10", 1, [0]),
        ("10", 2, [0, 5]),
        ("10", 3, [0, 3, 6]),
        ("3", 99, [0, 1, 2]),
        ("100ms", None, [0]),
        ("auto", 5, [0]),
        ("auto/10", 5, [0]),
    ],
)
def test_phases_are_those_of_the_first_run(every: str, most: int | None, expected: list[int]) -> None:
    assert [cadence.phase for cadence in phases(parse_cadence(every), most)] == expected


@given(st.integers(1, 60), st.integers(1, 80))
def test_phases_are_apart_and_within_the_cadence(n: int, most: int) -> None:
    found = [cadence.phase for cadence in phases(Cadence(frames=n), most)]
    assert found == sorted(set(found))
    assert len(found) == min(n, most)
    assert all(0 <= phase < n for phase in found)
