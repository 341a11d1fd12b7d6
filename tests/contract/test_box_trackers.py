"""What every box tracker does, whatever it looks at."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from hybridtrack import builtin
from hybridtrack.boxes import iou
from hybridtrack.hookspecs import BoxTracker, Measurement
from hybridtrack.plugin_host import PluginHost
from hybridtrack.types import Frame, Size

SIZE = (320, 240)
STILL_PX = 3.0  #: how far the edges of a box may go between two looks at one picture: correlation filters take whole px
NAMES = sorted(spec.name for spec in builtin.hybridtrack_trackers())
LOOKS_AT_PICTURES = ("csrt", "flow", "kcf", "medianflow", "mosse")
#: OpenCV's own that call the best place they find a success, however flat the response is
ALWAYS_CLAIM_SUCCESS = ("csrt", "kcf")


def build(name: str) -> BoxTracker:
    offer = PluginHost.load({}).tracker(name)
    tracker: BoxTracker = offer.build(offer.read_options({}))
    tracker.reset()
    return tracker


@pytest.fixture(params=NAMES)
def tracker(request: pytest.FixtureRequest) -> BoxTracker:
    return build(request.param)


def texture(size: Size, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 1.5)


def frame_of(picture: np.ndarray, index: int = 0) -> Frame:
    return Frame.from_array(picture, index=index, time_s=index / 30)


def noise_frame(index: int, size: Size = SIZE) -> Frame:
    """Return a picture that has nothing in common with any other."""
    return frame_of(texture(size, index), index)


def settle(tracker: BoxTracker, frame: Frame, ids: Sequence[int], xyxy: np.ndarray, *, detected: bool = True) -> None:
    tracker.settle(frame, np.array(ids, np.int64), xyxy, np.full(len(ids), detected))


def measure(tracker: BoxTracker, frame: Frame, ids: Sequence[int], xyxy: np.ndarray) -> Measurement:
    """Return a measurement that was checked to be one."""
    asked = xyxy.copy()
    measured = tracker.measure(frame, np.array(ids, np.int64), xyxy)
    n = len(ids)
    assert np.array_equal(asked, xyxy), "what was asked about is not written to"
    assert measured.xyxy.shape == (n, 4)
    assert measured.std_px.shape == (n, 4)
    assert measured.is_measured.shape == (n,)
    assert measured.is_measured.dtype == bool
    assert measured.quality.shape == (n,)
    for values in (measured.xyxy, measured.std_px, measured.quality):
        assert np.isfinite(values).all()
    assert (measured.std_px > 0).all()
    assert ((measured.quality >= 0) & (measured.quality <= 1)).all()
    known = measured.xyxy[measured.is_measured]
    assert (known[:, 2:] > known[:, :2]).all()
    return measured


def boxes(*xyxy: Sequence[float]) -> np.ndarray:
    return np.array(xyxy, np.float64).reshape(-1, 4)


def test_no_box_is_no_measurement(tracker: BoxTracker) -> None:
    for index in range(3):
        measure(tracker, noise_frame(index), [], boxes())
        settle(tracker, noise_frame(index), [], boxes())


def test_no_box_is_no_measurement_either_after_there_were_some(tracker: BoxTracker) -> None:
    settle(tracker, noise_frame(0), [1, 2], boxes((10, 10, 60, 60), (80, 60, 160, 140)))
    measure(tracker, noise_frame(1), [], boxes())
    settle(tracker, noise_frame(1), [], boxes())
    measure(tracker, noise_frame(2), [], boxes())


def test_nothing_is_measured_before_a_box_was_settled(tracker: BoxTracker) -> None:
    measured = measure(tracker, noise_frame(0), [1], boxes((10, 10, 60, 60)))
    assert not measured.is_measured.any()
    assert measured.quality.tolist() == [1.0]  # nothing speaks against the box


def test_reset_forgets_all_boxes(tracker: BoxTracker) -> None:
    box = boxes((50, 50, 120, 120))
    settle(tracker, noise_frame(0), [1], box)
    tracker.reset()
    assert not measure(tracker, noise_frame(0), [1], box).is_measured.any()


WILD = {
    "outside": (-500, -400, -300, -200),
    "far outside": (1e6, 1e6, 1e6 + 10, 1e6 + 10),
    "across a corner": (-20, -20, 30, 30),
    "across the far edges": (300, 220, 400, 300),
    "larger than the picture": (-1e3, -1e3, 1e3, 1e3),
    "enormous": (-1e6, -1e6, 1e6, 1e6),
    "a point": (100, 100, 100.01, 100.01),
    "a pixel": (100, 100, 101, 101),
    "a line": (10, 100, 300, 100.5),
    "a sliver": (100, 0, 101, 240),
    "touching from outside": (-50, 50, 0, 100),
}


@pytest.mark.parametrize("box", WILD.values(), ids=WILD)
def test_any_box_can_be_settled_and_measured(tracker: BoxTracker, box: Sequence[float]) -> None:
    both = boxes((80, 60, 160, 140), box)
    for index in range(3):
        if index:
            both[:] = measure(tracker, noise_frame(index), [1, 2], both).xyxy
        settle(tracker, noise_frame(index), [1, 2], both, detected=index != 1)


@pytest.mark.parametrize("size", [(1, 1), (3, 1000), (1000, 3), (2, 2), (7, 5), (16, 16), (4096, 2160)])
def test_pictures_of_any_size_are_looked_at(tracker: BoxTracker, size: Size) -> None:
    picture = cv2.resize(texture(SIZE, 0), size)
    box = boxes((0, 0, size[0], size[1]), (size[0] / 4, size[1] / 4, size[0] / 2 + 0.5, size[1] / 2 + 0.5))
    for index in range(3):
        if index:
            measure(tracker, frame_of(picture, index), [1, 2], box)
        settle(tracker, frame_of(picture, index), [1, 2], box)


def test_pictures_may_change_size_after_a_reset(tracker: BoxTracker) -> None:
    for index, size in enumerate([(320, 240), (640, 480), (90, 400), (320, 240), (1, 1), (320, 240)]):
        box = boxes((0.2 * size[0], 0.2 * size[1], 0.7 * size[0], 0.7 * size[1]))
        tracker.reset()
        measure(tracker, noise_frame(index, size), [1], box)
        settle(tracker, noise_frame(index, size), [1], box)


def test_ids_may_vanish_come_back_and_change_their_order(tracker: BoxTracker) -> None:
    one, two, three = (10, 10, 80, 80), (120, 60, 200, 140), (220, 120, 300, 220)
    frame = noise_frame(0)
    settle(tracker, frame, [1, 2], boxes(one, two))
    measure(tracker, frame, [2, 1], boxes(two, one))
    settle(tracker, frame, [2], boxes(two), detected=False)
    measure(tracker, frame, [2], boxes(two))
    settle(tracker, frame, [3, 2, 1], boxes(three, two, one))
    measured = measure(tracker, frame, [1, 2, 3], boxes(one, two, three))
    # on the picture on which they were settled all are where they were
    np.testing.assert_allclose(measured.xyxy, boxes(one, two, three), atol=STILL_PX)
    settle(tracker, frame, [], boxes())
    settle(tracker, frame, [1_000_000_007], boxes(one))
    measure(tracker, frame, [1_000_000_007], boxes(one))


@pytest.mark.parametrize("level", [0, 128, 255])
def test_blank_pictures_have_nothing_to_follow(tracker: BoxTracker, level: int, request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.params["tracker"]
    is_fooled = name in ALWAYS_CLAIM_SUCCESS or (name, level) == ("mosse", 0)  # a filter learnt from black fits black
    blank = np.full((SIZE[1], SIZE[0], 3), level, np.uint8)
    box = boxes((50, 50, 120, 120))
    settle(tracker, frame_of(blank), [1], box)
    for index in range(1, 4):
        measured = measure(tracker, frame_of(blank, index), [1], box)
        assert is_fooled or not measured.is_measured.any()
        assert np.abs(measured.xyxy - box).max() <= 70, "no box flies farther than its own size on nothing"
        settle(tracker, frame_of(blank, index), [1], box, detected=False)


def test_box_is_not_followed_into_a_picture_that_goes_blank(
    tracker: BoxTracker, request: pytest.FixtureRequest
) -> None:
    is_fooled = request.node.callspec.params["tracker"] in ALWAYS_CLAIM_SUCCESS
    box = boxes((50, 50, 120, 120))
    settle(tracker, noise_frame(0), [1], box)
    for index in range(1, 4):
        blank = frame_of(np.zeros((SIZE[1], SIZE[0], 3), np.uint8), index)
        measured = measure(tracker, blank, [1], box)
        assert is_fooled or not measured.is_measured.any()
        settle(tracker, blank, [1], box, detected=False)


def test_two_instances_do_not_know_each_other(tracker: BoxTracker, request: pytest.FixtureRequest) -> None:
    other = build(request.node.callspec.params["tracker"])
    box = boxes((50, 50, 120, 120))
    settle(tracker, noise_frame(0), [1], box)
    assert not measure(other, noise_frame(0), [1], box).is_measured.any()


def test_many_boxes_are_carried_together(tracker: BoxTracker) -> None:
    left, top = np.meshgrid(np.arange(4) * 75.0 + 5, np.arange(2) * 110.0 + 5)
    many = np.stack([left, top, left + 50, top + 50], -1).reshape(-1, 4)
    ids = list(range(1, len(many) + 1))
    settle(tracker, noise_frame(0), ids, many)
    measured = measure(tracker, noise_frame(0), ids, many)
    np.testing.assert_allclose(measured.xyxy, many, atol=STILL_PX)


def moving_square(index: int, size: Size) -> tuple[Frame, np.ndarray]:
    """Return a frame of a textured square on a resting, smoother ground, and where the square is."""
    width, height = size
    side = height // 3
    left, top = round(width / 16 + index * width / 120), round(height / 4 + index * height / 240)
    ground = cv2.GaussianBlur(texture(size, 1), (0, 0), 4)
    ground[top : top + side, left : left + side] = cv2.GaussianBlur(texture((side, side), 2), (0, 0), 1)
    return frame_of(ground, index), boxes((left, top, left + side, top + side))


@pytest.mark.parametrize("size", [(320, 240), (960, 720)])
@pytest.mark.parametrize("name", LOOKS_AT_PICTURES)
def test_square_that_moves_is_followed_by_those_that_look(name: str, size: Size) -> None:
    tracker = build(name)
    frame, box = moving_square(0, size)
    settle(tracker, frame, [7], box)
    for index in range(1, 16):
        frame, truth = moving_square(index, size)
        measured = measure(tracker, frame, [7], box)
        assert measured.is_measured.all()
        box = measured.xyxy
        settle(tracker, frame, [7], box, detected=False)
        assert iou(truth, box)[0, 0] > 0.75
    assert np.abs(box - truth).max() < 0.1 * size[1] / 3


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(LOOKS_AT_PICTURES)))
def test_those_that_do_not_look_measure_nothing(name: str) -> None:
    tracker = build(name)
    frame, box = moving_square(0, SIZE)
    settle(tracker, frame, [7], box)
    measured = measure(tracker, moving_square(1, SIZE)[0], [7], box)
    assert not measured.is_measured.any()
    assert np.array_equal(measured.xyxy, box)


@pytest.mark.parametrize("name", LOOKS_AT_PICTURES)
def test_size_is_followed_or_kept_but_never_shrinks_to_nothing(name: str) -> None:
    tracker = build(name)
    picture = texture(SIZE, 3)
    box = boxes((110, 80, 210, 160))
    settle(tracker, frame_of(picture), [1], box)
    for index in range(1, 9):  # the camera comes closer, 2 % a frame
        zoom = cv2.getRotationMatrix2D((160, 120), 0, 1.02**index)
        frame = frame_of(cv2.warpAffine(picture, zoom, SIZE, borderMode=cv2.BORDER_REFLECT), index)
        box = measure(tracker, frame, [1], box).xyxy
        settle(tracker, frame, [1], box, detected=False)
    width, height = (box[0, 2:] - box[0, :2]).tolist()
    assert 90 < width < 140
    assert 70 < height < 112
