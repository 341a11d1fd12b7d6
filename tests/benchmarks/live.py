"""Print what a live run shows of clips that are played at their pace, with a detector that is slow.

    python -m tests.benchmarks.live --scorer-python PYTHON [FOLDER...] [--detector-ms 200] [--offline 6] [--rounds 3]

A FOLDER holds one video, gt/gt.txt, classes.txt and seqinfo.ini; default: three clips of the data folder beside the
checkout. The detector is that of hands; each of its runs is drawn out to ``--detector-ms`` by waiting, as a network
elsewhere would. Latency is from the moment when a frame is due until its line has been written. Beside it stands the
offline result with a detector run on every Nth frame that frames wait for, mean over its N phases.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from hybridtrack.config import parse_choice
from hybridtrack.engine import Engine
from hybridtrack.hookspecs import Detector
from hybridtrack.plugin_host import PluginHost
from hybridtrack.run import write_run
from hybridtrack.sinks.jsonl import JsonLinesSink
from hybridtrack.sources import open_source
from hybridtrack.sources.paced import PacedSource
from hybridtrack.tracking.flow import one_thread_each
from hybridtrack.types import Detections, Frame, FrameResult
from tests.benchmarks.accuracy import CLIPS, SCORER, Scorer, clip_in, score_tracks

FIGURES = ("HOTA", "DetA", "AssA", "IDSW", "filled_F1")


class SlowHand:
    """The detector of hands, none of whose runs takes less than a time."""

    def __init__(self, least_s: float) -> None:
        offer = PluginHost.load().detector("hand")
        choice = parse_choice("hand", where="detector", has_cadence=True)
        self._detector: Detector = offer.build(offer.read_options(choice.options))
        self.classes = self._detector.classes
        self._least_s = least_s

    def detect(self, frame: Frame) -> Detections:
        begun_s = time.perf_counter()
        found = self._detector.detect(frame)
        time.sleep(max(self._least_s - (time.perf_counter() - begun_s), 0.0))
        return found

    def reset(self) -> None:
        self._detector.reset()

    def close(self) -> None:
        self._detector.close()


@dataclass(frozen=True, slots=True)
class Played:
    """A clip that was played: what came of its frames, and how long after they were due, ms."""

    frames: int
    dropped: int
    runs: int
    latency_ms: list[float]


def play(clip: Path, file: Path, *, detector_ms: float) -> Played:
    """Write the tracks of a clip that is played at its pace, live."""
    latency_ms: list[float] = []
    with (
        one_thread_each(),  # as the command does
        Engine(detectors=[SlowHand(detector_ms / 1000)], live=True) as engine,
        PacedSource(open_source(str(clip))) as source,
    ):

        def note(result: FrameResult) -> None:
            latency_ms.append((time.monotonic() - source.due_s(result.time_s)) * 1000)

        summary = write_run(engine, source, [JsonLinesSink(file)], on_frame=note)
    return Played(summary.frames, summary.dropped, sum(summary.detector_runs.values()), latency_ms)


def play_all(scorer: Scorer, folders: Sequence[Path], *, detector_ms: float) -> list[str]:
    """Return the cells of one round over all clips."""
    with TemporaryDirectory() as place:
        files = [Path(place) / f"{number}.jsonl" for number in range(len(folders))]
        played = [
            play(clip_in(folder), file, detector_ms=detector_ms) for file, folder in zip(files, folders, strict=True)
        ]
        scores = scorer.score(files, folders)
    frames, dropped, runs = (sum(getattr(one, name) for one in played) for name in ("frames", "dropped", "runs"))
    p50, p95, most = np.percentile([ms for one in played for ms in one.latency_ms], (50, 95, 100))
    cells = [f"{frames} of {frames + dropped}", f"{dropped}", f"{runs}", f"{p50:.1f}", f"{p95:.1f}", f"{most:.0f}"]
    return [*cells, *(f"{scores[name]:.1f}" for name in FIGURES)]


def main(arguments: Sequence[str] | None = None) -> None:
    summary = (__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.live", description=summary)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--scorer-python", required=True, metavar="PYTHON", help="an interpreter with trackeval")
    parser.add_argument("--scorer", type=Path, default=SCORER, metavar="SCRIPT")
    parser.add_argument("--detector-ms", type=float, default=200, metavar="MS")
    parser.add_argument("--offline", type=int, default=6, metavar="N")
    parser.add_argument("--rounds", type=int, default=3, metavar="K")
    options = parser.parse_args(arguments)
    folders = options.folders or CLIPS
    scorer = Scorer(options.scorer_python, options.scorer)
    print("clips combined:", ", ".join(folder.name for folder in folders), f"; load {os.getloadavg()[0]:.1f}")
    names = ("frames", "dropped", "runs", "p50 ms", "p95 ms", "most ms", *FIGURES)
    print(f"\n| | {' | '.join(names)} |\n|{'---|' * (len(names) + 1)}", flush=True)
    for _ in range(options.rounds):
        cells = play_all(scorer, folders, detector_ms=options.detector_ms)
        print(f"| live, {options.detector_ms:g} ms | {' | '.join(cells)} |", flush=True)
    n = options.offline
    if n:
        found = score_tracks(scorer, folders, tracker="flow", detect_every=str(n), phases=range(n), fill="forward")
        cells = ["", "", f"{found['runs']:.0f}", "", "", "", *(f"{found[name]:.1f}" for name in FIGURES)]
        print(f"| offline, N = {n} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
