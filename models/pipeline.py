"""From TFRecords to batches: decoded and kept small in memory once, then shuffled, augmented and matched, in parallel.

The order and every random choice follow from the seed, the epoch and the picture's number, whatever threads do: the
batches from step K on are the same whether the ones before were read or skipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow as tf

from hybridtrack.types import Array
from models.augmentation import Example, augment
from models.matching import Targets, assign
from models.records import Record, read_records
from models.settings import AugmentationSettings

STORED_SHARE = 1.25  #: pictures are kept this much larger than the network's input: windows are cut out of them
SHUFFLED = 4096  #: pictures at most that an order is drawn over


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pipeline:
    """How batches are made. ``mirrored``: for class 0 (background), 1, .. the class of its mirror image."""

    files: tuple[str, ...]
    pictures: int
    size_px: int
    anchors: Array
    scales: tuple[float, ...]
    augmentation: AugmentationSettings
    mirrored: tuple[int, ...]
    batch_size: int
    seed: int
    in_memory: bool = True

    def batches(self, first_step: int = 0) -> tf.data.Dataset:
        """Return batches without end, from this step on: float32 (B, size, size, 3) in -1..1 and ``Targets``."""
        stored = read_records(self.files).map(self._store, num_parallel_calls=tf.data.AUTOTUNE)
        if self.in_memory:
            stored = stored.cache()
        stored = stored.enumerate()
        first_epoch, skipped = divmod(first_step * self.batch_size, self.pictures)
        epochs = tf.data.Dataset.range(first_epoch, 2**40)
        order = epochs.flat_map(
            lambda epoch: stored.shuffle(
                min(self.pictures, SHUFFLED), seed=self.seed + epoch, reshuffle_each_iteration=False
            ).map(lambda number, example: (epoch, number, example))
        )
        batches = (
            order.skip(skipped)
            .map(self._prepare, num_parallel_calls=tf.data.AUTOTUNE)
            .batch(self.batch_size, drop_remainder=True)
            .prefetch(2)
        )
        options = tf.data.Options()
        options.deterministic = True
        options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
        return batches.with_options(options)

    def _store(self, one: Record) -> Example:
        side = round(self.size_px * STORED_SHARE)
        rgb = tf.io.decode_image(one.encoded, channels=3, expand_animations=False)
        rgb = tf.image.resize(rgb, (side, side), antialias=True)
        return Example(tf.cast(tf.round(rgb), tf.uint8), one.xyxy, one.class_id, one.is_crowd)

    def _prepare(self, epoch: tf.Tensor, number: tf.Tensor, example: Example) -> tuple[tf.Tensor, Targets]:
        seed = tf.stack([self.seed + tf.cast(epoch, tf.int32) * 1009, tf.cast(number, tf.int32)])
        example = example._replace(rgb=tf.cast(example.rgb, tf.float32))
        changed = augment(example, seed, self.augmentation, self.size_px, self.mirrored)
        rgb = tf.ensure_shape(changed.rgb, (self.size_px, self.size_px, 3)) * (2 / 255) - 1
        return rgb, assign(changed.xyxy, changed.class_id, changed.is_crowd, tf.constant(self.anchors), self.scales)


def mirrored_classes(labels: Sequence[str], pairs: Sequence[tuple[str, str]]) -> tuple[int, ...]:
    """Return, for class 0 (background), 1, .. the class that its mirror image has."""
    other = {a: b for pair in pairs for a, b in (pair, pair[::-1])}
    return (0, *(1 + labels.index(other.get(name, name)) for name in labels))
