from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridtrack.boxes import iou
from hybridtrack.detectors import box_coder
from hybridtrack.types import Array

pytestmark = pytest.mark.tensorflow
tf = pytest.importorskip("tensorflow")

from models.matching import BACKGROUND, IGNORED, assign  # noqa: E402

SCALES = (10.0, 10.0, 5.0, 5.0)
#: four squares in the corners of the picture, and one that covers the middle
ANCHORS = np.array(
    [
        [0.25, 0.25, 0.5, 0.5],
        [0.75, 0.25, 0.5, 0.5],
        [0.25, 0.75, 0.5, 0.5],
        [0.75, 0.75, 0.5, 0.5],
        [0.5, 0.5, 0.2, 0.2],
    ],
    np.float32,
)


def assigned(xyxy: list[list[float]], class_id: list[int], crowd: list[bool] | None = None) -> tuple[Array, Array]:
    boxes = np.array(xyxy, np.float32).reshape(-1, 4)
    is_crowd = np.array(crowd or [False] * len(boxes), bool)
    found = assign(tf.constant(boxes), tf.constant(class_id, tf.int32), tf.constant(is_crowd), ANCHORS, SCALES)
    return found.class_id.numpy(), found.encodings.numpy()


def by_hand(xyxy: Array, class_id: Array, anchors: Array) -> tuple[Array, Array]:
    """Return the targets, anchor by anchor: slow, plain, float64."""
    corners = np.concatenate([anchors[:, :2] - anchors[:, 2:] / 2, anchors[:, :2] + anchors[:, 2:] / 2], axis=1)
    overlap = iou(xyxy.astype(float), corners.astype(float))
    classes, encodings = np.zeros(len(anchors), int), np.zeros((len(anchors), 4))
    owner: dict[int, int] = {}
    for anchor in range(len(anchors)):
        if len(xyxy) and overlap[:, anchor].max() >= 0.5:
            owner[anchor] = int(overlap[:, anchor].argmax())
    claimed: dict[int, float] = {}
    for box in range(len(xyxy)):
        best = int(overlap[box].argmax())
        if overlap[box, best] > claimed.get(best, 0.0):
            owner[best], claimed[best] = box, overlap[box, best]
    for anchor, box in owner.items():
        classes[anchor] = class_id[box]
        encodings[anchor] = box_coder.encode(
            xyxy[box][None].astype(float), anchors[anchor][None].astype(float), SCALES
        )[0]
    return classes, encodings


@pytest.mark.parametrize(
    ("xyxy", "class_id", "expected"),
    [
        ([], [], [0, 0, 0, 0, 0]),
        ([[0, 0, 0.5, 0.5]], [2], [2, 0, 0, 0, 0]),
        ([[0, 0, 0.5, 0.3]], [1], [1, 0, 0, 0, 0]),  # IoU .6
        ([[0, 0, 0.1, 0.1]], [1], [1, 0, 0, 0, 0]),  # IoU .04, but nobody else could find it
        ([[0, 0, 0.5, 0.5], [0, 0, 0.4, 0.4]], [1, 2], [1, 0, 0, 0, 0]),  # the better box has the anchor of both
        ([[0, 0, 1, 0.5]], [3], [3, 3, 0, 0, 0]),  # IoU .5 with two
        ([[0.4, 0.4, 0.6, 0.6], [0, 0, 0.5, 0.45]], [1, 2], [2, 0, 0, 0, 1]),
    ],
    ids=["nothing", "equal", "positive", "forced", "one anchor for two", "two anchors for one", "two"],
)
def test_anchors_find_the_boxes_that_they_overlap_most(
    xyxy: list[list[float]], class_id: list[int], expected: list[int]
) -> None:
    assert assigned(xyxy, class_id)[0].tolist() == expected


def test_encodings_are_those_that_the_runtime_decodes() -> None:
    classes, encodings = assigned([[0.05, 0.1, 0.55, 0.5]], [1])
    assert classes.tolist() == [1, 0, 0, 0, 0]
    decoded = box_coder.decode(encodings[:1], ANCHORS[:1], SCALES)
    np.testing.assert_allclose(decoded, [[0.05, 0.1, 0.55, 0.5]], atol=1e-6)
    assert not encodings[1:].any()


def test_what_lies_in_a_crowd_is_ignored_unless_it_is_positive() -> None:
    classes, _ = assigned([[0, 0, 1, 0.6], [0, 0, 0.5, 0.5]], [1, 2], [True, False])
    assert classes.tolist() == [2, IGNORED, BACKGROUND, BACKGROUND, IGNORED]  # the last is covered by .75 of it


coordinate = st.integers(0, 900).map(lambda n: n / 1000)
side = st.integers(50, 1000).map(lambda n: n / 1000)
box = st.tuples(coordinate, coordinate, side, side)


@settings(max_examples=60, deadline=None)
@given(st.lists(box, max_size=6), st.integers(0, 2**20))
def test_targets_are_those_of_the_plain_algorithm(boxes: list[tuple[float, ...]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    centres = rng.uniform(0, 1, (40, 2))
    anchors = np.concatenate([centres, rng.uniform(0.1, 0.6, (40, 2))], axis=1).astype(np.float32)
    xyxy = np.array([[x, y, min(x + w, 1), min(y + h, 1)] for x, y, w, h in boxes], np.float32).reshape(-1, 4)
    class_id = rng.integers(1, 4, len(xyxy))
    found = assign(
        tf.constant(xyxy), tf.constant(class_id, tf.int32), tf.zeros(len(xyxy), tf.bool), tf.constant(anchors), SCALES
    )
    corners = np.concatenate([anchors[:, :2] - anchors[:, 2:] / 2, anchors[:, :2] + anchors[:, 2:] / 2], axis=1)
    overlap = np.sort(iou(xyxy.astype(float), corners.astype(float)).ravel())
    if len(overlap) and (np.abs(overlap - 0.5).min() < 1e-5 or np.diff(overlap[overlap > 0]).min(initial=1) < 1e-5):
        return  # float32 may see a tie otherwise
    classes, encodings = by_hand(xyxy, class_id, anchors)
    assert found.class_id.numpy().tolist() == classes.tolist()
    np.testing.assert_allclose(found.encodings.numpy(), encodings, atol=2e-3)
