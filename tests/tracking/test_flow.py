"""The robust motion of a box from the flow of its points, on points that are made up."""

import cv2
import numpy as np
import pytest

from hybridtrack.tracking.flow import FlowTracker, common_motion, flow_size, masked_median, one_thread_each
from hybridtrack.types import Frame


def grid() -> np.ndarray:
    x, y = np.meshgrid(np.arange(5) * 8.0, np.arange(5) * 8.0)
    return np.stack([x, y], axis=-1).reshape(1, -1, 2)


STILL = np.zeros(2)
ALL = np.ones((1, 25), bool)


def test_median_is_over_the_points_that_count() -> None:
    values = np.array([[[1.0], [9.0], [5.0], [100.0]]])
    assert masked_median(values, np.array([[True, True, True, False]])).tolist() == [[5.0]]
    assert masked_median(values, np.zeros((1, 4), bool)).tolist() == [[0.0]]


def test_shift_and_scale_of_a_box_whose_points_all_agree() -> None:
    points = grid()
    moved = (points - 16) * 1.1 + 16 + [3, -2]
    shift, scale, agrees, std = common_motion(points, moved, ALL, STILL)
    np.testing.assert_allclose(shift, [[3, -2]], atol=1e-9)
    assert scale[0] == pytest.approx(1.1, abs=1e-3)
    assert agrees.sum(axis=1).tolist() == [25]
    assert std[0] < 0.01


def test_points_that_stay_with_the_table_do_not_hold_back_a_moving_hand() -> None:
    points = grid()
    moved = points.copy()
    moved[0, :10] += [6, 0]  # 40 % hand, 60 % table
    shift, _, agrees, _ = common_motion(points, moved, ALL, STILL)
    np.testing.assert_allclose(shift, [[6, 0]])
    assert agrees.sum(axis=1).tolist() == [10]


def test_box_that_lies_still_on_a_swaying_table_sways_with_it() -> None:
    points = grid()
    shift, _, agrees, _ = common_motion(points, points + np.array([1.5, 0.5]), ALL, np.array([1.5, 0.5]))
    np.testing.assert_allclose(shift, [[1.5, 0.5]])
    assert agrees.sum(axis=1).tolist() == [25]


def test_few_wild_points_do_not_move_a_box() -> None:
    points = grid()
    moved = points + np.array([2, 0])
    moved[0, :5] += [40, -30]
    shift, scale, agrees, _ = common_motion(points, moved, ALL, STILL)
    np.testing.assert_allclose(shift, [[2, 0]])
    assert scale[0] == pytest.approx(1, abs=1e-6)
    assert agrees.sum(axis=1).tolist() == [20]


def test_box_without_a_valid_point_has_no_motion() -> None:
    shift, scale, agrees, std = common_motion(grid(), grid() + 5, ~ALL, STILL)
    assert (shift.tolist(), scale.tolist(), agrees.sum(axis=1).tolist(), std.tolist()) == ([[0, 0]], [1], [0], [0])


@pytest.mark.parametrize(
    ("size_px", "expected"),
    [
        ((1280, 720), (320, 180)),
        ((640, 360), (320, 180)),
        ((200, 100), (200, 100)),
        ((1, 1), (1, 1)),
        ((4000, 3), (320, 1)),
    ],
)
def test_flow_is_measured_at_320_pixels_width_and_never_above_the_picture(
    size_px: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert flow_size(size_px) == expected


def test_quality_falls_to_zero_where_nothing_can_be_followed() -> None:
    rng = np.random.default_rng(0)
    noise, blank = rng.integers(0, 255, (180, 320)).astype(np.uint8), np.full((180, 320), 90, np.uint8)
    subject, box, ids = FlowTracker(), np.array([[100.0, 50, 180, 130]]), np.array([1])
    subject.settle(Frame.from_array(noise), ids, box, np.array([True]))
    same = subject.measure(Frame.from_array(noise), ids, box)
    gone = subject.measure(Frame.from_array(blank), ids, box)
    assert same.quality[0] > 0.9
    assert same.is_measured.all()
    np.testing.assert_allclose(same.xyxy, box, atol=0.1)
    assert gone.quality[0] < 0.25
    assert not gone.is_measured.any()


def test_flow_looks_at_no_more_detail_than_a_reduced_frame_has() -> None:
    seen = Frame.from_array(np.zeros((360, 640), np.uint8)).reduced((160, 90))
    assert (seen.size_px, seen.detail_px, flow_size(seen.detail_px)) == ((640, 360), (160, 90), (160, 90))


def test_thing_that_a_hand_has_left_stays_though_no_detector_has_looked_for_long() -> None:
    """A hand's box hides most of a textured thing, which it has carried; it goes on, and the thing does not."""
    rng = np.random.default_rng(3)
    table = cv2.GaussianBlur(rng.integers(0, 255, (180, 320), np.uint8), (0, 0), 1.5)
    thing, hand = (cv2.GaussianBlur(rng.integers(0, 255, (60, 60), np.uint8), (0, 0), 1.5) for _ in range(2))
    tracker = FlowTracker()
    track_id, is_solid, is_hand = np.array([1, 2]), np.array([True, False]), np.array([False, True])
    nothing_hides = np.zeros((2, 2), bool)  # it carried the thing
    measured, before = {}, np.empty((2, 4))
    for number, (time_s, x) in enumerate([(0.0, 115), (0.4, 115), (0.5, 118), (0.6, 121)]):
        grey = table.copy()
        grey[60:120, 100:160], grey[60:120, x : x + 60] = thing, hand
        frame = Frame.from_array(grey, index=number, time_s=time_s)
        boxes = np.array([[100.0, 60, 160, 120], [x, 60, x + 60, 120]])
        if number:
            tracker.expect(np.zeros((2, 2)), nothing_hides, is_solid, is_hand)
            measured[number] = tracker.measure(frame, track_id, before)
        tracker.settle(frame, track_id, boxes, np.array([number == 0, number == 0]))
        before = boxes
    assert measured[3].is_measured.tolist() == [True, True]
    assert measured[3].xyxy[0] == pytest.approx([100, 60, 160, 120], abs=0.6)
    assert measured[3].xyxy[1] == pytest.approx([121, 60, 181, 120], abs=0.6)


def test_opencv_has_its_threads_again_after_the_time_with_one_each() -> None:
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(2)
        with one_thread_each():
            assert cv2.getNumThreads() == 1
        assert cv2.getNumThreads() == 2
    finally:
        cv2.setNumThreads(before)
