"""One run of one mode over the whole way, with the clocks read around it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from hybridtrack.bench.mode import Conditions, Mode
from hybridtrack.config import DEFAULT_RELATIONS
from hybridtrack.engine import Engine
from hybridtrack.errors import DetectorError, UsageError
from hybridtrack.run import write_run
from hybridtrack.sinks.jsonl import JsonLinesSink
from hybridtrack.sources import Source, open_source
from hybridtrack.types import Array, FrameResult, Size, TrackState

WARM_UP_FRAMES = 10  #: of each engine before its clock starts: what is made once has been made
STAGES = ("decode", "convert", "detect", "track", "associate", "relate", "write")


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """What a run over so many frames took, of the wall clock and of all threads' CPU time."""

    frames: int
    wall_s: float
    cpu_s: float

    @property
    def fps(self) -> float:
        return self.frames / self.wall_s

    @classmethod
    def total(cls, parts: Sequence[Times]) -> Times:
        """Return what runs one after the other took."""
        return cls(
            frames=sum(one.frames for one in parts),
            wall_s=sum(one.wall_s for one in parts),
            cpu_s=sum(one.cpu_s for one in parts),
        )

    @classmethod
    def mean(cls, parts: Sequence[Times]) -> Times:
        """Return what one of several runs over the same frames took on average."""
        total = cls.total(parts)
        return cls(frames=total.frames // len(parts), wall_s=total.wall_s / len(parts), cpu_s=total.cpu_s / len(parts))


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """What a run showed: the boxes (N, 4) of confirmed tracks, and whether a detector ran, of each frame."""

    xyxy: list[Array] = field(default_factory=list)
    has_run: list[bool] = field(default_factory=list)

    def add(self, result: FrameResult) -> None:
        self.xyxy.append(result.tracks.xyxy[result.tracks.state == TrackState.CONFIRMED])
        self.has_run.append(any(run.status == "ok" for run in result.runs))

    @classmethod
    def joined(cls, parts: Sequence[Shown]) -> Shown:
        """Return what runs showed, one after the other."""
        return cls([xyxy for one in parts for xyxy in one.xyxy], [has_run for one in parts for has_run in one.has_run])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """A run: its times, the means of its stages (ms a frame, side by side in threads), and what it showed."""

    times: Times
    stage_ms: Mapping[str, float]
    shown: Shown


def open_repeatable(uri: str) -> Source:
    """Return the source of a file or of images. Raises SourceError, and UsageError for what does not play twice."""
    source = open_source(uri)
    if source.is_live:
        source.close()
        raise UsageError(f"cannot compare modes on {uri!r}: it does not play twice; give a file or a folder of images")
    return source


def decode(uri: str, max_frames: int | None) -> Times:
    """Return what reading the frames takes of which nobody asks for pixels. Raises as ``open_repeatable`` does."""
    with open_repeatable(uri) as source:
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        frames = sum(1 for _ in islice(source, max_frames))
        return Times(frames=frames, wall_s=time.perf_counter() - wall_s, cpu_s=time.process_time() - cpu_s)


def track(
    uri: str,
    mode: Mode,
    conditions: Conditions,
    file: Path,
    *,
    overlap: bool = True,
    on_frame: Callable[[FrameResult], object] = lambda result: None,
) -> Run:
    """Return what a run of ``mode`` over a recording into a track file did; a warm-up goes before it.

    ``overlap``: with threads, as ``hybridtrack run`` has it. Raises DetectorError when a detector failed on a frame,
    and what ``Engine`` and ``open_repeatable`` raise.
    """
    shown = Shown()

    def add(result: FrameResult) -> None:
        shown.add(result)
        on_frame(result)

    with Engine(
        detectors=mode.detectors or conditions.detectors,
        tracker=mode.tracker,
        relations=DEFAULT_RELATIONS if conditions.relations else (),
        detect_every=mode.detect_every,
        fill=mode.fill,
        size=_size(uri, mode),
        overlap=overlap,
    ) as engine:
        with open_repeatable(uri) as source:
            for _ in engine.run(source, max_frames=WARM_UP_FRAMES):
                pass
        with open_repeatable(uri) as source:
            cpu_s = time.process_time()
            summary = write_run(engine, source, [JsonLinesSink(file)], max_frames=conditions.max_frames, on_frame=add)
            cpu_s = time.process_time() - cpu_s
    if summary.failures:
        failed = ", ".join(f"{name} ({count})" for name, count in summary.failures.items())
        raise DetectorError(f"cannot compare modes on {uri!r}: {mode}: runs failed of {failed}; mend that first")
    return Run(
        times=Times(frames=summary.frames, wall_s=summary.seconds, cpu_s=cpu_s),
        stage_ms=_in_order(summary.stage_ms),
        shown=shown,
    )


def _size(uri: str, mode: Mode) -> Size | None:
    """Return the size, px, at which detector and tracker look; None: the source's."""
    if mode.shrink == 1:
        return None
    with open_repeatable(uri) as source:
        info = source.info
    return max(info.width_px // mode.shrink, 1), max(info.height_px // mode.shrink, 1)


def _in_order(stage_ms: Mapping[str, float]) -> dict[str, float]:
    """Return the means of the stages in the order of a frame's way, those of no known name last."""
    names = [*STAGES, *sorted(stage_ms.keys() - {*STAGES})]
    return {name: stage_ms[name] for name in names if name in stage_ms}
