from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridtrack.budget import Budget
from hybridtrack.cadence import Cadence, parse_cadence


def runs_of_greedy(cadence: Cadence, frames: int, *, from_frame: int = 0) -> list[int]:
    """Return the frames, at 30 a second, on which a detector runs that runs whenever it may."""
    budget, runs = Budget(cadence), []
    for index in range(frames):
        budget.pass_to(index, index / 30)
        if index >= from_frame and not budget.is_empty:
            budget.spend()
            runs.append(index)
    return runs


@pytest.mark.parametrize("every", ["10", "333.333ms"])
def test_burst_of_what_was_saved_is_followed_by_a_run_an_interval(every: str) -> None:
    assert runs_of_greedy(parse_cadence(every), 41) == [0, 1, 2, 3, 10, 20, 30, 40]


def test_no_more_than_eight_runs_are_saved() -> None:
    runs = runs_of_greedy(Cadence(frames=10), 125, from_frame=100)
    assert runs == [*range(100, 108), 110, 120]


def test_first_frame_has_any_number_and_time() -> None:
    budget = Budget(Cadence(seconds=1.0))
    budget.pass_to(5000, 700.0)
    for _ in range(4):
        budget.spend()
    assert budget.is_empty


def test_reluctance_falls_as_runs_are_saved() -> None:
    budget, reluctance = Budget(Cadence(frames=1)), []
    for _ in range(4):
        budget.spend()
    for index in range(10):
        budget.pass_to(index, index / 30)
        reluctance.append(budget.reluctance)
    assert reluctance[0] == math.inf
    assert reluctance == sorted(reluctance, reverse=True)
    assert reluctance[-1] < 1 < reluctance[2]


def test_run_that_had_to_be_is_owed() -> None:
    budget = Budget(Cadence(frames=10))
    budget.pass_to(0, 0.0)
    for _ in range(5):
        budget.spend()
    budget.pass_to(10, 1 / 3)
    assert budget.is_empty
    budget.pass_to(20, 2 / 3)
    assert not budget.is_empty


def test_reset_begins_anew() -> None:
    budget = Budget(Cadence(frames=10))
    for index in range(4):
        budget.pass_to(index, index / 30)
        budget.spend()
    assert budget.is_empty
    budget.reset()
    budget.pass_to(0, 0.0)
    assert not budget.is_empty


@given(every=st.integers(1, 20), wishes=st.lists(st.booleans(), min_size=1, max_size=300))
def test_average_is_kept_whatever_is_wished(every: int, wishes: list[bool]) -> None:
    budget, runs = Budget(Cadence(frames=every)), 0
    for index, is_wished in enumerate(wishes):
        budget.pass_to(index, index / 30)
        if is_wished and not budget.is_empty:
            budget.spend()
            runs += 1
        assert runs <= index / every + 4 + 1e-9
