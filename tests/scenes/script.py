"""Random plots: what the hands do to the things, one event after the other, with exact intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from tests.scenes.grip import Grip, ahead_of, arm_yaw, beside, side_grip, top_grip, upon
from tests.scenes.hand import FIST, FLAT, LOOSE, WIDE, Points, Side
from tests.scenes.solid import Pose
from tests.scenes.stage import HOME, Stage, facing
from tests.scenes.thing import MAKERS, Kind, Thing

ROOM_X, ROOM_Y = (-23.0, 23.0), (-3.0, 24.0)  #: where things stand, cm
SPACE_CM = 4.0  #: least room between things
TRIES = 40  #: at one event before another one is drawn
LATEST = 25  #: an event begins at least so many frames before the end
LAST_HOLD = 12  #: a hold ends at least so many frames before the end
PARALLEL = 0.35  #: share of events that begin before the other hand has gone
SETTLE = (2, 5)  #: frames between grasp and lift, and between putting down and letting go


class RefusedError(Exception):
    """An event that cannot be played here: no room, no fitting thing, or something goes through something."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event that was played."""

    name: str
    first: int
    last: int


class Director:
    """Draws things, places and events for one scene."""

    def __init__(self, rng: np.random.Generator, *, frames: int, speed: float, events: tuple[str, ...] = ()) -> None:
        self.rng = rng
        self.frames = frames
        self.events: list[Event] = []
        sides: tuple[Side, ...] = ("left", "right") if rng.random() < 0.75 else (rng.choice(["left", "right"]),)
        things = self._draw_things("hand_over" in events)
        self.stage = Stage.set_up(
            things, self._places(things), sides, frames=frames + 900, speed=speed * rng.uniform(0.85, 1.2)
        )
        for side in sides:
            self.stage.now[side] = int(rng.integers(3, 20))
        self._play(events)

    # -- the plot

    def _play(self, wanted: tuple[str, ...]) -> None:
        count = int(self.rng.integers(2, 5))
        names = list(wanted) or [str(name) for name in self.rng.choice([*EVENTS], 4 * count, p=WEIGHTS)]
        for name in names:
            if len(self.events) >= max(count, len(wanted)) or min(self.stage.now.values()) > self.frames - LATEST:
                break
            self._try(name)

    def _try(self, name: str) -> None:
        for _ in range(TRIES):
            before = self.stage
            self.stage = before.copy()
            first = min(before.now.values())
            try:
                EVENTS[name](self)
                last = max(self.stage.now.values())
                self._check(first, last)
            except RefusedError:
                self.stage = before
                continue
            self.events.append(Event(name, first, min(last, self.frames - 1)))
            return

    def _check(self, first: int, last: int) -> None:
        if any(one.kind == "hold" and one.last > self.frames - LAST_HOLD for one in self.stage.intervals):
            raise RefusedError("a hold outlasts the scene")
        if self.stage.clashes(first, min(last, self.frames)):
            raise RefusedError("through")

    # -- drawing

    def _draw_things(self, with_box: bool) -> list[Thing]:
        kinds: list[Kind] = [*MAKERS]
        drawn = self.rng.permutation(np.array(kinds * 2))[: int(self.rng.integers(3, 7))]
        if with_box:
            drawn[0] = "box"
        return [MAKERS[kind](self.rng) for kind in drawn]

    def _places(self, things: list[Thing]) -> Iterator[Pose]:
        placed: list[tuple[Points, float]] = []
        for thing in things:
            place = self._free_place(thing, placed)
            placed.append((place, thing.reach))
            turn = self.rng.uniform(-20, 20) if thing.is_angular else self.rng.uniform(-180, 180)
            yield Pose(facing(turn), place)

    def _free_place(self, thing: Thing, others: list[tuple[Points, float]]) -> Points:
        for _ in range(400):
            place = np.array([self.rng.uniform(*ROOM_X), self.rng.uniform(*ROOM_Y), 0.0])
            if all(np.linalg.norm(place - p) > thing.reach + r + SPACE_CM for p, r in others):
                return place
        if not self.events and not hasattr(self, "stage"):
            return np.array([self.rng.uniform(*ROOM_X), self.rng.uniform(26, 34), 0.0])
        raise RefusedError("no room")

    def _side(self) -> Side:
        """Draw the hand of the next event, and let it wait for the other one, mostly."""
        sides = [*self.stage.now]
        side: Side = sides[int(self.rng.integers(len(sides)))]
        self._near = side
        others = [self.stage.now[other] for other in sides if other != side]
        if others and self.rng.random() > PARALLEL:
            self.stage.wait_until(side, max(others) + int(self.rng.integers(-12, 8)))
        return side

    def _number(self, *kinds: Kind) -> int:
        """Draw a thing of one of some kinds."""
        numbers = [number for number, thing in enumerate(self.stage.things) if not kinds or thing.kind in kinds]
        if not numbers:
            raise RefusedError("no such thing")
        sign = 1 if self._near == "right" else -1  # what lies far across is reached for rarely
        likely = np.array(
            [1 / (1 + np.exp(-sign * self.stage.courses[number].origin[-1, 0] / 5)) for number in numbers]
        )
        return int(self.rng.choice(numbers, p=likely / likely.sum()))

    def _frames(self, least: int, most: int) -> int:
        return int(self.rng.integers(least, most + 1))

    def _yaw(self, side: Side, place: Points, spread: float = 7.0) -> float:
        return arm_yaw(side, place) + float(self.rng.normal(0, spread))

    def _pose_now(self, side: Side, number: int) -> Pose:
        return self.stage.courses[number].at(self.stage.now[side])

    def _target(self, side: Side, number: int) -> Pose:
        """Draw where a thing is put down, and how it is turned then."""
        now, thing = self.stage.now[side], self.stage.things[number]
        others = [
            (course.origin[now], other.reach)
            for k, (course, other) in enumerate(zip(self.stage.courses, self.stage.things, strict=True))
            if k != number
        ]
        place = self._free_place(thing, others)
        start = self.stage.courses[number].at(now)
        if np.linalg.norm(place - start.origin) < 7:
            raise RefusedError("no way to speak of")
        turn = arm_yaw(side, place) - arm_yaw(side, start.origin) + self.rng.normal(0, 6)
        return Pose(facing(turn) @ start.rotation, place)

    def _grip(self, side: Side, number: int) -> Grip:
        """Draw a grasp that the thing allows."""
        thing, pose = self.stage.things[number], self._pose_now(side, number)
        yaw = self._yaw(side, pose.origin)
        if not thing.is_angular and (thing.height > 11.5 or self.rng.random() < 0.45):
            low = min(4.6, thing.height / 2)
            return side_grip(thing, pose, side, yaw, float(self.rng.uniform(low, max(low, thing.height * 0.5))))
        along = 0.0
        if thing.kind in ("box", "book"):
            sign = 1 if side == "right" else -1
            along = sign * float(self.rng.uniform(0.0, 0.55)) * thing.half_size[0]
        return top_grip(thing, pose, side, yaw, along)

    # -- parts of events

    def _take(self, side: Side, number: int, grip: Grip, pace: float = 1.0) -> tuple[int, int]:
        """Reach for a thing and close the hand; return the first frames of contact and of hold."""
        stage = self.stage
        stage.reach(side, grip.pose, grip.open, grip.away, pace)
        contact = stage.now[side]
        stage.close(side, grip.closed, self._frames(4, 7))
        hold = stage.now[side]
        stage.stay(side, self._frames(*SETTLE))
        return contact, hold

    def _let_go(self, side: Side, number: int, grip: Grip, began: tuple[int, int]) -> None:
        """Open the hand; note contact and hold."""
        stage = self.stage
        stage.stay(side, self._frames(*SETTLE))
        stage.relate("hold", side, number, began[1], stage.now[side])
        stage.close(side, grip.open, self._frames(3, 6))
        stage.relate("contact", side, number, began[0], stage.now[side])

    def _leave(self, side: Side, away: Points) -> None:
        """Withdraw: home, or to rest on the table in sight."""
        rng = self.rng
        if rng.random() < 0.65:
            yaw = 20 if side == "right" else -20
            self.stage.reach(side, Pose(facing(yaw), HOME[side]), LOOSE, away)
        else:
            sign = 1 if side == "right" else -1
            place = np.array([sign * rng.uniform(10, 20), rng.uniform(-26, -20), rng.uniform(6, 9)])
            self.stage.reach(side, Pose(facing(self._yaw(side, place)), place), LOOSE, away)

    def _lifted(self, pose: Pose, height: float) -> Pose:
        return Pose(pose.rotation, pose.origin + np.array([0, 0, height]))

    def _arch(self) -> Points:
        return np.array([0, 0, self.rng.uniform(5, 12)])

    def _way_back(self, side: Side, number: int, grip: Grip) -> Points:
        """Return how the hand swings out as it leaves: backwards along the way it came, turned with the thing."""
        return self.stage.hand_at(side).rotation @ (grip.pose.rotation.T @ grip.away)

    # -- events

    def pick_and_place(self) -> None:
        """Lift, carry, put down."""
        side, number = self._side(), self._number()
        grip = self._grip(side, number)
        began = self._take(side, number, grip)
        self.stage.carry(side, number, self._target(side, number), self._arch(), float(self.rng.uniform(0.6, 1.1)))
        self._end(side, number, grip, began)

    def carry_with_pauses(self) -> None:
        """Carry by way of some places in the air, with pauses or slowly."""
        side, number = self._side(), self._number()
        grip = self._grip(side, number)
        began = self._take(side, number, grip)
        target = self._target(side, number)
        is_slow = self.rng.random() < 0.4
        start = self._pose_now(side, number)
        middle = 0.5 * (start.origin + target.origin) + [*self.rng.uniform(-5, 5, 2), 0]
        for share in (0.3, 0.8):
            place = (1 - share) * start.origin + share * middle
            stop = Pose(start.rotation, place * [1, 1, 0] + [0, 0, self.rng.uniform(5, 9)])
            self.stage.carry(side, number, stop, pace=0.3 if is_slow else 0.9)
            self.stage.stay(side, 0 if is_slow else self._frames(15, 30))
        self.stage.carry(side, number, target, np.array([0, 0, 2.0]), 0.8)
        self._end(side, number, grip, began)

    def tilt(self) -> None:
        """Lift, tilt or turn in place, put down where it stood."""
        side, number = self._side(), self._number()
        grip = self._grip(side, number)
        start = self._pose_now(side, number)
        began = self._take(side, number, grip)
        up = self._lifted(start, float(self.rng.uniform(7, 10)))
        self.stage.carry(side, number, up, pace=0.8)
        middle = np.array([0, 0, self.stage.things[number].height / 2])
        for _ in range(self._frames(1, 2)):
            axis = ahead_of(self._yaw(side, start.origin)) if self.rng.random() < 0.7 else np.array([0, 0, 1.0])
            angle = np.radians(self.rng.uniform(20, 45)) * self.rng.choice([-1, 1])
            turn = Rotation.from_rotvec(angle * axis).as_matrix()
            tilted = Pose(turn @ up.rotation, up.origin + up.rotation @ middle - turn @ up.rotation @ middle)
            self.stage.carry(side, number, tilted, pace=0.7)
            self.stage.stay(side, self._frames(3, 15))
            self.stage.carry(side, number, up, pace=0.7)
        self.stage.carry(side, number, start, pace=0.8)
        self._end(side, number, grip, began)

    def carry_out(self) -> None:
        """Carry a thing out of the picture and back."""
        side, number = self._side(), self._number("mug", "can", "block", "book", "box")
        grip = self._grip(side, number)
        began = self._take(side, number, grip)
        target = self._target(side, number)
        sign = 1 if side == "right" else -1
        away = Pose(target.rotation, np.array([sign * self.rng.uniform(18, 30), self.rng.uniform(-42, -34), 9.0]))
        self.stage.carry(side, number, away, np.array([0, 0, 4.0]), 1.2)
        self.stage.stay(side, self._frames(8, 25))
        self.stage.carry(side, number, target, np.array([0, 0, 6.0]), 1.2)
        self._end(side, number, grip, began)

    def hand_over(self) -> None:
        """One hand gives a thing to the other; for some frames both hold it."""
        stage = self.stage
        if len(stage.now) < 2:
            raise RefusedError("one hand")
        self._near = "left" if self.rng.random() < 0.5 else "right"
        number = self._number("box", "book")
        thing, start = stage.things[number], self._pose_now("left", number)
        giver: Side = "left" if start.origin[0] < 0 else "right"
        taker: Side = "right" if giver == "left" else "left"
        sign = 1 if giver == "right" else -1
        stage.wait_until(giver, stage.now[taker] + self._frames(-10, 5))
        reach = thing.half_size[0] * float(self.rng.uniform(0.75, 0.9))
        grip = top_grip(thing, start, giver, self._yaw(giver, start.origin, 3), sign * reach).with_thumb_in()
        began = self._take(giver, number, grip)
        place = np.array([self.rng.uniform(-4, 4), self.rng.uniform(-2, 9), self.rng.uniform(8, 14)])
        stage.carry(giver, number, Pose(facing(self.rng.uniform(-8, 8)), place), np.array([0, 0, 3.0]))
        pose = self._pose_now(giver, number)
        other = top_grip(thing, pose, taker, self._yaw(taker, place, 3), -sign * reach).with_thumb_in()
        stage.wait_until(taker, stage.now[giver] - self._frames(0, 12))
        taken = self._take(taker, number, other)
        stage.wait_until(giver, taken[1] + self._frames(4, 9))
        stage.relate("hold", giver, number, began[1], stage.now[giver])
        stage.close(giver, grip.open, self._frames(3, 5))
        stage.relate("contact", giver, number, began[0], stage.now[giver])
        self._leave(giver, self._way_back(giver, number, grip))
        stage.wait_until(taker, stage.now[giver] - self._frames(0, 12))
        stage.carry(taker, number, self._target(taker, number), np.array([0, 0, 4.0]), 0.9)
        self._end(taker, number, other, taken)

    def push(self) -> None:
        """Slide a thing with the open hand at its side."""
        side, number = self._side(), self._number("mug", "can", "box", "book")
        stage, pose = self.stage, self._pose_now(side, number)
        thing = stage.things[number]
        turn = float(np.degrees(np.arctan2(pose.rotation[1, 0], pose.rotation[0, 0])))
        yaw = turn if thing.is_angular else self._yaw(side, pose.origin)
        if abs(yaw - arm_yaw(side, pose.origin)) > 35:
            raise RefusedError("too far round")
        grip = beside(thing, pose, side, yaw)
        stage.reach(side, grip.pose, grip.open, grip.away)
        contact = stage.now[side]
        stage.stay(side, self._frames(0, 4))
        first = stage.now[side] + 1
        way = -grip.pose.rotation[:, 2] * [1, 1, 0]
        end = Pose(pose.rotation, pose.origin + self.rng.uniform(6, 14) * way / np.linalg.norm(way))
        stage.carry(side, number, end, pace=float(self.rng.uniform(0.5, 0.9)))
        stage.relate("push", side, number, first, stage.now[side])
        stage.stay(side, self._frames(1, 8))
        stage.relate("contact", side, number, contact, stage.now[side])
        self._leave(side, grip.away)

    def touch(self) -> None:
        """Rest on a thing, or against its side, without moving it."""
        side, number = self._side(), self._number("mug", "can", "box", "book", "block")
        stage, pose = self.stage, self._pose_now(side, number)
        thing = stage.things[number]
        yaw = self._yaw(side, pose.origin)
        grip = (beside if self.rng.random() < 0.4 else upon)(thing, pose, side, yaw)
        stage.reach(side, grip.pose, grip.closed, grip.away)
        contact = stage.now[side]
        stage.stay(side, self._frames(28, 60))
        stage.relate("contact", side, number, contact, stage.now[side])
        self._leave(side, grip.away)

    def hover(self) -> None:
        """Pass above a thing without touching it."""
        side, number = self._side(), self._number()
        stage, pose = self.stage, self._pose_now(side, number)
        yaw = self._yaw(side, pose.origin)
        grip = upon(stage.things[number], pose, side, yaw, float(self.rng.uniform(2.5, 7)))
        stage.reach(side, grip.pose, grip.closed, np.array([0, 0, 6.0]), 0.8)
        stage.stay(side, self._frames(0, 15))
        shift = np.array([*self.rng.uniform(-5, 5, 2), self.rng.uniform(-1, 3)])
        stage.reach(side, Pose(grip.pose.rotation, grip.pose.origin + shift), LOOSE, pace=0.5)
        self._leave(side, np.array([0, 0, 5.0]))

    def gesture(self) -> None:
        """Wave beside a thing."""
        side, number = self._side(), self._number()
        stage, pose = self.stage, self._pose_now(side, number)
        grip = beside(stage.things[number], pose, side, self._yaw(side, pose.origin))
        out = grip.pose.rotation[:, 2]
        place = grip.pose.origin + self.rng.uniform(4, 8) * out + [0, -3, self.rng.uniform(1, 5)]
        roll = float(self.rng.uniform(0, 50)) * (1 if side == "right" else -1)
        yaw = self._yaw(side, place)
        stage.reach(side, Pose(facing(yaw, 0, roll), place), WIDE, np.array([0, -4.0, 6.0]))
        for sign in (1, -1, 1, -1)[: self._frames(2, 4)]:
            shift = np.array([*self.rng.uniform(-1.5, 1.5, 2), self.rng.uniform(-0.5, 1.5)])
            bend = (FIST, WIDE, FLAT)[self._frames(0, 2)]
            turned = facing(yaw + sign * float(self.rng.uniform(5, 15)), 6 * sign, roll)
            stage.reach(side, Pose(turned, place + shift), bend)
        self._leave(side, np.array([0, -4.0, 5.0]))

    def close_pass(self) -> None:
        """Both hands pass each other closely."""
        stage = self.stage
        if len(stage.now) < 2:
            raise RefusedError("one hand")
        first: Side = "left" if self.rng.random() < 0.5 else "right"
        second: Side = "right" if first == "left" else "left"
        sign = 1 if first == "right" else -1
        start = max(stage.now.values())
        stage.wait_until(first, start)
        stage.wait_until(second, start + self._frames(0, 12))
        centre = np.array([self.rng.uniform(-6, 6), self.rng.uniform(-26, -10), self.rng.uniform(12, 20)])
        apart = np.array([sign * self.rng.uniform(6.5, 10.5), 0, 0])
        began = stage.now[first]
        if began > self.frames - LATEST:
            raise RefusedError("too late")
        for side, place in ((first, centre + apart), (second, centre - apart + [0, self.rng.uniform(-5, 5), 0])):
            stage.reach(side, Pose(facing(self._yaw(side, place)), place), LOOSE, np.array([0, 0, 3.0]))
            stage.stay(side, self._frames(0, 12))
            self._leave(side, np.array([0, 0, 4.0]))
        if stage.hands_gap(slice(began, min(max(stage.now.values()), self.frames))).min(initial=99) > 5:
            raise RefusedError("not close")

    def withdraw(self) -> None:
        """Reach for a thing, stop short of it, and withdraw."""
        side, number = self._side(), self._number()
        grip = self._grip(side, number)
        short = Pose(grip.pose.rotation, grip.pose.origin + 0.55 * grip.away)
        self.stage.reach(side, short, grip.open, 0.4 * grip.away)
        self.stage.stay(side, self._frames(2, 15))
        self._leave(side, 0.5 * grip.away)

    def _end(self, side: Side, number: int, grip: Grip, began: tuple[int, int]) -> None:
        """Let go and leave."""
        self._let_go(side, number, grip, began)
        self._leave(side, self._way_back(side, number, grip))


EVENTS: dict[str, Callable[[Director], None]] = {
    "pick_and_place": Director.pick_and_place,
    "carry_with_pauses": Director.carry_with_pauses,
    "tilt": Director.tilt,
    "carry_out": Director.carry_out,
    "hand_over": Director.hand_over,
    "push": Director.push,
    "touch": Director.touch,
    "hover": Director.hover,
    "gesture": Director.gesture,
    "close_pass": Director.close_pass,
    "withdraw": Director.withdraw,
}
_SHARES = (6, 3, 2, 2, 3, 3, 3, 2, 2, 2, 2)
WEIGHTS = np.array(_SHARES) / sum(_SHARES)
