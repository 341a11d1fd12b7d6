"""Compute TrackEval's figures anew, and compare them with those that are stored and with ours.

    python -m tests.oracle --python PYTHON [--fresh 200] [--seed 0] [--write]

PYTHON is the interpreter of an environment of its own: trackeval brings another OpenCV. Exits with 1 when a figure
differs by more than 1e-6 or the oracle cannot be run. ``--write`` stores the scenes and figures in place of comparing.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.oracle.figures import Figures, differences, our_figures
from tests.oracle.scenes import Scene, fresh_scenes, stored_scenes

PROGRAM = Path(__file__).with_name("trackeval_figures.py")
STORED = Path(__file__).parents[1] / "golden/metrics/trackeval.json"


def read_stored() -> dict[str, Any]:
    """Return what is stored: "scenes" and "figures", by name of the scene."""
    content: dict[str, Any] = json.loads(STORED.read_text(encoding="utf-8"))
    return content


def trackeval_figures(python: str, scenes: Mapping[str, Scene]) -> dict[str, Figures]:
    """Return what TrackEval says of scenes. Raises OSError and CalledProcessError when it cannot be run."""
    done = subprocess.run([python, str(PROGRAM)], input=json.dumps(scenes), capture_output=True, text=True, check=True)
    figures: dict[str, Figures] = json.loads(done.stdout)
    return figures


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.oracle", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--python", required=True, metavar="PYTHON", help="an interpreter with trackeval")
    parser.add_argument("--fresh", type=int, default=200, metavar="COUNT", help="compare so many other random scenes")
    parser.add_argument("--seed", type=int, default=0, help="of these scenes")
    parser.add_argument("--write", action="store_true", help="store the scenes and TrackEval's figures")
    options = parser.parse_args(arguments)
    try:
        if options.write:
            scenes = dict(stored_scenes())
            write(scenes, trackeval_figures(options.python, scenes))
            return 0
        stored = read_stored()
        fresh = dict(fresh_scenes(options.fresh, options.seed))
        found = [
            *differences(stored["figures"], trackeval_figures(options.python, stored["scenes"])),
            *differences(our_figures(fresh), trackeval_figures(options.python, fresh)),
        ]
    except subprocess.CalledProcessError as error:
        found = [f"the oracle failed: {error.stderr.strip().splitlines()[-1:]}"]
    except OSError as error:
        found = [f"the oracle cannot be run: {error}"]
    for line in found:
        print(line, file=sys.stderr)
    if not found:
        print(f"{len(stored['scenes'])} stored and {len(fresh)} other scenes: no difference")
    return 1 if found else 0


def write(scenes: Mapping[str, Scene], figures: Mapping[str, Figures]) -> None:
    """Store scenes and figures, each list on a line of its own."""
    lines = ['{"scenes": {']
    lines += _members({name: json.dumps(scene, separators=(",", ":")) for name, scene in scenes.items()})
    lines += ['}, "figures": {', *_members({name: json.dumps(own) for name, own in figures.items()}), "}}"]
    STORED.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _members(values: Mapping[str, str]) -> list[str]:
    rows = [f"{json.dumps(name)}: {value}" for name, value in values.items()]
    return [f"{row}," for row in rows[:-1]] + rows[-1:]


if __name__ == "__main__":
    sys.exit(main())
