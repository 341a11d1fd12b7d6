from __future__ import annotations

import numpy as np

from hybridtrack.habituation import Habituation
from hybridtrack.types import Tracks

SIZE = (640, 360)
LEFT, RIGHT = np.array([[50.0, 100, 100, 160]]), np.array([[500.0, 100, 560, 160]])


def test_place_where_nothing_was_found_is_let_be_and_others_are_not() -> None:
    habit = Habituation()
    assert habit.is_new(0.0, LEFT, SIZE)
    habit.look(0.0, LEFT, SIZE)
    habit.step(1 / 30, Tracks.empty(), SIZE)
    assert not habit.is_new(1 / 30, LEFT, SIZE)
    assert habit.is_new(1 / 30, RIGHT, SIZE)
    assert habit.is_new(1 / 30, np.concatenate([LEFT, RIGHT]), SIZE)


def test_waits_grow_to_eight_seconds_and_are_forgotten() -> None:
    habit, looks, time_s = Habituation(), [], 0.0
    for index in range(60 * 30):
        time_s = index / 30
        habit.step(time_s, Tracks.empty(), SIZE)
        if habit.is_new(time_s, LEFT, SIZE):
            habit.look(time_s, LEFT, SIZE)
            looks.append(time_s)
    waits = np.diff(looks)
    assert (np.diff(waits) >= -1e-6).all()
    assert 7.9 < waits[-1] < 8.1
    assert len(looks) < 15
    habit.step(time_s + 30, Tracks.empty(), SIZE)
    habit.look(time_s + 30, LEFT, SIZE)
    habit.step(time_s + 31, Tracks.empty(), SIZE)
    assert habit.is_new(time_s + 31, LEFT, SIZE)


def test_no_motion_is_nothing_new() -> None:
    assert not Habituation().is_new(0.0, np.empty((0, 4)), SIZE)


def test_motion_beyond_the_rim_belongs_to_the_cells_at_the_rim() -> None:
    habit, outside = Habituation(), np.array([[-30.0, -20, 0, 0], [640, 360, 700, 400]])
    assert habit.is_new(0.0, outside, SIZE)
    habit.look(0.0, outside, SIZE)
    habit.step(0.01, Tracks.empty(), SIZE)
    assert not habit.is_new(0.01, outside, SIZE)
