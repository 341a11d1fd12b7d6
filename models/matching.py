"""Which anchor is to find which true box: what an SSD learns from a picture (Liu et al. 2016, section 2.2).

Boxes are xyxy float32 (M, 4) and anchors (A, 4) as centre x, centre y, width, height, all in 0..1 of the picture. The
box coder is that of ``hybridtrack.detectors.box_coder``, in TensorFlow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

POSITIVE_IOU = 0.5
BACKGROUND, IGNORED = 0, -1


class Targets(NamedTuple):
    """class_id int32 (A,): 1.. a class, 0 the background, -1 no matter; encodings float32 (A, 4), 0 off the positives.

    Of a batch they are (B, A) and (B, A, 4).
    """

    class_id: tf.Tensor
    encodings: tf.Tensor


def corners(anchors: tf.Tensor) -> tf.Tensor:
    """Return the xyxy (A, 4) of anchors."""
    half = anchors[:, 2:] / 2
    return tf.concat([anchors[:, :2] - half, anchors[:, :2] + half], axis=1)


def overlaps(xyxy: tf.Tensor, other: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the IoU (M, A) of boxes with others, and how much of the others (M, A) each covers; no area: 0."""
    low = tf.maximum(xyxy[:, None, :2], other[None, :, :2])
    high = tf.minimum(xyxy[:, None, 2:], other[None, :, 2:])
    both = tf.reduce_prod(tf.maximum(high - low, 0), axis=-1)
    area = tf.reduce_prod(xyxy[:, 2:] - xyxy[:, :2], axis=1)
    other_area = tf.reduce_prod(other[:, 2:] - other[:, :2], axis=1)
    iou = tf.math.divide_no_nan(both, area[:, None] + other_area[None] - both)
    return iou, tf.math.divide_no_nan(both, other_area[None])


def encode(xyxy: tf.Tensor, anchors: tf.Tensor, scales: Sequence[float]) -> tf.Tensor:
    """Return the encodings (A, 4), as y, x, height, width, of boxes with an area, one for each anchor."""
    size = xyxy[:, 2:] - xyxy[:, :2]
    shift = ((xyxy[:, :2] + xyxy[:, 2:]) / 2 - anchors[:, :2]) / anchors[:, 2:]
    growth = tf.math.log(size / anchors[:, 2:])
    return tf.concat([shift[:, ::-1], growth[:, ::-1]], axis=1) * tf.constant(scales, tf.float32)


def assign(
    xyxy: tf.Tensor, class_id: tf.Tensor, is_crowd: tf.Tensor, anchors: tf.Tensor, scales: Sequence[float]
) -> Targets:
    """Return the targets of a picture's boxes: class_id int32 (M,), 1..; is_crowd bool (M,).

    An anchor is to find the box that it overlaps most, from an IoU of .5; each box besides, whatever the overlap, has
    the anchor that overlaps it most: of two boxes with the same one, the box with the larger IoU, then the first. The
    others are background, but for those that lie by half or more in a crowd: nobody can tell what is there. M may be 0.
    """
    crowds = tf.boolean_mask(xyxy, is_crowd)
    xyxy, class_id = tf.boolean_mask(xyxy, ~is_crowd), tf.boolean_mask(class_id, ~is_crowd)
    anchor_xyxy = corners(anchors)
    count = tf.shape(anchors)[0]
    # a box of no class in front of all, which overlaps nothing: there is always one to choose
    xyxy = tf.concat([tf.constant([[0.0, 0.0, 1.0, 1.0]]), xyxy], axis=0)
    class_id = tf.concat([[BACKGROUND], tf.cast(class_id, tf.int32)], axis=0)
    iou, _ = overlaps(xyxy[1:], anchor_xyxy)
    is_forced = tf.one_hot(tf.argmax(iou, axis=1), count, on_value=True, off_value=False) & (iou > 0)
    claim = tf.where(is_forced, 1 + iou, tf.where(iou >= POSITIVE_IOU, iou, 0))
    claim = tf.concat([tf.fill([1, count], 1e-6), claim], axis=0)
    row = tf.argmax(claim, axis=0)
    assigned = tf.gather(class_id, row)
    encodings = tf.where(assigned[:, None] > 0, encode(tf.gather(xyxy, row), anchors, scales), 0)
    _, covered = overlaps(crowds, anchor_xyxy)
    in_crowd = tf.reduce_any(covered >= POSITIVE_IOU, axis=0) & (assigned == BACKGROUND)
    return Targets(tf.where(in_crowd, IGNORED, assigned), encodings)
