"""Schedules and trackers on detections that were made once: no network runs, and no picture where none is needed."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hybridtrack.bench.truth import first_frames, notes_of
from hybridtrack.cadence import Cadence
from hybridtrack.engine import Engine
from hybridtrack.errors import DetectorError, UsageError
from hybridtrack.evaluate import Evaluation, Scores, evaluate
from hybridtrack.plugin_host import PluginHost
from hybridtrack.run import write_run
from hybridtrack.selection import select_tracker
from hybridtrack.sinks.jsonl import JsonLinesSink
from hybridtrack.sweep.material import Material
from hybridtrack.sweep.settings import Setting, phases
from hybridtrack.types import RunSummary

TRACKING = ("convert", "track", "associate")  #: the stages of which tracking consists; detections need no pixels here


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What all settings of a sweep have in common.

    class_name: the only class that is scored; None: all that detections and truth both know. phases: at most so many of
    each cadence, None for all.
    """

    class_name: str | None = None
    phases: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one setting did over all sequences, as means over its phases.

    runs: frames on which a detector ran; frames: all of them. hota_least, hota_most: of the phases. track_ms: wall
    clock a frame of following and associating, with making the pixels for it. cost_ms: the same, and the detector's
    share; None where nobody says what a run takes. sequences: HOTA of each. Shares are 0..1.
    """

    tracker: str
    detect_every: int | str
    fill: str
    phases: int
    frames: int
    runs: float
    hota: float
    hota_least: float
    hota_most: float
    det_a: float
    ass_a: float
    idf1: float
    mota: float
    id_switches: float
    filled_f1: float | None
    track_ms: float
    cost_ms: float | None
    sequences: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pass:
    """One phase of a setting over all sequences; detect_ms: of all runs, None where nobody says."""

    evaluation: Evaluation
    frames: int
    runs: int
    track_ms: float
    detect_ms: float | None


def with_truth(material: Material, truth: str | None, *, max_frames: int | None, folder: Path) -> Material:
    """Return the material limited to ``max_frames``, with the truth of just these: of ``truth``, or of what came along.

    None: as many as there are. Raises UsageError when there is no truth, TrackFileError when it cannot be read.
    """
    known = truth or material.truth
    if known is None:
        raise UsageError(f"no truth of {material.name!r}: give --gt, one for each SOURCE in their order")
    counts = [count for count in (max_frames, material.moments and len(material.moments)) if count]
    if not counts:
        return replace(material, truth=known)
    cut = first_frames(known, min(counts), folder / Path(known).resolve().name)
    return replace(material, truth=str(cut), max_frames=min(counts))


def figures_of(
    setting: Setting,
    materials: Sequence[Material],
    conditions: Conditions,
    *,
    folder: Path,
    note: Callable[[str], object] = lambda text: None,
) -> Figures:
    """Return what ``setting`` does on ``materials``; track files go to ``folder``, ``note`` gets what should be known.

    Raises DetectorError when the detections do not reach, and what ``evaluate`` and the trackers raise.
    """
    passes = [
        _pass(setting, cadence, materials, conditions, folder)
        for cadence in phases(setting.detect_every, conditions.phases)
    ]
    for text in dict.fromkeys(text for one in passes for text in notes_of(one.evaluation)):
        note(text)
    scores = [one.evaluation.combined for one in passes]
    hotas = [one.hota for one in scores]
    frames = passes[0].frames
    track_ms = statistics.mean(one.track_ms for one in passes) / frames
    detect_ms = [one.detect_ms for one in passes if one.detect_ms is not None]
    return Figures(
        tracker=setting.tracker,
        detect_every=setting.detect_every.frames or str(setting.detect_every),
        fill=setting.fill,
        phases=len(passes),
        frames=frames,
        runs=statistics.mean(one.runs for one in passes),
        hota=statistics.mean(hotas),
        hota_least=min(hotas),
        hota_most=max(hotas),
        **{name: _mean(scores, name) for name in ("det_a", "ass_a", "idf1", "mota", "id_switches")},
        filled_f1=None if any(one.filled_f1 is None for one in scores) else _mean(scores, "filled_f1"),
        track_ms=track_ms,
        cost_ms=track_ms + statistics.mean(detect_ms) / frames if len(detect_ms) == len(passes) else None,
        sequences={
            name: statistics.mean(one.evaluation.sequences[name].hota for one in passes)
            for name in passes[0].evaluation.sequences
        },
    )


def _mean(scores: Sequence[Scores], name: str) -> float:
    return float(statistics.mean(getattr(one, name) for one in scores))


def _pass(
    setting: Setting, cadence: Cadence, materials: Sequence[Material], conditions: Conditions, folder: Path
) -> _Pass:
    files = [folder / f"{number}.jsonl" for number in range(len(materials))]
    summaries = [_run(setting, cadence, material, file) for material, file in zip(materials, files, strict=True)]
    pairs = [(file, str(material.truth)) for file, material in zip(files, materials, strict=True)]
    runs = [sum(one.detector_runs.values()) for one in summaries]
    taken = [
        None if material.detect_ms is None else material.detect_ms * count
        for material, count in zip(materials, runs, strict=True)
    ]
    known = [ms for ms in taken if ms is not None]
    return _Pass(
        evaluation=evaluate(pairs, class_name=conditions.class_name),
        frames=sum(one.frames for one in summaries),
        runs=sum(runs),
        track_ms=sum(sum(one.stage_ms[stage] for stage in TRACKING) * one.frames for one in summaries),
        detect_ms=sum(known) if len(known) == len(taken) else None,
    )


def _run(setting: Setting, cadence: Cadence, material: Material, file: Path) -> RunSummary:
    host = PluginHost.load()
    tracker = select_tracker(setting.tracker, host)
    needs_pictures = getattr(tracker, "looks", True)
    detector = replace(material.replay, every=str(cadence), phase=cadence.phase)
    with (
        Engine(
            detectors=[detector],
            tracker=setting.tracker,
            fill=setting.fill,
            relations=(),
            overlap=needs_pictures,
            host=host,
        ) as engine,
        material.open(needs_pictures=needs_pictures) as source,
    ):
        summary = write_run(engine, source, [JsonLinesSink(file)], max_frames=material.max_frames)
    if summary.failures:
        raise DetectorError(
            f"the detections of {material.name!r} do not reach for {setting} with the first run on frame "
            f"{cadence.phase}: {' '.join(summary.notes)}"
        )
    return summary
