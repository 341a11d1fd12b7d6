"""What a training leaves behind, and goes on from.

out/runs/hands/
    config.toml      the settings, defaults included
    run.json         revision of the code, versions, what is in the data
    metrics.jsonl    a line for each step, one for each validation
    checkpoints/     the last three states of network, optimiser and average
    tensorboard/     the same as curves, with pictures
    best/            the network with the best AP50: network.keras, bundle.toml
    last/            the network after the last step
"""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hybridtrack.errors import UsageError
from models.records import Summary
from models.settings import Settings, settings_text

PACKAGES = ("tensorflow", "tensorflow-cpu", "keras", "numpy", "hybridtrack")


class RunFolder:
    """The folder of a training. Only whole lines are ever added to ``metrics.jsonl``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoints = path / "checkpoints"
        self.tensorboard = path / "tensorboard"
        self.best = path / "best"
        self.last = path / "last"
        self._metrics = path / "metrics.jsonl"

    def begin(self, settings: Settings, data: Mapping[str, Summary]) -> None:
        """Write what the run is. Raises UsageError when there is one already."""
        if self._metrics.exists():
            raise UsageError(
                f"{str(self.path)!r} holds a training: --resume goes on with it, --out names another folder"
            )
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / "config.toml").write_text(settings_text(settings), encoding="utf-8")
        about = {"revision": revision(), "python": platform.python_version(), "packages": _versions()}
        about["data"] = {name: fingerprint(one) for name, one in data.items()}
        (self.path / "run.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")

    def check_data(self, data: Mapping[str, Summary]) -> None:
        """Raise UsageError unless the data are those that the run began with."""
        try:
            began = json.loads((self.path / "run.json").read_text(encoding="utf-8"))["data"]
        except (OSError, ValueError, KeyError) as error:
            raise UsageError(f"cannot resume {str(self.path)!r}: no training began there") from error
        for name, one in data.items():
            if began.get(name) != json.loads(json.dumps(fingerprint(one))):
                raise UsageError(f"cannot resume {str(self.path)!r}: the {name} data are not those that it began with")

    def cut_metrics(self, step: int) -> list[dict[str, Any]]:
        """Leave out the lines behind a step, and one that was cut; return the others."""
        kept = []
        if self._metrics.exists():
            for line in self._metrics.read_text(encoding="utf-8").splitlines():
                try:
                    row = json.loads(line)
                except ValueError:
                    break
                if row["step"] <= step:
                    kept.append(row)
        self._metrics.write_text("".join(json.dumps(row) + "\n" for row in kept), encoding="utf-8")
        return kept

    def add(self, row: Mapping[str, Any]) -> None:
        """Append a line."""
        with self._metrics.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(row) + "\n")


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of a training's metrics."""
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]


def fingerprint(data: Summary) -> dict[str, Any]:
    """Return what tells one data set from another."""
    return {"files": list(data.files), "pictures": data.pictures, "boxes": data.boxes, "sha256": data.sha256}


def revision() -> str | None:
    """Return the commit of the checkout, with ``+`` where files differ from it; None outside of one."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(Path(__file__).parent), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except ImportError:
            continue
    return found
