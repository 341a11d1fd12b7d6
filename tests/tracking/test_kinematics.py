"""What is expected of boxes: how far they may go, and what all of them have in common."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridtrack.association import Expected, Seen
from hybridtrack.hookspecs import Measurement
from hybridtrack.tracking.kinematics import begun, common_shift, corrected, predicted
from hybridtrack.types import TrackState

SMOOTH, AGILE = np.array([False]), np.array([True])
BOX = np.array([[100.0, 100.0, 40.0, 90.0]])  # cx, cy, w, h: its size is 60 px


def test_smooth_boxes_keep_their_speed_unseen_and_agile_ones_lose_it() -> None:
    both = begun(np.repeat(BOX, 2, axis=0), np.ones(2), np.array([False, True]))
    both.velocity[:, 0] = 60.0
    xyxy = np.zeros((2, 4))
    after = predicted(both, Measurement.none(xyxy), 0.5, np.array([False, True]))
    assert after.position[:, 0].tolist() == [130.0, 130.0]
    assert after.velocity[:, 0].tolist() == pytest.approx([60.0, 30.0])


def test_size_of_a_smooth_box_stops_growing_while_it_is_unseen() -> None:
    belief = begun(BOX, np.ones(1), SMOOTH)
    belief.velocity[:, 3] = 40.0
    after = predicted(belief, Measurement.none(BOX), 0.2, SMOOTH)
    assert after.velocity[0, 3] == pytest.approx(20.0)


def test_agile_boxes_are_looked_for_farther_than_smooth_ones() -> None:
    belief = begun(np.repeat(BOX, 2, axis=0), np.ones(2), np.array([True, False]))
    after = predicted(belief, Measurement.none(np.zeros((2, 4))), 0.5, np.array([True, False]))
    assert after.var_position[0, 0] > 4 * after.var_position[1, 0]


@pytest.mark.parametrize(("is_agile", "jump_px"), [(AGILE, 30.0), (SMOOTH, 130.0)])
def test_far_detection_starts_the_belief_anew(is_agile: np.ndarray, jump_px: float) -> None:
    belief = begun(BOX, np.ones(1), is_agile)
    belief.velocity[:, 0] = 500.0
    after = corrected(belief, BOX + np.array([jump_px, 0, 0, 0]), np.ones(1), is_agile)
    assert after.position[0, 0] == 100 + jump_px
    assert after.velocity[0, 0] == 0


def test_detection_that_is_not_that_far_moves_a_smooth_box_by_a_part() -> None:
    belief = begun(BOX, np.ones(1), SMOOTH)
    after = corrected(belief, BOX + np.array([10.0, 0, 0, 0]), np.ones(1), SMOOTH)
    assert after.position[0, 0] == pytest.approx(105)  # both are known equally well


def test_smooth_box_that_turns_is_followed_by_most_of_the_way() -> None:
    belief = begun(BOX, np.ones(1), SMOOTH)
    for _ in range(30):  # at rest for a second
        belief = predicted(belief, Measurement.none(BOX), 1 / 30, SMOOTH)
        belief = corrected(belief, BOX, np.ones(1), SMOOTH)
    plain = belief.corrected(BOX + np.array([40.0, 0, 0, 0]), np.full((1, 4), 3.6))
    turned = corrected(belief, BOX + np.array([40.0, 0, 0, 0]), np.ones(1), SMOOTH)
    assert plain.position[0, 0] < 115
    assert turned.position[0, 0] > 125
    assert turned.position[0, 1:].tolist() == pytest.approx(BOX[0, 1:].tolist())  # nothing else was off


def scene(off: np.ndarray) -> tuple[Expected, Seen]:
    """Return a track each 100 px, and detections that are ``off`` (N, 2) from them."""
    n = len(off)
    xyxy = np.array([[100.0 * k, 0.0, 100.0 * k + 60, 60.0] for k in range(n)]).reshape(-1, 4)
    tracks = Expected(
        xyxy=xyxy,
        state=np.full(n, TrackState.CONFIRMED),
        unseen_s=np.full(n, 0.1),
        tenure_s=np.ones(n),
        is_agile=np.zeros(n, bool),
        var=np.ones((n, 4)),
    )
    return tracks, Seen(xyxy=xyxy + np.tile(off, 2), score=np.ones(n), var=np.ones((n, 4)))


def test_half_of_what_all_boxes_are_off_by_is_the_cameras() -> None:
    assert common_shift(*scene(np.tile([8.0, -2.0], (5, 1)))).tolist() == [4.0, -1.0]


def test_boxes_that_go_their_own_ways_tell_nothing_of_the_camera() -> None:
    off = np.array([[8.0, 0], [-9.0, 0], [7.0, 0], [-8.0, 0], [1.0, 0]])
    assert common_shift(*scene(off)).tolist() == [0.0, 0.0]


def test_one_box_that_goes_another_way_does_not_count() -> None:
    off = np.array([[8.0, 0], [8.0, 0], [8.0, 0], [8.0, 0], [-15.0, 0]])
    assert common_shift(*scene(off)).tolist() == [4.0, 0.0]


@given(st.integers(0, 3), st.floats(-20, 20))
def test_fewer_than_four_boxes_tell_nothing_of_the_camera(count: int, x: float) -> None:
    assert common_shift(*scene(np.tile([x, 0.0], (count, 1)))).tolist() == [0.0, 0.0]
