"""The network as old tooling takes it: ``frozen_inference_graph.pb`` with the Object Detection API's names.

One picture uint8 (1, H, W, 3) RGB of any size goes in as ``image_tensor``. Out come ``detection_boxes`` (1, 100, 4) as
ymin, xmin, ymax, xmax in 0..1, ``detection_scores``, ``detection_classes`` (1.., float32) and ``num_detections``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from models.network import TrainedNetwork

FROZEN_GRAPH = "frozen_inference_graph.pb"
LABEL_MAP = "label_map.pbtxt"
LARGEST_NUMBER = 100  #: of detections


def write_frozen_graph(trained: TrainedNetwork, path: Path) -> None:
    """Write the network, its pre-processing, decoding and suppression as one graph without variables."""

    @tf.function(input_signature=[tf.TensorSpec((1, None, None, 3), tf.uint8, name="image_tensor")])
    def detect(image_tensor: tf.Tensor) -> tuple[tf.Tensor, ...]:
        return _detect(trained, image_tensor)

    frozen = convert_variables_to_constants_v2(detect.get_concrete_function())
    path.write_bytes(frozen.graph.as_graph_def().SerializeToString())


def _detect(trained: TrainedNetwork, picture: tf.Tensor) -> tuple[tf.Tensor, ...]:
    manifest = trained.manifest
    assert manifest.anchors is not None
    assert manifest.box_coder is not None
    low, high = manifest.input.range
    size = (manifest.input.height_px, manifest.input.width_px)
    rgb = tf.image.resize(tf.cast(picture, tf.float32), size) * ((high - low) / 255) + low
    outputs = trained.network(rgb, training=False)
    logits = outputs[manifest.outputs.logits]
    scores = tf.nn.softmax(logits) if manifest.outputs.score == "softmax" else tf.sigmoid(logits)
    boxes = _decode(outputs[manifest.outputs.encodings], manifest.anchors.boxes(), manifest.box_coder.scales)
    found = tf.image.combined_non_max_suppression(
        boxes[:, :, None],
        scores[..., 1:],
        max_output_size_per_class=LARGEST_NUMBER,
        max_total_size=LARGEST_NUMBER,
        iou_threshold=manifest.thresholds.nms_iou,
        score_threshold=manifest.thresholds.score,
    )
    return (
        tf.identity(found.nmsed_boxes, "detection_boxes"),
        tf.identity(found.nmsed_scores, "detection_scores"),
        tf.identity(found.nmsed_classes + 1, "detection_classes"),
        tf.identity(tf.cast(found.valid_detections, tf.float32), "num_detections"),
    )


def _decode(encodings: tf.Tensor, anchors: tf.Tensor, scales: Sequence[float]) -> tf.Tensor:
    """Return the boxes (B, A, 4) as ymin, xmin, ymax, xmax."""
    offsets = encodings / tf.constant(scales, tf.float32)
    size_yx = tf.constant(anchors[:, :1:-1])
    centre = tf.constant(anchors[:, 1::-1]) + offsets[..., :2] * size_yx
    half = tf.exp(offsets[..., 2:]) * size_yx / 2
    return tf.concat([centre - half, centre + half], axis=-1)


def label_map(names: Sequence[str]) -> str:
    """Return the label map of classes, numbered from 1."""
    return "".join(f"item {{\n  id: {number}\n  name: '{name}'\n}}\n" for number, name in enumerate(names, 1))
