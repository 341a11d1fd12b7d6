"""A process in a peer's environment that runs its tracker: one job a line in, one answer a line out, both JSON.

    PYTHON -m tests.benchmarks.peers.worker

Jobs are ``{"do": "time", "tracker": …, "options": …, "boxes": …, "frames": …, "seed": …}`` and ``{"do": "track",
"tracker": …, "options": …, "fill": …, "every": …, "phase": …, "fps": …, "size_px": …, "frames": [[[x1, y1, x2, y2,
score], …], …]}``; ``start`` below is the other end.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from tests.benchmarks.crowd import FPS, SIZE_PX, crowd
from tests.benchmarks.peers.adapters import TRACKERS, Feed, Shown
from tests.benchmarks.peers.filling import Rows, hold, interpolate

WARM_UP = 20  #: updates of a crowd that are not timed: tracks begin, and what is loaded once is loaded
Job: TypeAlias = Mapping[str, Any]


def time_updates(job: Job) -> dict[str, Any]:
    """Return what each update takes, ms, and how many ids were shown in all."""
    tracker = TRACKERS[job["tracker"]](Feed(FPS, 1, SIZE_PX), **job["options"])
    taken, ids = [], set()
    for index, seen in enumerate(crowd(job["boxes"], job["frames"], job["seed"])):
        prepared = tracker.prepare(index / FPS, seen.xyxy.astype(np.float64), seen.score.astype(np.float64))
        start = time.perf_counter()
        result = tracker.update(prepared)
        taken.append((time.perf_counter() - start) * 1000)
        ids.update(tracker.shown(result)[0])
    return {"ms": taken[WARM_UP:], "ids": len(ids)}


def track(job: Job) -> dict[str, Any]:
    """Return the rows ``[frame, id, x1, y1, x2, y2]`` of a sequence, by frame; ids count from 1.

    Detections are shown on every ``every``-th frame from ``phase`` on. fill: "own", the tracker is updated on every
    frame and shows what it shows; "hold" and "linear", it is updated on these frames alone, and its boxes stay until
    the next one, or go straight to where they are then.
    """
    numbers: dict[Any, int] = {}
    rows: Rows = []
    for index, (names, boxes) in _shown(job):
        for name, xyxy in zip(names, np.asarray(boxes, float).tolist(), strict=True):
            if np.isfinite(xyxy).all():
                rows.append((index, numbers.setdefault(name, len(numbers) + 1), *xyxy))
    if job["fill"] == "hold":
        rows = hold(rows, job["every"], len(job["frames"]))
    elif job["fill"] == "linear":
        rows = interpolate(rows, max(job["every"], round(job["fps"])))
    return {"rows": rows}


def _shown(job: Job) -> Iterator[tuple[int, Shown]]:
    """Yield what a tracker shows, by frame. One that also has ``rest`` returns a list of what each update settles."""
    every, fps, coasts = job["every"], job["fps"], job["fill"] == "own"
    feed = Feed(fps, every, tuple(job["size_px"])) if coasts else Feed(fps / every, 1, tuple(job["size_px"]))
    tracker = TRACKERS[job["tracker"]](feed, **job["options"])
    waits, waiting = hasattr(tracker, "rest"), deque[int]()
    for index, boxes in enumerate(job["frames"]):
        has_run = index >= job["phase"] and (index - job["phase"]) % every == 0
        if not (has_run or coasts):
            continue
        found = np.array(boxes, float).reshape(-1, 5)
        seen = (found[:, :4], found[:, 4]) if has_run else (None, None)
        waiting.append(index)
        result = tracker.update(tracker.prepare(index / fps, *seen))
        for one in result if waits else [result]:
            yield waiting.popleft(), tracker.shown(one)
    for one in tracker.rest() if waits else []:
        yield waiting.popleft(), tracker.shown(one)


def main() -> None:
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # libraries print
    jobs = {"time": time_updates, "track": track}
    for line in sys.stdin:
        job = json.loads(line)
        print(json.dumps(jobs[job["do"]](job)), file=answers, flush=True)


class Worker:
    """The other end of a worker process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, **job: Any) -> dict[str, Any]:
        """Return the answer to a job. Raises RuntimeError when the process has died."""
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps(job), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the worker ended with {self._process.wait()} at {job['tracker']} {job['options']}")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def start(python: str | Path) -> Generator[Worker, None, None]:
    """Run a worker by the interpreter ``python`` while the context lasts."""
    command: Sequence[str | Path] = [python, "-m", "tests.benchmarks.peers.worker"]
    root = Path(__file__).parents[3]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Worker(process)
        finally:
            assert process.stdin
            process.stdin.close()


if __name__ == "__main__":
    main()
