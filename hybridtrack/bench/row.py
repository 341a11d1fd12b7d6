"""What modes did, as figures: speed, cost and accuracy of each beside those of detecting on every frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path

from hybridtrack.bench.agreement import agreement
from hybridtrack.bench.measurement import Run, Shown, Times
from hybridtrack.bench.mode import Mode
from hybridtrack.bench.spread import Spread
from hybridtrack.evaluate import Scores


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one mode did on one source, or on all of them one after the other.

    shrink: how many times smaller the pictures were that were looked at. does_less: it could be faster than detecting
    on every frame, by fewer runs, smaller pictures or another detector. fps: frames per second of the wall clock, all
    threads on, start-up excluded. speed_up: fps over that of detecting on every frame, before and after it in the same
    round. cpu_ms: process CPU time a frame beyond that of decoding. stage_ms: means a frame of the wall clock, side by
    side in threads. f1: agreement of the confirmed tracks with those of detecting on every frame, at IoU .5, over all
    frames; filled_f1: over the frames without a detector run; None where neither has a box, or there is no such frame.
    scores: against the truth, or where there is none, against detecting on every frame.
    """

    source: str
    mode: str
    detect_every: int | str
    tracker: str
    fill: str
    shrink: int
    does_less: bool
    frames: int
    detector_runs: int
    rounds: int
    fps: Spread
    speed_up: Spread
    cpu_ms: Spread
    stage_ms: Mapping[str, float]
    f1: float | None
    filled_f1: float | None
    scores: Scores

    @property
    def spares_runs(self) -> bool:
        """Whether the detector runs on fewer frames than there are."""
        return self.detect_every != 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Round:
    """One run of each mode, by its number, and of decoding alone.

    beside: what the reference, mode 0, took on average right before and after the mode.
    """

    runs: Mapping[int, Run]
    beside: Mapping[int, Times]
    decoded: Times


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SourceRuns:
    """The rounds on one source. A mode that was hopeless in the first has no other.

    files: the tracks of each mode; truth: what they are held to; notes: what the user should know of how they fit.
    """

    uri: str
    rounds: Sequence[Round]
    files: Sequence[Path]
    truth: Path
    notes: Sequence[str] = ()

    def of(self, number: int) -> list[Round]:
        """Return the rounds in which mode ``number`` ran."""
        return [one for one in self.rounds if number in one.runs]


def row_of(mode: Mode, number: int, sources: Sequence[SourceRuns], scores: Scores, *, name: str) -> Row:
    """Return the figures of mode ``number`` on ``sources`` together, called ``name``; mode 0 is the reference."""
    rounds = list(zip(*(one.of(number) for one in sources), strict=False))  # as often as it ran on all of them
    own = [Times.total([one.runs[number].times for one in parts]) for parts in rounds]
    beside = [Times.total([one.beside[number] for one in parts]) for parts in rounds]
    bare = [Times.total([one.decoded for one in parts]) for parts in rounds]
    shown, wanted = _shown(sources, number), _shown(sources, 0)
    is_filled = [not has_run for has_run in shown.has_run]
    return Row(
        source=name,
        mode=mode.name,
        detect_every=mode.detect_every.frames or str(mode.detect_every),
        tracker=mode.tracker,
        fill=mode.fill,
        shrink=mode.shrink,
        does_less=mode.does_less,
        frames=len(is_filled),
        detector_runs=sum(shown.has_run),
        rounds=len(rounds),
        fps=Spread.of([one.fps for one in own]),
        speed_up=Spread.of([one.fps / other.fps for one, other in zip(own, beside, strict=True)]),
        cpu_ms=Spread.of([(one.cpu_s - other.cpu_s) / one.frames * 1000 for one, other in zip(own, bare, strict=True)]),
        stage_ms=_mean_stages([one.runs[number] for source in sources for one in source.of(number)]),
        f1=agreement(shown.xyxy, wanted.xyxy),
        filled_f1=agreement(list(compress(shown.xyxy, is_filled)), list(compress(wanted.xyxy, is_filled))),
        scores=scores,
    )


def _shown(sources: Sequence[SourceRuns], number: int) -> Shown:
    """Return what the runs of the first round showed; those of all rounds show the same."""
    return Shown.joined([one.rounds[0].runs[number].shown for one in sources])


def _mean_stages(runs: Sequence[Run]) -> dict[str, float]:
    """Return the means of the stages over the frames of all runs."""
    frames = sum(run.times.frames for run in runs)
    names = dict.fromkeys(name for run in runs for name in run.stage_ms)
    return {name: sum(run.stage_ms.get(name, 0.0) * run.times.frames for run in runs) / frames for name in names}
