"""Changes to a picture and its boxes that show a network more than was filmed: window, mirror, colours, blur.

Pictures are float32 (H, W, 3) RGB in 0..255; boxes xyxy (M, 4) in 0..1 of the picture. Every random choice follows from
a seed int32 (2,) alone, so that a training can go on where it stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from models.matching import overlaps
from models.settings import AugmentationSettings

WINDOWS = 50  #: tried at once; the first that is good is taken
LEAST_WINDOW = 0.3  #: of a side
LARGEST_ASPECT = 2.0
WINDOW_IOUS = (0.1, 0.3, 0.5, 0.7, 0.9)  #: one of them, by chance, is asked of the window with some box
LARGEST_ZOOM = 2.0  #: how many times as wide as the picture a window may be that reaches beyond it
LEAST_SEEN = 0.3  #: of a box that is cut: what is left of less is not learnt
GREY = 127.5
YIQ = ((0.299, 0.587, 0.114), (0.596, -0.274, -0.322), (0.211, -0.523, 0.312))  #: brightness and two colours of RGB
BRIGHTNESS, CONTRAST, SATURATION, HUE = 32.0, 0.3, 0.4, 0.03
LARGEST_BLUR_PX = 1.5  #: standard deviation
BLUR_RADIUS_PX = 3


class Example(NamedTuple):
    """A picture, its boxes, their classes int32 (M,), 1.., and which are crowds, bool (M,)."""

    rgb: tf.Tensor
    xyxy: tf.Tensor
    class_id: tf.Tensor
    is_crowd: tf.Tensor


def augment(
    example: Example, seed: tf.Tensor, settings: AugmentationSettings, size_px: int, mirrored: Sequence[int]
) -> Example:
    """Return the example changed, at ``size_px``; mirrored: for class 0, 1, .. the class that its mirror image has."""
    seeds = tf.unstack(tf.random.split(seed, 6))
    window = choose_window(example.xyxy, seeds[0], settings)
    example = cut_window(example, window, size_px)
    example = _sometimes(settings.flip, seeds[1], lambda: mirror(example, mirrored), example)
    rgb = _sometimes(settings.colour, seeds[2], lambda: recolour(example.rgb, seeds[3]), example.rgb)
    sigma = tf.random.stateless_uniform([], seeds[4], 0.3, LARGEST_BLUR_PX)
    rgb = _sometimes(settings.blur, seeds[5], lambda: blur(rgb, sigma), rgb)
    return example._replace(rgb=rgb)


def choose_window(xyxy: tf.Tensor, seed: tf.Tensor, settings: AugmentationSettings) -> tf.Tensor:
    """Return the window xyxy (4,) to show: the whole picture, a part of it, or more than it.

    A part overlaps some box by an IoU that is drawn first (Liu et al. 2016, section 2.2); where none of the windows
    that are tried does, the whole picture it is.
    """
    draws = tf.random.stateless_uniform([WINDOWS + 2, 4], seed)
    kind = draws[0, 0]
    whole = tf.constant([0.0, 0.0, 1.0, 1.0])
    side = LEAST_WINDOW + (1 - LEAST_WINDOW) * draws[1:-1, :2]
    aspect = tf.maximum(side[:, 0], side[:, 1]) / tf.minimum(side[:, 0], side[:, 1])
    origin = draws[1:-1, 2:] * (1 - side)
    parts = tf.concat([origin, origin + side], axis=1)
    asked = tf.gather(WINDOW_IOUS, tf.cast(draws[0, 1] * len(WINDOW_IOUS), tf.int32))
    centre = (xyxy[:, :2] + xyxy[:, 2:]) / 2
    has_box = tf.reduce_any(
        tf.reduce_all((centre[None] > parts[:, None, :2]) & (centre[None] < parts[:, None, 2:]), axis=2), axis=1
    )
    iou, covered = overlaps(parts, xyxy)
    # a box that lies inside counts by what of it is seen where it is too small for the IoU
    is_good = tf.reduce_any((iou >= asked) | (covered >= tf.maximum(asked, 0.5)), axis=1)
    is_good &= has_box & (aspect <= LARGEST_ASPECT)
    part = tf.cond(tf.reduce_any(is_good), lambda: parts[tf.argmax(is_good)], lambda: whole)
    zoom = 1 + (LARGEST_ZOOM - 1) * draws[-1, 0]
    corner = -draws[-1, 1:3] * (zoom - 1)
    beyond = tf.concat([corner, corner + zoom], axis=0)
    return tf.where(kind < settings.crop, part, tf.where(kind < settings.crop + settings.zoom_out, beyond, whole))


def cut_window(example: Example, window: tf.Tensor, size_px: int) -> Example:
    """Return what the window xyxy (4,) shows, grey beyond the picture; boxes whose centre it leaves out are gone."""
    rgb = tf.image.crop_and_resize(
        example.rgb[None], [_window_yx(window, tf.shape(example.rgb), size_px)], [0], [size_px] * 2, "bilinear", GREY
    )[0]
    origin, side = tf.tile(window[:2], [2]), tf.tile(window[2:] - window[:2], [2])
    moved = (example.xyxy - origin) / side
    clipped = tf.clip_by_value(moved, 0, 1)
    centre = (moved[:, :2] + moved[:, 2:]) / 2
    area = tf.reduce_prod(moved[:, 2:] - moved[:, :2], axis=1)
    seen = tf.math.divide_no_nan(tf.reduce_prod(clipped[:, 2:] - clipped[:, :2], axis=1), area)
    kept = tf.reduce_all((centre > 0) & (centre < 1), axis=1) & (seen >= LEAST_SEEN)
    return Example(
        rgb,
        tf.boolean_mask(clipped, kept),
        tf.boolean_mask(example.class_id, kept),
        tf.boolean_mask(example.is_crowd, kept),
    )


def _window_yx(window: tf.Tensor, shape: tf.Tensor, size_px: int) -> tf.Tensor:
    """Return the window as ``crop_and_resize`` takes it, which puts the outer pixels' centres, not edges, there."""
    pixels = tf.cast(shape[:2], tf.float32)[::-1]  # width, height
    step = (window[2:] - window[:2]) / size_px
    low = (window[:2] + step / 2) * pixels - 0.5
    high = (window[2:] - step / 2) * pixels - 0.5
    return tf.concat([low[::-1], high[::-1]], axis=0) / tf.tile(pixels[::-1] - 1, [2])


def mirror(example: Example, mirrored: Sequence[int]) -> Example:
    """Return the example with left and right exchanged."""
    x1, y1, x2, y2 = tf.unstack(example.xyxy, axis=1)
    return example._replace(
        rgb=example.rgb[:, ::-1],
        xyxy=tf.stack([1 - x2, y1, 1 - x1, y2], axis=1),
        class_id=tf.gather(tf.constant(mirrored, tf.int32), example.class_id),
    )


def recolour(rgb: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Return the picture with other brightness, contrast, saturation and hue.

    Saturation and hue are one linear map of YIQ, a rotation and a stretch of its colour plane.
    """
    draw = tf.random.stateless_uniform([4], seed, -1, 1)
    saturation, angle = 1 + SATURATION * draw[2], 2 * np.pi * HUE * draw[3]
    to_yiq, to_rgb = tf.constant(YIQ, tf.float32), tf.constant(np.linalg.inv(YIQ), tf.float32)
    cos, sin = saturation * tf.cos(angle), saturation * tf.sin(angle)
    turn = tf.reshape(tf.stack([1.0, 0, 0, 0, cos, -sin, 0, sin, cos]), [3, 3])
    contrast = 1 + CONTRAST * draw[1]
    turned = tf.tensordot(rgb, tf.transpose(to_rgb @ turn @ to_yiq), 1)
    mean = tf.reduce_mean(rgb)
    return tf.clip_by_value((turned - mean) * contrast + mean + BRIGHTNESS * draw[0], 0, 255)


def blur(rgb: tf.Tensor, sigma_px: tf.Tensor) -> tf.Tensor:
    """Return the picture under a Gaussian, in two passes."""
    x = tf.range(-BLUR_RADIUS_PX, BLUR_RADIUS_PX + 1, dtype=tf.float32)
    kernel = tf.exp(-(x**2) / (2 * sigma_px**2))
    kernel = tf.tile((kernel / tf.reduce_sum(kernel))[:, None, None, None], [1, 1, 3, 1])
    padding = [[0, 0], [BLUR_RADIUS_PX] * 2, [BLUR_RADIUS_PX] * 2, [0, 0]]
    padded = tf.pad(rgb[None], padding, "SYMMETRIC")
    rows = tf.nn.depthwise_conv2d(padded, kernel, [1, 1, 1, 1], "VALID")
    return tf.nn.depthwise_conv2d(rows, tf.transpose(kernel, [1, 0, 2, 3]), [1, 1, 1, 1], "VALID")[0]


def _sometimes(share: float, seed: tf.Tensor, change, otherwise):  # type: ignore[no-untyped-def]
    """Return what ``change`` makes in ``share`` of all cases, and ``otherwise`` in the others."""
    if share == 0:
        return otherwise
    return tf.cond(tf.random.stateless_uniform([], seed) < share, change, lambda: otherwise)
