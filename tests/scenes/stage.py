"""Where everything is on every frame, and how a hand or a thing gets from one place to the next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

from tests.scenes.camera import FPS
from tests.scenes.hand import LOOSE, SLEEVE_RADIUS, WRIST_CM, Bend, Points, Side, bones
from tests.scenes.solid import Pose
from tests.scenes.thing import Thing

RelationKind = Literal["contact", "hold", "push"]

HOME = {"left": np.array([-26.0, -54.0, 10.0]), "right": np.array([26.0, -54.0, 10.0])}  #: of the wrist, unseen
ELBOW = {"left": np.array([-36.0, -84.0, 24.0]), "right": np.array([36.0, -84.0, 24.0])}
SPEED_CM_S = 95.0  #: mean speed of a reach
LEAST_REACH_S = 0.3
ARM_SAMPLES = 8
CLEAR_CM = 0.5  #: least gap between what does not touch
NEAR_CM = 0.05  #: ... between a hand and what it has just touched, or is about to
NEAR_FRAMES = 3


def minimum_jerk(time: Points) -> Points:
    """Return how far a smooth reach has come, 0..1, at times (N,) from 0 to 1 (Flash and Hogan 1985)."""
    return time**3 * (10 - 15 * time + 6 * time**2)


def facing(yaw: float, pitch: float = 0, roll: float = 0) -> Points:
    """Return the rotation (3, 3) of a hand: turned to the left, nose up, rolled to its right; degrees."""
    matrix: Points = Rotation.from_euler("ZXY", [yaw, pitch, roll], degrees=True).as_matrix()
    return matrix


@dataclass(slots=True)
class Course:
    """The pose of a hand or a thing on every frame: ``origin`` (T, 3), ``rotation`` (T, 3, 3)."""

    origin: Points
    rotation: Points

    @classmethod
    def still(cls, pose: Pose, frames: int) -> Course:
        """Return a course that stays."""
        return cls(np.tile(pose.origin, (frames, 1)), np.tile(pose.rotation, (frames, 1, 1)))

    def at(self, frame: int) -> Pose:
        """Return the pose on a frame."""
        return Pose(self.rotation[frame], self.origin[frame])

    def put(self, first: int, origin: Points, rotation: Points) -> None:
        """Write the poses from a frame on; it stays at the last one."""
        last = first + len(origin)
        self.origin[first:last], self.rotation[first:last] = origin, rotation
        self.origin[last:], self.rotation[last:] = origin[-1], rotation[-1]


def between(start: Pose, end: Pose, frames: int, via: Points) -> tuple[Points, Points]:
    """Return ``frames`` poses after ``start``, the last one ``end``, that swing out by ``via`` (3,) on the way."""
    time = np.arange(1, frames + 1) / frames
    share = minimum_jerk(time)[:, None]
    bump = (16 * time**2 * (1 - time) ** 2)[:, None]
    origin = start.origin + share * (end.origin - start.origin) + bump * via
    turns = Slerp([0, 1], Rotation.from_matrix(np.stack([start.rotation, end.rotation])))
    return origin, turns(np.clip(share[:, 0], 0, 1)).as_matrix()


@dataclass(frozen=True, slots=True)
class Interval:
    """That a hand and a thing were in a relation, from frame ``first`` to ``last``, counted from 0."""

    kind: RelationKind
    side: Side
    thing: int
    first: int
    last: int


@dataclass(slots=True)
class Stage:
    """All courses, and the relations so far. ``now`` is the last frame that is settled for each hand."""

    things: list[Thing]
    courses: list[Course]
    hands: dict[Side, Course]
    bends: dict[Side, Points]
    speed: float
    now: dict[Side, int]
    intervals: list[Interval] = field(default_factory=list)

    @classmethod
    def set_up(
        cls, things: list[Thing], poses: Iterable[Pose], sides: Iterable[Side], *, frames: int, speed: float
    ) -> Stage:
        """Return a stage on which nothing moves, and the hands are at home."""
        sides = tuple(sides)
        return cls(
            things=things,
            courses=[Course.still(pose, frames) for pose in poses],
            hands={
                side: Course.still(Pose(facing(20 if side == "right" else -20), HOME[side]), frames) for side in sides
            },
            bends={side: np.tile(LOOSE.array(), (frames, 1)) for side in sides},
            speed=speed,
            now=dict.fromkeys(sides, 0),
        )

    def copy(self) -> Stage:
        """Return the same again, to try something on."""
        return Stage(
            things=self.things,
            courses=[Course(c.origin.copy(), c.rotation.copy()) for c in self.courses],
            hands={side: Course(c.origin.copy(), c.rotation.copy()) for side, c in self.hands.items()},
            bends={side: bend.copy() for side, bend in self.bends.items()},
            speed=self.speed,
            now=dict(self.now),
            intervals=list(self.intervals),
        )

    @property
    def frames(self) -> int:
        """How many frames there is room for."""
        return len(self.courses[0].origin)

    def hand_at(self, side: Side) -> Pose:
        """Return where a hand is now."""
        return self.hands[side].at(self.now[side])

    def stay(self, side: Side, frames: int) -> None:
        """Let a hand be where it is."""
        self.now[side] += max(frames, 0)

    def wait_until(self, side: Side, frame: int) -> None:
        """Let a hand be where it is up to a frame."""
        self.now[side] = max(self.now[side], frame)

    def close(self, side: Side, bend: Bend, frames: int) -> None:
        """Bend a hand where it is."""
        self._bend(side, bend, frames)
        self.now[side] += frames

    def duration(self, distance_cm: float, pace: float = 1.0) -> int:
        """Return in how many frames a hand goes that far."""
        return round(FPS * (LEAST_REACH_S + distance_cm / SPEED_CM_S) / (self.speed * pace))

    def reach(self, side: Side, pose: Pose, bend: Bend, via: Points | None = None, pace: float = 1.0) -> None:
        """Move a hand with nothing in it, swinging out by ``via`` on the way."""
        start, via = self.hand_at(side), np.zeros(3) if via is None else via
        frames = self.duration(float(np.linalg.norm(pose.origin - start.origin) + np.linalg.norm(via)), pace)
        self._bend(side, bend, frames)
        self.hands[side].put(self.now[side] + 1, *between(start, pose, frames, via))
        self.now[side] += frames

    def carry(self, side: Side, thing: int, pose: Pose, via: Points | None = None, pace: float = 1.0) -> None:
        """Move a thing to a pose, and the hand rigidly with it."""
        start, via = self.courses[thing].at(self.now[side]), np.zeros(3) if via is None else via
        grip = self.hand_at(side)
        in_thing = Pose(start.rotation.T @ grip.rotation, start.into(grip.origin))
        frames = self.duration(float(np.linalg.norm(pose.origin - start.origin) + np.linalg.norm(via)), pace)
        origin, rotation = between(start, pose, frames, via)
        first = self.now[side] + 1
        self.courses[thing].put(first, origin, rotation)
        self.hands[side].put(first, origin + rotation @ in_thing.origin, rotation @ in_thing.rotation)
        self.now[side] += frames

    def relate(self, kind: RelationKind, side: Side, thing: int, first: int, last: int) -> None:
        """Note a relation, its frames inclusive."""
        self.intervals.append(Interval(kind, side, thing, first, last))

    def clashes(self, first: int, last: int) -> str:
        """Return what goes through what on the frames from ``first`` to ``last``; empty if nothing does."""
        span = slice(first, min(last + 1, self.frames))
        hands = {side: self.hand_balls(side, span) for side in self.hands}
        for side, (points, radii) in hands.items():
            if (points[..., 2] - radii).min(initial=1) < -0.4:
                return f"{side} hand through the table"
            arm = self.arm_points(side, span)
            for number in range(len(self.things)):
                gap = self.thing_gap(number, points, span, radii)
                arm_gap = self.thing_gap(number, arm, span, SLEEVE_RADIUS)
                touching, about = self._touching(side, number, span)
                if (gap[~touching & about] < NEAR_CM).any() or (gap[~touching & ~about] < CLEAR_CM).any():
                    return f"{side} hand through thing {number}"
                if (arm_gap[~touching] < CLEAR_CM).any():
                    return f"{side} arm through thing {number}"
        if len(hands) == 2 and self.hands_gap(span).min(initial=9) < CLEAR_CM:
            return "hand through hand"
        return self._things_clash(span)

    def hands_gap(self, span: slice) -> Points:
        """Return how far the two hands are from each other on each frame (N,), cm."""
        (a, r), (b, _) = (self.hand_balls(side, span) for side in self.hands)
        apart = np.linalg.norm(a[:, :, None] - b[:, None], axis=-1) - (r[:, None] + r[None])
        gap: Points = apart.min((1, 2), initial=99)
        return gap

    def hand_balls(self, side: Side, span: slice) -> tuple[Points, Points]:
        """Return balls that fill a hand in the world's frame: centres (N, B, 3) and radii (B,)."""
        ends, radii = bones(side, self.bends[side][span])
        shares = np.array([0.0, 0.5, 1.0])[:, None]
        points = ends[..., None, 0, :] * (1 - shares) + ends[..., None, 1, :] * shares
        points = points.reshape(len(points), -1, 3)
        course = self.hands[side]
        world = np.einsum("nij,nbj->nbi", course.rotation[span], points) + course.origin[span][:, None]
        return world, np.repeat(radii, len(shares))

    def arm_points(self, side: Side, span: slice) -> Points:
        """Return points (N, P, 3) along an arm's axis, from behind the wrist."""
        wrist = self.hands[side].origin[span][:, None]
        back = ELBOW[side] - wrist
        back = back / np.linalg.norm(back, axis=-1, keepdims=True)
        return wrist + np.linspace(WRIST_CM + 1, 50, ARM_SAMPLES * 3)[None, :, None] * back

    def thing_gap(self, number: int, points: Points, span: slice, radii: Points | float) -> Points:
        """Return how far balls (N, B, 3) with radii are from a thing on each frame (N,)."""
        course = self.courses[number]
        inside = np.einsum("nbj,nji->nbi", points - course.origin[span][:, None], course.rotation[span])
        gap: Points = (self.things[number].distance(inside) - radii).min(-1)
        return gap

    def _bend(self, side: Side, bend: Bend, frames: int) -> None:
        now, bends = self.now[side], self.bends[side]
        share = minimum_jerk(np.arange(1, frames + 1) / frames)[:, None]
        path = bends[now] + share * (bend.array() - bends[now])
        bends[now + 1 : now + 1 + frames] = path[: len(bends) - now - 1]
        bends[now + 1 + frames :] = bend.array()

    def _touching(self, side: Side, number: int, span: slice) -> tuple[Points, Points]:
        """Return on which frames a hand touches a thing (N,), and on which it does or nearly does."""
        touching, about = np.zeros((2, span.stop - span.start), bool)
        for one in self.intervals:
            if one.kind == "contact" and (one.side, one.thing) == (side, number):
                touching[max(one.first - span.start, 0) : max(one.last + 1 - span.start, 0)] = True
                about[
                    max(one.first - NEAR_FRAMES - span.start, 0) : max(one.last + 1 + NEAR_FRAMES - span.start, 0)
                ] = True
        return touching, about

    def _things_clash(self, span: slice) -> str:
        for number, course in enumerate(self.courses):
            moved = np.abs(np.diff(course.origin[span], axis=0)).sum(-1) + np.abs(
                np.diff(course.rotation[span], axis=0)
            ).sum((1, 2))
            if not moved.any():
                continue
            corners = self.things[number].corners()
            grid = np.concatenate([corners, (corners[:, None] + corners[None]).reshape(-1, 3) / 2])
            world = np.einsum("nij,bj->nbi", course.rotation[span], grid) + course.origin[span][:, None]
            if world[..., 2].min() < -0.2:
                return f"thing {number} through the table"
            for other in range(len(self.things)):
                if other != number and (self.thing_gap(other, world, span, 0.0) < CLEAR_CM).any():
                    return f"thing {number} through thing {other}"
        return ""
