"""Print how well trackers carry people's boxes without pictures: ours, and those that one would take instead.

    python -m tests.benchmarks.peers.accuracy MOT --scorer-python PYTHON [--detect-every 1,2,3,5,10] [--only WORD,…]

MOT holds a folder a sequence: ``det/det.txt``, ``gt/gt.txt`` and ``seqinfo.ini`` in MOTChallenge form. Detections are
shown on the frames 1, 1 + N, 1 + 2 N, …, and boxes are wanted on every frame. Each library runs in an environment of
its own (``environments.py``) with its defaults and with what a user would choose for every Nth frame (``settings.py``);
``linear`` looks into the future, as a file can. The scorer, a script, is run as ``PYTHON SCRIPT MOT RESULTS``, with
``RESULTS/<sequence>.txt``, and prints a JSON object with ``HOTA``.
"""

from __future__ import annotations

import argparse
import configparser
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hybridtrack.mot_file import read_rows
from tests.benchmarks.accuracy import SHARED, names, numbers
from tests.benchmarks.peers import worker
from tests.benchmarks.peers.environments import python_of
from tests.benchmarks.peers.settings import ACCURACY, OURS, Setting

SCORER = SHARED / "tools/score_mot.py"
FIGURES = ("HOTA", "AssA", "IDF1", "IDSW")


@dataclass(frozen=True, slots=True)
class Clip:
    """A sequence's detections: of each frame ``[x1, y1, x2, y2, score]``, px."""

    name: str
    fps: float
    size_px: tuple[int, int]
    frames: list[list[list[float]]]


def read_sequence(folder: Path) -> Clip:
    """Return the detections of a folder. Raises TrackFileError, KeyError where ``seqinfo.ini`` lacks something."""
    settings = configparser.ConfigParser()
    settings.read(folder / "seqinfo.ini")
    told = settings["Sequence"]
    frames: list[list[list[float]]] = [[] for _ in range(int(told["seqLength"]))]
    rows = read_rows(folder / "det/det.txt")
    for index, xyxy, score in zip(rows.frame_index, rows.xyxy, rows.confidence, strict=True):
        frames[index].append([*xyxy.tolist(), float(score)])
    size_px = int(told["imWidth"]), int(told["imHeight"])
    return Clip(folder.name, float(told["frameRate"]), size_px, frames)


def start_workers(stack: ExitStack, settings: Iterable[Setting]) -> dict[str, worker.Worker]:
    """Return a worker process for each library, ours included."""
    peers = dict.fromkeys(one.peer for one in settings)
    pythons = {peer: sys.executable if peer == OURS else python_of(peer) for peer in peers}
    return {peer: stack.enter_context(worker.start(python)) for peer, python in pythons.items()}


def rows_of(process: worker.Worker, setting: Setting, sequence: Clip, every: int, phase: int = 0) -> list[Any]:
    """Return the rows ``[frame, id, x1, y1, x2, y2]`` that a setting makes of a sequence, frames from 0."""
    frames = [[box for box in frame if box[4] >= setting.min_score] for frame in sequence.frames]
    answer = process.ask(
        do="track",
        tracker=setting.peer,
        options=dict(setting.options),
        fill=setting.fill,
        every=every,
        phase=phase,
        fps=sequence.fps,
        size_px=sequence.size_px,
        frames=frames,
    )
    rows: list[Any] = answer["rows"]
    return rows


def mot_text(rows: Sequence[Any]) -> str:
    """Return the rows as MOTChallenge text, frames from 1."""
    return "".join(
        f"{frame + 1},{number},{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},1,-1,-1,-1\n"
        for frame, number, x1, y1, x2, y2 in rows
        if x2 > x1 and y2 > y1
    )


def score(command: Sequence[str | Path], truth: Path, texts: Mapping[str, str]) -> dict[str, Any]:
    """Return the scorer's figures for texts by the sequences' names."""
    with TemporaryDirectory() as place:
        results = Path(place) / "results"
        results.mkdir()
        for name, text in texts.items():
            (results / f"{name}.txt").write_text(text)
        done = subprocess.run([*command, truth, results], check=True, capture_output=True, text=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def best(
    found: Mapping[tuple[str, int], Mapping[str, float]], settings: Iterable[Setting], every: int
) -> tuple[float, str]:
    """Return the greatest HOTA at one N of these settings, and whose it is."""
    return max((found[str(one), every]["HOTA"], str(one)) for one in settings)


def main(arguments: Sequence[str] | None = None) -> None:
    summary = (__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.peers.accuracy", description=summary)
    parser.add_argument("folder", type=Path, metavar="MOT")
    parser.add_argument("--scorer-python", required=True, metavar="PYTHON", help="an interpreter with trackeval")
    parser.add_argument("--scorer", type=Path, default=SCORER, metavar="SCRIPT")
    parser.add_argument("--detect-every", type=numbers, default=[1, 2, 3, 5, 10], metavar="N,...")
    parser.add_argument("--only", type=names, default=[""], metavar="WORD,...", help="settings with one in their name")
    options = parser.parse_args(arguments)
    settings = [one for one in ACCURACY if any(word in str(one) for word in options.only)]
    sequences = [read_sequence(path.parent) for path in sorted(options.folder.glob("*/seqinfo.ini"))]
    found: dict[tuple[str, int], dict[str, Any]] = {}
    print(f"{len(sequences)} sequences combined; {', '.join(FIGURES)}")
    print(f"\n| tracker | {' | '.join(f'N = {n}' for n in options.detect_every)} |")
    print(f"|{'---|' * (len(options.detect_every) + 1)}")
    with ExitStack() as stack:
        workers = start_workers(stack, settings)
        for one in settings:
            for n in options.detect_every:
                texts = {each.name: mot_text(rows_of(workers[one.peer], one, each, n)) for each in sequences}
                found[str(one), n] = score([options.scorer_python, options.scorer], options.folder, texts)
            cells = [" ".join(f"{found[str(one), n][name]:.4g}" for name in FIGURES) for n in options.detect_every]
            print(f"| {one} | {' | '.join(cells)} |", flush=True)
    peers = [one for one in settings if one.peer != OURS]
    for name, rivals in (
        ("best peer that sees the past alone", [one for one in peers if one.fill != "linear"]),
        ("best peer", peers),
    ):
        if rivals:
            tops = [best(found, rivals, n) for n in options.detect_every]
            print(f"| {name}, HOTA | {' | '.join(f'{hota:.2f} {top}' for hota, top in tops)} |")


if __name__ == "__main__":
    main()
