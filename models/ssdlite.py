"""SSDLite on MobileNetV2 in Keras 3: at 300×300 with one class, the network that detects hands.

MobileNetV2 up to its last convolution, four extra layers, and on each of six feature maps a 1×1 convolution that
predicts boxes and one that predicts classes, as in SSD (Liu et al. 2016, arXiv:1512.02325).
"""

from __future__ import annotations

from collections.abc import Iterator

import keras
from keras import KerasTensor, layers

from models.mobilenet_v2 import backbone_maps, convolution, filters_at

SIZE_PX = 300
ANCHORS_PER_CELL = (3, 6, 6, 6, 6, 6)
#: filters of the 1×1 and of the 3×3, stride 2, convolution behind the backbone's maps at stride 16 and 32
EXTRA_LAYERS = ((256, 512), (128, 256), (128, 256), (64, 128))


def build_ssdlite(class_count: int = 1, size_px: int = SIZE_PX, width: float = 1.0) -> keras.Model:
    """Return the network: RGB float32 (B, size, size, 3) in -1..1 -> ``encodings`` and ``logits``.

    encodings: float32 (B, anchors, 4), how far each box lies from its anchor (see ``hybridtrack.detectors.box_coder``).
    logits: float32 (B, anchors, 1 + class_count), column 0 the background; the score is their sigmoid. Anchors are
    1917 at 300 px, in the order of ``hybridtrack.detectors.anchors``. ``width`` multiplies the filters of all layers.
    """
    picture = keras.Input((size_px, size_px, 3), name="rgb")
    encodings, logits = [], []
    for number, (features, anchors) in enumerate(zip(_feature_maps(picture, width), ANCHORS_PER_CELL, strict=True)):
        encodings.append(predictor(features, anchors, 4, f"boxes_{number}"))
        logits.append(predictor(features, anchors, 1 + class_count, f"classes_{number}"))
    return keras.Model(picture, joined(encodings, logits), name="ssdlite_mobilenetv2")


def joined(encodings: list[KerasTensor], logits: list[KerasTensor]) -> dict[str, KerasTensor]:
    """Return the network's outputs, the predictions of all maps one after the other, in full precision."""
    return {
        "encodings": layers.Concatenate(axis=1, name="encodings", dtype="float32")(encodings),
        "logits": layers.Concatenate(axis=1, name="logits", dtype="float32")(logits),
    }


def _feature_maps(picture: KerasTensor, width: float) -> Iterator[KerasTensor]:
    """Yield the six maps that boxes are predicted from, the finest first."""
    backbone = backbone_maps(picture, width)
    yield backbone[16]
    x = backbone[32]
    yield x
    for number, (narrow, wide) in enumerate(EXTRA_LAYERS):
        x = convolution(x, filters_at(narrow, width), 1, 1, f"extra_{number}_narrow")
        x = convolution(x, filters_at(wide, width), 3, 2, f"extra_{number}_wide")
        yield x


def predictor(features: KerasTensor, anchors: int, values: int, name: str) -> KerasTensor:
    """Return ``values`` numbers for each of the map's anchors: (B, height × width × anchors, values)."""
    y = layers.Conv2D(anchors * values, 1, padding="same", name=name)(features)
    return layers.Reshape((-1, values), name=f"{name}_rows")(y)
