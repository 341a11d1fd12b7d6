"""Print what trackers cost a frame beyond one that holds the last box: CPU time and wall clock, threads off and on.

    python -m tests.benchmarks.tracker_cost CLIP... [--trackers flow,medianflow] [--detect-every 10] [--rounds 5]

Each clip is looped. Every figure is a slope; the trackers take turns in every round, differences are taken within a
round, and medians over the rounds are printed with the least and the greatest.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from hybridtrack.bench import machine, turns
from tests.benchmarks.accuracy import names
from tests.benchmarks.cost import Slope, print_figure, track

BASE = "hold"


def rounds_of(
    clip: str, trackers: Sequence[str], *, detect_every: int, frames: int, rounds: int, overlap: bool
) -> list[dict[str, Slope]]:
    """Return what a frame costs with each tracker, round by round."""
    found = []
    for number in range(rounds):
        order = [trackers[turn] for turn in turns(len(trackers), number, rounds)]
        found.append(
            {name: track(clip, frames, detect_every=detect_every, overlap=overlap, tracker=name) for name in order}
        )
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    summary = (__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.tracker_cost", description=summary)
    parser.add_argument("clips", nargs="+", metavar="CLIP")
    parser.add_argument("--trackers", type=names, default=["flow", "medianflow"], metavar="NAME,...")
    parser.add_argument("--detect-every", type=int, default=10, metavar="N")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--frames", type=int, default=400, help="between the marks")
    options = parser.parse_args(arguments)
    print(f"{machine()['cpu']}, {machine()['cores']} cores, load {os.getloadavg()[0]:.1f} before the first round")
    print(f"N = {options.detect_every}, {options.rounds} rounds of {options.frames} frames: median (least to greatest)")
    for clip in options.clips:
        for overlap in (False, True):
            print(f"\n{Path(clip).name}, threads {'on' if overlap else 'off'}, ms a frame")
            found = rounds_of(
                clip,
                [BASE, *options.trackers],
                detect_every=options.detect_every,
                frames=options.frames,
                rounds=options.rounds,
                overlap=overlap,
            )
            for clock, name in (("CPU time", "cpu_ms"), ("wall clock", "wall_ms")):
                print_figure(f"{BASE}, {clock}", [getattr(one[BASE], name) for one in found])
                for tracker in options.trackers:
                    beyond = [getattr(one[tracker], name) - getattr(one[BASE], name) for one in found]
                    print_figure(f"{tracker} beyond {BASE}, {clock}", beyond)


if __name__ == "__main__":
    main()
