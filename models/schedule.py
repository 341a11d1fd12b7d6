"""How fast a network learns at each step, and the average of its weights over the last ones."""

from __future__ import annotations

import math
from collections.abc import Sequence

import keras
import tensorflow as tf

from hybridtrack.types import Array


def learning_rate(step: int, *, peak: float, warm_up_steps: int, steps: int, final_share: float) -> float:
    """Return the rate at a step, 0-based: an even rise to the peak, then half a cosine down to a share of it.

    Loshchilov and Hutter 2017, arXiv:1608.03983, without restarts.
    """
    if step < warm_up_steps:
        return peak * (step + 1) / warm_up_steps
    done = min((step - warm_up_steps) / max(steps - warm_up_steps, 1), 1.0)
    return peak * (final_share + (1 - final_share) * (1 + math.cos(math.pi * done)) / 2)


class WeightAverage(tf.Module):
    """A moving average of all weights, statistics of batch normalisation included; it forgets faster at the start."""

    def __init__(self, network: keras.Model, decay: float) -> None:
        super().__init__()
        self._decay = decay
        self._sources = [variable.value for variable in network.variables]
        self.values = [tf.Variable(tf.convert_to_tensor(source), trainable=False) for source in self._sources]

    @tf.function
    def update(self, step: tf.Tensor) -> None:
        """Take in the weights after a step, 0-based."""
        done = tf.cast(step, tf.float32)
        kept = tf.minimum(self._decay, (1 + done) / (10 + done))
        for mean, source in zip(self.values, self._sources, strict=True):
            mean.assign_add((1 - kept) * (source - mean))  # of equals nothing, to the last bit

    def weights(self) -> Sequence[Array]:
        """Return the averages in the order of the network's variables."""
        return [mean.numpy() for mean in self.values]
