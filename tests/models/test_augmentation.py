from __future__ import annotations

import numpy as np
import pytest

pytestmark = pytest.mark.tensorflow
tf = pytest.importorskip("tensorflow")

from models.augmentation import Example, augment, blur, choose_window, cut_window, mirror, recolour  # noqa: E402
from models.pipeline import mirrored_classes  # noqa: E402
from models.settings import AugmentationSettings  # noqa: E402

ALWAYS = AugmentationSettings(crop=1.0, zoom_out=0.0, flip=1.0, colour=1.0, blur=1.0)
NEVER = AugmentationSettings(crop=0.0, zoom_out=0.0, flip=0.0, colour=0.0, blur=0.0)


def example(*xyxy: list[float], size: int = 64) -> Example:
    """A grey picture with a white rectangle for each box."""
    rgb = np.full((size, size, 3), 100, np.float32)
    for x1, y1, x2, y2 in xyxy:
        rgb[round(y1 * size) : round(y2 * size), round(x1 * size) : round(x2 * size)] = 250
    boxes = np.array(xyxy, np.float32).reshape(-1, 4)
    return Example(tf.constant(rgb), tf.constant(boxes), tf.range(1, len(boxes) + 1), tf.zeros(len(boxes), tf.bool))


def white(rgb: object) -> list[int]:
    """Return the xyxy, px, of what is white."""
    rows, columns = np.nonzero(np.asarray(rgb)[..., 0] > 175)
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


def test_box_goes_with_what_the_window_shows() -> None:
    cut = cut_window(example([0.25, 0.5, 0.5, 0.75]), tf.constant([0.25, 0.25, 0.75, 1.0]), 120)
    np.testing.assert_allclose(cut.xyxy, [[0, 1 / 3, 0.5, 2 / 3]], atol=1e-6)
    np.testing.assert_allclose(white(cut.rgb), [0, 40, 60, 80], atol=1)


def test_window_beyond_the_picture_shows_grey() -> None:
    cut = cut_window(example([0.0, 0.0, 0.5, 0.5]), tf.constant([-0.5, -0.5, 1.5, 1.5]), 128)
    np.testing.assert_allclose(cut.xyxy, [[0.25, 0.25, 0.5, 0.5]])
    np.testing.assert_allclose(white(cut.rgb), [32, 32, 64, 64], atol=1)
    np.testing.assert_allclose(cut.rgb[:30], 127.5)


def test_box_whose_centre_or_most_of_which_is_left_out_is_gone() -> None:
    boxes = [0.0, 0.0, 0.4, 0.4], [0.5, 0.0, 0.9, 0.4], [0.3, 0.3, 0.9, 0.9]
    cut = cut_window(example(*boxes), tf.constant([0.45, 0.0, 1.0, 0.55]), 32)
    assert cut.class_id.numpy().tolist() == [2]  # the third's centre (.6, .6) is below


def test_mirror_exchanges_left_and_right_labels() -> None:
    classes = mirrored_classes(["left", "right", "cup"], [("left", "right")])
    assert classes == (0, 2, 1, 3)
    once = mirror(example([0.0, 0.0, 0.25, 0.5], [0.5, 0.5, 1.0, 1.0], [0.3, 0.1, 0.4, 0.2]), classes)
    assert once.class_id.numpy().tolist() == [2, 1, 3]
    np.testing.assert_allclose(once.xyxy[0], [0.75, 0, 1, 0.5])
    twice = mirror(once, classes)
    np.testing.assert_allclose(twice.rgb, example([0.0, 0.0, 0.25, 0.5], [0.5, 0.5, 1, 1], [0.3, 0.1, 0.4, 0.2]).rgb)
    assert twice.class_id.numpy().tolist() == [1, 2, 3]


def test_window_is_one_of_the_picture_that_shows_enough_of_some_box() -> None:
    boxes = np.array([[0.1, 0.1, 0.4, 0.5], [0.6, 0.5, 0.9, 0.9]], np.float32)
    windows = np.array([choose_window(tf.constant(boxes), tf.constant([7, n]), ALWAYS) for n in range(60)])
    sides = windows[:, 2:] - windows[:, :2]
    assert windows.min() >= 0
    assert windows.max() <= 1
    assert sides.min() >= 0.3 - 1e-6
    assert (sides.max(axis=1) / sides.min(axis=1)).max() <= 2.001
    assert len(np.unique(windows, axis=0)) > 30
    for window in windows:
        low, high = np.maximum(boxes[:, :2], window[:2]), np.minimum(boxes[:, 2:], window[2:])
        shared = np.clip(high - low, 0, None).prod(axis=1) / (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
        assert shared.max() > 0.2  # that of an IoU of .1 with the smallest window is more


def test_zoom_shows_up_to_twice_the_picture() -> None:
    wide = AugmentationSettings(crop=0.0, zoom_out=1.0)
    box = tf.constant([[0.4, 0.4, 0.6, 0.6]])
    windows = np.array([choose_window(box, tf.constant([1, n]), wide) for n in range(40)])
    assert windows[:, :2].max() <= 1e-6
    assert windows[:, 2:].min() >= 1 - 1e-6
    sides = windows[:, 2] - windows[:, 0]
    assert 1 <= sides.min() < 1.2 < 1.8 < sides.max() <= 2


def test_without_boxes_the_whole_picture_is_shown() -> None:
    assert choose_window(tf.zeros((0, 4)), tf.constant([1, 2]), ALWAYS).numpy().tolist() == [0, 0, 1, 1]


def test_colours_change_and_grey_pictures_stay_grey() -> None:
    grey = tf.fill((8, 8, 3), 120.0)
    changed = recolour(grey, tf.constant([3, 4])).numpy()
    np.testing.assert_allclose(changed, changed[0, 0, 0], atol=0.5)  # the matrices have three digits
    assert abs(changed[0, 0, 0] - 120) > 1
    red = tf.constant(np.tile(np.float32([200, 50, 50]), (8, 8, 1)))
    assert np.abs(recolour(red, tf.constant([3, 4])) - red.numpy()).max() > 5


def test_blur_keeps_the_mean_and_softens_edges() -> None:
    sharp = example([0.0, 0.0, 0.5, 1.0]).rgb
    soft = blur(sharp, tf.constant(1.2)).numpy()
    assert soft.mean() == pytest.approx(sharp.numpy().mean(), abs=0.5)
    assert 100 < soft[32, 32, 0] < soft[32, 31, 0] < 250


def test_seed_alone_decides_and_no_change_is_no_change() -> None:
    boxes = example([0.1, 0.2, 0.5, 0.6], [0.6, 0.6, 0.9, 0.8])
    first, again, other = (augment(boxes, tf.constant([5, n]), ALWAYS, 48, (0, 1, 2)) for n in (1, 1, 2))
    np.testing.assert_array_equal(first.rgb, again.rgb)
    np.testing.assert_array_equal(first.xyxy, again.xyxy)
    assert np.abs(first.rgb.numpy() - other.rgb.numpy()).max() > 1
    same = augment(boxes, tf.constant([5, 1]), NEVER, 64, (0, 1, 2))
    np.testing.assert_allclose(same.rgb, boxes.rgb, atol=1e-3)
    np.testing.assert_allclose(same.xyxy, boxes.xyxy)


def test_boxes_lie_where_the_picture_shows_them_after_every_change() -> None:
    settings = AugmentationSettings(crop=0.7, zoom_out=0.3, flip=0.5, colour=0.0, blur=0.0)
    original = example([0.3, 0.35, 0.55, 0.7])
    seen = 0
    for number in range(30):
        changed = augment(original, tf.constant([1, number]), settings, 100, (0, 1))
        if len(changed.xyxy):
            seen += 1
            np.testing.assert_allclose(white(changed.rgb), changed.xyxy[0] * 100, atol=2)
    assert seen > 20
