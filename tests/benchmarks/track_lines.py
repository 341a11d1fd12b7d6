"""Print what one line of a track file costs, and one drawn frame: ``python -m tests.benchmarks.track_lines``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from timeit import repeat

import numpy as np

from hybridtrack import wire
from hybridtrack.sinks.drawing import Drawing
from hybridtrack.sinks.jsonl import JsonLinesSink
from hybridtrack.types import Frame
from tests.sinks.results import CLASSES, result_of, run_info, tracks_at


def best_us(function: Callable[[], object], number: int) -> float:
    """Return the time of one call, µs, in the best of five rounds of ``number`` calls."""
    return min(repeat(function, number=number, repeat=5)) / number * 1e6


def main() -> None:
    frame = Frame.from_array(np.zeros((720, 1280, 3), np.uint8), index=3, time_s=0.1)
    with TemporaryDirectory() as folder:
        sink = JsonLinesSink(Path(folder) / "tracks.jsonl")
        sink.open(run_info())
        print("tracks  text µs  text and file µs  drawn 1280x720 µs")
        for count in (0, 2, 10, 50):
            boxes = np.random.default_rng(1).uniform(0, 600, (count, 2))
            result = result_of(frame, tracks_at(np.hstack([boxes, boxes + 90]).tolist()))
            text = best_us(lambda r=result: wire.encode_line(wire.frame_line(r, CLASSES)), 1000)
            written = best_us(lambda r=result: sink.write(frame, r), 1000)
            drawing = Drawing(CLASSES)
            drawing.follow(result)
            drawn = best_us(lambda r=result, d=drawing: d.draw(frame, r), 20)
            print(f"{count:6d}  {text:7.1f}  {written:16.1f}  {drawn:17.0f}")
        sink.close(None)


if __name__ == "__main__":
    main()
