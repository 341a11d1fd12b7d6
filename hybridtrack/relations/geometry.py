"""How boxes of hands lie to boxes of objects: pure functions on arrays, row = pair.

The unit of length is the hand's width: the geometric mean of its box's sides, which a hand that turns changes least.
"""

from __future__ import annotations

import numpy as np

from hybridtrack.boxes import area
from hybridtrack.types import Array


def hand_width(xyxy: Array) -> Array:
    """Return the unit of length (N,), px, of boxes (N, 4)."""
    width: Array = np.sqrt(np.maximum(area(xyxy), 1.0))
    return width


def offset(hands: Array, objects: Array) -> Array:
    """Return the way (P, 2), px, from the hands' centres to the objects'."""
    way: Array = (objects[:, :2] + objects[:, 2:] - hands[:, :2] - hands[:, 2:]) / 2
    return way


def overlap(hands: Array, objects: Array) -> tuple[Array, Array]:
    """Return IoU and coverage, both (P,): the share of the object's box that lies under the hand's."""
    sides = np.minimum(hands[:, 2:], objects[:, 2:]) - np.maximum(hands[:, :2], objects[:, :2])
    shared = np.maximum(sides, 0.0).prod(axis=1)
    of_object = area(objects)
    return shared / (area(hands) + of_object - shared), shared / of_object
