"""SSDLite on MobileNetV2, 300×300, in Keras 3: the network that detects hands.

MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381, table 2) up to its last convolution, four extra layers, and on each
of six feature maps a 1×1 convolution that predicts boxes and one that predicts classes, as in SSD (Liu et al. 2016,
arXiv:1512.02325). The backbone's layers have the names of ``keras.applications.MobileNetV2``, so that its ImageNet
weights load by name; its explicit padding at stride 2 is ``same`` here, which computes the same and converts to one
operation instead of two.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import keras
from keras import KerasTensor, layers

SIZE_PX = 300
BATCH_NORM_EPSILON = 1e-3
BATCH_NORM_MOMENTUM = 0.999
ANCHORS_PER_CELL = (3, 6, 6, 6, 6, 6)
#: predicted from: the expansion of the block that goes to stride 32 (so at stride 16), the last convolution …
BACKBONE_MAPS = ("block_13_expand_relu", "out_relu")
#: … and these extra layers: filters of the 1×1 and of the 3×3, stride 2, convolution
EXTRA_LAYERS = ((256, 512), (128, 256), (128, 256), (64, 128))


@dataclass(frozen=True, slots=True)
class Stage:
    """A row of MobileNetV2's table: ``repeats`` blocks of ``filters``, the first of them with ``stride``."""

    expansion: int
    filters: int
    repeats: int
    stride: int


STAGES = (
    Stage(1, 16, 1, 1),
    Stage(6, 24, 2, 2),
    Stage(6, 32, 3, 2),
    Stage(6, 64, 4, 2),
    Stage(6, 96, 3, 1),
    Stage(6, 160, 3, 2),
    Stage(6, 320, 1, 1),
)


def build_ssdlite(class_count: int = 1, size_px: int = SIZE_PX) -> keras.Model:
    """Return the network: RGB float32 (B, size, size, 3) in -1..1 -> ``encodings`` and ``logits``.

    encodings: float32 (B, anchors, 4), how far each box lies from its anchor (see ``hybridtrack.detectors.box_coder``).
    logits: float32 (B, anchors, 1 + class_count), column 0 the background; the score is their sigmoid. Anchors are
    1917 at 300 px, in the order of ``hybridtrack.detectors.anchors``.
    """
    picture = keras.Input((size_px, size_px, 3), name="rgb")
    encodings, logits = [], []
    for number, (features, anchors) in enumerate(zip(_feature_maps(picture), ANCHORS_PER_CELL, strict=True)):
        encodings.append(_predictor(features, anchors, 4, f"boxes_{number}"))
        logits.append(_predictor(features, anchors, 1 + class_count, f"classes_{number}"))
    outputs = {
        "encodings": layers.Concatenate(axis=1, name="encodings")(encodings),
        "logits": layers.Concatenate(axis=1, name="logits")(logits),
    }
    return keras.Model(picture, outputs, name="ssdlite_mobilenetv2")


def _feature_maps(picture: KerasTensor) -> Iterator[KerasTensor]:
    """Yield the six maps that boxes are predicted from, the finest first."""
    x = _convolution(picture, 32, 3, 2, "Conv1", "bn_Conv1", "Conv1_relu")
    number = 0
    for stage in STAGES:
        for repeat in range(stage.repeats):
            stride = stage.stride if repeat == 0 else 1
            x, expanded = _inverted_residual(x, stage.expansion, stage.filters, stride, number)
            if f"block_{number}_expand_relu" == BACKBONE_MAPS[0]:
                yield expanded
            number += 1
    x = _convolution(x, 1280, 1, 1, "Conv_1", "Conv_1_bn", BACKBONE_MAPS[1])
    yield x
    for number, (narrow, wide) in enumerate(EXTRA_LAYERS):
        x = _convolution(x, narrow, 1, 1, f"extra_{number}_narrow")
        x = _convolution(x, wide, 3, 2, f"extra_{number}_wide")
        yield x


def _inverted_residual(
    x: KerasTensor, expansion: int, filters: int, stride: int, number: int
) -> tuple[KerasTensor, KerasTensor]:
    """Return a block's output and its expansion: 1×1 wider, 3×3 depthwise, 1×1 narrower without activation."""
    prefix = f"block_{number}" if number else "expanded_conv"
    expanded = x if expansion == 1 else _convolution(x, expansion * x.shape[-1], 1, 1, f"{prefix}_expand")
    y = layers.DepthwiseConv2D(3, stride, padding="same", use_bias=False, name=f"{prefix}_depthwise")(expanded)
    y = _batch_norm(f"{prefix}_depthwise_BN")(y)
    y = layers.ReLU(6.0, name=f"{prefix}_depthwise_relu")(y)
    y = layers.Conv2D(filters, 1, padding="same", use_bias=False, name=f"{prefix}_project")(y)
    y = _batch_norm(f"{prefix}_project_BN")(y)
    if stride == 1 and x.shape[-1] == filters:
        y = layers.Add(name=f"{prefix}_add")([x, y])
    return y, expanded


def _convolution(
    x: KerasTensor, filters: int, kernel: int, stride: int, name: str, batch_norm: str = "", relu: str = ""
) -> KerasTensor:
    x = layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False, name=name)(x)
    x = _batch_norm(batch_norm or f"{name}_BN")(x)
    return layers.ReLU(6.0, name=relu or f"{name}_relu")(x)


def _batch_norm(name: str) -> layers.BatchNormalization:
    return layers.BatchNormalization(epsilon=BATCH_NORM_EPSILON, momentum=BATCH_NORM_MOMENTUM, name=name)


def _predictor(features: KerasTensor, anchors: int, values: int, name: str) -> KerasTensor:
    """Return ``values`` numbers for each of the map's anchors: (B, height × width × anchors, values)."""
    y = layers.Conv2D(anchors * values, 1, padding="same", name=name)(features)
    return layers.Reshape((-1, values), name=f"{name}_rows")(y)
