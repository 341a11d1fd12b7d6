"""MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381, table 2) in Keras 3, and the convolutions that heads are made of.

Layers have the names of ``keras.applications.MobileNetV2``, so that its ImageNet weights load by name; its explicit
padding at stride 2 is ``same`` here, which computes the same and converts to one operation instead of two.
"""

from __future__ import annotations

from dataclasses import dataclass

from keras import KerasTensor, layers

BATCH_NORM_EPSILON = 1e-3
BATCH_NORM_MOMENTUM = 0.999  #: the paper's; trainings set their own
LAST_FILTERS = 1280


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


def filters_at(filters: int, width: float) -> int:
    """Return how many filters a layer of ``filters`` has at a width multiplier: a multiple of 8, the nearest one."""
    return max(8, int(filters * width + 4) // 8 * 8)


def backbone_maps(picture: KerasTensor, width: float = 1.0) -> dict[int, KerasTensor]:
    """Return the feature maps by their stride: the expansions of the blocks that go on to 16 and 32, the last layer.

    8 and 16 are the last maps of these strides, with the most filters; 32 is the last convolution.
    """
    maps = {}
    x = convolution(picture, filters_at(32, width), 3, 2, "Conv1", "bn_Conv1", "Conv1_relu")
    number, stride = 0, 2
    for stage in STAGES:
        for repeat in range(stage.repeats):
            step = stage.stride if repeat == 0 else 1
            x, expanded = _inverted_residual(x, stage.expansion, filters_at(stage.filters, width), step, number)
            if step == 2:
                maps[stride] = expanded
                stride *= 2
            number += 1
    maps[stride] = convolution(x, filters_at(LAST_FILTERS, width), 1, 1, "Conv_1", "Conv_1_bn", "out_relu")
    return maps


def _inverted_residual(
    x: KerasTensor, expansion: int, filters: int, stride: int, number: int
) -> tuple[KerasTensor, KerasTensor]:
    """Return a block's output and its expansion: 1×1 wider, 3×3 depthwise, 1×1 narrower without activation."""
    prefix = f"block_{number}" if number else "expanded_conv"
    expanded = x if expansion == 1 else convolution(x, expansion * x.shape[-1], 1, 1, f"{prefix}_expand")
    y = layers.DepthwiseConv2D(3, stride, padding="same", use_bias=False, name=f"{prefix}_depthwise")(expanded)
    y = batch_norm(f"{prefix}_depthwise_BN")(y)
    y = layers.ReLU(6.0, name=f"{prefix}_depthwise_relu")(y)
    y = layers.Conv2D(filters, 1, padding="same", use_bias=False, name=f"{prefix}_project")(y)
    y = batch_norm(f"{prefix}_project_BN")(y)
    if stride == 1 and x.shape[-1] == filters:
        y = layers.Add(name=f"{prefix}_add")([x, y])
    return y, expanded


def convolution(
    x: KerasTensor, filters: int, kernel: int, stride: int, name: str, norm: str = "", relu: str = ""
) -> KerasTensor:
    """Return a convolution, batch-normalised and rectified."""
    x = layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False, name=name)(x)
    x = batch_norm(norm or f"{name}_BN")(x)
    return layers.ReLU(6.0, name=relu or f"{name}_relu")(x)


def batch_norm(name: str) -> layers.BatchNormalization:
    """Return the batch normalisation of all networks here."""
    return layers.BatchNormalization(epsilon=BATCH_NORM_EPSILON, momentum=BATCH_NORM_MOMENTUM, name=name)
