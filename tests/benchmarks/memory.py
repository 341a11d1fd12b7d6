"""Print how the memory of a long run grows in each mode: a clip looped through the whole way, into a JSON Lines file.

    python -m tests.benchmarks.memory CLIP [--frames 20000] [--modes flow,auto,...] [--detect-every 3]

A mode is a tracker, or ``auto`` (flow, the detector looks when tracks need it), ``live`` (flow, no frame waits for the
detector), ``two-way`` (flow, boxes filled from both sides). Each runs in a process of its own, so that none inherits
what another has left behind, and all of them one after the other. "At most" is over what was resident after the first
1,000 frames; the slope is a least-squares line through all that came later.
"""

from __future__ import annotations

import argparse
import inspect
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from hybridtrack.engine import Engine
from hybridtrack.run import write_run
from hybridtrack.sinks.jsonl import JsonLinesSink
from hybridtrack.sources import open_source
from hybridtrack.types import FrameResult
from tests.benchmarks.accuracy import names
from tests.benchmarks.sources import WARM_UP, resident_mb

STEP = 100  #: frames from one look at the memory to the next
MAX_GROWTH_MB = 20.0
TRACKERS = ("flow", "kalman", "hold", "none", "medianflow", "mosse")
OTHERS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {"auto": {"detect_every": "auto"}, "live": {"live": True}, "two-way": {"fill": "two-way"}}
)


def modes() -> list[str]:
    """Return the modes that this version has."""
    known = inspect.signature(Engine).parameters
    return [*TRACKERS, *(mode for mode, settings in OTHERS.items() if settings.keys() <= known.keys())]


def run(clip: str, frames: int, mode: str, detect_every: str) -> dict[str, Any]:
    """Return what one mode did: frames, tracks, frames per second, and what was resident every ``STEP`` frames, MB."""
    resident: list[float] = []
    settings = {"detect_every": detect_every, "tracker": mode if mode in TRACKERS else "flow", **OTHERS.get(mode, {})}

    def look(result: FrameResult) -> None:
        if (result.frame_index + 1) % STEP == 0:
            resident.append(resident_mb())

    with TemporaryDirectory() as folder, Engine(**settings) as engine, open_source(clip, loop=frames) as source:
        sink = JsonLinesSink(Path(folder) / "tracks.jsonl")
        done = write_run(engine, source, [sink], max_frames=frames, on_frame=look)
    return {"frames": done.frames, "tracks": done.track_count, "fps": done.fps, "resident_mb": resident}


def row(mode: str, told: Mapping[str, Any]) -> str:
    """Return a mode's row of the table."""
    begin_mb, *later_mb = told["resident_mb"][WARM_UP // STEP - 1 :]
    slope = np.polyfit(np.arange(len(later_mb)) * STEP / 10_000, later_mb, 1)[0] if len(later_mb) > 1 else 0.0
    most = max(later_mb) - begin_mb
    cells = (
        f"{told['frames']}",
        f"{told['tracks']}",
        f"{told['fps']:.0f}",
        f"{begin_mb:.1f}",
        f"{later_mb[-1] - begin_mb:+.1f}",
        f"{most:+.1f}" + ("" if most < MAX_GROWTH_MB else f" (not less than {MAX_GROWTH_MB:g})"),
        f"{slope:+.1f}",
    )
    return f"| {mode} | {' | '.join(cells)} |"


def main(arguments: Sequence[str] | None = None) -> None:
    summary = (__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.memory", description=summary)
    parser.add_argument("clip")
    parser.add_argument("--frames", type=int, default=20_000)
    parser.add_argument("--detect-every", default="3")
    parser.add_argument("--modes", type=names, default=modes(), metavar="MODE,...", help=f"of {', '.join(modes())}")
    parser.add_argument("--one", action="store_true", help="run the mode in this process, and print JSON")
    options = parser.parse_args(arguments)
    if options.frames < WARM_UP + STEP:
        parser.error(f"--frames {options.frames}: expected at least {WARM_UP + STEP}")
    if strange := {*options.modes} - {*modes()}:
        parser.error(f"--modes {', '.join(sorted(strange))}: expected some of {', '.join(modes())}")
    if options.one:
        print(json.dumps(run(options.clip, options.frames, *options.modes, options.detect_every)))
        return
    print(f"{options.clip}, {options.frames} frames, MB of resident memory")
    print(f"\n| mode | frames | tracks | frames/s | after {WARM_UP} | at the end | at most | a 10,000 frames |")
    print(f"|{'---|' * 8}")
    for mode in options.modes:
        told = ["--frames", str(options.frames), "--detect-every", options.detect_every, "--modes", mode, "--one"]
        command = [sys.executable, "-m", "tests.benchmarks.memory", options.clip, *told]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        print(row(mode, json.loads(done.stdout)), flush=True)


if __name__ == "__main__":
    main()
