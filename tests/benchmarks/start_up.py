"""Print how long the command line takes to say its help, and to the first frame's tracks.

    python -m tests.benchmarks.start_up [CLIP] [--repeats 5]

Everything runs in new processes, one after the other, that find their files in the system's cache; printed are medians
with the least and the greatest.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import hybridtrack

ROOT = Path(__file__).parents[2]
DEMO_CLIP = ROOT / "examples/data/table.mp4"


def program() -> list[str]:
    """Return the command as users call it, or the module where the script is not installed."""
    script = Path(sys.executable).with_name("hybridtrack")
    return [str(script)] if script.exists() else [sys.executable, "-m", hybridtrack.__name__]


def seconds_to_end(command: Sequence[str]) -> float:
    """Return how long a command takes."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def seconds_to_frame(command: Sequence[str]) -> float:
    """Return how long it takes until a command has written the JSON line of its first frame. Raises RuntimeError."""
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(b'{"type":"frame"'):
                taken = time.perf_counter() - start
                process.terminate()
                process.stdout.read()
                return taken
    raise RuntimeError(f"no frame came from {' '.join(command)}")


def main(arguments: Sequence[str] | None = None) -> None:
    summary = (__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.start_up", description=summary)
    parser.add_argument("clip", nargs="?", default=str(DEMO_CLIP), help="default: the demo clip")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args(arguments)
    tasks = {
        "python -c pass": lambda: seconds_to_end([sys.executable, "-c", "pass"]),
        "hybridtrack --help (at most 0.25)": lambda: seconds_to_end([*program(), "--help"]),
        "first frame's line (at most 1.5)": lambda: seconds_to_frame([*program(), "run", options.clip, "--json", "-"]),
    }
    for task in tasks.values():  # into the system's cache
        task()
    taken: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(options.repeats):
        for name, task in tasks.items():
            taken[name].append(task())
    for name, seconds in taken.items():
        print(f"{name:36}{statistics.median(seconds):.3f} s ({min(seconds):.3f} to {max(seconds):.3f})")


if __name__ == "__main__":
    main()
