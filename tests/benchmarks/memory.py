"""Print how the memory of a long run grows: a clip looped through the whole way, into a JSON Lines file.

python -m tests.benchmarks.memory CLIP [--frames 20000] [--detect-every 3]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from hybridtrack.engine import Engine
from hybridtrack.run import write_run
from hybridtrack.sinks.jsonl import JsonLinesSink
from hybridtrack.sources import open_source
from hybridtrack.types import FrameResult
from tests.benchmarks.sources import WARM_UP, resident_mb

STEP = 100  #: frames from one look at the memory to the next


def main(arguments: Sequence[str] | None = None) -> None:
    summary = (__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.memory", description=summary)
    parser.add_argument("clip")
    parser.add_argument("--frames", type=int, default=20_000)
    parser.add_argument("--detect-every", default="3")
    options = parser.parse_args(arguments)
    if options.frames < WARM_UP + STEP:
        parser.error(f"--frames {options.frames}: expected at least {WARM_UP + STEP}")
    resident: list[float] = []

    def look(result: FrameResult) -> None:
        if (result.frame_index + 1) % STEP == 0:
            resident.append(resident_mb())

    with (
        TemporaryDirectory() as folder,
        Engine(detect_every=options.detect_every) as engine,
        open_source(options.clip, loop=options.frames) as source,
    ):
        sink = JsonLinesSink(Path(folder) / "tracks.jsonl")
        done = write_run(engine, source, [sink], max_frames=options.frames, on_frame=look)
    begin, *later = resident[WARM_UP // STEP - 1 :]
    print(f"{done.frames} frames, {done.track_count} tracks, {done.fps:.0f} frames/s")
    print(f"{begin:.1f} MB after {WARM_UP} frames; {later[-1] - begin:+.1f} MB at the end (less than 20)")
    print(f"{max(later) - begin:+.1f} MB at most in between")


if __name__ == "__main__":
    main()
