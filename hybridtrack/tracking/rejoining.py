"""Under which number a track is shown: what begins where another one was just lost is that one again.

A forward tracker looks for a lost track where it expects it, and that place drifts away once the pixels are lost. What
appears within reach of where a detector saw the lost one last takes its number up.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from hybridtrack.association import assign
from hybridtrack.boxes import xyxy_to_cxcywh
from hybridtrack.types import Array, ClassInfo, Origin, Tracks, TrackState

_MEMORY_S = 2.0  #: time after which what appears is not taken any more for what was lost
_GATE = 1.0  #: distance, in box sizes, that it may have gone at once
_GATE_PER_S = 4.0  #: ... and for each second since it was seen: hands cross a table in one or two
_MAX_GATE = 6.0
_LATE_PER_S = 0.5  #: box sizes by which what was lost a second earlier has to be nearer


@dataclass(slots=True)
class _Known:
    """A number that was given: the track that has it, and how often, when and where a detector saw it."""

    number: int
    track_id: int
    identity: str = ""
    detector: str = ""
    sights: int = 0
    seen_s: float = -np.inf
    xyxy: Array = field(default_factory=lambda: np.zeros(4))


class Numbers:
    """Gives numbers to the tracks of a forward tracker.

    classes: the run's list, which may grow. looks: pixels are followed, so that all may turn at once, not hands alone.
    """

    def __init__(self, classes: Sequence[ClassInfo], *, looks: bool) -> None:
        self._classes = classes
        self._looks = looks
        self._next = 1
        self.reset()

    def reset(self) -> None:
        """Begin a new source. Numbers go on, so that those of two sources never collide."""
        self._known: dict[int, _Known] = {}
        self._of_track: dict[int, int] = {}  # 0: another track has taken its number up

    def sights(self, number: Array) -> Array:
        """Return on how many frames a detector has seen what has these numbers: int (N,)."""
        return np.array([self._known[one].sights if one in self._known else 0 for one in number.tolist()], int)

    def give(self, tracks: Tracks, time_s: float, ran: Collection[str]) -> tuple[Tracks, Array]:
        """Return the tracks of the frame at ``time_s`` by their numbers, and when each was seen before this frame.

        ran: the detectors that ran on the frame. The times are seconds (N,), minus infinity for what was never seen. A
        track whose number another one has taken up is left out, until a detector sees it again.
        """
        is_seen = tracks.origin == Origin.DETECTED
        held = np.array([self._of_track.get(track_id, -1) for track_id in tracks.track_id.tolist()], np.int64)
        new = np.flatnonzero((held < 0) | (is_seen & (held == 0)))
        if len(new):
            self._begin(tracks, new, held[is_seen], time_s, ran)
        by_track = {track_id: self._of_track[track_id] for track_id in tracks.track_id.tolist()}
        number = np.array([*by_track.values()], np.int64)
        before_s = np.full(len(tracks), -np.inf)
        for row in np.flatnonzero(is_seen).tolist():
            before_s[row] = self._see(int(number[row]), tracks, row, time_s)
        self._forget(time_s, by_track)
        hidden_by = np.array([by_track.get(track_id, 0) for track_id in tracks.occluded_by.tolist()], np.int64)
        shown = np.argsort(number, kind="stable")[np.count_nonzero(number == 0) :]
        return replace(tracks, track_id=number, occluded_by=hidden_by)[shown], before_s[shown]

    def _begin(self, tracks: Tracks, new: Array, seen: Array, time_s: float, ran: Collection[str]) -> None:
        """Give numbers to the tracks in the rows ``new``: those of lost ones within reach, or new ones.

        seen: the numbers, as far as there are any, of what detectors saw on this frame.
        """
        believed = set(tracks.track_id[tracks.state == TrackState.CONFIRMED].tolist())
        lost = [
            one
            for one in self._known.values()
            if one.number not in seen
            and one.track_id not in believed
            and one.detector in ran
            and time_s - one.seen_s <= _MEMORY_S
        ]
        taken = self._pairs(lost, tracks[new], time_s) if lost else {}
        for place, track_id in enumerate(tracks.track_id[new].tolist()):
            if place in taken:
                one = lost[taken[place]]
                self._of_track[one.track_id] = 0
                one.track_id = track_id
            else:
                one = self._known[self._next] = _Known(self._next, track_id)
                self._next += 1
            self._of_track[track_id] = one.number

    def _pairs(self, lost: Sequence[_Known], found: Tracks, time_s: float) -> dict[int, int]:
        """Return which rows of ``found`` are lost ones again, and which: in reach of where a detector saw it last."""
        classes = [self._classes[i] for i in found.class_id.tolist()]
        was = xyxy_to_cxcywh(np.array([one.xyxy for one in lost]))
        now = xyxy_to_cxcywh(found.xyxy.astype(np.float64))
        size = np.sqrt(was[:, 2] * was[:, 3])[:, None]
        unseen_s = time_s - np.array([one.seen_s for one in lost])[:, None]
        off = np.hypot(was[:, None, 0] - now[:, 0], was[:, None, 1] - now[:, 1]) / size
        in_reach = off <= np.minimum(_GATE + _GATE_PER_S * unseen_s, _MAX_GATE)
        may_be = [(self._looks or info.role == "hand") and not info.key for info in classes]  # keys say themselves
        is_one = np.array([[one.identity == info.identity for info in classes] for one in lost])
        i, j = assign(off + _LATE_PER_S * unseen_s, in_reach & is_one & np.array(may_be))
        return dict(zip(j.tolist(), i.tolist(), strict=True))

    def _see(self, number: int, tracks: Tracks, row: int, time_s: float) -> float:
        """Note that a detector saw what has this number; return when one did before."""
        one = self._known[number]
        before_s, one.seen_s = one.seen_s, time_s
        one.sights += 1
        one.identity = self._classes[int(tracks.class_id[row])].identity
        one.detector = tracks.detector[row]
        one.xyxy = tracks.xyxy[row].astype(np.float64)
        return before_s

    def _forget(self, time_s: float, present: Collection[int]) -> None:
        """Forget what can neither go on nor be taken up again; ``present`` are the ids of the tracks that go on."""
        self._known = {
            number: one
            for number, one in self._known.items()
            if one.track_id in present or time_s - one.seen_s <= _MEMORY_S
        }
        self._of_track = {
            track_id: number
            for track_id, number in self._of_track.items()
            if track_id in present or number in self._known
        }
