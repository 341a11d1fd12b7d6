"""Modes side by side: each runs over the same recording, in turn, and is scored against the same truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from hybridtrack.bench.frame_cost import FrameCost, frame_cost
from hybridtrack.bench.measurement import Run, Times, decode, open_repeatable, track
from hybridtrack.bench.mode import Conditions, Mode
from hybridtrack.bench.row import Round, Row, SourceRuns, row_of
from hybridtrack.bench.spread import turns
from hybridtrack.bench.truth import first_frames, notes_of
from hybridtrack.evaluate import evaluate

HOPELESS = 0.5  #: of the reference's speed, below which one round is enough: no later round would make it pay
REFERENCE_EVERY = 6  #: modes that run between two runs of the reference: load that comes and goes meets both

Tell: TypeAlias = Callable[[str], object]


def silence(text: str) -> None:
    """Tell nobody what comes next."""


def take_turns(
    uri: str,
    modes: Sequence[Mode],
    conditions: Conditions,
    *,
    folder: Path,
    truth: str | None = None,
    tell: Tell = silence,
) -> SourceRuns:
    """Return the runs of all modes on a recording, round by round; track files go to ``folder``.

    Mode 0 is the reference. Each round begins with another mode, so that a machine that grows slower does not favour
    one, and has the reference before, between and after the others. truth: a MOTChallenge folder or text, or a track
    file; None: the reference's tracks. ``tell`` is told what comes next. Raises what ``track`` and ``evaluate`` raise,
    after one run where the truth does not fit.
    """
    open_repeatable(uri).close()
    folder.mkdir(parents=True)
    files = [folder / f"{number}.jsonl" for number in range(len(modes))]
    truth_file = files[0]
    notes: tuple[str, ...] = ()
    if truth is not None:
        tell(f"{uri}: {modes[0]}, against the truth")
        frames = track(uri, modes[0], conditions, files[0]).times.frames
        truth_file = first_frames(truth, frames, folder / "truth" / Path(truth).resolve().name)
        notes = notes_of(evaluate([(files[0], truth_file)], class_name=conditions.class_name))
    rounds: list[Round] = []
    for number in range(conditions.rounds):
        others = [1 + turn for turn in turns(len(modes) - 1, number, conditions.rounds)]
        if rounds:
            others = [other for other in others if not is_hopeless(rounds[0].runs[other], rounds[0].beside[other])]
        heading = f"{uri}: round {number + 1} of {conditions.rounds}"
        rounds.append(_round(uri, modes, others, conditions, files, heading=heading, tell=tell))
    return SourceRuns(uri=uri, rounds=rounds, files=files, truth=truth_file, notes=notes)


def is_hopeless(first: Run, reference: Times) -> bool:
    """Return whether a mode was so slow in its first round that more rounds would not make it pay."""
    return first.times.fps < HOPELESS * reference.fps


def _round(
    uri: str,
    modes: Sequence[Mode],
    others: Sequence[int],
    conditions: Conditions,
    files: Sequence[Path],
    *,
    heading: str,
    tell: Tell,
) -> Round:
    """Return the runs of a round: decoding alone, and the modes ``others`` with mode 0 before, between and after."""

    def run(number: int) -> Run:
        tell(f"{heading}, {modes[number]}")
        return track(uri, modes[number], conditions, files[number])

    tell(f"{heading}, decoding alone")
    decoded = decode(uri, conditions.max_frames)
    references = [run(0)]
    runs: dict[int, Run] = {}
    beside: dict[int, Times] = {}
    for first in range(0, len(others), REFERENCE_EVERY):
        block = others[first : first + REFERENCE_EVERY]
        runs |= {number: run(number) for number in block}
        references.append(run(0))
        beside |= dict.fromkeys(block, Times.mean([one.times for one in references[-2:]]))
    runs[0] = replace(references[0], times=Times.mean([one.times for one in references]))
    beside[0] = runs[0].times
    return Round(runs=runs, beside=beside, decoded=decoded)


def costs_of(uri: str, modes: Sequence[Mode], conditions: Conditions, *, tell: Tell = silence) -> list[FrameCost]:
    """Return what frames cost in each of the modes that differ in more than how often the detector runs."""
    profiled = [mode.profiled for number, mode in enumerate(modes) if not number or mode.does_less]
    costs = []
    for number, mode in enumerate(profiled):
        if mode not in profiled[:number]:
            tell(f"{uri}: what frames cost, {mode}")
            costs.append(frame_cost(uri, mode, conditions))
    return costs


def rows_of(modes: Sequence[Mode], sources: Sequence[SourceRuns], conditions: Conditions, *, name: str) -> list[Row]:
    """Return the figures of every mode on ``sources`` together, called ``name``. Raises what ``evaluate`` raises."""
    rows = []
    for number, mode in enumerate(modes):
        pairs = [(one.files[number], one.truth) for one in sources]
        scores = evaluate(pairs, class_name=conditions.class_name).combined
        rows.append(row_of(mode, number, sources, scores, name=name))
    return rows
