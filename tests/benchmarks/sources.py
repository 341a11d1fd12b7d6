"""Prints what reading a video costs: decoding, the pictures that trackers and detectors ask for, and memory.

    python tests/benchmarks/sources.py VIDEO [FRAMES]

FRAMES (default 20000): how many frames the clip is looped to for the memory figure.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2

from hybridtrack.sources import open_source
from hybridtrack.types import Frame

SAMPLE = 100  #: frames that are converted
WARM_UP = 1000  #: frames after which memory is to stay


def resident_mb() -> float:
    """Return the resident memory of this process, MB (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def median_ms(frames: list[Frame], convert: Callable[[Frame], object]) -> float:
    """Return the median time of one conversion, ms."""
    times = []
    for frame in frames:
        start = time.perf_counter()
        convert(frame)
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def main(uri: str, count: int) -> None:
    cv2.setNumThreads(1)
    with open_source(uri) as source:
        width, height = source.info.width_px, source.info.height_px
        small = (width // 4, height // 4)
        sample = [frame for frame, _ in zip(source, range(SAMPLE), strict=False)]
    print(f"{uri}: {width}x{height}")
    print(f"gray {small[0]}x{small[1]}: {median_ms(sample, lambda frame: frame.gray(small)):.3f} ms")
    print(f"rgb 300x300: {median_ms(sample, lambda frame: frame.rgb((300, 300))):.3f} ms")
    print(f"rgb full size: {median_ms(sample, lambda frame: frame.rgb()):.3f} ms")
    length = len(sample)
    del sample
    with open_source(uri, loop=max(2, count // length + 1)) as source:
        start, start_cpu, begin_mb, peak_mb = time.perf_counter(), time.process_time(), 0.0, 0.0
        for done, frame in enumerate(source, 1):
            frame.gray(small)
            if done == WARM_UP:
                begin_mb = resident_mb()
            elif done > WARM_UP and done % 100 == 0:
                peak_mb = max(peak_mb, resident_mb())
            if done == count:
                break
    wall_ms, cpu_ms = (time.perf_counter() - start) * 1000 / done, (time.process_time() - start_cpu) * 1000 / done
    print(f"decode and gray: {wall_ms:.3f} ms wall, {cpu_ms:.3f} ms CPU a frame over {done} frames")
    print(f"memory: {begin_mb:.1f} MB after {WARM_UP} frames, at most {peak_mb - begin_mb:+.1f} MB up to frame {done}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 20_000)
