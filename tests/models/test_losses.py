from __future__ import annotations

import numpy as np
import pytest

from hybridtrack.types import Array

pytestmark = pytest.mark.tensorflow
tf = pytest.importorskip("tensorflow")

from models.losses import box_loss, focal_loss, hard_negative_loss  # noqa: E402
from models.matching import Targets  # noqa: E402


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def focal_by_hand(logits: Array, class_id: Array, alpha: float, gamma: float) -> float:
    """Equation 5 of the paper, a number at a time."""
    total = 0.0
    for picture, row in np.ndindex(class_id.shape):
        if class_id[picture, row] < 0:
            continue
        for k in range(1, logits.shape[2]):
            p = sigmoid(float(logits[picture, row, k]))
            is_true = class_id[picture, row] == k
            p_true, weight = (p, alpha) if is_true else (1 - p, 1 - alpha)
            total -= weight * (1 - p_true) ** gamma * np.log(p_true)
    return total


def hard_negatives_by_hand(logits: Array, class_id: Array, ratio: int) -> float:
    total = 0.0
    for rows, classes in zip(logits.astype(float), class_id, strict=True):
        entropy = [np.log(np.exp(row).sum()) - row[max(k, 0)] for row, k in zip(rows, classes, strict=True)]
        positive = [loss for loss, k in zip(entropy, classes, strict=True) if k > 0]
        negative = sorted((loss for loss, k in zip(entropy, classes, strict=True) if k == 0), reverse=True)
        total += sum(positive) + sum(negative[: max(ratio * len(positive), 3)])
    return total


@pytest.mark.parametrize(("alpha", "gamma"), [(0.25, 2.0), (0.5, 0.0), (0.9, 1.5)])
def test_focal_loss_is_that_of_the_paper(rng: np.random.Generator, alpha: float, gamma: float) -> None:
    logits = rng.normal(0, 2, (2, 7, 4)).astype(np.float32)
    class_id = rng.integers(-1, 4, (2, 7)).astype(np.int32)
    found = focal_loss(tf.constant(logits), tf.constant(class_id), alpha=alpha, gamma=gamma)
    assert float(found) == pytest.approx(focal_by_hand(logits, class_id, alpha, gamma), rel=1e-5)


def test_focal_loss_leaves_the_background_column_alone(rng: np.random.Generator) -> None:
    logits = tf.Variable(rng.normal(size=(1, 5, 3)).astype(np.float32))
    with tf.GradientTape() as tape:
        loss = focal_loss(logits, tf.constant([[0, 1, 2, -1, 0]]), alpha=0.25, gamma=2.0)
    gradient = tape.gradient(loss, logits).numpy()[0]
    assert not gradient[:, 0].any()
    assert not gradient[3].any()  # ignored
    assert gradient[[0, 1, 2, 4], 1:].all()


@pytest.mark.parametrize("ratio", [1, 3])
def test_hardest_negatives_count_beside_the_positives(rng: np.random.Generator, ratio: int) -> None:
    logits = rng.normal(0, 2, (3, 40, 3)).astype(np.float32)
    class_id = rng.choice([0, 0, 0, 0, -1, 1, 2], (3, 40)).astype(np.int32)
    class_id[2] = 0  # a picture without positives has three negatives
    found = hard_negative_loss(tf.constant(logits), tf.constant(class_id), negatives_per_positive=ratio)
    assert float(found) == pytest.approx(hard_negatives_by_hand(logits, class_id, ratio), rel=1e-5)


def test_box_loss_is_square_near_and_straight_far_and_of_positives_alone() -> None:
    encodings = np.array([[[0.5, 0, 0, 0], [3, -1, 0, 0], [9, 9, 9, 9]]], np.float32)
    targets = Targets(tf.constant([[1, 2, 0]]), tf.zeros((1, 3, 4)))
    # .5²/2 + (3 - .5) + 1²/2
    assert float(box_loss(tf.constant(encodings), targets)) == pytest.approx(0.125 + 2.5 + 0.5)


def test_losses_of_nothing_are_numbers() -> None:
    logits, class_id = tf.zeros((2, 5, 3)), tf.fill((2, 5), -1)
    targets = Targets(class_id, tf.zeros((2, 5, 4)))
    assert float(focal_loss(logits, class_id, alpha=0.25, gamma=2.0)) == 0
    assert float(hard_negative_loss(logits, class_id, negatives_per_positive=3)) == 0
    assert float(box_loss(tf.ones((2, 5, 4)), targets)) == 0
