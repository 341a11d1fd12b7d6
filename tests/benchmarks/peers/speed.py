"""Print what an update takes without pictures: ours, and those of the trackers that one would take instead.

    python -m tests.benchmarks.peers.speed [--boxes 10,50,200,500] [--rounds 5] [--frames 120]

Each library runs in a process and an environment of its own (``environments.py``), and in every round they take turns
on the same crowd (``crowd.py``). Timed is the call that updates, in one thread; making a library's own detections and
reading its answer are left out. Ratios to ours are taken within a round.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack

from hybridtrack.bench import machine, turns
from tests.benchmarks.accuracy import numbers
from tests.benchmarks.peers import worker
from tests.benchmarks.peers.environments import python_of
from tests.benchmarks.peers.settings import OURS, SPEED

BOXES = (10, 50, 200, 500)


def main(arguments: Sequence[str] | None = None) -> None:
    summary = (__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.peers.speed", description=summary)
    parser.add_argument("--boxes", type=numbers, default=list(BOXES), metavar="N,...")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--frames", type=int, default=120, help=f"of each crowd; the first {worker.WARM_UP} do not count"
    )
    options = parser.parse_args(arguments)
    if options.frames <= worker.WARM_UP:
        parser.error(f"--frames {options.frames}: expected more than {worker.WARM_UP}")
    load = os.getloadavg()[0]
    taken: defaultdict[tuple[str, int], list[float]] = defaultdict(list)
    ids: dict[tuple[str, int], int] = {}
    with ExitStack() as stack:
        pythons = {one.peer: sys.executable if one.peer == OURS else python_of(one.peer) for one in SPEED}
        workers = {peer: stack.enter_context(worker.start(python)) for peer, python in pythons.items()}
        for number in range(options.rounds):
            for boxes in options.boxes:
                for turn in turns(len(SPEED), number, options.rounds):
                    one = SPEED[turn]
                    answer = workers[one.peer].ask(
                        do="time",
                        tracker=one.peer,
                        options=dict(one.options),
                        boxes=boxes,
                        frames=options.frames,
                        seed=number,
                    )
                    taken[one.name, boxes].append(statistics.median(answer["ms"]))
                    ids[one.name, boxes] = answer["ids"]
    print(f"{machine()['cpu']}, {machine()['cores']} cores, load {load:.1f} before the first round")
    print(f"{options.rounds} rounds of {options.frames} frames; median ms an update (least to greatest), x ours, ids")
    print(f"\n| tracker | {' | '.join(f'{boxes} boxes' for boxes in options.boxes)} |")
    print(f"|{'---|' * (len(options.boxes) + 1)}")
    for one in SPEED:
        cells = []
        for boxes in options.boxes:
            found = taken[one.name, boxes]
            ratio = statistics.median(a / b for a, b in zip(found, taken[SPEED[0].name, boxes], strict=True))
            spread = f"{statistics.median(found):.2f} ({min(found):.2f} to {max(found):.2f})"
            cells.append(f"{spread}, x{ratio:.2f}, {ids[one.name, boxes]}")
        print(f"| {one.name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
