"""One step of learning, and the state that makes the next one what it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from hybridtrack.errors import SinkError, UsageError, one_line
from models.losses import box_loss, count_positives, focal_loss, hard_negative_loss
from models.matching import Targets
from models.network import is_backbone
from models.schedule import WeightAverage, learning_rate
from models.settings import NetworkSettings, Settings

CHECKPOINTS_KEPT = 3
UNDECAYED = ["bias", "gamma", "beta"]  #: weights that weight decay leaves alone


def open_strategy(settings: Settings) -> tf.distribute.Strategy:
    """Return how steps are spread over this machine: over all GPUs, or over the CPUs that TensorFlow sees."""
    if settings.training.distribute == "none":
        return tf.distribute.get_strategy()
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return tf.distribute.MirroredStrategy([device.name for device in devices])


def set_precision(settings: Settings) -> None:
    """Let layers compute in half precision where that is asked for, or ``auto`` and there is a GPU."""
    wanted = settings.training.mixed_precision
    is_on = wanted == "on" or (wanted == "auto" and bool(tf.config.list_physical_devices("GPU")))
    keras.mixed_precision.set_global_policy("mixed_float16" if is_on else "float32")


def freeze(network: keras.Model, settings: NetworkSettings) -> None:
    """Take out of learning what the settings keep as it is."""
    for layer in network.layers:
        is_norm = isinstance(layer, keras.layers.BatchNormalization)
        if (settings.freeze_backbone and is_backbone(layer.name)) or (is_norm and settings.batch_norm == "frozen"):
            layer.trainable = False


class Learner:
    """A network that learns batch by batch. To be made within the strategy's scope."""

    def __init__(self, network: keras.Model, settings: Settings, strategy: tf.distribute.Strategy) -> None:
        self._network, self._settings, self._strategy = network, settings, strategy
        freeze(network, settings.network)
        if not network.trainable_variables:
            raise UsageError("nothing is left to learn: all layers are frozen")
        self._optimizer = _optimizer(settings)
        self._optimizer.build(network.trainable_variables)
        self.average = WeightAverage(network, settings.training.average_decay)
        self.step = 0  #: how many were done
        self._function = tf.function(self._distributed_step)

    def learn(self, batch: Any) -> dict[str, float]:
        """Take a step; return the losses, the share of the learning rate and whether all was finite."""
        wanted = self._settings.training
        rate = learning_rate(
            self.step,
            peak=wanted.learning_rate,
            warm_up_steps=wanted.warm_up_steps,
            steps=wanted.steps,
            final_share=wanted.final_share,
        )
        self._optimizer.learning_rate.assign(rate)
        found = {name: float(value) for name, value in self._function(batch).items()}
        self.average.update(tf.constant(self.step))
        self.step += 1
        return found | {"learning_rate": rate}

    def _distributed_step(self, batch: Any) -> dict[str, tf.Tensor]:
        found = self._strategy.run(self._replica_step, args=batch)
        mean = tf.distribute.ReduceOp.MEAN
        return {name: self._strategy.reduce(mean, value, axis=None) for name, value in found.items()}

    def _replica_step(self, rgb: tf.Tensor, targets: Targets) -> dict[str, tf.Tensor]:
        loss, variables = self._settings.loss, self._network.trainable_variables
        with tf.GradientTape() as tape:
            outputs = self._network(rgb, training=True)
            logits = outputs["logits"]
            if loss.kind == "focal":
                classes = focal_loss(logits, targets.class_id, alpha=loss.alpha, gamma=loss.gamma)
            else:
                ratio = loss.negatives_per_positive
                classes = hard_negative_loss(logits, targets.class_id, negatives_per_positive=ratio)
            positives = count_positives(targets)
            count = tf.maximum(positives, 1.0)
            classes, boxes = classes / count, box_loss(outputs["encodings"], targets) / count
            total = classes + loss.box_weight * boxes
            scaled = self._optimizer.scale_loss(total / self._strategy.num_replicas_in_sync)
        gradients = tape.gradient(scaled, variables)
        size = tf.linalg.global_norm(gradients)
        self._optimizer.apply(gradients, variables)
        return {"loss": total, "classes": classes, "boxes": boxes, "positives": positives, "gradient": size}

    def checkpoints(self, folder: Path) -> Checkpoints:
        """Return what writes and reads the state of learning in a folder."""
        state = tf.train.Checkpoint()
        state.network = [variable.value for variable in self._network.variables]
        state.optimizer = [variable.value for variable in self._optimizer.variables]
        state.average = self.average.values
        state.step = tf.Variable(0, dtype=tf.int64)
        return Checkpoints(self, state, folder)


class Checkpoints:
    """The last few states of a learner, each whole or not there."""

    def __init__(self, learner: Learner, state: Any, folder: Path) -> None:
        self._learner, self._state, self._folder = learner, state, folder
        self._manager = tf.train.CheckpointManager(state, str(folder), max_to_keep=CHECKPOINTS_KEPT)

    @property
    def latest(self) -> str | None:
        """The last one's path."""
        path: str | None = self._manager.latest_checkpoint
        return path

    def save(self) -> None:
        """Write the state. Raises SinkError, the older ones kept, when that is not possible."""
        self._state.step.assign(self._learner.step)
        try:
            self._manager.save(checkpoint_number=self._learner.step)
        except (OSError, tf.errors.OpError) as error:
            raise SinkError(
                f"cannot write the checkpoint of step {self._learner.step}: {one_line(error)[:200]}; "
                f"the last good one is {self.latest or 'none'}: make room, then --resume"
            ) from error

    def restore(self) -> bool:
        """Set the learner to the last state; return False when there is none."""
        if self.latest is None:
            return False
        self._state.restore(self.latest).assert_consumed()
        self._learner.step = int(self._state.step)
        return True


def _optimizer(settings: Settings) -> keras.optimizers.Optimizer:
    wanted = settings.training
    common = {"learning_rate": wanted.learning_rate, "global_clipnorm": wanted.clip_norm}
    common["weight_decay"] = wanted.weight_decay or None
    if wanted.optimizer == "adam":
        optimizer = keras.optimizers.Adam(**common)
    else:
        optimizer = keras.optimizers.SGD(momentum=0.9, nesterov=True, **common)
    optimizer.exclude_from_weight_decay(var_names=UNDECAYED)
    if keras.mixed_precision.dtype_policy().name == "mixed_float16":
        return keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer
