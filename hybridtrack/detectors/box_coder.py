"""What an SSD predicts of a box: how far it lies from its anchor (Ren et al. 2015, arXiv:1506.01497, equation 2).

Encodings are float32 (N, 4) in the order y, x, height, width; anchors are (N, 4) as centre x, centre y, width, height;
boxes are xyxy (N, 4), all in 0..1 of the picture. ``scales`` (y, x, height, width) multiply the encodings, so that the
four are of like size when a network learns them; (10, 10, 5, 5) is usual.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hybridtrack.types import Array


def decode(encodings: Array, anchors: Array, scales: Sequence[float]) -> Array:
    """Return the boxes xyxy (N, 4) that ``encodings`` mean. Inverse: ``encode``."""
    offsets = encodings / np.asarray(scales, encodings.dtype)
    centre = anchors[:, :2] + offsets[:, 1::-1] * anchors[:, 2:]
    half = np.exp(offsets[:, :1:-1]) * anchors[:, 2:] / 2
    return np.concatenate([centre - half, centre + half], axis=1)


def encode(xyxy: Array, anchors: Array, scales: Sequence[float]) -> Array:
    """Return the encodings (N, 4) of boxes with an area. Inverse: ``decode``."""
    size = xyxy[:, 2:] - xyxy[:, :2]
    centre = (xyxy[:, :2] + xyxy[:, 2:]) / 2
    shift = (centre - anchors[:, :2]) / anchors[:, 2:]
    growth = np.log(size / anchors[:, 2:])
    encodings: Array = np.concatenate([shift[:, ::-1], growth[:, ::-1]], axis=1) * np.asarray(scales, xyxy.dtype)
    return encodings
