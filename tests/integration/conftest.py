"""The program as a user starts it, in a folder of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

PROGRAM = (sys.executable, "-m", "hybridtrack")


class Finished(Protocol):
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that the program is started in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def hybridtrack(place: Path) -> Callable[..., Finished]:
    """Run the program to its end."""

    def run(*arguments: object, **options: Any) -> Finished:
        command = [*PROGRAM, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)

    return run


@pytest.fixture
def start(place: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start the program, its standard output and error as pipes; it is gone when the test is."""
    started: list[subprocess.Popen[bytes]] = []

    def run(*arguments: object) -> subprocess.Popen[bytes]:
        command = [*PROGRAM, *map(str, arguments)]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.communicate()
