"""A run: an engine over a source into sinks, and what it adds up to."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from typing import Any

from hybridtrack.engine import Engine
from hybridtrack.errors import HybridTrackError, StopRun
from hybridtrack.hookspecs import Sink
from hybridtrack.interruption import interrupts_held_back
from hybridtrack.sources.source import Source
from hybridtrack.types import Frame, FrameResult, RunSummary, TrackState


def write_run(
    engine: Engine,
    source: Source,
    sinks: Sequence[Sink],
    *,
    settings: Mapping[str, Any] | None = None,
    max_frames: int | None = None,
    on_frame: Callable[[FrameResult], None] | None = None,
) -> RunSummary:
    """Return the summary of a run of ``engine`` over ``source`` into ``sinks``.

    Sinks are opened before the first frame is detected, and closed whatever happens: after an interruption or an error
    their summary says that the run is not complete, and what was raised goes on. Where one cannot be opened, the others
    are closed without a summary. A sink that fails, or raises ``StopRun``, ends the run once all others have the frame.
    What the engine still holds back when the run is interrupted or stopped is written too.
    """
    totals = _Totals()
    opened: list[Sink] = []
    going: list[Sink] = []

    def take(frame: Frame, result: FrameResult) -> None:
        with interrupts_held_back():  # so that all outputs end with the same frame
            start = time.perf_counter()
            end = _write_to_all(going, frame, result)
            totals.add(result, write_ms=(time.perf_counter() - start) * 1000)
        if on_frame:
            on_frame(result)
        if end:
            raise end

    try:
        info = engine.info(source, settings)
        with interrupts_held_back():  # so that what has been opened is told how it ended
            for sink in sinks:
                opened.append(sink)
                sink.open(info)
            totals.start()
        going.extend(opened)
        with closing(engine.run(source, max_frames=max_frames)) as results:
            try:
                for frame, result in results:
                    take(frame, result)
            except (KeyboardInterrupt, StopRun):
                with interrupts_held_back():
                    for frame, result in engine.rest():
                        take(frame, result)
                raise
        totals.is_complete = True
    except StopRun as stop:
        totals.notes.append(f"stopped: {stop}")
    finally:
        with interrupts_held_back(), ExitStack() as stack:  # all are closed, also when one of them raises
            totals.notes += [note for sink in opened for note in getattr(sink, "notes", ())]
            summary = totals.summary(engine, source)
            for sink in reversed(opened):
                stack.callback(sink.close, summary if totals.is_started else None)
    return summary


def _write_to_all(going: list[Sink], frame: Frame, result: FrameResult) -> StopRun | HybridTrackError | None:
    """Return why the run has to end, if a sink says so, a failure first; by then all the others have the frame.

    The sinks that say so are taken out of ``going``.
    """
    reasons: list[StopRun | HybridTrackError] = []
    for sink in [*going]:
        try:
            sink.write(frame, result)
        except (StopRun, HybridTrackError) as reason:
            reasons.append(reason)
            going.remove(sink)
    return min(reasons, key=lambda reason: isinstance(reason, StopRun), default=None)


class _Totals:
    """Counts up what a summary tells."""

    def __init__(self) -> None:
        self.is_started = self.is_complete = False
        self.notes: list[str] = []
        self._start = self._end = 0.0
        self._frames = 0
        self._track_ids: set[int] = set()
        self._runs: Counter[str] = Counter()
        self._stage_ms: defaultdict[str, float] = defaultdict(float)

    def start(self) -> None:
        self.is_started = True
        self._start = self._end = time.perf_counter()

    def add(self, result: FrameResult, *, write_ms: float) -> None:
        self._frames += 1
        tracks = result.tracks
        self._track_ids.update(tracks.track_id[tracks.state == TrackState.CONFIRMED].tolist())
        self._runs.update(run.detector for run in result.runs if run.status != "failed")
        for name, ms in {**result.stage_ms, "write": write_ms}.items():
            self._stage_ms[name] += ms
        self._end = time.perf_counter()

    def summary(self, engine: Engine, source: Source) -> RunSummary:
        return RunSummary(
            frames=self._frames,
            dropped=source.dropped,
            seconds=self._end - self._start,
            detector_runs=dict(self._runs),
            failures=engine.failures,
            stage_ms={name: total / self._frames for name, total in self._stage_ms.items()},
            track_count=len(self._track_ids),
            complete=self.is_complete,
            notes=(*source.notes, *engine.notes, *self.notes),
        )
