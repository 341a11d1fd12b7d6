"""How a hand sits on a thing: poses and bends for grasping, touching and pushing it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tests.scenes.hand import FLAT, PALM_RADIUS, WIDE, Bend, Points, Side
from tests.scenes.solid import Pose
from tests.scenes.stage import ELBOW, facing
from tests.scenes.thing import Thing

KNUCKLE_CM = 9.0  #: from the wrist
TOP_PITCH = -22.0
THUMB_IN = 26.0
GAP_CM = 0.1  #: skin to surface where they touch


@dataclass(frozen=True, slots=True)
class Grip:
    """A hand's pose on a thing, how it comes (``away``: the way it swings out before), and its bend open and closed."""

    pose: Pose
    away: Points
    open: Bend
    closed: Bend

    def with_thumb_in(self) -> Grip:
        """Return the same grip with the thumb along the fingers, out of another hand's way."""
        return replace(
            self, open=replace(self.open, thumb_out=THUMB_IN), closed=replace(self.closed, thumb_out=THUMB_IN)
        )


def arm_yaw(side: Side, place: Points) -> float:
    """Return the yaw in degrees of a hand at a place (3,) whose wrist is nearly straight."""
    ahead = place - ELBOW[side]
    return 0.8 * float(np.degrees(np.arctan2(-ahead[0], ahead[1])))


def ahead_of(yaw: float) -> Points:
    """Return the unit vector (3,) that a level hand points along."""
    return np.array([-np.sin(np.radians(yaw)), np.cos(np.radians(yaw)), 0.0])


def exit_cm(thing: Thing, pose: Pose, way: Points) -> float:
    """Return how far it is from a thing's axis to its side along a level unit vector (3,)."""
    half = np.array(thing.half_size)
    if not thing.is_angular:
        return float(half[0])
    local = np.abs(way @ pose.rotation)[:2]
    return float((half / np.maximum(local, 1e-6)).min())


def support_cm(thing: Thing, pose: Pose, way: Points) -> float:
    """Return how far a thing reaches from its axis along a level unit vector (3,)."""
    half = np.array(thing.half_size)
    if not thing.is_angular:
        return float(half[0])
    return float(np.abs(way @ pose.rotation)[:2] @ half)


def top_grip(thing: Thing, pose: Pose, side: Side, yaw: float, along_cm: float = 0.0) -> Grip:
    """Return a grasp from above, fingers over the far edge; ``along_cm``: off the middle, along the thing's x."""
    ahead = ahead_of(yaw)
    middle = pose.origin + along_cm * pose.rotation[:, 0]
    edge = exit_cm(thing, pose, ahead)
    knuckles = middle + (edge + 0.95 - 4.4) * ahead + [0, 0, thing.height + PALM_RADIUS + GAP_CM]
    rotation = facing(yaw, TOP_PITCH)
    fall = np.clip((thing.height + PALM_RADIUS - 1.7) / 4.6, 0.1, 0.97)
    down = float(np.degrees(np.arcsin(fall)))
    beside = float(np.degrees(np.arcsin(np.clip((thing.height + 1.5) / 9.8, 0, 0.85)))) - 18
    is_wide = thing.half_size[0] > 4.5  # the thumb lies on it, not beside it
    closed = Bend(-18, down, 12, 3, 42, -14 if is_wide else beside)
    opened = Bend(-26, down * 0.35, 8, 9, 58, -18 if is_wide else min(beside, 0.0))
    away = -2.0 * ahead + [0, 0, 10.0]
    return Grip(Pose(rotation, knuckles - rotation @ [0, KNUCKLE_CM, 0]), away, opened, closed)


def side_grip(thing: Thing, pose: Pose, side: Side, yaw: float, height: float) -> Grip:
    """Return a grasp round a thing from the hand's own side at a height, thumb up, fingers behind it."""
    turn = 82.0 if side == "right" else -82.0
    rotation = facing(yaw, -4, turn)
    radius = support_cm(thing, pose, rotation[:, 2])
    axis, wide = pose.origin + np.array([0, 0, height]), radius - 2.6
    wrist = axis - rotation @ [0, 8.4, -(radius + PALM_RADIUS + GAP_CM + 0.4)]
    away = -13.0 * ahead_of(yaw) + 4.0 * rotation[:, 2] + [0, 0, 3.0]
    return Grip(
        Pose(rotation, wrist), away, Bend(4, 10, 6, 3, 62, -4), Bend(40 - 8 * wide, 48 - 6 * wide, 26, 1, 44, 36)
    )


def beside(thing: Thing, pose: Pose, side: Side, yaw: float) -> Grip:
    """Return the open hand on edge against a thing's side, as it touches or pushes it."""
    rotation = facing(yaw, -2, 86.0 if side == "right" else -86.0)
    out = rotation[:, 2] * [1, 1, 0] / np.linalg.norm(rotation[:2, 2])
    middle = pose.origin + support_cm(thing, pose, out) * out + [0, 0, 4.4]
    wrist = middle - rotation @ [0, 10.0, -(PALM_RADIUS + GAP_CM)]
    return Grip(Pose(rotation, wrist), 7.0 * out - 6.0 * ahead_of(yaw) + [0, 0, 2.0], FLAT, FLAT)


def upon(thing: Thing, pose: Pose, side: Side, yaw: float, clear_cm: float = GAP_CM) -> Grip:
    """Return the flat hand on a thing's top, or ``clear_cm`` above it."""
    rotation = facing(yaw, -3)
    middle = pose.origin + np.array([0, 0, thing.height + PALM_RADIUS + clear_cm])
    bend = FLAT if clear_cm <= GAP_CM else WIDE
    return Grip(Pose(rotation, middle - rotation @ [0, 10.5, 0]), np.array([0, -3.0, 7.0]), bend, bend)
