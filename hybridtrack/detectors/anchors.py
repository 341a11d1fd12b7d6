"""The anchors (default boxes) of an SSD: Liu et al. 2016, arXiv:1512.02325, section 2.2."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hybridtrack.types import Array, Size

REDUCED_LAYER = ((0.1, 1.0), (None, 2.0), (None, 0.5))  #: (scale or the layer's own, ratio) on a reduced finest map


def ssd_anchors(
    grids: Sequence[Size],
    *,
    scale_min: float,
    scale_max: float,
    ratios: Sequence[float],
    reduce_finest: bool,
    zoom: float = 1.0,
) -> Array:
    """Return the anchors float32 (A, 4) as centre x, centre y, width, height in 0..1 of the picture.

    ``grids`` are (columns, rows) of the feature maps, the finest first; scales grow evenly from ``scale_min`` to
    ``scale_max``. A cell has one anchor for each width/height ratio, and a square one between its map's scale and the
    next; with ``reduce_finest`` the finest map has three smaller ones instead. All are ``zoom`` times as wide and as
    high, for a network that looks at smaller pictures than it was trained on, in which things have fewer pixels. Rows
    count anchors first, then columns, rows and maps: the order in which a convolution's output is flattened.
    """
    scales = [*np.linspace(scale_min, scale_max, len(grids)), 1.0]
    layers = []
    for number, (columns, rows) in enumerate(grids):
        scale = scales[number]
        if number == 0 and reduce_finest:
            shapes = [(own or scale, ratio) for own, ratio in REDUCED_LAYER]
        else:
            shapes = [(scale, ratio) for ratio in ratios] + [(np.sqrt(scale * scales[number + 1]), 1.0)]
        layer = np.empty((rows, columns, len(shapes), 4))
        layer[..., 0] = ((np.arange(columns) + 0.5) / columns)[None, :, None]
        layer[..., 1] = ((np.arange(rows) + 0.5) / rows)[:, None, None]
        layer[..., 2] = [zoom * size * np.sqrt(ratio) for size, ratio in shapes]
        layer[..., 3] = [zoom * size / np.sqrt(ratio) for size, ratio in shapes]
        layers.append(layer.reshape(-1, 4))
    return np.concatenate(layers).astype(np.float32)
