"""Detector runs that frames do not wait for: what comes late is carried to the present, and joined there.

A run that was begun on one frame may end while a later one is dealt with; its boxes are where things were on the frame
that it looked at. Small pictures of the frames since are kept only while a run is under way. Where they are few, the
tracker goes back to that frame and follows all boxes once more from there: the tracks are then as if the result had
been in time. That is done in large steps while a frame waits, and frame by frame once its result is out. Else, a box
that was a track's has gone where the track has, which costs nothing; others are followed by optical flow, in a limited
number of hops.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from concurrent import futures
from concurrent.futures import Future
from dataclasses import dataclass, replace

import numpy as np

from hybridtrack.association import assign
from hybridtrack.boxes import iou
from hybridtrack.detector_runner import DetectorRunner, Outcome
from hybridtrack.past import Past
from hybridtrack.tracking.flow import FlowTracker
from hybridtrack.tracking.tracker import Moment, Tracker
from hybridtrack.types import Array, ClassInfo, Detections, DetectorRun, Frame, Tracks

PATIENCE_S = 0.02  #: what a frame waits for detectors at most, and only for those that were as fast the last time

_MOMENT_S = 0.005  #: ... and for a late result that is about to come
_MIN_IOU = 0.3  #: of a late box and the track that it goes along with
_MAX_HOPS = 10  #: by flow from the frame that was looked at to the present: each takes about half a millisecond
_STRAY_HALF_LIFE_S = 0.5  #: of the score of a box of which nobody knows where it went


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LateRun:
    """A run that was not waited for: the frame that it looked at, and what became of it."""

    trigger: str
    frame_index: int
    time_s: float
    outcome: Outcome

    def told_of(self, detector: str) -> DetectorRun:
        """Return what a result says of it."""
        if self.outcome.error:
            return DetectorRun(detector=detector, trigger=self.trigger, status="failed")
        return DetectorRun(detector=detector, trigger=self.trigger, status="late", frame_index=self.frame_index)


@dataclass(frozen=True, slots=True)
class _UnderWay:
    trigger: str
    frame: Frame
    begun_s: float  #: by ``time.monotonic()``
    coming: Future[Outcome]


class LateResults:
    """Keeps the runs that are under way, and what their boxes are carried by.

    On each frame, in this order: ``take`` what has come, ``leave`` what does not come in time, ``join`` what was taken
    with the tracks, ``remember`` the frame once it is tracked, and ``catch_up`` once its result is out.
    """

    def __init__(self) -> None:
        self._under_way: dict[str, _UnderWay] = {}
        self._past = Past()
        self.reset()

    def reset(self) -> None:
        """Begin a new source."""
        self.cancel()
        self._slow: set[str] = set()
        self._last_s: dict[str, float] = {}
        self._past.clear()
        self._told_of: int | None = None  # the frame from which the tracks are to be made anew, when there is time
        self._latest: Frame | None = None
        self._count = 0

    def cancel(self) -> None:
        """Wait no more for what is under way; what has not been begun will not be."""
        for run in self._under_way.values():
            run.coming.cancel()
        self._under_way.clear()

    @property
    def busy(self) -> frozenset[str]:
        """The detectors that are still at work on an earlier frame."""
        return frozenset(self._under_way)

    @property
    def note(self) -> str:
        """What the user should know of the run, one line."""
        came = "1 result of a detector came" if self._count == 1 else f"{self._count} results of detectors came"
        return f"live: {came} late and went to a later frame; how fast they are decides, so this run is not repeatable"

    def take(self, runners: Mapping[str, DetectorRunner]) -> dict[str, LateRun]:
        """Return the runs that have ended meanwhile, by the detector's name.

        What is about to come, by how long the detector took the last time, is waited for a moment.
        """
        now_s = time.monotonic()
        about = [
            run.coming
            for name, run in self._under_way.items()
            if abs(run.begun_s + self._last_s.get(name, 0.0) - now_s) <= _MOMENT_S
        ]
        futures.wait(about, _MOMENT_S)
        ended = {}
        for name, run in [*self._under_way.items()]:
            outcome = runners[name].poll(run.coming, run.begun_s)
            if outcome is None:
                continue
            del self._under_way[name]
            ended[name] = LateRun(
                trigger=run.trigger, frame_index=run.frame.index, time_s=run.frame.time_s, outcome=outcome
            )
            self._count += not outcome.error
            self._last_s[name] = outcome.ms / 1000
            if outcome.ms <= PATIENCE_S * 1000:
                self._slow.discard(name)
        return ended

    def leave(
        self,
        frame: Frame,
        triggers: Mapping[str, str],
        outcomes: dict[str, Future[Outcome]],
        *,
        has_told: Collection[str] = (),
    ) -> None:
        """Wait a moment for the ``outcomes`` of runs on ``frame``; take those out that do not come by then.

        Not waited for are detectors that were slow the last time, and those in ``has_told``, whose late result is dealt
        with on this frame: a detector has its say once a frame.
        """
        begun_s = time.monotonic()
        awaited = outcomes.keys() - self._slow - {*has_told}
        done, _ = futures.wait([outcomes[name] for name in awaited], PATIENCE_S)
        for name in [name for name in outcomes if name not in awaited or outcomes[name] not in done]:
            self._under_way[name] = _UnderWay(triggers[name], frame, begun_s, outcomes.pop(name))
            self._slow.add(name)

    def remember(
        self, frame: Frame, found: Mapping[str, Detections], tracks: Tracks, before: Moment | None = None
    ) -> None:
        """Keep what may be needed of a frame that is done, and forget what is older than all that is under way.

        found: what detectors saw on it, in time. before: what the tracker knew before it.
        """
        wanted = [run.frame.index for run in self._under_way.values()]
        self._latest = frame if wanted else None
        if self._told_of is not None:
            wanted.append(self._told_of)
        if not wanted:
            self._past.clear()
            return
        self._past.keep(frame, found, tracks, before, wanted=wanted)

    def join(
        self,
        tracker: Tracker,
        late: Mapping[str, LateRun],
        found: Mapping[str, Detections],
        classes: Sequence[ClassInfo],
    ) -> None:
        """Correct the tracks of the frame before by what late runs found, by detector; the next step goes on from it.

        found: with class ids that count into the run's ``classes``.
        """
        told: dict[int, dict[str, Detections]] = {}
        for name, one in found.items():
            told.setdefault(late[name].frame_index, {})[name] = one
        if not told:
            return
        if self._past.tell(told):
            self._told_of = min(told)
            self._past.hurry(tracker, self._told_of)
            return
        for name, one in found.items():
            carried = self.carried(late[name], one, classes)
            if carried is not None:
                tracker.amend(carried[0], name, carried[1], late[name].time_s)

    def catch_up(self, tracker: Tracker) -> None:
        """Do with more care, once the frame is out, what was done in haste when a late result was joined."""
        if self._told_of is not None:
            self._past.relive(tracker, self._told_of)
            self._told_of = None

    def carried(self, run: LateRun, found: Detections, classes: Sequence[ClassInfo]) -> tuple[Frame, Detections] | None:
        """Return the frame that was remembered last, and what a late run found as it lies there.

        found: with class ids that count into the run's ``classes``. None: there is no way from the frame that was
        looked at to that one, for the pictures have changed their size.
        """
        way = self._past.since(run.frame_index)
        if self._latest is None or not way or way[0].frame.index != run.frame_index:
            return None
        xyxy, score = found.xyxy.astype(np.float64), found.score.copy()
        rows, moved = _with_tracks(xyxy, found.class_id, way[0].tracks, way[-1].tracks, classes)
        others = np.setdiff1d(np.arange(len(found)), rows)
        xyxy[rows] = moved
        if len(others) and len(way) > 1:
            xyxy[others], is_known = _by_flow(xyxy[others], [one.frame for one in way])
            score[others[~is_known]] *= 0.5 ** ((self._latest.time_s - run.time_s) / _STRAY_HALF_LIFE_S)
        return self._latest, replace(found, xyxy=xyxy, score=score)


def _identities(class_id: Array, classes: Sequence[ClassInfo]) -> Array:
    return np.array([classes[i].identity for i in class_id.tolist()], object)


def _with_tracks(
    xyxy: Array, class_id: Array, then: Tracks, now: Tracks, classes: Sequence[ClassInfo]
) -> tuple[Array, Array]:
    """Return the rows of boxes (N, 4) that were those of tracks, and where they are: moved and scaled as the tracks."""
    places = {number: row for row, number in enumerate(now.track_id.tolist())}
    alive = np.array([number in places for number in then.track_id.tolist()], bool)
    then = then[alive]
    overlap = iou(then.xyxy.astype(np.float64), xyxy)
    is_one = _identities(then.class_id, classes)[:, None] == _identities(class_id, classes)
    tracks, rows = assign(1 - overlap, is_one & (overlap >= _MIN_IOU))
    before = then.xyxy[tracks].astype(np.float64)
    after = now.xyxy[[places[number] for number in then.track_id[tracks].tolist()]].astype(np.float64)
    growth = np.tile((after[:, 2:] - after[:, :2]) / (before[:, 2:] - before[:, :2]), 2)
    return rows, np.tile(after[:, :2], 2) + (xyxy[rows] - np.tile(before[:, :2], 2)) * growth


def _by_flow(xyxy: Array, frames: Sequence[Frame]) -> tuple[Array, Array]:
    """Return where boxes (N, 4) of the first of ``frames`` lie on the last, and which could be followed all the way."""
    stops = np.unique(np.linspace(0, len(frames) - 1, min(len(frames), _MAX_HOPS + 1)).round().astype(int))
    follower = FlowTracker()
    number, seen = np.arange(len(xyxy)), np.ones(len(xyxy), bool)
    is_known = seen
    for before, after in zip(stops[:-1].tolist(), stops[1:].tolist(), strict=True):
        follower.settle(frames[before], number, xyxy, seen)
        found = follower.measure(frames[after], number, xyxy)
        xyxy = np.where(found.is_measured[:, None], found.xyxy, xyxy)
        is_known = is_known & found.is_measured
    return xyxy, is_known
