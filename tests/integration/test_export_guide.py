"""docs/exports.md and docs/report.md do what they say: commands and code run, tables name what there is."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridtrack.export.columns import TRACKS
from hybridtrack.export.formats import EXPORTS
from tests.integration.conftest import Finished
from tests.pages import blocks


@pytest.fixture(scope="module")
def guide(root: Path) -> str:
    return (root / "docs/exports.md").read_text(encoding="utf-8")


def test_commands_and_code_do_what_the_guide_says(
    guide: str,
    root: Path,
    place: Path,
    hybridtrack: Callable[..., Finished],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (place / "examples").symlink_to(root / "examples", target_is_directory=True)
    (commands,) = blocks(guide, "sh")
    told = []
    for command in commands.splitlines():
        program, *words = shlex.split(command)
        assert program == "hybridtrack"
        done = hybridtrack(*words)
        assert done.returncode == 0, done.stderr
        told.append(done)
    assert told[1].stderr == blocks(guide, "text")[0]
    assert re.search(r"^class hand +100\.00 +100\.00", told[-1].stdout, re.MULTILINE)
    monkeypatch.chdir(place)
    pandas, supervision = blocks(guide, "python")
    exec(pandas, {})
    classes, kinds = capsys.readouterr().out.splitlines()
    assert classes.startswith("{'book': ")
    assert "approach" in kinds
    exec(supervision, {})
    assert "'mug'" in capsys.readouterr().out


def test_commands_of_reports_do_what_their_guide_says(
    root: Path, place: Path, hybridtrack: Callable[..., Finished]
) -> None:
    (place / "examples").symlink_to(root / "examples", target_is_directory=True)
    text = (root / "docs/report.md").read_text(encoding="utf-8")
    for command in blocks(text, "sh")[0].splitlines():
        done = hybridtrack(*shlex.split(command)[1:])
        assert done.returncode == 0, done.stderr
    pages = [(place / name).read_text(encoding="utf-8") for name in ("table.html", "both.html")]
    assert re.search(r"would take about \d\.\d times the work", pages[1])
    for part in re.findall(r"^\| ([a-z ]+) \|", text, re.MULTILINE):
        if part not in ("part", "in zones"):
            assert f"<h3>{part.capitalize()}" in pages[0]


def test_every_format_and_column_is_in_the_guide(guide: str) -> None:
    first_cells = "".join(line.split("|")[1] for line in guide.splitlines() if line.startswith("|"))
    assert {*EXPORTS} <= {*re.findall(r"`([\w-]+)`", first_cells)}
    assert {column.name for column in TRACKS.columns} <= {*re.findall(r"`(\w+)`", guide)}
