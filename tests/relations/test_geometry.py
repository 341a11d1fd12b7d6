from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridtrack.boxes import gap
from hybridtrack.relations import geometry

HAND = np.array([[0.0, 0.0, 40.0, 90.0]])  # 60 px wide: the root of 40 * 90


def test_hand_width_is_the_geometric_mean_of_the_sides() -> None:
    assert geometry.hand_width(HAND).tolist() == [60.0]
    assert geometry.hand_width(np.zeros((1, 4))).tolist() == [1.0]


@pytest.mark.parametrize(
    ("other", "px"),
    [
        ((50, 0, 80, 90), 10),  # to the right
        ((-30, 0, -4, 90), 4),  # to the left
        ((0, 100, 40, 120), 10),  # below
        ((43, 94, 60, 120), 5),  # 3 across and 4 down
        ((40, 0, 60, 90), 0),  # they touch
        ((10, 10, 20, 20), 0),  # one in the other
    ],
)
def test_gap_is_the_distance_of_the_nearest_points(other: tuple[float, ...], px: float) -> None:
    assert gap(HAND, np.array([other], float)).tolist() == [[px]]


def test_offset_goes_from_the_hand_to_the_object() -> None:
    assert geometry.offset(HAND, np.array([[40.0, 30.0, 60.0, 70.0]])).tolist() == [[30.0, 5.0]]


def test_overlap_is_iou_and_the_share_of_the_object() -> None:
    iou, coverage = geometry.overlap(HAND, np.array([[20.0, 0.0, 60.0, 90.0]]))
    assert iou.tolist() == [1 / 3]
    assert coverage.tolist() == [0.5]


def test_no_hand_and_no_object_give_empty_tables() -> None:
    none = np.empty((0, 4))
    assert gap(none, HAND).shape == (0, 1)
    assert gap(HAND, none).shape == (1, 0)
    assert geometry.offset(none, none).shape == (0, 2)
    assert [share.shape for share in geometry.overlap(none, none)] == [(0,), (0,)]


boxes = st.tuples(*[st.integers(0, 500)] * 2, *[st.integers(1, 200)] * 2).map(
    lambda box: np.array([[box[0], box[1], box[0] + box[2], box[1] + box[3]]], float)
)


@given(boxes, boxes)
def test_gap_is_symmetric_and_nothing_exactly_where_boxes_share_a_point(a: np.ndarray, b: np.ndarray) -> None:
    px = gap(a, b)[0, 0]
    assert px == gap(b, a)[0, 0] >= 0
    share_a_point = (a[0, :2] <= b[0, 2:]).all() and (b[0, :2] <= a[0, 2:]).all()
    assert (px == 0) == share_a_point
