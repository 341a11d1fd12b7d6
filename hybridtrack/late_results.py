"""Detector runs that frames do not wait for: what comes late is carried to the present, and joined there.

A run that was begun on one frame may end while a later one is dealt with; its boxes are where things were on the frame
that it looked at. A box that was a track's has gone where the track has: that costs nothing. Others are followed by
optical flow through the small pictures of the frames in between, which are kept only while a run is under way.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from concurrent import futures
from concurrent.futures import Future
from dataclasses import dataclass, replace

import numpy as np

from hybridtrack.association import assign
from hybridtrack.boxes import iou, rescale
from hybridtrack.detector_runner import DetectorRunner, Outcome
from hybridtrack.tracking.flow import FlowTracker, flow_size
from hybridtrack.types import Array, ClassInfo, Detections, DetectorRun, Frame, Size, Tracks

PATIENCE_S = 0.02  #: what a frame waits for detectors at most, and only for those that were as fast the last time

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


@dataclass(frozen=True, slots=True)
class _Past:
    """What is kept of a frame: its tracks, and its small picture as a frame of that size."""

    size_px: Size
    tracks: Tracks
    small: Frame


class LateResults:
    """Keeps the runs that are under way, and what their boxes are carried by.

    On each frame, in this order: ``take`` what has come, ``leave`` what does not come in time, ``carried`` for each
    that was taken, and ``remember`` the frame once it is tracked.
    """

    def __init__(self) -> None:
        self._under_way: dict[str, _UnderWay] = {}
        self.reset()

    def reset(self) -> None:
        """Begin a new source."""
        self.cancel()
        self._slow: set[str] = set()
        self._past: list[_Past] = []
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
        """Return the runs that have ended meanwhile, by the detector's name."""
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

    def remember(self, frame: Frame, tracks: Tracks) -> None:
        """Keep what may be needed of a frame that is done, and forget what is older than all that is under way."""
        self._latest = frame if self._under_way else None
        if not self._under_way:
            self._past.clear()
            return
        first = min(run.frame.index for run in self._under_way.values())
        self._past = [one for one in self._past if one.small.index >= first and one.size_px == frame.size_px]
        small = Frame.from_array(frame.gray(flow_size(frame.detail_px)), index=frame.index, time_s=frame.time_s)
        self._past.append(_Past(frame.size_px, tracks, small))

    def carried(self, run: LateRun, found: Detections, classes: Sequence[ClassInfo]) -> tuple[Frame, Detections] | None:
        """Return the frame that was remembered last, and what a late run found as it lies there.

        found: with class ids that count into the run's ``classes``. None: there is no way from the frame that was
        looked at to that one, for the pictures have changed their size.
        """
        way = [one for one in self._past if one.small.index >= run.frame_index]
        if self._latest is None or not way or way[0].small.index != run.frame_index:
            return None
        xyxy, score = found.xyxy.astype(np.float64), found.score.copy()
        rows, moved = _with_tracks(xyxy, found.class_id, way[0].tracks, way[-1].tracks, classes)
        others = np.setdiff1d(np.arange(len(found)), rows)
        xyxy[rows] = moved
        if len(others) and len(way) > 1:
            size, small = way[0].size_px, way[0].small.size_px
            followed, is_known = _by_flow(rescale(xyxy[others], size, small), [one.small for one in way])
            xyxy[others] = rescale(followed, small, size)
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
