"""What README tells the reader to type works."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridtrack.track_file import read_tracks
from tests.integration.conftest import Finished
from tests.pages import blocks, command_lines


@pytest.fixture
def commands(root: Path) -> list[list[str]]:
    """The words of each line in README's shell blocks, comments left out."""
    return [
        words
        for block in blocks((root / "README.md").read_text(encoding="utf-8"), "sh")
        for words in command_lines(block)
    ]


def test_commands_to_make_are_there(commands: list[list[str]], root: Path) -> None:
    make = shutil.which("make")
    if make is None:
        pytest.skip("needs make")
    targets = [target for program, *targets in commands if program == "make" for target in targets]
    assert targets == ["demo", "test"]
    environ = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    done = subprocess.run([make, "--dry-run", *targets], cwd=root, env=environ, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "hybridtrack run examples/data/table.mp4 --detect-every 3 --json out/table.jsonl" in done.stdout
    assert "-m pytest" in done.stdout


def test_first_run_tracks_the_demo_clip(
    commands: list[list[str]], root: Path, place: Path, hybridtrack: Callable[..., Finished]
) -> None:
    (words,) = [words for program, *words in commands if program == "hybridtrack"]
    assert words[-2:] == ["--json", "table.jsonl"]
    (place / "examples").symlink_to(root / "examples", target_is_directory=True)
    done = hybridtrack(*words)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    with read_tracks("table.jsonl") as tracks:
        assert sum(bool(frame.tracks) for frame in tracks) > 250  # of 314 frames with a hand in the picture
    assert tracks.summary is not None
    assert tracks.summary.frames == 360
