"""Whether a hand and an object move together, and since when: evidence of a grasp from the ways they went.

A grasp begins before the object moves and ends after it has come to rest. Its time is taken as the middle between the
moment at which the hand had arrived and the one at which the object set out, or between the object's rest and the
hand's parting. A hand that lingers longer is taken to close just before the object moves, and to open just before it
leaves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hybridtrack.relations.motion import Memory, translation
from hybridtrack.types import Array, Origin

_ALIKE = 0.4  #: share of the way by which theirs may differ
_SPLIT_MOVING = 2.5  #: times as far they have to have moved apart while the object moves too
_RESTS = 0.05  #: hand widths up to which an object has not moved
_SPLIT_S = 0.5  #: ... within this time
_OPENED = 0.15  #: hand widths that a side of a hand's box moves when it opens
_REST_S = 0.15  #: time over which a hand's speed at an object is measured
_STILL_S = 0.25  #: for which something that is at rest does not move
_STEP_S = 0.1  #: time in which something that moves goes farther than it shakes
_STIRRED = 0.03  #: hand widths that tell motion from rest when its beginning or end is looked for
_ARRIVED = 0.12  #: ... and that a hand goes at most once it has arrived
GRASP_S = 0.2  #: the longest time from a grasp to the object's motion, at either end
_LINGER_S = 0.6  #: a hand that stays longer than this lingers
_AT_ONCE_S = 0.1  #: from the grasp of a hand that has lingered to the motion


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ways:
    """How far P hands and their objects have gone since T moments, the present one last, in hand widths.

    time_s: (T,). hand_sides, object_sides: (T, P, 4), the four sides of the boxes. hand, object: (T, P, 2), the boxes
    for certain. known: bool (T, P), both were there, and the object's box can be trusted: it was seen then and is seen
    now, and once a detector has seen it, what was followed before does not count. confirmed: bool (T, P), a detector
    saw the object then, and sees it now.
    """

    time_s: Array
    hand_sides: Array
    object_sides: Array
    hand: Array
    object: Array
    known: Array
    confirmed: Array

    @classmethod
    def of(cls, memory: Memory, hands: Array, objects: Array, width_px: Array) -> Ways:
        """Return the ways of pairs: columns ``hands`` (P,) and ``objects`` (P,) of the memory; widths (P,), px."""
        count = len(hands)
        boxes = memory.xyxy[:, np.concatenate([hands, objects])]
        sides = (boxes[-1] - boxes) / np.concatenate([width_px, width_px])[:, None]
        way = translation(sides)
        origin = memory.origin[:, objects]
        detected = origin == Origin.DETECTED
        is_latest = ~np.logical_or.accumulate(detected[::-1])[::-1]
        is_there = ~np.isnan(sides[:, :count, 0] + sides[:, count:, 0])
        is_seen = (origin != Origin.PREDICTED) & (origin[-1] != Origin.PREDICTED)
        return cls(
            time_s=memory.time_s,
            hand_sides=sides[:, :count],
            object_sides=sides[:, count:],
            hand=way[:, :count],
            object=way[:, count:],
            known=is_there & is_seen & (detected | is_latest),
            confirmed=detected & detected[-1],
        )

    def since(self, times_s: Array) -> Ways:
        """Return the ways since moments of which one is given for each pair (P,); what was before is not known."""
        return replace(self, known=self.known & (self.time_s[:, None] >= times_s))

    def together(self, moved: float) -> tuple[Array, Array]:
        """Return which pairs (P,) have moved as one since some moment; and which did so with a detector's word.

        moved: hand widths that the object has to have gone for certain.
        """
        far, hand, off = _length(self.object), _length(self.hand), _length(self.hand - self.object)
        alike = self.known & (far >= moved) & (hand >= moved / 2) & (off <= _ALIKE * np.maximum(far, hand))
        return _any(alike), _any(alike & self.confirmed)

    def apart(self, split: float) -> Array:
        """Return which pairs (P,) have moved apart by ``split`` hand widths in the last moments.

        What a hand leaves rests, so that is enough where the object does not move; one that turns in the hand does.
        """
        recent = slice(int(np.searchsorted(self.time_s, self.time_s[-1] - _SPLIT_S)), None)
        off = _length((self.hand - self.object)[recent])
        rests = _length(self.object[recent]) <= _RESTS
        far: Array = self.known[recent] & (off >= np.where(rests, split, _SPLIT_MOVING * split))
        return _any(far)

    def loosened(self) -> Array:
        """Return whose hands (P,) have changed their shape in the last moments, at objects that rest: they open.

        The box of an object that rests can only grow, where the hand uncovers it.
        """
        recent = slice(int(np.searchsorted(self.time_s, self.time_s[-1] - _SPLIT_S)), None)
        sides = self.object_sides[recent]
        rests = self.known[recent] & (np.maximum(sides[..., :2], -sides[..., 2:]).max(axis=2) <= _RESTS)
        opens: Array = rests & (np.abs(self.hand_sides[recent]).max(axis=2) >= _OPENED)
        return _any(opens)

    def slip_per_s(self) -> Array:
        """Return how fast the hands (P,) go about their objects, hand widths a second; infinite while it is unknown."""
        ago_s = (self.time_s[-1] - self.time_s)[:, None]
        is_old = self.known & (ago_s >= _REST_S)
        row = len(self.time_s) - 1 - is_old[::-1].argmax(axis=0)  # the last moment that is long enough ago
        pair = np.arange(self.hand.shape[1])
        slip = _length(self.hand[row, pair] - self.object[row, pair])
        known = is_old[row, pair]
        return np.where(known, slip / np.where(known, ago_s[row, 0], 1.0), np.inf)

    def looked_s(self, pair: int) -> float:
        """Return when a detector saw the object before it saw it now."""
        before = np.flatnonzero(self.confirmed[:-1, pair])
        return float(self.time_s[before[-1] if len(before) else -1])

    def grasp_s(self, pair: int) -> float:
        """Return when the hand grasped the object, which has moved with it by now."""
        times_s, hand, thing = self._known(pair)
        out = max(_beginning(_far(sides), times_s) for sides in (hand, thing))
        slip = _slip(hand[: out + 1] - hand[out], thing[: out + 1] - thing[out])
        arrived = max(np.flatnonzero(slip > _ARRIVED), default=0)
        pause_s = float(times_s[out] - times_s[arrived])
        return float(times_s[out]) - (min(pause_s / 2, GRASP_S) if pause_s <= _LINGER_S else _AT_ONCE_S)

    def parting_s(self, pair: int, split: float) -> float:
        """Return when the hand began to part from the object, from which it is ``split`` hand widths apart by now."""
        times_s, hand, thing = self._known(pair)
        slip = np.where(times_s >= times_s[-1] - _SPLIT_S, _slip(hand, thing), 0.0)
        first = int((slip >= min(split, slip.max())).argmax())
        gone = _slip(hand[first:] - hand[first], thing[first:] - thing[first]) > _STIRRED
        return float(times_s[first + max(int(gone.argmax()) - 1, 0)])

    def release_s(self, pair: int) -> float:
        """Return when the hand let go of the object, from which it has parted by now, or at which it opens."""
        times_s, hand, thing = self._known(pair)
        soon = np.minimum(np.searchsorted(times_s, times_s + _STEP_S), len(times_s) - 1)
        moving = np.maximum(_far(thing), _far(thing - thing[soon])) > _STIRRED  # since then, or just then
        rest = min(max(np.flatnonzero(moving), default=-1) + 1, len(times_s) - 1)
        first = max(rest, int(np.searchsorted(times_s, times_s[-1] - _SPLIT_S)))  # before it was not opening
        stirred = np.abs(hand[first:] - hand[first]).max(axis=1)
        is_open = stirred >= _OPENED
        last = int(is_open.argmax()) if is_open.any() else len(stirred) - 1
        opening = first + max(np.flatnonzero(stirred[: last + 1] <= _STIRRED), default=0)
        pause_s = float(times_s[opening] - times_s[rest])
        if pause_s <= _LINGER_S:
            return float(times_s[rest]) + min(pause_s / 2, GRASP_S)
        return float(times_s[opening]) - _AT_ONCE_S

    def direction(self, pair: int) -> Array:
        """Return the unit vector (2,) of the object's way since it was farthest from here."""
        _, _, thing = self._known(pair)
        far = _far(thing)
        way: Array = translation(thing)[far.argmax()] / max(far.max(), 1e-9)
        return way

    def _known(self, pair: int) -> tuple[Array, Array, Array]:
        """Return the moments (K,) at which a pair is known, and how far the sides of hand and object went, (K, 4).

        Where none is, that is the present one, since which nothing has gone.
        """
        rows = np.flatnonzero(self.known[:, pair])
        rows = rows if len(rows) else np.array([len(self.time_s) - 1])
        return self.time_s[rows], self.hand_sides[rows, pair], self.object_sides[rows, pair]


def _any(moments: Array) -> Array:
    """Return for which pairs (P,) one of the moments (T, P) is marked."""
    marked: Array = np.logical_or.reduce(moments)
    return marked


def _length(way: Array) -> Array:
    """Return the lengths of vectors (…, 2)."""
    length: Array = np.hypot(way[..., 0], way[..., 1])
    return length


def _far(sides: Array) -> Array:
    """Return how far boxes (K,) went for certain."""
    return _length(translation(sides))


def _slip(hand: Array, thing: Array) -> Array:
    """Return how far hands (K,) went about their objects for certain."""
    return _length(translation(hand) - translation(thing))


def _beginning(way: Array, times_s: Array) -> int:
    """Return the row at which a motion that has led to now began: before it, ``way`` (T,) had been the same a while.

    way: how far it is from each moment's place to the present one.
    """
    row = len(way) - 1
    while row > 0:
        before = way[np.searchsorted(times_s, times_s[row] - _STILL_S) : row]
        if way[row] >= _STIRRED and len(before) and before.max() <= way[row] + _STIRRED:
            break
        row -= 1
    return row
