"""When a detector of automatic cadence has to look: rarely while all goes well, at once when its tracks need it.

What it goes by are tracks alone, those of the frame before, so that the same tracks lead to the same runs. All waits
are seconds: they hold at any frame rate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from hybridtrack.boxes import area, gap
from hybridtrack.types import Array, ClassInfo, Origin, Size, Tracks, TrackState

ROUNDING_S = 1e-6  #: a time this little before a due time counts as on it: times are rounded to microseconds

_SOON_S = 0.1  #: the least time between two runs
_OBJECTS_S = 1.0  #: from run to run of a detector of things that lie on a table
_HANDS_S = 0.3  #: ... of hands, which come and go
_ENTRY_S = 0.2  #: ... of hands, while there is none, or one at the picture's edge
_HANDLED_S = 0.3  #: ... of things while a hand that moves is near one

_NEAR = 1.0  #: hand widths between the boxes of a hand and an object up to which it may be handled
_FAR = 1.25  #: ... and beyond which the hand has left
_MOVING_PER_S = 0.5  #: speed in hand widths from which a hand that is near may be handling something
_FAST_PER_S = 2.0  #: ... and from which a hand is hard to follow
_CLOSE = 0.25  #: hand widths between two hands from which they may be taken for each other
_EDGE = 0.02  #: share of the picture's width and height from its edge at which hands come in and go out

_BAD_CONFIDENCE = 0.45  #: share of a track's score: less is left of it where pixels or missed runs speak against it
_BLIND_S = 0.2  #: time without a detection after which a track that is not even measured is bad
_PATIENCE = 3.0  #: a bad track is looked for again after this fraction of the time that it has been missing


class Attention:
    """Decides for one detector, frame by frame.

    name: of the detector; its tracks are those that it saw last. finds_hands, finds_objects: which classes it has; one
    that has both is needed for either.
    """

    def __init__(self, name: str, *, finds_hands: bool, finds_objects: bool) -> None:
        self._name = name
        self._finds_hands = finds_hands
        self._finds_objects = finds_objects or not finds_hands
        self._base_s = _HANDS_S if finds_hands else _OBJECTS_S
        self.reset()

    def reset(self) -> None:
        """Begin a new source."""
        self._last_s: float | None = None
        self._near: set[tuple[int, int]] = set()
        self._news = ""

    def decide(
        self, time_s: float, tracks: Tracks, classes: Sequence[ClassInfo], size_px: Size, *, is_busy: bool = False
    ) -> str | None:
        """Return why the detector has to look at the frame at ``time_s``, in one word; None: it has not.

        tracks: those of the frame before, in a picture of ``size_px``; ``classes`` is the run's list. While it
        ``is_busy`` with an earlier frame it does not look; what has happened meanwhile counts afterwards.
        """
        role = np.array([classes[i].role for i in tracks.class_id.tolist()], object)
        is_own = np.array([one == self._name for one in tracks.detector], bool)
        hands = tracks[(role == "hand") & (tracks.state == TrackState.CONFIRMED)]
        self._notice(hands, tracks[(role == "object") & is_own])
        if is_busy:
            return None
        since_s = np.inf if self._last_s is None else time_s - self._last_s
        for trigger, wait_s in self._wishes(time_s, hands, tracks[is_own], size_px):
            if since_s >= wait_s - ROUNDING_S:
                self._last_s, self._news = time_s, ""
                return trigger
        return None

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

    def _wishes(self, time_s: float, hands: Tracks, own: Tracks, size_px: Size) -> Iterator[tuple[str, float]]:
        """Yield reasons to look, each with the time that must have passed since the run before, s."""
        unseen_s = time_s - own.last_detected_s
        is_bad = (own.confidence < _BAD_CONFIDENCE * own.score) | (own.state == TrackState.LOST)
        is_bad |= (own.origin == Origin.PREDICTED) & (unseen_s >= _BLIND_S)
        is_bad &= own.occluded_by == 0  # what lies under a hand is seen again when the hand leaves
        if self._finds_objects and self._news:
            yield self._news, _SOON_S
        if is_bad.any():
            yield "track_bad", max(_SOON_S, float(unseen_s[is_bad].min()) / _PATIENCE)
        speed = np.linalg.norm(hands.velocity, axis=1) / _width(hands)
        if self._finds_objects:
            handling = {hand for hand, _ in self._near}
            if any(hand in handling for hand in hands.track_id[speed >= _MOVING_PER_S].tolist()):
                yield "hand_near", _HANDLED_S
        if self._finds_hands:
            if (speed >= _FAST_PER_S).any():
                yield "hand_fast", _SOON_S
            if _are_close(hands):
                yield "hands_near", _SOON_S
            if not len(hands) or _is_at_edge(hands.xyxy, size_px).any():
                yield "entry", _ENTRY_S
        yield "interval", self._base_s


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
