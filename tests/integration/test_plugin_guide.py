"""docs/plugins.md does what it says: its code runs, and is that of the template."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hybridtrack import hookspecs
from hybridtrack.boxes import iou
from hybridtrack.cli import exit_code
from tests.pages import blocks

HOOKS = [name for name in vars(hookspecs) if name.startswith("hybridtrack_")]


@pytest.fixture(scope="module")
def guide(root: Path) -> str:
    return (root / "docs/plugins.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def template(root: Path) -> Path:
    return root / "examples/plugin_template"


@pytest.fixture
def vivid(install: Callable[[str, str], None], template: Path) -> None:
    """The template's module, installed."""
    install("vivid", (template / "hybridtrack_vivid.py").read_text(encoding="utf-8"))


def test_function_in_the_guide_is_tracked(
    guide: str, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(root)
    exec(compile(blocks(guide, "python")[0], "docs/plugins.md", "exec"), {"__name__": "guide"})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 60
    assert all("middle" in line for line in lines)
    assert any("hand" in line for line in lines)


def test_files_in_the_guide_are_those_of_the_template(guide: str, template: Path) -> None:
    _, module, test, relation = blocks(guide, "python")
    (project,) = blocks(guide, "toml")
    assert module == (template / "hybridtrack_vivid.py").read_text(encoding="utf-8")
    assert project == (template / "pyproject.toml").read_text(encoding="utf-8")
    assert test == (template / "tests/test_vivid.py").read_text(encoding="utf-8")
    file = template.parent / "relation_plugin/hybridtrack_on_top_of.py"
    assert relation == file.read_text(encoding="utf-8")
    project = tomllib.loads((file.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"] == {"hybridtrack": {"on_top_of": file.stem}}
    assert f'`on_top_of = "{file.stem}"`' in guide


@pytest.mark.usefixtures("vivid")
def test_template_keeps_the_contract(capfd: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["plugins", "check", "vivid"]) == 0
    assert "keeps all rules" in capfd.readouterr().out


@pytest.mark.usefixtures("vivid")
def test_template_is_tracked_beside_the_hands_with_the_options_of_the_guide(
    guide: str, root: Path, table_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    (command,) = re.findall(r"^hybridtrack (run .*detector vivid.*)$", guide, re.MULTILINE)
    file = tmp_path / "vivid.jsonl"
    assert exit_code([*command.split(), "--json", str(file)]) == 0
    header, *frames, _ = map(json.loads, file.read_text().splitlines())
    assert [one["every"] for one in header["detectors"]] == [3, 5]
    truth = np.loadtxt(table_clip.parent / "table/gt/gt.txt", delimiter=",")
    box = {int(f) - 1: np.array([[x, y, x + w, y + h]]) for f, one, x, y, w, h in truth[:, :6] if one == 5}
    overlaps = [
        iou(box[frame["frame"]], np.array([track["box"]]))[0, 0]
        for frame in frames
        for track in frame["tracks"]
        if track["class"] == "vivid" and track["state"] == "confirmed"
    ]
    assert len(overlaps) >= 340
    assert np.mean(np.array(overlaps) > 0.5) > 0.9


@pytest.mark.usefixtures("vivid")
def test_template_loads_nothing_heavy_when_it_is_listed(template: Path) -> None:
    code = "import sys, hybridtrack_vivid; print(*{'numpy', 'cv2', 'scipy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=template, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_is_documented_with_its_signature_and_tested(name: str, guide: str, root: Path) -> None:
    signature = str(inspect.signature(getattr(hookspecs, name))).replace("'", "")
    assert f"def {name}{signature}" in guide
    tested = (path.read_text(encoding="utf-8") for path in (root / "tests").rglob("test_*.py"))
    assert any(f"def {name}(" in text or f".{name}(" in text for text in tested)


def test_documented_variables_and_fields_are_those_there_are(guide: str) -> None:
    from hybridtrack.plugin_host import DISABLE, STRICT

    assert set(re.findall(r"HYBRIDTRACK_[A-Z_]+", guide)) == {DISABLE, STRICT}
    table = guide[guide.index("| field of `DetectorSpec`") : guide.index("## The hooks")]
    rows = re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == set(inspect.signature(hookspecs.DetectorSpec).parameters)


@pytest.mark.packaging
def test_template_is_built_into_a_wheel_with_its_entry_point(template: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path, template]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (entry_points,) = [name for name in names if name.endswith("entry_points.txt")]
        assert archive.read(entry_points).decode().split() == ["[hybridtrack]", "vivid", "=", "hybridtrack_vivid"]
    assert [name for name in names if ".dist-info" not in name] == ["hybridtrack_vivid.py"]
    project = tomllib.loads((template / "pyproject.toml").read_text(encoding="utf-8"))
    assert wheel.name.startswith(f"hybridtrack_vivid-{project['project']['version']}-")
