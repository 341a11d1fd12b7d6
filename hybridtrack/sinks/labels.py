"""Where labels of boxes go: beside their boxes, inside the picture, and never one over the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hybridtrack.types import Array, Size

ELSEWHERE = -1  #: number of the place of a label that found no room at its box
_COST_OF_RANK = 0.1  #: a place is worth less than the one before it by a tenth of a label that covers another box
_WORTH_OF_STAYING = 0.5  #: as much, where the label was on the frame before
_AT_ONCE = 64  #: places that are looked at together


@dataclass(frozen=True, slots=True)
class Label:
    """A label that wants a place: the box that it belongs to, int xyxy, px, and its size.

    spot: number of the place at the box that it had on the frame before, None on the first one.
    """

    xyxy: tuple[int, int, int, int]
    size_px: Size
    spot: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Upper left corner of a label, px, and which place at its box that is, or ``ELSEWHERE``."""

    corner: tuple[int, int]
    spot: int


def place_labels(labels: Sequence[Label], picture_px: Size, taken: Array | None = None) -> list[Place | None]:
    """Return a place for each label, the first ones first; None where there is no room left in the picture.

    taken: int (N, 4), xyxy, px, what no label may cover. Of the places at its box a label takes one that covers other
    boxes least; when all are taken, the nearest free one.
    """
    anchors = np.array([label.xyxy for label in labels], int).reshape(-1, 4)
    covered = np.empty((0, 4), int) if taken is None else np.asarray(taken, int).reshape(-1, 4)
    places: list[Place | None] = []
    for row, label in enumerate(labels):
        place = None
        if label.size_px[0] <= picture_px[0] and label.size_px[1] <= picture_px[1]:
            others = np.delete(anchors, row, axis=0)
            place = _at_box(label, picture_px, covered, others) or _elsewhere(label, picture_px, covered)
        places.append(place)
        if place:
            covered = np.vstack([covered, [*place.corner, *np.add(place.corner, label.size_px)]])
    return places


def _at_box(label: Label, picture_px: Size, covered: Array, others: Array) -> Place | None:
    """Return the best free place at the label's box, None when all are taken."""
    (x1, y1, x2, y2), (width, height) = label.xyxy, label.size_px
    left, right, above, below = x1, x2 + 1 - width, y1 - height, y2 + 1
    corners = np.array(
        [
            *((left, above), (left, below), (right, above), (right, below)),
            *((x2 + 1, y1), (x1 - width, y1), (x2 + 1, below - height), (x1 - width, below - height)),
            *((left, y1), (left, below - height)),
        ]
    )
    corners = np.clip(corners, 0, np.subtract(picture_px, label.size_px))
    rectangles = np.hstack([corners, corners + label.size_px])
    hidden = _overlap(rectangles, others).sum(axis=1) / (width * height)
    cost = hidden + _COST_OF_RANK * np.arange(len(corners))
    if label.spot is not None and label.spot != ELSEWHERE:
        cost[label.spot] -= _WORTH_OF_STAYING
    cost[_overlap(rectangles, covered).any(axis=1)] = np.inf
    spot = int(cost.argmin())
    return Place((int(corners[spot, 0]), int(corners[spot, 1])), spot) if np.isfinite(cost[spot]) else None


def _elsewhere(label: Label, picture_px: Size, covered: Array) -> Place | None:
    """Return the free place nearest to the label's box, None when there is none.

    A label that lies free can be pushed up and to the left until it meets something, so that one whose sides meet
    others, or the edges of the picture, exists wherever any does.
    """
    x1, y1, x2, y2 = label.xyxy
    limit = np.subtract(picture_px, label.size_px)
    columns, rows = (
        np.unique(np.clip([0, near, *covered[:, axis] - label.size_px[axis], *covered[:, axis + 2]], 0, limit[axis]))
        for axis, near in ((0, x1), (1, y1))
    )
    corners = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    middles = corners + np.asarray(label.size_px) / 2
    away = np.abs(middles - ((x1 + x2) / 2, (y1 + y2) / 2)).sum(axis=1)
    corners = corners[np.argsort(away, kind="stable")]
    for start in range(0, len(corners), _AT_ONCE):
        some = corners[start : start + _AT_ONCE]
        is_free = ~_overlap(np.hstack([some, some + label.size_px]), covered).any(axis=1)
        if is_free.any():
            x, y = some[is_free.argmax()].tolist()
            return Place((x, y), ELSEWHERE)
    return None


def _overlap(a: Array, b: Array) -> Array:
    """Return how many pixels each of the rectangles (N, 4) shares with each of (M, 4): int (N, M)."""
    sides = np.minimum(a[:, None, 2:], b[None, :, 2:]) - np.maximum(a[:, None, :2], b[None, :, :2])
    shared: Array = sides.clip(0).prod(axis=2)
    return shared
