"""Print what one step of the tracker costs without pictures: motion model, association and the life of tracks.

    python -m tests.benchmarks.association [--boxes 10,50,200,500] [--rounds 5] [--frames 200]

Boxes in smooth random motion cross each other, and 2 % of them are missed on each frame (``crowd.py``). The sizes take
turns in every round, and each round is another crowd. All of it runs in one thread, garbage collection on as in a run.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence

import numpy as np

from hybridtrack.hookspecs import BoxTracker
from hybridtrack.tracking.motion import create_kalman
from hybridtrack.tracking.tracker import Tracker
from hybridtrack.types import ClassInfo, Detections, Frame
from tests.benchmarks.accuracy import numbers
from tests.benchmarks.crowd import FPS, SIZE_PX, CrowdFrame, crowd

BOXES = (10, 50, 200, 500)
WARM_UP = 20  #: frames of each crowd that do not count: tracks begin, and what is loaded once is loaded


class _NoPicture:
    """A picture that has a size and no pixels."""

    size_px = SIZE_PX

    def gray(self, size: tuple[int, int]) -> np.ndarray:
        raise AssertionError("no pixels are to be asked for")

    rgb = gray


def steps_ms(frames: Sequence[CrowdFrame], box_tracker: BoxTracker | None = None) -> tuple[list[float], int]:
    """Return what each step took after the warm-up, ms, and how many ids were given in all."""
    tracker = Tracker(box_tracker or create_kalman({}), [ClassInfo(name="thing")])
    taken, ids = [], set()
    for index, seen in enumerate(frames):
        frame = Frame(_NoPicture(), index=index, time_s=index / FPS)
        found = Detections(xyxy=seen.xyxy, score=seen.score, class_id=np.zeros(len(seen.xyxy)))
        start = time.perf_counter()
        tracks = tracker.step(frame, {"crowd": found})
        taken.append((time.perf_counter() - start) * 1000)
        ids.update(tracks.track_id.tolist())
    return taken[WARM_UP:], len(ids)


def main(arguments: Sequence[str] | None = None) -> None:
    summary = (__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.association", description=summary)
    parser.add_argument("--boxes", type=numbers, default=list(BOXES), metavar="N,...")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--frames", type=int, default=200, help=f"of each crowd; the first {WARM_UP} do not count")
    options = parser.parse_args(arguments)
    if options.frames <= WARM_UP:
        parser.error(f"--frames {options.frames}: expected more than {WARM_UP}")
    medians: dict[int, list[float]] = {count: [] for count in options.boxes}
    worst: dict[int, list[float]] = {count: [] for count in options.boxes}
    ids: dict[int, list[int]] = {count: [] for count in options.boxes}
    for seed in range(options.rounds):
        for count in options.boxes:
            taken, given = steps_ms(crowd(count, options.frames, seed))
            medians[count].append(statistics.median(taken))
            worst[count].append(float(np.percentile(taken, 95)))
            ids[count].append(given)
    print("one step of the tracker without pictures, ms: median of the rounds' medians (least to greatest)")
    print("\n| boxes | ms a frame | 95 % | ids given |\n|---|---|---|---|")
    for count in options.boxes:
        found = medians[count]
        spread = f"{statistics.median(found):.2f} ({min(found):.2f} to {max(found):.2f})"
        print(f"| {count} | {spread} | {statistics.median(worst[count]):.2f} | {statistics.median(ids[count]):.0f} |")


if __name__ == "__main__":
    main()
