"""How boxes of hands lie to boxes of objects: pure functions on arrays, row = hand, column = object.

The unit of length is the hand's width: the geometric mean of its box's sides, which a hand that turns changes least.
"""

from __future__ import annotations

import numpy as np

from hybridtrack.boxes import area, intersection, xyxy_to_cxcywh
from hybridtrack.types import Array


def hand_width(xyxy: Array) -> Array:
    """Return the unit of length (N,), px, of boxes (N, 4)."""
    width: Array = np.sqrt(np.maximum(area(xyxy), 1.0))
    return width


def offset(hands: Array, objects: Array) -> Array:
    """Return the way (N, M, 2), px, from the hands' centres to the objects'."""
    way: Array = xyxy_to_cxcywh(objects)[None, :, :2] - xyxy_to_cxcywh(hands)[:, None, :2]
    return way


def overlap(hands: Array, objects: Array) -> tuple[Array, Array]:
    """Return IoU and coverage, both (N, M): the share of the object's box that lies under the hand's."""
    shared = intersection(hands, objects)
    of_object = area(objects)[None, :]
    return shared / (area(hands)[:, None] + of_object - shared), shared / of_object
