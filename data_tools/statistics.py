"""Figures of a data set: how large boxes are, of what shape, how many on a picture, how many at the border."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from data_tools.annotation import DataSet, Picture
from hybridtrack.types import Array

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
SMALL_PX = 32  #: below its square a box is small, above the other large (COCO)
LARGE_PX = 96
AT_BORDER_PX = 1.0


def measure(data: DataSet) -> dict[str, Any]:
    """Return the figures of a data set, as they stand in ``statistics.json``: of all boxes, and of each label."""
    groups = {picture.group for picture in data.pictures if picture.group is not None}
    counts = Counter(len(picture.annotations) for picture in data.pictures)
    return {
        "pictures": len(data.pictures),
        "groups": len(groups),
        "picture_sizes": dict(Counter("{}x{}".format(*picture.size_px) for picture in data.pictures).most_common()),
        "boxes": sum(len(picture.annotations) for picture in data.pictures),
        "boxes_a_picture": {str(number): counts[number] for number in sorted(counts)},
        "pictures_without_boxes": [picture.name for picture in data.pictures if not picture.annotations],
        "all": measure_boxes(data.pictures, None),
        "labels": {label: measure_boxes(data.pictures, label) for label in data.labels},
    }


def measure_boxes(pictures: Iterable[Picture], label: str | None) -> dict[str, Any]:
    """Return the figures of the boxes of one label, or of all. ``…_norm``: of the picture's width, height, area."""
    pictures = tuple(pictures)
    boxes = box_table(pictures, label)
    width_px, height_px = (boxes[:, 2:4] - boxes[:, :2]).T
    picture_px = boxes[:, 4:]
    area_px = width_px * height_px
    is_at_border = (boxes[:, :2] <= AT_BORDER_PX).any(axis=1) | (boxes[:, 2:4] >= picture_px - AT_BORDER_PX).any(axis=1)
    having = sum(any(label in (None, x.label) for x in picture.annotations) for picture in pictures)
    return {
        "boxes": len(boxes),
        "pictures_without": len(pictures) - having,
        "width_px": quantiles(width_px),
        "height_px": quantiles(height_px),
        "width_norm": quantiles(width_px / picture_px[:, 0]),
        "height_norm": quantiles(height_px / picture_px[:, 1]),
        "area_norm": quantiles(area_px / picture_px.prod(axis=1)),
        "aspect": quantiles(width_px / height_px),
        "small": int((area_px < SMALL_PX**2).sum()),
        "medium": int(((area_px >= SMALL_PX**2) & (area_px <= LARGE_PX**2)).sum()),
        "large": int((area_px > LARGE_PX**2).sum()),
        "at_border": int(is_at_border.sum()),
    }


def box_table(pictures: Iterable[Picture], label: str | None = None) -> Array:
    """Return the boxes that have an area: float64 (N, 6), px: corners, and width and height of their picture."""
    rows = [
        (*annotation.xyxy, *picture.size_px)
        for picture in pictures
        for annotation in picture.annotations
        if label in (None, annotation.label)
    ]
    table = np.array(rows, float).reshape(-1, 6)
    return table[(table[:, 2:4] > table[:, :2]).all(axis=1)]


def quantiles(values: Array) -> dict[str, float]:
    """Return minimum, quantiles and maximum of values, to five digits; nothing of no values."""
    if not len(values):
        return {}
    names = ("min", *(f"p{round(share * 100)}" for share in QUANTILES[1:-1]), "max")
    return {name: float(f"{value:.5g}") for name, value in zip(names, np.quantile(values, QUANTILES), strict=True)}
