"""What training makes small: how wrong the classes are, and how far the boxes of positive anchors are off.

All take a batch: logits float32 (B, A, 1 + C), encodings (B, A, 4), targets as ``matching.Targets``; sums over anchors
are divided by the positive anchors of the whole batch, at least 1.
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from models.matching import BACKGROUND, IGNORED, Targets

HUBER_DELTA = 1.0  #: in scaled offsets, as in SSD's smooth L1
LEAST_NEGATIVES = 3  #: of a picture without positives, when hard negatives are chosen


class Losses(NamedTuple):
    """Scalars. ``boxes`` are before their weight; positives is how many anchors the sums were divided by."""

    classes: tf.Tensor
    boxes: tf.Tensor
    positives: tf.Tensor


def count_positives(targets: Targets) -> tf.Tensor:
    """Return how many anchors are to find a box, float32."""
    return tf.reduce_sum(tf.cast(targets.class_id > 0, tf.float32))


def focal_loss(logits: tf.Tensor, class_id: tf.Tensor, *, alpha: float, gamma: float) -> tf.Tensor:
    """Return the sum of the sigmoid focal loss (Lin et al. 2017, arXiv:1708.02002, equation 5) over all classes.

    Column 0, the background, is left out: no score comes of it.
    """
    wanted = tf.one_hot(class_id - 1, logits.shape[-1] - 1)
    logits = logits[..., 1:]
    entropy = tf.nn.sigmoid_cross_entropy_with_logits(wanted, logits)
    probability = tf.sigmoid(logits)
    missing = wanted * (1 - probability) + (1 - wanted) * probability
    weight = wanted * alpha + (1 - wanted) * (1 - alpha)
    loss = tf.reduce_sum(weight * missing**gamma * entropy, axis=-1)
    return tf.reduce_sum(tf.where(class_id == IGNORED, 0.0, loss))


def hard_negative_loss(logits: tf.Tensor, class_id: tf.Tensor, *, negatives_per_positive: int) -> tf.Tensor:
    """Return the sum of the softmax loss over positive anchors and the hardest negative ones of each picture."""
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(class_id, 0), logits)
    is_positive = class_id > 0
    positives = tf.reduce_sum(tf.cast(is_positive, tf.int32), axis=1, keepdims=True)
    hardness = tf.where(class_id == BACKGROUND, tf.stop_gradient(loss), -1.0)
    order = tf.argsort(hardness, axis=1, direction="DESCENDING", stable=True)
    place = tf.argsort(order, axis=1, stable=True)
    wanted = tf.maximum(negatives_per_positive * positives, LEAST_NEGATIVES)
    is_hard = (place < wanted) & (class_id == BACKGROUND)
    return tf.reduce_sum(tf.where(is_positive | is_hard, loss, 0.0))


def box_loss(encodings: tf.Tensor, targets: Targets) -> tf.Tensor:
    """Return the sum of Huber's loss over the four offsets of positive anchors."""
    error = tf.abs(encodings - targets.encodings)
    huber = tf.where(error <= HUBER_DELTA, 0.5 * error**2, HUBER_DELTA * (error - 0.5 * HUBER_DELTA))
    return tf.reduce_sum(tf.where(targets.class_id > 0, tf.reduce_sum(huber, axis=-1), 0.0))
