"""Hands: a skeleton of capsules, how it bends, and the arm behind it; cm and degrees.

A hand's frame has its origin in the wrist, y along the stretched fingers, z out of the back of the hand, x across: the
thumb of a right hand lies at negative x.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tests.scenes.solid import Capsule, Pose

Side = Literal["left", "right"]
Points = NDArray[np.float64]

KNUCKLES = np.array([[-3.0, 8.8, 0.0], [-1.0, 9.2, 0.2], [1.0, 8.9, 0.1], [2.8, 8.1, -0.2]])
PHALANGES = np.array([[4.2, 2.5, 2.0], [4.6, 2.9, 2.1], [4.2, 2.7, 2.0], [3.3, 2.0, 1.8]])
FINGER_RADII = np.array([[0.95, 0.85, 0.75], [0.95, 0.85, 0.75], [0.92, 0.82, 0.72], [0.82, 0.72, 0.64]])
FAN = np.array([-1.0, -0.3, 0.4, 1.1])  #: how the fingers share a spread
PALM_RADIUS = 1.25
THUMB_ROOT = np.array([-2.0, 2.4, 0.0])
THUMB = ((4.0, 1.2), (3.2, 1.0), (2.6, 0.88))  #: length and radius
WRIST_CM = 4.0  #: how much of the arm belongs to the hand
WRIST_RADIUS, SLEEVE_RADIUS = 2.5, 3.7
ARM_CM = 75.0


@dataclass(frozen=True, slots=True)
class Bend:
    """How a hand is bent, in degrees: the three joints of the fingers, their spread, and the thumb out and down."""

    knuckle: float
    middle: float
    tip: float
    spread: float = 4.0
    thumb_out: float = 45.0
    thumb_down: float = 10.0

    def array(self) -> Points:
        """Return the six angles (6,)."""
        return np.array(astuple(self))


FLAT = Bend(1, 2, 2, 5, 40, -8)
LOOSE = Bend(14, 22, 14, 5, 40, 15)
WIDE = Bend(0, 6, 4, 14, 65, -4)
FIST = Bend(70, 85, 45, 0, 25, 40)


def bones(side: Side, bend: Points) -> tuple[Points, Points]:
    """Return the capsules of hands in their own frames, ends (..., 19, 2, 3) and radii (19,). ``bend``: (..., 6)."""
    knuckle, middle, tip, spread, thumb_out, thumb_down = np.moveaxis(np.radians(bend), -1, 0)
    lines: list[tuple[Points, Points]] = []
    radii: list[float] = []
    for root, lengths, sizes, fan in zip(KNUCKLES, PHALANGES, FINGER_RADII, FAN, strict=True):
        at = np.broadcast_to(root, (*knuckle.shape, 3))
        lines.append((np.broadcast_to([root[0] * 0.5, 0.8, 0.0], at.shape), at))
        radii.append(PALM_RADIUS)
        flexed = np.zeros_like(knuckle)
        for length, size, joint in zip(lengths, sizes, (knuckle, middle, tip), strict=True):
            flexed = flexed + joint
            level = np.cos(flexed)
            ahead = np.stack([np.sin(spread * fan) * level, np.cos(spread * fan) * level, -np.sin(flexed)], -1)
            lines.append((at, at + length * ahead))
            radii.append(float(size))
            at = at + length * ahead
    at, out = np.broadcast_to(THUMB_ROOT, (*knuckle.shape, 3)), thumb_out
    for length, size in THUMB:
        level = np.cos(thumb_down)
        ahead = np.stack([-np.sin(out) * level, np.cos(out) * level, -np.sin(thumb_down)], -1)
        lines.append((at, at + length * ahead))
        radii.append(size)
        at, out = at + length * ahead, out - np.radians(22)
    ends = np.stack([np.stack(line, -2) for line in lines], -3)
    if side == "left":
        ends[..., 0] *= -1
    return ends, np.array(radii)


def hand_capsules(side: Side, pose: Pose, bend: Points, elbow: Points) -> list[Capsule]:
    """Return a hand, the first of the arm included, in the world's frame."""
    ends, radii = bones(side, bend)
    ends, up = pose.out(ends), pose.rotation[:, 2]
    capsules = [Capsule(a, b, float(r), up) for (a, b), r in zip(ends, radii, strict=True)]
    back = (elbow - pose.origin) / np.linalg.norm(elbow - pose.origin)
    return [*capsules, Capsule(pose.origin, pose.origin + (WRIST_CM - WRIST_RADIUS) * back, WRIST_RADIUS, up)]


def arm_capsules(pose: Pose, elbow: Points) -> list[Capsule]:
    """Return the rest of the arm: sleeve, from behind the wrist to the elbow and on."""
    back = (elbow - pose.origin) / np.linalg.norm(elbow - pose.origin)
    start = pose.origin + (WRIST_CM + 1.2 + 0.3 * SLEEVE_RADIUS) * back
    return [Capsule(start, pose.origin + ARM_CM * back, SLEEVE_RADIUS, np.array([0, 0, 1.0]))]
