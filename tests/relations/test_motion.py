from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridtrack.relations.motion import Memory, to_reference, translation


@pytest.mark.parametrize(
    ("sides", "way"),
    [
        ((5, 0, 5, 0), (5, 0)),  # the box goes to the right
        ((-7, 2, -4, 3), (-4, 2)),  # the lesser of two sides is certain
        ((9, 0, 0, 0), (0, 0)),  # the left side alone: something covers it
        ((-3, 0, 3, 0), (0, 0)),  # it grows
        ((0, 0, 0, 0), (0, 0)),
    ],
)
def test_box_went_as_far_as_both_opposite_sides_did(sides: tuple[float, ...], way: tuple[float, float]) -> None:
    assert translation(np.array(sides, float)).tolist() == list(way)


@given(st.integers(-500, 500), st.integers(-500, 500))
def test_box_that_moves_as_a_whole_went_all_the_way(dx: int, dy: int) -> None:
    assert translation(np.array([dx, dy, dx, dy])).tolist() == [dx, dy]


def test_picture_that_shifts_is_taken_back() -> None:
    camera = np.array([[1.0, 0, 7], [0, 1, -3], [0, 0, 1]])
    assert to_reference(np.array([[7.0, -3.0, 17.0, 7.0]]), camera).tolist() == [[0.0, 0.0, 10.0, 10.0]]


def test_picture_that_grows_is_taken_back() -> None:
    camera = np.diag([2.0, 2.0, 1.0])
    assert to_reference(np.array([[20.0, 40.0, 60.0, 80.0]]), camera).tolist() == [[10.0, 20.0, 30.0, 40.0]]


def test_still_camera_leaves_boxes_as_they_are() -> None:
    xyxy = np.array([[1.5, 2.5, 3.5, 4.5]])
    assert to_reference(xyxy, np.eye(3)) is xyxy


def remembered(memory: Memory, frames: int, ids: list[int], start: int = 0) -> None:
    for frame in range(start, start + frames):
        xyxy = np.array([[10 * one + frame, 0, 10 * one + frame + 1, 1] for one in ids], float)
        memory.add(frame / 10, np.array(ids), xyxy, np.array([frame % 2] * len(ids)))


def test_memory_keeps_its_span_and_no_more() -> None:
    memory = Memory(0.5)
    remembered(memory, 300, [1])
    assert memory.time_s.tolist() == pytest.approx([29.4, 29.5, 29.6, 29.7, 29.8, 29.9])
    assert memory.xyxy[:, 0, 0].tolist() == [304, 305, 306, 307, 308, 309]
    assert memory.origin[:, 0].tolist() == [0, 1, 0, 1, 0, 1]


def test_memory_grows_with_the_frame_rate() -> None:
    memory = Memory(1.0)
    for frame in range(1000):
        memory.add(frame / 500, np.array([1]), np.full((1, 4), frame), np.array([0]))
    assert len(memory.time_s) == 501
    assert memory.xyxy[0, 0, 0] == 499


def test_track_that_is_new_was_nowhere_before_and_one_that_ends_is_forgotten() -> None:
    memory = Memory(1.0)
    remembered(memory, 2, [3, 1])
    remembered(memory, 1, [1, 2], start=2)
    assert memory.xyxy[:, 0, 0].tolist() == [10, 11, 12]
    assert np.isnan(memory.xyxy[:2, 1]).all()
    assert memory.xyxy[2, 1, 0] == 22
    memory.add(0.3, np.empty(0, np.int64), np.empty((0, 4)), np.empty(0, np.uint8))
    assert memory.xyxy.shape == (4, 0, 4)
