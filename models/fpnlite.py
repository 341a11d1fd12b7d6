"""SSD on MobileNetV2 with a light feature pyramid, in Keras 3: more cells for small things than SSDLite has.

Maps at stride 8, 16 and 32 are brought to like depth, and each adds what the coarser one below it sees (Lin et al.
2017, arXiv:1612.03144); two more maps at stride 64 and 128 follow. One small tower of depthwise separable convolutions
predicts from all five: its weights are shared, its batch normalisation is each map's own (Lin et al. 2017,
arXiv:1708.02002, section 4, with statistics apart as maps differ).
"""

from __future__ import annotations

import keras
from keras import KerasTensor, layers

from models.mobilenet_v2 import backbone_maps, batch_norm, convolution, filters_at
from models.ssdlite import joined

STRIDES = (8, 16, 32, 64, 128)
SCALES_PER_MAP = 2
RATIOS = (1.0, 2.0, 0.5)
ANCHORS_PER_CELL = SCALES_PER_MAP * len(RATIOS)
FILTERS = 128
TOWER_LAYERS = 2


def build_fpnlite(class_count: int, size_px: int, width: float = 1.0) -> keras.Model:
    """Return the network, with the inputs and outputs of ``ssdlite.build_ssdlite``."""
    picture = keras.Input((size_px, size_px, 3), name="rgb")
    maps = _pyramid(picture, width)
    encodings = _predictions(maps, 4, "boxes", width)
    logits = _predictions(maps, 1 + class_count, "classes", width)
    return keras.Model(picture, joined(encodings, logits), name="fpnlite_mobilenetv2")


def _pyramid(picture: KerasTensor, width: float) -> list[KerasTensor]:
    """Return the five maps, the finest first."""
    filters = filters_at(FILTERS, width)
    backbone = backbone_maps(picture, width)
    maps: list[KerasTensor] = []
    for stride in (32, 16, 8):
        level = convolution(backbone[stride], filters, 1, 1, f"lateral_{stride}")
        if maps:
            height, columns = level.shape[1:3]
            coarse = layers.UpSampling2D(2, name=f"up_{stride}")(maps[0])
            coarse = layers.Cropping2D(
                ((0, coarse.shape[1] - height), (0, coarse.shape[2] - columns)), name=f"cut_{stride}"
            )(coarse)
            level = layers.Add(name=f"sum_{stride}")([level, coarse])
        maps.insert(0, level)
    for stride in (64, 128):
        maps.append(_separable(maps[-1], filters, 2, f"down_{stride}"))
    return maps


def _separable(x: KerasTensor, filters: int, stride: int, name: str) -> KerasTensor:
    x = layers.DepthwiseConv2D(3, stride, padding="same", use_bias=False, name=f"{name}_depthwise")(x)
    return convolution(x, filters, 1, 1, name)


def _predictions(maps: list[KerasTensor], values: int, name: str, width: float) -> list[KerasTensor]:
    """Return the tower's predictions of each map: (B, height × columns × anchors, values)."""
    filters = filters_at(FILTERS, width)
    tower = [
        (
            layers.DepthwiseConv2D(3, padding="same", use_bias=False, name=f"{name}_tower_{layer}_depthwise"),
            layers.Conv2D(filters, 1, padding="same", use_bias=False, name=f"{name}_tower_{layer}"),
        )
        for layer in range(TOWER_LAYERS)
    ]
    last = layers.Conv2D(ANCHORS_PER_CELL * values, 3, padding="same", name=name)
    predictions = []
    for stride, x in zip(STRIDES, maps, strict=True):
        for layer, (depthwise, pointwise) in enumerate(tower):
            x = batch_norm(f"{name}_tower_{layer}_BN_{stride}")(pointwise(depthwise(x)))
            x = layers.ReLU(6.0, name=f"{name}_tower_{layer}_relu_{stride}")(x)
        predictions.append(layers.Reshape((-1, values), name=f"{name}_rows_{stride}")(last(x)))
    return predictions
