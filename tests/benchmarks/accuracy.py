"""Print how well tracks agree with the truth of clips, as an independent scorer sees it.

    python -m tests.benchmarks.accuracy --scorer-python PYTHON [FOLDER...] [--trackers flow,hold] [--fill two-way]

A FOLDER holds one video, gt/gt.txt, classes.txt and seqinfo.ini; default: three clips of the data folder beside the
checkout. The scorer needs trackeval, which brings another OpenCV: PYTHON is the interpreter of an environment of its
own (numpy, scipy, trackeval). Figures are combined over the clips and are means over the phases: the frames, from 0, on
which the first detector run may fall.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hybridtrack.config import FILLS, Fill
from hybridtrack.engine import Engine
from hybridtrack.run import write_run
from hybridtrack.sinks.jsonl import JsonLinesSink
from hybridtrack.sources import open_source

SHARED = Path(__file__).parents[3] / "shared"
CLIPS = tuple(SHARED / "data" / name for name in ("coffee", "cups", "table_demo"))
SCORER = SHARED / "tools/score.py"
FIGURES = ("HOTA", "DetA", "AssA", "MOTA", "IDF1", "IDSW", "filled_F1", "runs")


@dataclass(frozen=True, slots=True)
class Scorer:
    """The independent scorer: a script, run by an interpreter that has what it needs."""

    python: str
    script: Path

    def score(self, files: Sequence[Path], folders: Sequence[Path]) -> dict[str, Any]:
        """Return the figures of track files against the truth in their clips' folders, combined."""
        pairs = [str(path) for pair in zip(files, folders, strict=True) for path in pair]
        done = subprocess.run([self.python, str(self.script), *pairs], check=True, capture_output=True, text=True)
        figures: dict[str, Any] = json.loads(done.stdout)
        return figures


def clip_in(folder: Path) -> Path:
    """Return the one video in a folder. Raises ValueError."""
    (clip,) = folder.glob("*.mp4")
    return clip


def write_tracks(
    clip: Path, file: Path, *, tracker: str, detect_every: str, phase: int, fill: Fill = "forward", raw: bool = False
) -> int:
    """Write the tracks of a clip; ``raw``: with the detections that they were made of. Return the detector's runs."""
    detector = f"hand,every={detect_every},phase={phase}"
    with Engine(detectors=[detector], tracker=tracker, fill=fill) as engine, open_source(str(clip)) as source:
        summary = write_run(engine, source, [JsonLinesSink(file, with_detections=raw)])
    return summary.detector_runs.get("hand", 0)


def score_tracks(
    scorer: Scorer, folders: Sequence[Path], *, tracker: str, fill: Fill, detect_every: str, phases: Sequence[int]
) -> dict[str, float]:
    """Return the figures of one tracker at one N, combined over the clips; means over the phases below N.

    ``runs`` is the number of detector runs. Times and ``auto`` have no phases.
    """
    scores: list[dict[str, Any]] = []
    for phase in (phase for phase in phases if phase < (int(detect_every) if detect_every.isdecimal() else 1)):
        with TemporaryDirectory() as place:
            files = [Path(place) / f"{number}.jsonl" for number in range(len(folders))]
            runs = sum(
                write_tracks(clip_in(folder), file, tracker=tracker, fill=fill, detect_every=detect_every, phase=phase)
                for file, folder in zip(files, folders, strict=True)
            )
            scores.append({**scorer.score(files, folders), "runs": runs})
    known = {name: [one[name] for one in scores if one[name] is not None] for name in FIGURES}
    return {name: statistics.mean(values) for name, values in known.items() if values}


def score_detections(scorer: Scorer, folders: Sequence[Path]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each clip's name and the figures of the raw detections on every frame."""
    for folder in folders:
        with TemporaryDirectory() as place:
            file = Path(place) / "raw.jsonl"
            write_tracks(clip_in(folder), file, tracker="none", detect_every="1", phase=0, raw=True)
            yield folder.name, scorer.score([file], [folder])


def names(text: str) -> list[str]:
    return text.split(",")


def numbers(text: str) -> list[int]:
    return [int(word) for word in text.split(",")]


def main(arguments: Sequence[str] | None = None) -> None:
    summary = (__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.accuracy", description=summary)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--scorer-python", required=True, metavar="PYTHON", help="an interpreter with trackeval")
    parser.add_argument("--scorer", type=Path, default=SCORER, metavar="SCRIPT")
    parser.add_argument("--trackers", type=names, default=["flow", "kalman", "medianflow", "hold"], metavar="NAME,...")
    parser.add_argument("--fill", choices=FILLS, default="forward")
    parser.add_argument("--detect-every", type=names, default=["1", "3", "5", "10"], metavar="N,...")
    parser.add_argument("--phases", type=numbers, default=[0], metavar="P,...")
    options = parser.parse_args(arguments)
    folders = options.folders or CLIPS
    scorer = Scorer(options.scorer_python, options.scorer)
    if "1" in options.detect_every:
        print("| raw detections, N = 1 | AP50 | AP75 |\n|---|---|---|")
        for name, figures in score_detections(scorer, folders):
            print(f"| {name} | {figures['AP50']:.3f} | {figures['AP75']:.3f} |", flush=True)
        print()
    print("clips combined:", ", ".join(folder.name for folder in folders))
    print(f"\n| tracker | N | {' | '.join(FIGURES)} |\n|{'---|' * (len(FIGURES) + 2)}")
    for tracker in options.trackers:
        for n in options.detect_every:
            found = score_tracks(
                scorer, folders, tracker=tracker, fill=options.fill, detect_every=n, phases=options.phases
            )
            cells = [f"{found[name]:.{3 if name == 'filled_F1' else 1}f}" if name in found else "-" for name in FIGURES]
            print(f"| {tracker} | {n} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
