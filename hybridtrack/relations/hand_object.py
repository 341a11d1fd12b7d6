"""Hands and objects: near, overlapping, holding; and the events between them.

What is known of a hand and an object is two boxes, and how they move over the table. That is graded evidence, not
contact: a hand can hover over what it covers. A pair *holds* once both have moved together, farther than boxes shake,
and until they move apart. All motion is measured against the table (``Scene.camera``) in the hand's own width, so that
nothing depends on the size of the picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias

import numpy as np

from hybridtrack import boxes
from hybridtrack.errors import UsageError
from hybridtrack.relations import geometry
from hybridtrack.relations.grasp import GRASP_S, Ways
from hybridtrack.relations.motion import Memory, to_reference
from hybridtrack.types import Array, Event, Relations, Scene, TrackState

State: TypeAlias = Literal["near", "overlapping", "holding"]
Key: TypeAlias = tuple[int, int]  #: track ids of a hand and an object

_FAR = 1.25  #: times the distance up to which pairs matter, beyond which they do not any more
_PARTED = 0.1  #: gap in hand widths at which boxes that overlapped do so no more
_NEW_SHARE = 0.1  #: of the present box in a hand's width: boxes of hands breathe
_MEMORY_S = 1.5  #: how far back motion is looked at
_SURE_S = 0.06  #: for which they must move together when a detector sees the object: one look alone may err
_SUSPICION_S = 0.2  #: for which boxes must move together while no detector sees the object
_MAX_COVERAGE = 0.8  #: share of the object under the hand beyond which its pixels are the hand's
_GONE_S = 1.0  #: for which a held object or its hand may be missing
_HAND_OVER_S = 0.7  #: within which a receiver must move with an object after the giver has let go
_APPROACH = 0.5  #: hand widths a second at which a hand that comes near approaches
_TOUCH_S = 0.15  #: for which a hand must rest over an object to touch it
_TOUCH_SLIP = 0.6  #: hand widths a second up to which it rests
_PUSH_BEHIND = 0.7  #: cosine of the object's way and the direction from the hand: the hand is behind it
_PUSH_COVERAGE = 0.2  #: share of the object under the hand, up to which it is not in its grasp


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How much evidence is enough. All lengths in hand widths. Raises UsageError when one is not above 0."""

    near: float = 1.0  #: gap between the boxes up to which a pair matters
    moved: float = 0.07  #: that hand and object must move together to be one
    split: float = 0.3  #: that they must move apart to be one no more

    def __post_init__(self) -> None:
        for rule in fields(self):
            value = getattr(self, rule.name)
            if not 0 < value < np.inf:
                raise UsageError(f"relation 'hand_object': {rule.name}={value:g} is no length: use a number above 0")


@dataclass(slots=True)
class _Pair:
    """What is remembered of a hand and an object that are near."""

    state: State = "near"
    distance: float = 0.0
    seen_s: float = 0.0
    together_s: float | None = None  #: since when they have moved together
    resting_s: float | None = None  #: since when the hand has been resting over the object
    since_s: float = -np.inf  #: what was before this has been decided on
    is_approaching: bool = False
    is_touching: bool = False
    is_pushing: bool = False


@dataclass(slots=True)
class _Release:
    """A hand seems to have let go of an object: it will part from it, or move with it again, or another takes it."""

    giver: int
    release_s: float
    parting_s: float
    decided_s: float
    is_parted: bool
    receiver: int | None = None  #: the hand that was at the object when the giver left


class HandObject:
    """Relates the hands of a scene to its objects."""

    def __init__(self, rules: Rules | None = None) -> None:
        self._rules = rules or Rules()
        self.reset()

    def reset(self) -> None:
        """Forget the past: a new source begins."""
        self._memory = Memory(_MEMORY_S)
        self._pairs: dict[Key, _Pair] = {}
        self._releases: dict[int, _Release] = {}
        self._width_px: dict[int, float] = {}

    def step(self, scene: Scene) -> tuple[Relations, Sequence[Event]]:
        """Return the pairs that are near, hand by hand, and what has been found to have happened."""
        tracks = scene.tracks
        roles = [scene.classes[class_id].role for class_id in tracks.class_id.tolist()]
        is_confirmed = (tracks.state == TrackState.CONFIRMED).tolist()
        hands = np.array([row for row, role in enumerate(roles) if role == "hand" and is_confirmed[row]], np.intp)
        objects = np.array([row for row, role in enumerate(roles) if role == "object"], np.intp)
        both = np.concatenate([hands, objects])
        xyxy = tracks.xyxy.astype(np.float64)
        self._memory.add(
            scene.time_s, tracks.track_id[both], to_reference(xyxy[both], scene.camera), tracks.origin[both]
        )
        hand_ids, object_ids = tracks.track_id[hands].tolist(), tracks.track_id[objects].tolist()
        hands_xyxy, objects_xyxy = xyxy[hands], xyxy[objects]
        width_px = self._hand_widths(hand_ids, geometry.hand_width(hands_xyxy))
        if not (object_ids or self._pairs or self._releases):
            return Relations.empty(), []
        distance = boxes.gap(hands_xyxy, objects_xyxy) / width_px[:, None]
        i, j = np.nonzero(self._is_near(distance, hand_ids, object_ids))
        overlap, coverage = geometry.overlap(hands_xyxy[i], objects_xyxy[j])
        offset = geometry.offset(hands_xyxy[i], objects_xyxy[j]) / width_px[i, None]
        keys = [(hand_ids[a], object_ids[b]) for a, b in zip(i.tolist(), j.tolist(), strict=True)]
        closing, events = self._meet(keys, distance[i, j].tolist(), scene.time_s)
        close = np.array([n for n, key in enumerate(keys) if self._pairs[key].state != "near"], np.intp)
        if len(close):
            ways = Ways.of(self._memory, i[close], len(hands) + j[close], width_px[i[close]])
            events += self._handle([keys[n] for n in close.tolist()], ways, coverage[close], offset[close])
        events += self._forget(set(hand_ids), set(object_ids), scene.time_s)
        events += self._settle(scene.time_s)
        relations = Relations(
            subject=tracks.track_id[hands[i]],
            object=tracks.track_id[objects[j]],
            state=tuple(self._pairs[key].state for key in keys),
            distance=distance[i, j],
            overlap=overlap,
            coverage=coverage,
            offset=offset,
            closing=closing,
        )
        return relations, events

    def _hand_widths(self, hand_ids: list[int], width_px: Array) -> Array:
        """Return the hands' widths (N,), px, smoothed."""
        known = self._width_px
        self._width_px = {
            one: px + (1 - _NEW_SHARE) * (known.get(one, px) - px)
            for one, px in zip(hand_ids, width_px.tolist(), strict=True)
        }
        return np.array(list(self._width_px.values()))

    def _is_near(self, distance: Array, hand_ids: list[int], object_ids: list[int]) -> Array:
        """Return which pairs (N, M) matter: the near ones, and those that have been and are not far yet."""
        is_near: Array = distance <= self._rules.near
        row = {one: n for n, one in enumerate(hand_ids)}
        column = {one: n for n, one in enumerate(object_ids)}
        for hand, thing in self._pairs:
            if hand in row and thing in column:
                place = row[hand], column[thing]
                is_near[place] |= distance[place] <= _FAR * self._rules.near
        return is_near

    def _meet(self, keys: list[Key], distance: list[float], time_s: float) -> tuple[Array, list[Event]]:
        """Bring the pairs' distances up to date; return how fast each closes (N,), and which hands approach."""
        closing, events = np.zeros(len(keys)), []
        pairs: dict[Key, _Pair] = {}
        for n, (key, gap) in enumerate(zip(keys, distance, strict=True)):
            pair = self._pairs.get(key)
            if pair is None:
                pair = pairs[key] = _Pair()
            elif time_s > pair.seen_s:
                closing[n] = (pair.distance - gap) / (time_s - pair.seen_s)
                if pair.state == "near" and closing[n] >= _APPROACH and not pair.is_approaching:
                    pair.is_approaching = True
                    events.append(Event(kind="approach", time_s=time_s, subject=key[0], object=key[1]))
            if pair.state == "near" and gap == 0:
                pair.state = "overlapping"
            elif pair.state == "overlapping" and gap > _PARTED:
                pair.state, pair.is_pushing = "near", False
                release = self._releases.get(key[1])
                if release is not None and release.giver == key[0]:
                    release.is_parted = True
                events += self._end_touch(key, time_s)
            pair.distance, pair.seen_s = gap, time_s
        self._pairs.update(pairs)
        return closing, events

    def _handle(self, keys: list[Key], ways: Ways, coverage: Array, offset: Array) -> list[Event]:
        """Return what happens between hands and objects that overlap; row p of the arrays is pair p."""
        events: list[Event] = []
        slip = ways.slip_per_s()
        ways = ways.since(np.array([self._pairs[key].since_s for key in keys]))
        together, confirmed = ways.together(self._rules.moved)
        together &= confirmed | (coverage <= _MAX_COVERAGE)
        apart, loosened = ways.apart(self._rules.split), ways.loosened()
        now_s = float(ways.time_s[-1])
        for p, key in enumerate(keys):
            pair = self._pairs[key]
            is_leaving = bool(loosened[p]) and _TOUCH_SLIP < slip[p] < np.inf
            is_parted = bool(apart[p]) or is_leaving or pair.distance > _PARTED
            release = self._releases.get(key[1])
            if pair.state == "holding":
                if release is not None and confirmed[p]:
                    events += self._receive(key, release)
                elif is_parted or loosened[p]:
                    events += self._let_go(key, ways, p, is_parted=is_parted)
                continue
            if release is not None and release.giver == key[0] and is_parted and not release.is_parted:
                release.is_parted, release.parting_s = True, ways.parting_s(p, self._rules.split)
                events += self._end_touch(key, release.parting_s)
            elif release is not None and self._may_receive(key, release):
                release.receiver = key[0]
                pair.state, pair.since_s = "holding", now_s
                continue
            if is_parted:
                pair.is_pushing = False
            elif self._are_one(pair, ways, p, bool(together[p]), bool(confirmed[p])) and not pair.is_pushing:
                way = offset[p] / max(float(np.hypot(*offset[p])), 1e-9)
                if coverage[p] <= _PUSH_COVERAGE and float(way @ ways.direction(p)) >= _PUSH_BEHIND:
                    pair.is_pushing = True
                    events.append(Event(kind="push", time_s=ways.grasp_s(p), subject=key[0], object=key[1]))
                else:
                    events += self._take(key, ways, p)
            if pair.state == "overlapping":
                events += self._touch(key, float(slip[p]), now_s)
        return events

    def _are_one(self, pair: _Pair, ways: Ways, p: int, together: bool, confirmed: bool) -> bool:
        """Return whether they move together beyond doubt: by two looks of a detector, or for long without one."""
        now_s = float(ways.time_s[-1])
        if not together:
            pair.together_s = None
            return False
        if pair.together_s is None:
            pair.together_s = now_s
        since_s = min(pair.together_s, ways.looked_s(p)) if confirmed else pair.together_s
        return now_s - since_s >= (_SURE_S if confirmed else _SUSPICION_S)

    def _may_receive(self, key: Key, release: _Release) -> bool:
        """Return whether a hand rests over an object that another one has left."""
        is_there = release.giver != key[0] and release.is_parted and self._pairs[key].is_touching
        return is_there and not self._is_taken(*key)

    def _is_taken(self, hand: int, thing: int) -> bool:
        """Return whether a hand holds something already, or something is held."""
        return any(one.state == "holding" and (h == hand or o == thing) for (h, o), one in self._pairs.items())

    def _take(self, key: Key, ways: Ways, p: int) -> list[Event]:
        """The hand has moved with the object: it holds it, unless one of them is taken already."""
        hand, thing = key
        if self._is_taken(hand, thing):
            return []
        pair = self._pairs[key]
        pair.state, pair.since_s = "holding", float(ways.time_s[-1])
        release = self._releases.get(thing)
        if release is None:
            grasp_s = ways.grasp_s(p)
            return [
                *self._begin_touch(key, grasp_s),
                Event(kind="pick_up", time_s=grasp_s, subject=hand, object=thing),
            ]
        if release.giver == hand:  # it had not let go
            del self._releases[thing]
            return []
        return self._receive(key, release)

    def _receive(self, key: Key, release: _Release) -> list[Event]:
        """The object has moved with the hand that was at it when another one let go of it: for a while both held it."""
        hand, thing = key
        del self._releases[thing]
        pair, giver, time_s = self._pairs[key], release.giver, release.release_s
        if pair.resting_s is not None and pair.resting_s < time_s:
            grasp_s = pair.resting_s + min((time_s - pair.resting_s) / 2, GRASP_S)
            time_s = (grasp_s + time_s) / 2
        return [
            *self._begin_touch(key, time_s),
            Event(kind="hand_over", time_s=time_s, subject=hand, object=thing, from_id=giver, to_id=hand),
        ]

    def _let_go(self, key: Key, ways: Ways, p: int, *, is_parted: bool) -> list[Event]:
        """The hand has parted from the object, or opens at it: ``_settle`` decides what becomes of it."""
        hand, thing = key
        pair = self._pairs[key]
        pair.state = "overlapping" if pair.distance <= _PARTED else "near"
        pair.together_s = None
        pair.since_s = now_s = float(ways.time_s[-1])
        release = self._releases.get(thing)
        if release is not None:  # what it was given it has never moved
            release.receiver = None
            release.decided_s = -np.inf
            return []
        parting_s = ways.parting_s(p, self._rules.split) if is_parted else now_s
        self._releases[thing] = _Release(hand, ways.release_s(p), parting_s, now_s, is_parted)
        return self._end_touch(key, parting_s) if is_parted else []

    def _settle(self, now_s: float) -> list[Event]:
        """Decide on objects that hands have let go of, where no other hand is there that may take them."""
        events: list[Event] = []
        for thing, release in list(self._releases.items()):
            is_late = now_s - release.decided_s > _HAND_OVER_S
            if release.receiver is not None:
                continue
            if release.is_parted and (is_late or not self._is_touched(thing, release.giver)):
                events.append(Event(kind="put_down", time_s=release.release_s, subject=release.giver, object=thing))
                del self._releases[thing]
            elif is_late:  # it is still there, and no one else: it did not open after all
                pair = self._pairs[release.giver, thing]
                pair.state, pair.since_s = "holding", now_s
                del self._releases[thing]
        return events

    def _is_touched(self, thing: int, but: int) -> bool:
        """Return whether another hand is at an object."""
        return any(o == thing and h != but and one.state != "near" for (h, o), one in self._pairs.items())

    def _touch(self, key: Key, slip: float, now_s: float) -> list[Event]:
        """A hand that rests over an object touches it."""
        pair = self._pairs[key]
        if np.isinf(slip):  # unknown: as before
            return []
        if slip > _TOUCH_SLIP:
            pair.resting_s = None
        elif pair.resting_s is None:
            pair.resting_s = now_s
        elif now_s - pair.resting_s >= _TOUCH_S:
            return self._begin_touch(key, pair.resting_s)
        return []

    def _begin_touch(self, key: Key, time_s: float) -> list[Event]:
        pair = self._pairs[key]
        if pair.is_touching:
            return []
        pair.is_touching = True
        return [Event(kind="touch_start", time_s=time_s, subject=key[0], object=key[1])]

    def _end_touch(self, key: Key, time_s: float) -> list[Event]:
        pair = self._pairs[key]
        if not pair.is_touching:
            return []
        pair.is_touching, pair.resting_s = False, None
        return [Event(kind="touch_end", time_s=time_s, subject=key[0], object=key[1])]

    def _forget(self, hand_ids: set[int], object_ids: set[int], now_s: float) -> list[Event]:
        """Forget pairs that are far, and after a while those of which one is missing."""
        events: list[Event] = []
        for key, pair in list(self._pairs.items()):
            is_missing = key[0] not in hand_ids or key[1] not in object_ids
            if pair.seen_s == now_s or (is_missing and now_s - pair.seen_s <= _GONE_S):
                continue
            release = self._releases.get(key[1])
            if release is not None and release.giver == key[0]:
                release.is_parted = True
            elif release is not None and release.receiver == key[0]:
                release.receiver = None
            elif pair.state == "holding":
                events.append(Event(kind="put_down", time_s=pair.seen_s, subject=key[0], object=key[1]))
            events += self._end_touch(key, pair.seen_s)
            del self._pairs[key]
        return events


def create_hand_object(options: Mapping[str, Any]) -> HandObject:
    """Return the relation of hands to objects."""
    return HandObject(Rules(**options))
