from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hybridtrack import boxes
from hybridtrack.types import Array

SIDES = st.integers(0, 6)


@st.composite
def xyxy_boxes(draw: st.DrawFn, dtype: type = np.float64) -> Array:
    """0 to 12 boxes of some area on a coarse grid, so that they touch, contain and equal each other often."""
    count = draw(SIDES.map(lambda n: 2 * n))
    corner = draw(arrays(np.int64, (count, 2), elements=st.integers(-4, 12)))
    size = draw(arrays(np.int64, (count, 2), elements=st.integers(1, 8)))
    return np.concatenate([corner, corner + size], axis=1).astype(dtype)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ((0, 0, 2, 2), (0, 0, 2, 2), 1),
        ((0, 0, 2, 2), (2, 0, 4, 2), 0),  # they share an edge
        ((0, 0, 2, 2), (3, 3, 4, 4), 0),
        ((0, 0, 2, 2), (1, 0, 3, 2), 2 / 6),
        ((0, 0, 4, 4), (1, 1, 3, 3), 4 / 16),
        ((0, 0, 0, 0), (0, 0, 0, 0), 0),  # neither has an area
    ],
)
def test_iou_of_two_boxes(a: tuple[float, ...], b: tuple[float, ...], expected: float) -> None:
    assert boxes.iou(np.array([a], float), np.array([b], float)).item() == pytest.approx(expected)


@given(xyxy_boxes(), xyxy_boxes())
def test_iou_is_symmetric_within_zero_and_one_and_one_on_itself(a: Array, b: Array) -> None:
    ratio = boxes.iou(a, b)
    assert ratio.shape == (len(a), len(b))
    assert ((ratio >= 0) & (ratio <= 1)).all()
    assert (ratio == boxes.iou(b, a).T).all()
    assert (np.diag(boxes.iou(a, a)) == 1).all()


@given(xyxy_boxes(), xyxy_boxes())
def test_paired_boxes_have_the_iou_of_all_pairs(a: Array, b: Array) -> None:
    n = min(len(a), len(b))
    assert (boxes.paired_iou(a[:n], b[:n]) == np.diag(boxes.iou(a[:n], b[:n]))).all()
    assert (boxes.paired_intersection(a[:n], b[:n]) == np.diag(boxes.intersection(a[:n], b[:n]))).all()


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ((0, 0, 2, 2), (1, 1, 3, 3), 0),  # they overlap
        ((0, 0, 2, 2), (2, 0, 4, 2), 0),  # they share an edge
        ((0, 0, 2, 2), (5, 1, 6, 3), 3),  # side by side
        ((0, 7, 2, 9), (0, 0, 2, 2), 5),  # one above the other
        ((0, 0, 2, 2), (5, 6, 7, 8), 5),  # corner to corner: 3 across, 4 down
    ],
)
def test_gap_of_two_boxes(a: tuple[float, ...], b: tuple[float, ...], expected: float) -> None:
    assert boxes.gap(np.array([a], float), np.array([b], float)).item() == pytest.approx(expected)
    assert boxes.gap(np.array([a] * 3, float), np.empty((0, 4))).shape == (3, 0)


@given(xyxy_boxes(), xyxy_boxes())
def test_intersection_is_no_larger_than_either_box(a: Array, b: Array) -> None:
    assert (boxes.intersection(a, b) <= np.minimum(boxes.area(a)[:, None], boxes.area(b)[None, :])).all()


@given(xyxy_boxes(np.float32))
def test_conversions_have_inverses(xyxy: Array) -> None:
    size_px = (1280, 720)
    assert boxes.cxcywh_to_xyxy(boxes.xyxy_to_cxcywh(xyxy)) == pytest.approx(xyxy, abs=1e-4)
    assert boxes.yxyx_norm_to_xyxy(boxes.xyxy_to_yxyx_norm(xyxy, size_px), size_px) == pytest.approx(xyxy, abs=1e-3)


def test_rescaled_box_lies_on_the_same_share_of_the_picture() -> None:
    xyxy = np.array([[10, 20, 40, 60]], np.float32)
    assert boxes.rescale(xyxy, (100, 80), (200, 40)).tolist() == [[20, 10, 80, 30]]
    assert boxes.rescale(xyxy, (100, 80), (100, 80)) is xyxy
    assert boxes.rescale(xyxy, (100, 80), (50, 50)).dtype == np.float32
    assert boxes.rescale(xyxy[:0], (100, 80), (200, 40)).shape == (0, 4)


def test_normalised_boxes_have_y_first() -> None:
    yxyx_norm = boxes.xyxy_to_yxyx_norm(np.array([[64.0, 36, 128, 360]]), (640, 360))
    assert yxyx_norm.tolist() == [[0.1, 0.1, 1.0, 0.2]]


@given(xyxy_boxes())
def test_clipped_boxes_lie_in_the_picture_and_keep_what_lay_in_it(xyxy: Array) -> None:
    clipped = boxes.clip(xyxy, (7, 5))
    assert (clipped >= 0).all()
    assert (clipped[:, 0::2] <= 7).all()
    assert (clipped[:, 1::2] <= 5).all()
    picture = np.array([[0.0, 0, 7, 5]])
    assert (boxes.area(clipped) == boxes.intersection(xyxy, picture)[:, 0]).all()


def _slow_iou(a: Array, b: Array) -> float:
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - width * height
    return width * height / union


def _slow_nms(xyxy: Array, score: Array, iou_threshold: float) -> list[int]:
    """Take the best box that is left, drop all that overlap it too much, and go on."""
    left = sorted(range(len(xyxy)), key=lambda row: (-score[row], row))
    kept = []
    while left:
        best, *left = left
        kept.append(best)
        left = [row for row in left if _slow_iou(xyxy[best], xyxy[row]) <= iou_threshold]
    return kept


@given(xyxy_boxes(), st.data(), st.sampled_from([0.0, 0.3, 0.45, 1.0]))
def test_nms_keeps_what_the_plain_algorithm_keeps(xyxy: Array, data: st.DataObject, iou_threshold: float) -> None:
    score = data.draw(arrays(np.float64, len(xyxy), elements=st.sampled_from([0.1, 0.5, 0.9])))
    assert boxes.nms(xyxy, score, iou_threshold).tolist() == _slow_nms(xyxy, score, iou_threshold)
