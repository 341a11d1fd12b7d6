"""The peers' environments: one each, for their requirements contradict ours and each other's.

    python -m tests.benchmarks.peers.environments

Made under ``.cache/peers`` from the pinned versions beside this file; one that is up to date is left as it is.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parents[3]
PLACE = ROOT / ".cache/peers"
NAMES = tuple(sorted(path.stem for path in Path(__file__).parent.glob("*.txt")))


def python_of(name: str) -> Path:
    """Return the interpreter of a peer's environment, made first where it is missing or out of date.

    Raises CalledProcessError when a package cannot be installed.
    """
    pinned = (Path(__file__).parent / f"{name}.txt").read_text()
    folder, stamp = PLACE / name, PLACE / name / "installed.txt"
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if stamp.is_file() and stamp.read_text() == pinned:
        return python
    print(f"making {folder}", file=sys.stderr)
    venv.create(folder, with_pip=True, clear=True)
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", "-"]
    subprocess.run([*install[:-1], str(Path(__file__).parent / f"{name}.txt")], check=True)
    stamp.write_text(pinned)
    return python


if __name__ == "__main__":
    for peer in NAMES:
        print(python_of(peer))
