"""Compares detecting on every frame with detecting on every Nth and carrying the boxes in between.

Every mode runs the whole way of ``hybridtrack run`` into a JSON Lines file. Modes take turns in rounds, each beginning
elsewhere, so that a machine that grows slower does not favour one; ratios and differences are taken within a round.
"""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from itertools import compress, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

from hybridtrack import boxes
from hybridtrack.association import assign
from hybridtrack.config import Cadence
from hybridtrack.engine import Engine
from hybridtrack.errors import UsageError
from hybridtrack.run import write_run
from hybridtrack.sinks.jsonl import JsonLinesSink
from hybridtrack.sources import Source, open_source
from hybridtrack.types import Array, FrameResult, TrackState

TRACKERS = ("hold", "flow")  #: what is compared with detecting on every frame: the baseline, and the default
MIN_IOU = 0.5  #: of two boxes that show the same
MIN_SPEED_UP = 1.05  #: in the worst round; below it the difference is noise, and would be printed as 1.0
GOOD_F1 = 0.9  #: agreement from which a mode counts as a replacement for detecting on every frame
WARM_UP_FRAMES = 10  #: of a run before the first round that loads what is loaded once
DISTRIBUTIONS = ("hybridtrack", "numpy", "scipy", "av", "ai-edge-litert")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """A tracker, and how often the detector runs."""

    tracker: str
    detect_every: Cadence

    def __str__(self) -> str:
        every = self.detect_every
        if every.frames is None:
            return f"{self.tracker} {every}" if every.is_auto else f"{self.tracker} every {every}"
        return f"{self.tracker} every frame" if every.frames == 1 else f"{self.tracker} every {every} frames"


DETECT_ONLY = Mode(tracker="none", detect_every=Cadence(frames=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A figure over the rounds."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return median, least and greatest of at least one value."""
        return cls(median=statistics.median(values), least=min(values), most=max(values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one mode did on one source.

    fps: frames per second of the wall clock, all threads on, start-up excluded. speed_up: fps over that of detecting on
    every frame. cpu_ms: process CPU time a frame beyond that of decoding. f1: agreement of the confirmed tracks with
    those of detecting on every frame, at IoU .5, over all frames; filled_f1: over the frames without a detector run;
    None where neither has a box, or there is no such frame.
    """

    source: str
    mode: str
    detect_every: int | str
    frames: int
    detector_runs: int
    fps: Spread
    speed_up: Spread
    cpu_ms: Spread
    f1: float | None
    filled_f1: float | None


@dataclass(frozen=True, slots=True)
class _Times:
    """What a run over so many frames took, of the wall clock and of all threads' CPU time."""

    frames: int
    wall_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """What a run showed: the boxes (N, 4) of confirmed tracks, and whether a detector ran, of each frame."""

    xyxy: list[Array] = field(default_factory=list)
    has_run: list[bool] = field(default_factory=list)

    def add(self, result: FrameResult) -> None:
        self.xyxy.append(result.tracks.xyxy[result.tracks.state == TrackState.CONFIRMED])
        self.has_run.append(any(run.status == "ok" for run in result.runs))


_Run: TypeAlias = tuple[_Times, _Shown]


def modes_of(cadences: Iterable[Cadence]) -> list[Mode]:
    """Return detecting on every frame, then every compared tracker at each cadence; a cadence counts once."""
    once = list(dict.fromkeys(cadences))
    return [DETECT_ONLY, *(Mode(tracker=name, detect_every=cadence) for name in TRACKERS for cadence in once)]


def count_shared(a: Array, b: Array) -> int:
    """Return how many boxes of ``a`` (N, 4) and ``b`` (M, 4) can be paired one to one at an IoU of ``MIN_IOU``."""
    overlap = boxes.iou(a, b)
    rows, _ = assign(1 - overlap, overlap >= MIN_IOU)
    return len(rows)


def agreement(found: Sequence[Array], wanted: Sequence[Array]) -> float | None:
    """Return the F1, 0..1, of the boxes found against those wanted, frame by frame; None when there are none at all."""
    total = sum(map(len, found)) + sum(map(len, wanted))
    shared = sum(map(count_shared, found, wanted))
    return 2 * shared / total if total else None


def turns(count: int, round_number: int, rounds: int) -> list[int]:
    """Return the order in which ``count`` jobs take turns in a round; over the rounds each begins elsewhere."""
    first = round_number * count // rounds
    return [(first + number) % count for number in range(count)]


def bench(
    uri: str,
    modes: Sequence[Mode],
    *,
    rounds: int,
    max_frames: int | None = None,
    on_run: Callable[[str], object] = lambda text: None,
) -> list[Row]:
    """Return a row for each mode on a recording, the first of them being what the others are compared with.

    ``on_run`` is told what comes next. Raises what ``open_repeatable`` raises.
    """
    for mode in modes:
        on_run(f"{uri}: warming up, {mode}")
        _track(uri, mode, WARM_UP_FRAMES)
    decoded: list[_Times] = []
    runs: list[list[_Run]] = [[] for _ in modes]
    for round_number in range(rounds):
        for turn in turns(len(modes) + 1, round_number, rounds):
            what = "decoding alone" if turn == len(modes) else str(modes[turn])
            on_run(f"{uri}: round {round_number + 1} of {rounds}, {what}")
            if turn == len(modes):
                decoded.append(_decode(uri, max_frames))
            else:
                runs[turn].append(_track(uri, modes[turn], max_frames))
    return [_row(uri, mode, own, runs[0], decoded) for mode, own in zip(modes, runs, strict=True)]


def _row(uri: str, mode: Mode, runs: Sequence[_Run], reference: Sequence[_Run], decoded: Sequence[_Times]) -> Row:
    fps = [times.frames / times.wall_s for times, _ in runs]
    reference_fps = [times.frames / times.wall_s for times, _ in reference]
    shown, wanted = runs[0][1], reference[0][1]  # all rounds show the same
    is_filled = [not has_run for has_run in shown.has_run]
    return Row(
        source=uri,
        mode=mode.tracker,
        detect_every=mode.detect_every.frames or str(mode.detect_every),
        frames=len(is_filled),
        detector_runs=sum(shown.has_run),
        fps=Spread.of(fps),
        speed_up=Spread.of([own / other for own, other in zip(fps, reference_fps, strict=True)]),
        cpu_ms=Spread.of(
            [(times.cpu_s - bare.cpu_s) / times.frames * 1000 for (times, _), bare in zip(runs, decoded, strict=True)]
        ),
        f1=agreement(shown.xyxy, wanted.xyxy),
        filled_f1=agreement(list(compress(shown.xyxy, is_filled)), list(compress(wanted.xyxy, is_filled))),
    )


def open_repeatable(uri: str) -> Source:
    """Return the source of a file or of images. Raises SourceError, and UsageError for what does not play twice."""
    source = open_source(uri)
    if source.is_live:
        source.close()
        raise UsageError(f"cannot compare modes on {uri!r}: it does not play twice; give a file or a folder of images")
    return source


def _decode(uri: str, max_frames: int | None) -> _Times:
    with open_repeatable(uri) as source:
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        frames = sum(1 for _ in islice(source, max_frames))
        return _Times(frames, time.perf_counter() - wall_s, time.process_time() - cpu_s)


def _track(uri: str, mode: Mode, max_frames: int | None) -> _Run:
    shown = _Shown()
    with (
        TemporaryDirectory() as folder,
        Engine(tracker=mode.tracker, detect_every=mode.detect_every) as engine,
        open_repeatable(uri) as source,
    ):
        sink = JsonLinesSink(Path(folder) / "tracks.jsonl")
        cpu_s = time.process_time()
        summary = write_run(engine, source, [sink], max_frames=max_frames, on_frame=shown.add)
        return _Times(summary.frames, summary.seconds, time.process_time() - cpu_s), shown


def verdict(rows: Sequence[Row]) -> str:
    """Return the sentence that says which mode pays on a source: the fastest that agrees with the first row.

    Modes that detect on every frame too, or are not clearly faster in every round, do not pay.
    """
    reference, *others = rows
    paying = [row for row in others if _is_faster(row) and (row.f1 is None or row.f1 >= GOOD_F1)]
    name = Path(reference.source).name
    if not paying:
        return f"{name}: none is faster than detecting on every frame and agrees with it (F1 of {GOOD_F1:g} or more)."
    best = max(paying, key=lambda row: row.speed_up.median)
    every = f"{best.detect_every} frames" if isinstance(best.detect_every, int) else best.detect_every
    often = "as often as needed" if every == "auto" else f"every {every}"
    return (
        f"{name}: {best.mode} with the detector {often} pays most, {best.speed_up.median:.1f} times as fast as "
        f"detecting on every frame: the fastest of those that agree with it (F1 of {GOOD_F1:g} or more)."
    )


def _is_faster(row: Row) -> bool:
    """Return whether a mode spares detector runs, and was the faster one in every round, by more than noise."""
    return row.detect_every != 1 and row.speed_up.least >= MIN_SPEED_UP


def machine() -> dict[str, Any]:
    """Return what figures depend on: processor, cores that this process may use, system and versions."""
    import cv2

    versions: dict[str, str] = {"python": platform.python_version(), "opencv": cv2.__version__}
    for name in DISTRIBUTIONS:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:  # not every platform has LiteRT
            continue
    return {"cpu": _cpu_name(), "cores": _core_count(), "system": platform.platform(), "versions": versions}


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _core_count() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def report(rows: Sequence[Row], settings: Mapping[str, Any]) -> bytes:
    """Return the JSON text of rows, of the settings they were measured with, and of the machine."""
    import msgspec

    content = {
        "format": "hybridtrack.bench",
        "version": 1,
        "machine": machine(),
        "settings": settings,
        "rows": [_rounded(msgspec.to_builtins(row)) for row in rows],
    }
    return msgspec.json.format(msgspec.json.encode(content)) + b"\n"


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return round(value, 4) if isinstance(value, float) else value
