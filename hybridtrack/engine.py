"""One frame's way from the source to its result: schedule, detect, track, relate. The one module that sees all stages.

``Engine.run`` is the loop of a program of one's own; ``run.write_run`` drives it into sinks, as the command line does.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from itertools import islice
from types import TracebackType
from typing import Any, Self

from hybridtrack.attention import Outlook
from hybridtrack.cadence import Cadence, parse_cadence
from hybridtrack.config import Fill
from hybridtrack.detector_runner import DetectorRunner, Outcome, run_class_ids
from hybridtrack.errors import HybridTrackError
from hybridtrack.frame_job import FrameJob, TrackedFrame
from hybridtrack.ground import TableSetting
from hybridtrack.held_frames import HeldFrames
from hybridtrack.identity import Identities
from hybridtrack.interruption import interrupts_held_back
from hybridtrack.laps import Laps
from hybridtrack.late_results import LateResults, LateRun
from hybridtrack.plugin_host import PluginHost
from hybridtrack.relation_runner import RelationRunner
from hybridtrack.relations.table_plane import TablePlane
from hybridtrack.scene_runner import SceneRunner
from hybridtrack.scheduler import Scheduler
from hybridtrack.selection import (
    DetectorLike,
    RelationLike,
    TrackerLike,
    select_backward,
    select_detectors,
    select_relations,
    select_tracker,
)
from hybridtrack.sources import open_source
from hybridtrack.sources.read_ahead import ReadAhead, timed, untimed
from hybridtrack.sources.source import Source
from hybridtrack.timed_tracker import TimedTracker
from hybridtrack.tracking.foreground import Foreground
from hybridtrack.tracking.tracker import Tracker
from hybridtrack.types import (
    ClassInfo,
    Detections,
    DetectorRun,
    Frame,
    FrameResult,
    RunInfo,
    Size,
    Tracks,
    TrackState,
)

LOOK_AHEAD = 8  #: frames of a recording whose detections may be under way while those before them are tracked


class Engine:
    """Runs detectors on some frames, and a tracker and relations on all of them.

    detectors: names (``"hand,every=3"``), ``Detector`` objects, or functions ``frame -> boxes``. identity: the
    names of classes that mean one thing, under one name (``{"cup": ["mug", "bowl"]}``). tracker: a name or a
    ``BoxTracker``. relations: names or ``Relation`` objects; none: ``()``. table: where the table is, for positions in
    centimetres (``"x1,y1,x2,y2,x3,y3,x4,y4:44x32cm"``, a ``TableSetting`` or a ``TablePlane``). detect_every: frames
    (3), a time ("100ms"), or "auto". size: (width, height) at which detectors and trackers look at a frame; boxes stay
    in source pixels. fill: "forward" carries boxes on from the last detector run; "two-way" gives a frame out once the
    next run has told where things went, so that results come that much later. overlap: decode and detect in threads;
    the results are the same. live: no frame waits for a slow detector, whose result is carried to the frame on which it
    arrives: for cameras, and not repeatable.
    Close it, or use it in ``with``. Raises UsageError and what the detectors' factories raise.
    """

    def __init__(
        self,
        *,
        detectors: Sequence[DetectorLike] = ("hand",),
        identity: Mapping[str, Sequence[str]] | None = None,
        tracker: TrackerLike = "flow",
        relations: Sequence[RelationLike] = ("hand_object",),
        table: str | TableSetting | TablePlane | None = None,
        detect_every: int | str | Cadence = 3,
        size: Size | None = None,
        runtime: str | None = None,
        fill: Fill = "forward",
        overlap: bool = True,
        live: bool = False,
        host: PluginHost | None = None,
    ) -> None:
        host = host or PluginHost.load()
        self._table = table if isinstance(table, TablePlane) or table is None else TablePlane(table)
        cadence = detect_every if isinstance(detect_every, Cadence) else parse_cadence(detect_every)
        backward = select_backward(tracker, host, live=live) if fill == "two-way" else None
        self._box_tracker = TimedTracker(select_tracker(tracker, host))
        self._relations = RelationRunner(select_relations(relations, host))
        selected = select_detectors(detectors, detect_every=cadence, runtime=runtime, host=host)
        open_classes = any(getattr(one.detector, "open_classes", False) for one in selected)
        offered = [info for one in selected for info in one.info.classes]
        try:
            self._identities = Identities(identity or {}, offered, open_classes=open_classes)
            if self._table and not open_classes:
                self._table.check_classes(info.name for info in offered)
        except HybridTrackError:
            for one in selected:
                one.detector.close()
            raise
        self.classes: list[ClassInfo] = []
        self._infos = [one.info for one in selected]
        births = {one.info.name: one.birth for one in selected if one.birth is not None}
        self._tracker = Tracker(self._box_tracker, self.classes, births)
        self._fill = HeldFrames(backward, self.classes) if backward else None
        self._settled: deque[tuple[Frame, FrameResult]] = deque()
        self._scenes = SceneRunner(self._relations, self._table, self.classes)
        self._foreground = Foreground()
        self._scheduler = Scheduler(
            {one.info.name: one.cadence for one in selected},
            {one.info.name: {info.role for info in one.info.classes} for one in selected},
        )
        self._tracks = Tracks.empty()
        self._runners = {
            one.info.name: DetectorRunner(
                one.info.name,
                one.detector,
                origin=one.origin,
                in_thread=overlap or live,
                hang_limit_s=one.hang_limit_s,
                is_strict=one.is_strict,
            )
            for one in selected
        }
        for one in selected:
            run_class_ids(self._identities.of(one.info.classes), self.classes)
        self._size = size
        self._overlap = overlap
        self._late = LateResults() if live else None
        self._between_ms = 0.0

    def info(self, source: Source, settings: Mapping[str, Any] | None = None) -> RunInfo:
        """Return what sinks are told before the first frame."""
        return RunInfo(
            uri=source.uri,
            video=source.info,
            classes=self.classes,
            detectors=tuple(self._infos),
            settings=settings or {},
            open_classes=any(getattr(r.detector, "open_classes", False) for r in self._runners.values()),
        )

    @property
    def failures(self) -> dict[str, int]:
        """How often each detector and relation failed that ever did."""
        failed = {name: runner.failures for name, runner in self._runners.items() if runner.failures}
        return failed | self._relations.failures

    @property
    def notes(self) -> list[str]:
        """What the user should know of the detectors and relations, one line each."""
        notes = [*(runner.note for runner in self._runners.values() if runner.note), *self._relations.notes]
        return notes if self._late is None else [*notes, self._late.note]

    def run(
        self, source: Source | str, *, max_frames: int | None = None
    ) -> Generator[tuple[Frame, FrameResult], None, None]:
        """Yield each frame of ``source`` (or of the file, camera or folder that it names) with its result.

        Begins anew with every source, but for the track ids, which go on. Raises SourceError.
        """
        if isinstance(source, str):
            with open_source(source) as opened:
                yield from self.run(opened, max_frames=max_frames)
            return
        self._scheduler.reset()
        self._tracker.reset()
        if self._fill:
            self._fill.reset()
        self._settled.clear()
        self._tracks = Tracks.empty()
        self._foreground.reset()
        self._scenes.reset()
        if self._late:
            self._late.reset()
        self._between_ms = 0.0
        for runner in self._runners.values():
            runner.reset()
        frames = islice(source, max_frames)
        if source.is_live:  # the time until a frame comes is the camera's own
            yield from self._results(untimed(frames), 0)
        elif self._overlap:
            with closing(ReadAhead(frames)) as ahead:
                yield from self._results(ahead, 0 if self._late else LOOK_AHEAD)
        else:
            yield from self._results(timed(frames), 0)

    def rest(self) -> Iterator[tuple[Frame, FrameResult]]:
        """Yield the frames that two-way fill still held back when ``run`` was broken off, as far as they are known."""
        if self._fill:
            with interrupts_held_back():
                self._settled.extend(map(self._result, self._fill.rest()))
        while self._settled:
            yield self._settled.popleft()

    def close(self) -> None:
        """Close the detectors; one that fails raises DetectorError when all are closed. Again: nothing happens."""
        with ExitStack() as stack:
            while self._runners:
                stack.callback(self._runners.popitem()[1].close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _results(self, frames: Iterable[tuple[Frame, float | None]], depth: int) -> Iterator[tuple[Frame, FrameResult]]:
        """Yield the results of ``frames`` in order; the detections of ``depth`` frames more are under way meanwhile."""
        under_way: deque[FrameJob] = deque()
        reading = iter(frames)
        broken: HybridTrackError | None = None
        try:
            while True:
                try:
                    under_way.append(self._begin(*next(reading)))
                except StopIteration:
                    break
                except HybridTrackError as error:  # the frames before it count
                    broken = error
                    break
                if len(under_way) > depth:
                    yield from self._finish(under_way.popleft())
                    self._catch_up()
            while under_way:
                yield from self._finish(under_way.popleft())
            yield from self.rest()
        finally:  # what nobody waits for any more is not begun
            for job in under_way:
                for outcome in job.outcomes.values():
                    outcome.cancel()
            if self._late:
                self._late.cancel()
        if broken:
            raise broken

    def _catch_up(self) -> None:
        """Use the time until the next frame comes; what it takes is told with that one."""
        if self._late:
            start_s = time.perf_counter()
            self._late.catch_up(self._tracker)
            self._between_ms = (time.perf_counter() - start_s) * 1000

    def _begin(self, frame: Frame, decode_ms: float | None) -> FrameJob:
        """Decide which detectors of fixed cadence look at the frame, and set them to work."""
        seen = frame if self._size is None else frame.reduced(self._size)
        job = FrameJob(frame, seen, decode_ms, late=self._late.take(self._runners) if self._late else {})
        self._submit(job, self._scheduler.decide(frame.index, frame.time_s, busy=self._busy))
        return job

    @property
    def _busy(self) -> frozenset[str]:
        return self._late.busy if self._late else frozenset()

    def _submit(self, job: FrameJob, triggers: Mapping[str, str]) -> None:
        """Set those of the detectors to work that have not been left out."""
        for name, trigger in triggers.items():
            if not self._runners[name].is_out:
                job.triggers[name], job.outcomes[name] = trigger, self._runners[name].submit(job.seen)

    def _finish(self, job: FrameJob) -> Iterator[tuple[Frame, FrameResult]]:
        """Carry the tracks to this frame, and yield the results that are settled by that: forward, this frame's."""
        tracked = self._track(job)
        if self._fill is None:
            yield self._result(tracked)
            return
        with interrupts_held_back():  # so that what waits can still be told
            self._settled.extend(map(self._result, self._fill.step(tracked)))
        while self._settled:
            yield self._settled.popleft()

    def _track(self, job: FrameJob) -> TrackedFrame:
        """Wait for the detectors, and carry the tracks to this frame.

        Those of automatic cadence begin only now: they go by the tracks of the frame before.
        """
        look_ms = 0.0
        if self._scheduler.reacts:
            laps = Laps(job.seen)
            outlook = self._outlook(job.seen)
            look_ms = laps.take_ms()
            self._submit(job, self._scheduler.react(outlook, busy=self._busy))
        if self._late:
            self._late.leave(job.seen, job.triggers, job.outcomes, has_told=job.late)
        outcomes: dict[str, Outcome] = {}
        for name in filter(job.outcomes.__contains__, self._runners):
            if self._runners[name].is_out:  # since this frame was begun: as if it had been begun only now
                job.outcomes[name].cancel()
            else:
                outcomes[name] = self._runners[name].wait(job.outcomes[name])
        found = {name: self._in_run_classes(outcome) for name, outcome in outcomes.items()}
        laps = Laps(job.seen)
        late = self._amend(job.late)
        before = self._tracker.moment() if self._busy else None
        in_time = {name: one for name, one in found.items() if one is not None}
        tracks = self._tracker.step(job.seen, in_time)
        self._tracks = tracks
        if self._late:
            self._late.remember(job.seen, in_time, tracks, before)
        track_ms, follow_ms = laps.take_ms() + self._between_ms, self._box_tracker.take_ms()
        stage_ms = {} if job.decode_ms is None else {"decode": job.decode_ms}
        detect_ms = sum(outcome.ms for outcome in [*outcomes.values(), *(run.outcome for run in job.late.values())])
        convert_ms = job.seen.convert_ms()
        stage_ms |= {
            "convert": convert_ms,
            "detect": max(detect_ms - (convert_ms - laps.convert_ms), 0.0),  # late: of another frame
            "track": follow_ms + look_ms,
            "associate": track_ms - follow_ms,
        }
        runs = [
            DetectorRun(detector=name, trigger=job.triggers[name], status="failed" if outcome.error else "ok")
            for name, outcome in outcomes.items()
        ]
        return TrackedFrame(
            job.frame,
            job.seen,
            runs=(*(run.told_of(name) for name, run in job.late.items()), *runs),
            detections={name: found.get(name, late.get(name)) for name in self._runners},
            tracks=self._tracker.as_detected(tracks) if self._fill else tracks,
            stage_ms=stage_ms,
        )

    def _result(self, tracked: TrackedFrame) -> tuple[Frame, FrameResult]:
        """Relate the tracks of a frame, in the frames' order."""
        laps = Laps(tracked.seen)
        tracks, relations, events, camera = self._scenes.step(tracked.seen, tracked.tracks)
        stage_ms = {**tracked.stage_ms, "relate": laps.take_ms(), "convert": tracked.seen.convert_ms()}
        return tracked.frame, FrameResult(
            frame_index=tracked.frame.index,
            time_s=tracked.frame.time_s,
            runs=tracked.runs,
            detections=tracked.detections,
            tracks=tracks,
            relations=relations,
            events=events,
            camera=camera,
            stage_ms=stage_ms,
        )

    def _outlook(self, frame: Frame) -> Outlook:
        """Return what automatic cadences go by."""
        shown = self._tracks[self._tracks.state == TrackState.CONFIRMED]
        return Outlook(
            frame_index=frame.index,
            time_s=frame.time_s,
            tracks=self._tracks,
            classes=self.classes,
            size_px=frame.size_px,
            stirs=self._foreground.step(frame, shown.track_id, shown.xyxy),
        )

    def _amend(self, late: Mapping[str, LateRun]) -> dict[str, Detections | None]:
        """Correct the tracks of the frame before by what came late, and return it as it was found, by detector."""
        found = {name: self._in_run_classes(run.outcome) for name, run in late.items()}
        if self._late:
            told = {name: one for name, one in found.items() if one is not None}
            self._late.join(self._tracker, late, told, self.classes)
        return found

    def _in_run_classes(self, outcome: Outcome) -> Detections | None:
        """Return the detections, if there are any, with class ids that count into the run's classes."""
        found = outcome.detections
        if found is None:
            return None
        return replace(
            found, class_id=run_class_ids(self._identities.of(outcome.classes), self.classes)[found.class_id]
        )
