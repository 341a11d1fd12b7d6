"""The anchors of the networks here, as bundles describe them: usual ones, and such as fit a data set's boxes."""

from __future__ import annotations

import numpy as np

from hybridtrack.detectors.bundle import AnchorSpec
from hybridtrack.types import Array
from models import fpnlite
from models.ssdlite import ANCHORS_PER_CELL

SSD_RATIOS = (1.0, 2.0, 0.5, 3.0, 0.3333)
SSD_SCALES = (0.2, 0.95)
PYRAMID_SCALES = (0.08, 0.8)
ROUNDS = 50  #: of Lloyd's algorithm, at most; a dozen are usual
QUANTILES = (0.05, 0.95)  #: of box sizes, that the outer scales follow: a few odd boxes move nothing


def grids_of(size_px: int, strides_from: int = 16, maps: int = len(ANCHORS_PER_CELL)) -> tuple[tuple[int, int], ...]:
    """Return the columns and rows of the maps that boxes are predicted from, the finest first.

    Every map halves the one before, rounding up.
    """
    cells = [-(-size_px // strides_from)]
    while len(cells) < maps:
        cells.append(-(-cells[-1] // 2))
    return tuple((one, one) for one in cells)


def ssdlite_anchors(
    size_px: int, scales: tuple[float, float] = SSD_SCALES, ratios: tuple[float, ...] = SSD_RATIOS, zoom: float = 1.0
) -> AnchorSpec:
    """Return the anchors of SSDLite: scales from the least to the largest in even steps, five ratios."""
    return AnchorSpec(
        grids=grids_of(size_px),
        scale_min=scales[0],
        scale_max=scales[1],
        ratios=ratios,
        reduce_finest=True,
        zoom=zoom,
    )


def pyramid_anchors(
    size_px: int, scales: tuple[float, float] = PYRAMID_SCALES, ratios: tuple[float, ...] = fpnlite.RATIOS
) -> AnchorSpec:
    """Return the anchors of the pyramid: two scales a map, all of them from the least to the largest by one factor."""
    maps = len(fpnlite.STRIDES)
    steps = np.geomspace(*scales, maps * fpnlite.SCALES_PER_MAP).round(4).tolist()
    return AnchorSpec(
        grids=grids_of(size_px, fpnlite.STRIDES[0], maps),
        scales=tuple(tuple(steps[row : row + 2]) for row in range(0, len(steps), fpnlite.SCALES_PER_MAP)),
        ratios=ratios,
    )


def fitted(anchors: AnchorSpec, size_norm: Array) -> AnchorSpec:
    """Return anchors of the same kind and number whose scales and ratios are those of boxes.

    size_norm: widths and heights (N, 2) of the boxes, N >= 1, in 0..1 of the picture. Ratios are the centres of
    clusters (Lloyd's algorithm in the logarithm). Anchors stay as they are where that makes the mean overlap of boxes
    with their best anchor no larger.
    """
    scale = np.sqrt(size_norm.prod(axis=1))
    low, high = np.quantile(scale, QUANTILES)
    low, high = float(np.clip(low, 0.02, 0.5)), float(np.clip(high, 0.1, 0.95))
    high = max(high, 1.5 * low)
    ratios = tuple(_cluster_centres(np.log(size_norm[:, 0] / size_norm[:, 1]), len(anchors.ratios)))
    if anchors.scales:
        other = pyramid_anchors(anchors.grids[0][0] * fpnlite.STRIDES[0], (low, high), ratios)
        other = AnchorSpec(grids=anchors.grids, scales=other.scales, ratios=ratios)
    else:
        # on the finest map the smallest anchor is .1, whatever scale_min is: the maps behind it start at scale_min
        other = AnchorSpec(
            grids=anchors.grids, scale_min=low, scale_max=high, ratios=ratios, reduce_finest=anchors.reduce_finest
        )
    return other if mean_best_overlap(other, size_norm) > mean_best_overlap(anchors, size_norm) else anchors


def mean_best_overlap(anchors: AnchorSpec, size_norm: Array) -> float:
    """Return the mean IoU of boxes (N, 2) with the anchor whose shape is the best, both about one centre."""
    shapes = np.unique(anchors.boxes()[:, 2:], axis=0)
    both = np.minimum(size_norm[:, None], shapes[None]).prod(axis=2)
    union = size_norm.prod(axis=1)[:, None] + shapes.prod(axis=1)[None] - both
    return float((both / union).max(axis=1).mean())


def _cluster_centres(log_ratio: Array, count: int) -> list[float]:
    """Return ``count`` centres of one-dimensional clusters as ratios, ascending; equal ones are spread by a tenth."""
    centres = np.quantile(log_ratio, (np.arange(count) + 0.5) / count)
    for _ in range(ROUNDS):
        nearest = np.abs(log_ratio[:, None] - centres).argmin(axis=1)
        moved = np.array([log_ratio[nearest == k].mean() if (nearest == k).any() else centres[k] for k in range(count)])
        if np.allclose(moved, centres):
            break
        centres = moved
    for place in range(1, count):
        centres[place] = max(centres[place], centres[place - 1] + 0.1)
    return [round(float(one), 4) for one in np.exp(centres)]
