"""When a detector of automatic cadence has to look: rarely while all goes well, at once when its tracks need it.

What it goes by are the tracks of the frame before and what moves beside them, so that the same pictures lead to the
same runs. All waits are seconds: they hold at any frame rate.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from hybridtrack.boxes import area, gap
from hybridtrack.budget import Budget
from hybridtrack.cadence import Cadence
from hybridtrack.drift import Drift
from hybridtrack.habituation import Habituation
from hybridtrack.types import Array, ClassInfo, Origin, Size, Tracks, TrackState

ROUNDING_S = 1e-6  #: a time this little before a due time counts as on it: times are rounded to microseconds

_SOON_S = 0.1  #: the least time between two runs
_BASE_S = 1.0  #: from run to run, while nothing happens
_DRIFT = 0.08  #: box sizes, over all tracks together, from which they have to be seen
_ENTRY_S = 0.2  #: ... of hands, while there is none, or one at the picture's edge
_CLOSE_S = 0.15  #: ... of hands, while two are near each other
_HANDLED_S = 0.3  #: ... of things while a hand that moves is near one

_NEAR = 1.0  #: hand widths between the boxes of a hand and an object up to which it may be handled
_FAR = 1.25  #: ... and beyond which the hand has left
_MOVING_PER_S = 0.5  #: speed in hand widths from which a hand that is near may be handling something
_CLOSE = 0.25  #: hand widths between two hands from which they may be taken for each other
_EDGE = 0.02  #: share of the picture's width and height from its edge at which hands come in and go out

_BAD_CONFIDENCE = 0.45  #: share of a track's score: less is left of it where pixels or missed runs speak against it
_BLIND_S = 0.2  #: time without a detection after which a track that is not even measured is bad
_PATIENCE = 3.0  #: a bad track is looked for again after this fraction of the time that it has been missing


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outlook:
    """What there is to decide by when a frame comes: the frame's number and time, and the ``tracks`` of the one before.

    classes: the run's list. size_px: (width, height) of the picture. stirs: boxes (M, 4), px, of what moves on the
    frame outside every track.
    """

    frame_index: int
    time_s: float
    tracks: Tracks
    classes: Sequence[ClassInfo]
    size_px: Size
    stirs: Array


class Attention:
    """Decides for one detector, frame by frame.

    name: of the detector; its tracks are those that it saw last. finds_hands, finds_objects: which classes it has; one
    that has both is needed for either. cadence: an automatic one, with its budget and bounds.
    """

    def __init__(self, name: str, *, finds_hands: bool, finds_objects: bool, cadence: Cadence) -> None:
        self._name = name
        self._finds_hands = finds_hands
        self._finds_objects = finds_objects or not finds_hands
        self._budget = None if cadence.budget is None else Budget(cadence.budget)
        self._min_s = _SOON_S if cadence.min_s is None else cadence.min_s
        self._max_s = math.inf if cadence.max_s is None else cadence.max_s
        self._drift = Drift()
        self._habit = Habituation()
        self.reset()

    def reset(self) -> None:
        """Begin a new source."""
        self._last_s: float | None = None
        self._near: set[tuple[int, int]] = set()
        self._news = ""
        self._drift.reset()
        self._habit.reset()
        if self._budget:
            self._budget.reset()

    def decide(self, outlook: Outlook, *, is_busy: bool = False) -> str | None:
        """Return why the detector has to look at the frame, in one word; None: it has not.

        While it ``is_busy`` with an earlier frame it does not look; what has happened meanwhile counts afterwards.
        """
        tracks, time_s = outlook.tracks, outlook.time_s
        role = np.array([outlook.classes[i].role for i in tracks.class_id.tolist()], object)
        is_own = np.array([one == self._name for one in tracks.detector], bool)
        hands = tracks[(role == "hand") & (tracks.state == TrackState.CONFIRMED)]
        own = tracks[is_own]
        drift = self._drift.step(time_s, own)
        self._notice(hands, tracks[(role == "object") & is_own])
        self._habit.step(time_s, own, outlook.size_px)
        if self._budget:
            self._budget.pass_to(outlook.frame_index, time_s)
        if is_busy:
            return None
        since_s = math.inf if self._last_s is None else time_s - self._last_s + ROUNDING_S
        trigger = self._choose(since_s, outlook, hands, own, drift)
        if trigger:
            self._last_s, self._news = time_s, ""
            self._habit.look(time_s, outlook.stirs, outlook.size_px)
            if self._budget:
                self._budget.spend()
        return trigger

    def _choose(self, since_s: float, outlook: Outlook, hands: Tracks, own: Tracks, drift: Array) -> str | None:
        """Return the strongest reason to look, if one is strong enough; ``since_s``: since the run before."""
        if self._last_s is not None and since_s >= self._max_s:
            return "age"
        if since_s < self._min_s or (self._budget and self._budget.is_empty):
            return None
        reluctance = self._budget.reluctance if self._budget else 1.0
        urges = [*self._urges(since_s, outlook, hands, own, drift), ("interval", since_s / _BASE_S)]
        trigger, urge = max(urges, key=lambda one: one[1])
        return trigger if urge >= reluctance else None

    def _notice(self, hands: Tracks, objects: Tracks) -> None:
        """Note which hands are near which of the objects, and that one has come or left; it is told at the next run."""
        distance = gap(hands.xyxy, objects.xyxy) / _width(hands)[:, None]
        near = {
            (hand, one)
            for i, hand in enumerate(hands.track_id.tolist())
            for j, one in enumerate(objects.track_id.tolist())
            if distance[i, j] <= (_FAR if (hand, one) in self._near else _NEAR)
        }
        left = {(hand, one) for hand, one in self._near - near if one in objects.track_id}
        self._news = "hand_left" if left else "hand_near" if near - self._near else self._news
        self._near = near

    def _urges(
        self, since_s: float, outlook: Outlook, hands: Tracks, own: Tracks, drift: Array
    ) -> Iterator[tuple[str, float]]:
        """Yield reasons to look with their strength: from 1 it is time, infinity cannot wait."""
        unseen_s = outlook.time_s - own.last_detected_s
        is_bad = (own.confidence < _BAD_CONFIDENCE * own.score) | (own.state == TrackState.LOST)
        is_bad |= (own.origin == Origin.PREDICTED) & (unseen_s >= _BLIND_S)
        is_well = (own.state == TrackState.CONFIRMED) & ~is_bad
        is_bad &= own.occluded_by == 0  # what lies under a hand is seen again when the hand leaves
        if is_bad.any():
            yield "track_bad", since_s / max(_SOON_S, float(unseen_s[is_bad].min()) / _PATIENCE)
        yield "drift", float(drift[is_well].sum()) / _DRIFT
        if self._finds_objects:
            yield from self._urges_of_objects(since_s, hands)
        if self._finds_hands:
            yield from self._urges_of_hands(since_s, hands, outlook)

    def _urges_of_objects(self, since_s: float, hands: Tracks) -> Iterator[tuple[str, float]]:
        if self._news:
            yield self._news, math.inf
        speed = np.linalg.norm(hands.velocity, axis=1) / _width(hands)
        handling = {hand for hand, _ in self._near}
        if any(hand in handling for hand in hands.track_id[speed >= _MOVING_PER_S].tolist()):
            yield "hand_near", since_s / _HANDLED_S

    def _urges_of_hands(self, since_s: float, hands: Tracks, outlook: Outlook) -> Iterator[tuple[str, float]]:
        if self._habit.is_new(outlook.time_s, outlook.stirs, outlook.size_px):
            yield "motion", math.inf
        if _are_close(hands):
            yield "hands_near", since_s / _CLOSE_S
        speed = np.linalg.norm(hands.velocity, axis=1) / _width(hands)
        if not len(hands) or (_is_at_edge(hands.xyxy, outlook.size_px) & (speed >= _MOVING_PER_S)).any():
            yield "entry", since_s / _ENTRY_S


def _width(hands: Tracks) -> Array:
    """Return the unit of length (N,), px: the geometric mean of the sides of hands' boxes."""
    width: Array = np.sqrt(np.maximum(area(hands.xyxy), 1.0))
    return width


def _are_close(hands: Tracks) -> bool:
    distance = gap(hands.xyxy, hands.xyxy) / _width(hands)[:, None]
    np.fill_diagonal(distance, np.inf)
    return bool((distance <= _CLOSE).any())


def _is_at_edge(xyxy: Array, size_px: Size) -> Array:
    """Return which boxes (N, 4) reach the rim of a picture of (width, height): bool (N,)."""
    rim = _EDGE * np.array(size_px)
    inside: Array = np.concatenate([xyxy[:, :2] - rim, np.array(size_px) - rim - xyxy[:, 2:]], axis=1)
    nearest: Array = inside.min(axis=1)
    return nearest <= 0
