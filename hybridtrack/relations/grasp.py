"""Whether a hand and an object move together, and since when: evidence of a grasp from the ways they went.

A grasp begins before the object moves and ends after it has come to rest. Its time is taken as the middle between the
moment at which the hand had arrived and the one at which the object set out, or between the object's rest and the
hand's parting; but not far from the motion, since a hand may rest on a thing for long before and after.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hybridtrack.relations.motion import Memory, translation
from hybridtrack.types import Array

_MOVED = 0.07  #: hand widths that hand and object have to have gone for certain
_ALIKE = 0.4  #: share of the way by which theirs may differ
_SPLIT = 0.3  #: hand widths by which they have to have moved apart
_SPLIT_S = 0.5  #: ... within this time
_REST_S = 0.15  #: time over which a hand's speed at an object is measured
_STIRRED = 0.03  #: hand widths that tell motion from rest when its beginning or end is looked for
_ARRIVED = 0.12  #: ... and that a hand goes at most once it has arrived
_GRASP_S = 0.2  #: the longest time from a grasp to the object's motion, at either end


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ways:
    """How far P hands and their objects have gone since T moments, the present one last: in hand widths, for certain.

    time_s: (T,). hand, object: (T, P, 2). known: bool (T, P), both were there. confirmed: bool (T, P), a detector saw
    the object at that moment and sees it now.
    """

    time_s: Array
    hand: Array
    object: Array
    known: Array
    confirmed: Array

    @classmethod
    def of(cls, memory: Memory, hands: Array, objects: Array, width_px: Array) -> Ways:
        """Return the ways of pairs: columns ``hands`` (P,) and ``objects`` (P,) of the memory; widths (P,), px."""
        boxes, detected = memory.xyxy, memory.detected[:, objects]
        hand, thing = boxes[:, hands], boxes[:, objects]
        return cls(
            time_s=memory.time_s,
            hand=translation(hand, hand[-1]) / width_px[:, None],
            object=translation(thing, thing[-1]) / width_px[:, None],
            known=~np.isnan(hand[:, :, 0] + thing[:, :, 0]),
            confirmed=detected & detected[-1],
        )

    def together(self) -> tuple[Array, Array]:
        """Return which pairs (P,) have moved as one since some moment; and which did so with a detector's word."""
        far = np.linalg.norm(self.object, axis=2)
        hand = np.linalg.norm(self.hand, axis=2)
        off = np.linalg.norm(self.hand - self.object, axis=2)
        alike = self.known & (far >= _MOVED) & (hand >= _MOVED / 2) & (off <= _ALIKE * np.maximum(far, hand))
        return alike.any(axis=0), (alike & self.confirmed).any(axis=0)

    def apart(self, since_s: Array) -> Array:
        """Return which pairs (P,) have moved apart in the last moments, of those after ``since_s`` (P,)."""
        recent = self.time_s[:, None] >= np.maximum(self.time_s[-1] - _SPLIT_S, since_s)
        off = np.linalg.norm(self.hand - self.object, axis=2)
        split: Array = (self.known & recent & (off >= _SPLIT)).any(axis=0)
        return split

    def slip_per_s(self) -> Array:
        """Return how fast the hands (P,) go about their objects, hand widths a second; infinite while it is unknown."""
        row = int(np.searchsorted(self.time_s, self.time_s[-1] - _REST_S))
        ago_s = self.time_s[-1] - self.time_s[row]
        if ago_s <= 0:
            return np.full(self.hand.shape[1], np.inf)
        slip: Array = np.linalg.norm((self.hand - self.object)[row], axis=1) / ago_s
        return np.where(self.known[row], slip, np.inf)

    def grasp_s(self, pair: int) -> float:
        """Return when the hand grasped the object, which has moved with it by now."""
        known = np.flatnonzero(self.known[:, pair])
        thing, hand = self.object[known, pair], self.hand[known, pair]
        far = np.linalg.norm(thing, axis=1)
        out = int(np.flatnonzero(far >= far.max() - _STIRRED)[-1])  # the last moment at which it was where it had been
        slip = np.linalg.norm((hand - hand[out]) - (thing - thing[out]), axis=1)[: out + 1]
        before = np.flatnonzero(slip > _ARRIVED)
        arrived = before[-1] if len(before) else 0
        times = self.time_s[known]
        return float(times[out] - min(_GRASP_S, (times[out] - times[arrived]) / 2))

    def arrived_s(self, pair: int) -> float:
        """Return since when the hand has not moved about the object."""
        slip = np.linalg.norm((self.hand - self.object)[:, pair], axis=1)
        before = np.flatnonzero(self.known[:, pair] & (slip > _ARRIVED))
        return float(self.time_s[before[-1] if len(before) else 0])

    def parting_s(self, pair: int, since_s: float) -> float:
        """Return when, after ``since_s``, the hand began to part from the object, which it has left by now."""
        known = np.flatnonzero(self.known[:, pair] & (self.time_s >= since_s))
        slip = np.linalg.norm((self.hand - self.object)[known, pair], axis=1)
        times = self.time_s[known]
        return float(times[np.flatnonzero(slip >= slip.max() - _STIRRED)[-1]])

    def release_s(self, pair: int, since_s: float) -> float:
        """Return when, after ``since_s``, the hand let go of the object, from which it has parted by now."""
        parting_s = self.parting_s(pair, since_s)
        until = np.flatnonzero(self.known[:, pair] & (self.time_s >= since_s) & (self.time_s <= parting_s))
        thing = self.object[until, pair]
        moving = np.flatnonzero(np.linalg.norm(thing - thing[-1], axis=1) > _STIRRED)
        rest_s = self.time_s[until[moving[-1] if len(moving) else 0]]
        return float(parting_s - min(_GRASP_S, (parting_s - rest_s) / 2))

    def direction(self, pair: int) -> Array:
        """Return the unit vector (2,) of the object's way since it was farthest from here."""
        thing = self.object[:, pair]
        far = np.linalg.norm(thing, axis=1)
        way: Array = thing[far.argmax()] / max(far.max(), 1e-9)
        return way
