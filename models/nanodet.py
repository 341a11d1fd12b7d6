"""NanoDet-g 416 in Keras 3: a CSP backbone, a pyramid that goes down and up again, and one small head for each stride.

Plain 3x3 and 1x1 convolutions with leaky ReLU, made for accelerators that like nothing else (RangiLyu: *NanoDet*);
boxes as distributions of the distances to the four sides (Li et al. 2020, *Generalized Focal Loss*, arXiv:2006.04388,
section 3.2). Batch normalisation is folded into the convolutions, as it was published.
"""

from __future__ import annotations

import keras
from keras import layers

SIZE_PX = 416
CLASSES = 80
STRIDES_PX = (8, 16, 32)
BINS = 11  #: of each distance: 0 to 10 strides
PYRAMID_CHANNELS = 128
SLOPE = 0.1  #: of leaky ReLU below zero

MEAN_RGB = (123.675, 116.28, 103.53)  #: of ImageNet's pictures, 0..255
STD_RGB = (58.395, 57.12, 57.375)

BLOCKS = ((32, 1), (64, 2), (128, 2), (256, 3))  #: channels of a block's first convolution, pairs in it


class _Convolutions:
    """Makes convolutions that are numbered from 0, in the order of the published graph."""

    def __init__(self) -> None:
        self._number = 0

    def __call__(
        self, x: keras.KerasTensor, channels: int, size: int = 3, *, stride: int = 1, is_linear: bool = False
    ) -> keras.KerasTensor:
        if stride == 2:  # a border of one on all sides, of which the far ones are never reached at an even size
            x = layers.ZeroPadding2D(((1, 0), (1, 0)))(x)
        name = f"convolution_{self._number}"
        self._number += 1
        x = layers.Conv2D(channels, size, strides=stride, padding="valid" if stride == 2 else "same", name=name)(x)
        return x if is_linear else layers.LeakyReLU(negative_slope=SLOPE)(x)


def build_nanodet() -> keras.Model:
    """Return the network: RGB (B, 416, 416, 3), 0..255, to raw ``encodings`` and ``logits``, both float32.

    encodings (B, 3549, 44): logits of the bins of left, top, right and bottom. logits (B, 3549, 80), sigmoid. Rows are
    the cells of strides 8, 16 and 32, each row by row.
    """
    convolution = _Convolutions()
    rgb = keras.Input((SIZE_PX, SIZE_PX, 3), name="rgb")
    scale = [1 / std for std in STD_RGB]
    offset = [-mean / std for mean, std in zip(MEAN_RGB, STD_RGB, strict=True)]
    x = layers.Rescaling(scale, offset)(rgb)
    x = convolution(x, 32, stride=2)
    # the window before the first pixel must not count: its mirror image never is the only largest
    x = keras.ops.pad(x, ((0, 0), (1, 0), (1, 0), (0, 0)), mode="symmetric")
    x = layers.MaxPooling2D(3, 2)(x)
    maps = []
    for number, (channels, pairs) in enumerate(BLOCKS):
        x = _block(convolution, x, channels, pairs, stride=1 if number == 0 else 2)
        maps.append(x)
    heads = [_head(convolution, x) for x in _pyramid(convolution, maps[1:])]
    logits, encodings = zip(*heads, strict=True)
    outputs = {
        "encodings": layers.Concatenate(axis=1, name="encodings")(encodings),
        "logits": layers.Concatenate(axis=1, name="logits")(logits),
    }
    return keras.Model(rgb, outputs, name="nanodet_g_416")


def _block(
    convolution: _Convolutions, x: keras.KerasTensor, channels: int, pairs: int, *, stride: int
) -> keras.KerasTensor:
    """Return a cross-stage partial block (Wang et al. 2019, arXiv:1911.11929): its input joins in again at the end."""
    first = x = convolution(x, channels, stride=stride)
    for _ in range(pairs):
        half = convolution(x, channels // 2)
        x = layers.Concatenate()([convolution(half, channels // 2), half])
    return layers.Concatenate()([convolution(x, channels), first])


def _pyramid(convolution: _Convolutions, maps: list[keras.KerasTensor]) -> list[keras.KerasTensor]:
    """Return the maps of strides 8, 16 and 32, each informed by the others (Liu et al. 2018, arXiv:1803.01534)."""
    fine, middle, coarse = (convolution(x, PYRAMID_CHANNELS, 1, is_linear=True) for x in maps)
    middle = layers.Add()([middle, layers.UpSampling2D(interpolation="bilinear")(coarse)])
    fine = layers.Add()([fine, layers.UpSampling2D(interpolation="bilinear")(middle)])
    # bilinear at half the size takes the mean of four
    middle = layers.Add()([middle, layers.AveragePooling2D(2)(fine)])
    coarse = layers.Add()([coarse, layers.AveragePooling2D(2)(middle)])
    return [fine, middle, coarse]


def _head(convolution: _Convolutions, x: keras.KerasTensor) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Return logits (B, H * W, 80) and encodings (B, H * W, 44) of a map."""
    x = convolution(convolution(x, PYRAMID_CHANNELS), CLASSES + 4 * BINS, 1, is_linear=True)
    x = layers.Reshape((-1, CLASSES + 4 * BINS))(x)
    return x[..., :CLASSES], x[..., CLASSES:]
