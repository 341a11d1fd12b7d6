"""A Keras network as a SavedModel, and that as .tflite in full, half and 8-bit precision.

8-bit networks are quantised in full (weights per channel, activations per tensor), with ranges from pictures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from hybridtrack.types import Array

PRECISIONS = ("int8", "fp16", "fp32")


def save_model(network: keras.Model, folder: Path) -> None:
    """Write the network as a SavedModel: ``serving_default`` takes one picture, float32 (1, H, W, 3)."""
    archive = keras.export.ExportArchive()
    archive.track(network)
    archive.add_endpoint(
        "serving_default",
        lambda rgb: network(rgb, training=False),
        input_signature=[tf.TensorSpec((1, *network.input_shape[1:]), tf.float32, name="rgb")],
    )
    archive.write_out(folder, verbose=False)


def convert(
    saved_model: Path,
    precision: str,
    calibration: Sequence[Array] = (),
    value_range: tuple[float, float] = (-1.0, 1.0),
) -> bytes:
    """Return the .tflite of a SavedModel.

    ``calibration``: uint8 (H, W, 3) RGB pictures, needed for int8. ``value_range``: what the network takes 0..255 as.
    """
    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved_model), signature_keys=["serving_default"])
    if precision == "fp16":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    if precision == "int8":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.int8
        converter.inference_output_type = tf.int8
        converter.representative_dataset = lambda: _batches(calibration, value_range)
    content: bytes = converter.convert()
    return content


def _batches(calibration: Sequence[Array], value_range: tuple[float, float]) -> Iterator[list[Array]]:
    """Yield calibration batches; one black and one white pixel make the input's range what a picture can hold.

    With that range a stored input is the pixel minus 128, which costs a hundredth of a millisecond.
    """
    low, high = value_range
    for rgb in calibration:
        batch = (rgb.astype(np.float32) * ((high - low) / 255) + low)[None]
        batch[0, 0, 0] = low
        batch[0, 0, 1] = high
        yield [batch]
