"""Print what a schedule that goes by the tracks wins over a fixed one with as many detector runs.

    python -m tests.benchmarks.adaptive [FOLDER...] [--auto auto,auto/5,auto/10] [--fixed 1,2,3,5,7,10,15]

A FOLDER holds one video and gt/gt.txt; default: three clips of the data folder beside the checkout. Figures are of
hands, combined over the clips; those of fixed schedules are means over phases. ``closed`` is the share of the gap in
HOTA that automatic schedules close between a fixed one with as many runs (between two measured ones, on a straight
line) and detecting on every frame. ``delay`` is the median time until a hand that comes in is shown. The last line is
what it takes to look for motion outside the tracks, wall clock a frame of the first clip.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from hybridtrack.evaluate import evaluate
from hybridtrack.sources import open_source
from hybridtrack.tracking.flow import flow_size
from hybridtrack.tracking.foreground import Foreground
from tests.benchmarks.accuracy import CLIPS, clip_in, names, numbers, write_tracks

PHASES = 3  #: at most, evenly apart


@dataclass(frozen=True, slots=True)
class Outcome:
    """Figures of one schedule: HOTA × 100, detector runs, the median delay in seconds."""

    hota: float
    runs: float
    delay_s: float


def measured(folders: Sequence[Path], detect_every: str, phase: int = 0) -> Outcome:
    """Return the figures of ``flow`` at one schedule, combined over the clips."""
    with TemporaryDirectory() as place:
        files = [Path(place) / f"{number}.jsonl" for number in range(len(folders))]
        runs = sum(
            write_tracks(clip_in(folder), file, tracker="flow", detect_every=detect_every, phase=phase)
            for file, folder in zip(files, folders, strict=True)
        )
        scores = evaluate(list(zip(files, folders, strict=True)), class_name="hand").combined
    return Outcome(100 * scores.hota, runs, np.nan if scores.delay_s is None else scores.delay_s)


def motion_ms(folder: Path) -> float:
    """Return the median wall clock of looking for motion on a frame whose small picture is made already."""
    foreground, taken = Foreground(), []
    with open_source(str(clip_in(folder))) as source:
        for frame in source:
            frame.gray(flow_size(frame.detail_px))
            start_s = time.perf_counter()
            foreground.step(frame, np.empty(0, np.int64), np.empty((0, 4)))
            taken.append((time.perf_counter() - start_s) * 1000)
    return statistics.median(taken)


def mean(outcomes: Sequence[Outcome]) -> Outcome:
    return Outcome(*(statistics.mean(getattr(one, name) for one in outcomes) for name in ("hota", "runs", "delay_s")))


def main(arguments: Sequence[str] | None = None) -> None:
    summary = (__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.adaptive", description=summary)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--auto", type=names, default=["auto", "auto/5", "auto/10"], metavar="AUTO,...")
    parser.add_argument("--fixed", type=numbers, default=[1, 2, 3, 5, 7, 10, 15], metavar="N,...")
    options = parser.parse_args(arguments)
    folders = options.folders or CLIPS
    print("clips combined:", ", ".join(folder.name for folder in folders))
    print("\n| schedule | runs | HOTA | fixed, as many runs | closed | delay s |\n|---|---|---|---|---|---|")
    fixed = []
    for n in options.fixed:
        phases = sorted({number * n // PHASES for number in range(PHASES)})
        fixed.append(mean([measured(folders, str(n), phase) for phase in phases]))
        print(f"| {n} | {fixed[-1].runs:.0f} | {fixed[-1].hota:.1f} | | | {fixed[-1].delay_s:.2f} |", flush=True)
    by_runs = sorted(fixed, key=lambda one: one.runs)
    best = by_runs[-1].hota
    for schedule in options.auto:
        one = measured(folders, schedule)
        as_many = float(np.interp(one.runs, [other.runs for other in by_runs], [other.hota for other in by_runs]))
        closed = (one.hota - as_many) / max(best - as_many, 1e-9)
        print(
            f"| {schedule} | {one.runs:.0f} | {one.hota:.1f} | {as_many:.1f} | {closed:.0%} | {one.delay_s:.2f} |",
            flush=True,
        )
    print(f"\nlooking for motion: {motion_ms(folders[0]):.2f} ms a frame")


if __name__ == "__main__":
    main()
