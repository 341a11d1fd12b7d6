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
        x, y = (np.arange(columns) + 0.5) / columns, (np.arange(rows) + 0.5) / rows
        sizes = [(zoom * size * np.sqrt(ratio), zoom * size / np.sqrt(ratio)) for size, ratio in shapes]
        layers.append(_layer(x, y, sizes))
    return np.concatenate(layers).astype(np.float32)


def pyramid_anchors(
    grids: Sequence[Size],
    *,
    scales: Sequence[Sequence[float]],
    ratios: Sequence[float],
    pitches: Sequence[float] = (),
    starts: Sequence[float] = (),
    zoom: float = 1.0,
) -> Array:
    """Return the anchors float32 (A, 4) of a feature pyramid (Lin et al. 2017, arXiv:1708.02002, section 4).

    As ``ssd_anchors``, but every map has its own ``scales``, all of which come in each of ``ratios``, one after the
    other. Centres lie in the middle of the cells; or ``pitches`` and ``starts`` say for each map how far they lie apart
    and where the first one is, in 0..1 of the picture: where a stride does not divide its size, cells reach beyond it.
    """
    layers = []
    for number, ((columns, rows), own) in enumerate(zip(grids, scales, strict=True)):
        shapes = [(zoom * scale * np.sqrt(ratio), zoom * scale / np.sqrt(ratio)) for ratio in ratios for scale in own]
        x, y = (
            starts[number] + np.arange(count) * pitches[number] if pitches else (np.arange(count) + 0.5) / count
            for count in (columns, rows)
        )
        layers.append(_layer(x, y, shapes))
    return np.concatenate(layers).astype(np.float32)


def _layer(x: Array, y: Array, shapes: Sequence[tuple[float, float]]) -> Array:
    """Return the anchors (A, 4) of a map with cells at ``x`` and ``y`` and these widths and heights in each."""
    layer = np.empty((len(y), len(x), len(shapes), 4))
    layer[..., 0] = x[None, :, None]
    layer[..., 1] = y[:, None, None]
    layer[..., 2:] = shapes
    return layer.reshape(-1, 4)
