"""Which annotations can be trained on: boxes with an area inside their picture, of a known label."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace

from data_tools.annotation import Annotation, Picture, Problem
from hybridtrack.types import Box, Size

ROUNDING_PX = 1.0  #: boxes go beyond the border by so much when they were rounded; they are clipped without a word


def usable(picture: Picture, labels: Collection[str]) -> tuple[Picture, list[Problem]]:
    """Return a picture with the annotations that can be used, boxes clipped to it, and what was wrong with others.

    Left out: unknown labels, boxes that are not finite, of no area, or outside the picture. Clipped and named: boxes
    that go beyond the border by more than ``ROUNDING_PX``.
    """
    kept, problems = [], []
    for number, annotation in enumerate(picture.annotations, 1):
        box, kind = usable_box(annotation.xyxy, picture.size_px)
        if annotation.label not in labels:
            box, kind = None, "unknown label"
        if kind is not None:
            detail = annotation.label if kind == "unknown label" else _box_text(annotation, picture.size_px)
            problems.append(Problem(kind=kind, where=f"{picture.name}, box {number}", detail=detail))
        if box is not None:
            kept.append(replace(annotation, xyxy=box))
    return replace(picture, annotations=tuple(kept)), problems


def usable_box(xyxy: Box, size_px: Size) -> tuple[Box | None, str | None]:
    """Return the box inside a picture (None when there is none), and what kind of problem it had (None without)."""
    x1, y1, x2, y2 = xyxy
    width_px, height_px = size_px
    if not all(map(math.isfinite, xyxy)):
        return None, "box that is none"
    if x2 <= x1 or y2 <= y1:
        return None, "box of no area"
    if x2 <= 0 or y2 <= 0 or x1 >= width_px or y1 >= height_px:
        return None, "box outside the picture"
    inside = (max(x1, 0.0), max(y1, 0.0), min(x2, float(width_px)), min(y2, float(height_px)))
    beyond_px = max(abs(a - b) for a, b in zip(inside, xyxy, strict=True))
    return inside, "box beyond the border, clipped" if beyond_px > ROUNDING_PX else None


def _box_text(annotation: Annotation, size_px: Size) -> str:
    return f"{', '.join(f'{value:g}' for value in annotation.xyxy)} of {size_px[0]}x{size_px[1]}"
