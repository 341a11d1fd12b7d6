"""The wheel: what is in it, and that it finds hands where there is nothing but it and no network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

pytestmark = pytest.mark.packaging

MAX_WHEEL_BYTES = 15_000_000


def run(command: Sequence[str | Path], **options: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture
def without_network() -> tuple[str, ...]:
    """What to put before a command so that it has no network at all."""
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("needs the command unshare (Linux) to take the network away")
    tried = subprocess.run([unshare, "-n", "true"], capture_output=True, text=True)
    if tried.returncode != 0:
        pytest.skip(f"the system does not let us take the network away: {tried.stderr.strip()}")
    return unshare, "-n"


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, root])
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def bare_python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter with the wheel and its dependencies, and nothing else."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel])
    return python


def test_wheel_holds_the_package_alone_and_is_small(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"hybridtrack"}
    assert wheel.stat().st_size < MAX_WHEEL_BYTES
    assert "hybridtrack/py.typed" in names
    assert "hybridtrack/bundles/hand-ssdlite-mobilenetv2/bundle.toml" in names
    licences = {name.split("/")[-1] for name in names if "/licenses/" in name}
    assert {"LICENSE", "THIRD_PARTY.md"} <= licences


def test_installed_wheel_finds_hands_in_another_folder_without_network(
    bare_python: Path, without_network: tuple[str, ...], table_clip: Path, tmp_path: Path
) -> None:
    shutil.copy(table_clip, tmp_path / "clip.mp4")
    command = [bare_python.parent / "hybridtrack", "run", "clip.mp4", "--max-frames", "90", "--json", "clip.jsonl"]
    done = run([*without_network, *command], cwd=tmp_path)
    assert done.stderr == ""
    header, *frames, summary = map(json.loads, (tmp_path / "clip.jsonl").read_text().splitlines())
    assert header["detectors"][0]["distribution"] == "hybridtrack"
    assert summary["complete"]
    assert len(frames) == 90
    assert all(row["class"] == "hand" for frame in frames for row in frame["tracks"])
    assert sum(bool(frame["tracks"]) for frame in frames) > 45  # a hand is in the picture from frame 23 on


def test_installed_wheel_needs_no_tensorflow_and_has_one_opencv(bare_python: Path) -> None:
    done = run([bare_python, "-m", "pip", "list", "--format", "json", "--disable-pip-version-check"])
    names = {package["name"].lower() for package in json.loads(done.stdout)}
    assert not any("tensorflow" in name for name in names)
    assert [name for name in names if name.startswith("opencv")] == ["opencv-contrib-python-headless"]
