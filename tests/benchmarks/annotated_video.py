"""Print how fast annotated video is written on one core: ``python -m tests.benchmarks.annotated_video [CLIP]``.

All of ``run --video`` counts: decoding, detecting hands on every third frame, tracking, relations, drawing, encoding.
Without a clip it is the demo clip at 1280x720, its objects by the truth on every third frame. The figure to trust is
that by CPU time, which other programs on the machine slow down less; ``write`` is drawing and encoding together.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from hybridtrack.engine import Engine
from hybridtrack.run import write_run
from hybridtrack.sinks.drawing import Drawing
from hybridtrack.sinks.video import VideoSink
from hybridtrack.sources import open_source
from hybridtrack.types import Frame, FrameResult, RunInfo, RunSummary
from tests.benchmarks.clips import write_smaller

ROOT = Path(__file__).parents[2]
SIZE_PX = (1280, 720)
REAL_TIME_FPS = 30.0
TRUTH = f"replay,path={ROOT / 'examples/data/table'},every=3"


class DrawnOnly:
    """A sink that draws and keeps nothing; it adds up the time that this takes."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._drawing: Drawing | None = None

    def open(self, info: RunInfo) -> None:
        self._drawing = Drawing(info.classes)

    def write(self, frame: Frame, result: FrameResult) -> None:
        assert self._drawing is not None
        frame.bgr()  # converted in any case
        start = time.thread_time()
        self._drawing.follow(result)
        self._drawing.draw(frame, result)
        self.seconds += time.thread_time() - start

    def close(self, summary: RunSummary | None) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", nargs="?")
    parser.add_argument("--detector", action="append", help="of hands and objects (default: hand, and replayed truth)")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    else:
        print("this system pins no process to a core: figures by CPU time count all cores' work")
    with TemporaryDirectory() as folder:
        clip = given.clip
        detectors = given.detector or (["hand"] if clip else [TRUTH, "hand"])
        if clip is None:
            clip = str(Path(folder) / "table.mp4")
            write_smaller(ROOT / "examples/data/table.mp4", Path(clip), SIZE_PX)
        measure(clip, detectors, Path(folder), given.rounds)


def measure(clip: str, detectors: list[str], folder: Path, rounds: int) -> None:
    """Print a line for each round."""
    print("frames/s by CPU time  by the wall clock  x real time  drawing ms  write ms")
    for _ in range(rounds):
        drawn = DrawnOnly()
        with Engine(detectors=detectors) as engine, open_source(clip) as source:
            write_run(engine, source, [drawn])
        with Engine(detectors=detectors) as engine, open_source(clip) as source:
            cpu_s = time.process_time()
            summary = write_run(engine, source, [VideoSink(folder / "out.mp4")])
            cpu_s = time.process_time() - cpu_s
        fps = summary.frames / cpu_s
        drawn_ms = drawn.seconds / summary.frames * 1000
        print(
            f"{fps:20.1f}  {summary.fps:17.1f}  {fps / REAL_TIME_FPS:11.2f}  {drawn_ms:10.2f}  "
            f"{summary.stage_ms['write']:8.2f}"
        )


if __name__ == "__main__":
    main()
