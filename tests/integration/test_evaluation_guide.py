"""docs/evaluation.md does what it says: its commands and its code run, and give about the figures that it prints."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest

from hybridtrack.evaluate import Scores
from tests.integration.conftest import Finished
from tests.pages import blocks

POINTS = 3  #: of HOTA and MOTA that another processor's int8 arithmetic may make


@pytest.fixture(scope="module")
def guide(root: Path) -> str:
    return (root / "docs/evaluation.md").read_text(encoding="utf-8")


def block(guide: str, language: str) -> str:
    """Return the first block of code in a language."""
    return blocks(guide, language)[0]


def figures(table: str) -> list[list[str]]:
    return [words[1:] for line in table.splitlines() if (words := line.split()) and words[0] == "combined"]


def test_commands_and_code_give_the_figures_of_the_guide(
    guide: str, root: Path, place: Path, hybridtrack: Callable[..., Finished], capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "examples").symlink_to(root / "examples", target_is_directory=True)
    for command in block(guide, "sh").splitlines():
        program, *words = shlex.split(command)
        assert program == "hybridtrack"
        done = hybridtrack(*words)
        assert done.returncode == 0, done.stderr
    assert "left out, as the tracks have no such class: mug, bottle, box, book" in done.stderr
    (hota, *tracks), (frames, runs, *_) = figures(done.stdout)
    (wanted_hota, *wanted_tracks), (*wanted, _) = figures(block(guide, "text"))
    assert float(hota) == pytest.approx(float(wanted_hota), abs=POINTS)
    assert float(tracks[3]) == pytest.approx(float(wanted_tracks[3]), abs=POINTS)
    assert [frames, runs] == wanted[:2] == ["360", "120"]
    exec(block(guide, "python"), {})
    printed = capsys.readouterr().out.split()
    assert 100 * float(printed[0]) == pytest.approx(float(hota), abs=0.01)


def test_every_figure_is_explained(guide: str) -> None:
    table = "".join(line for line in guide.splitlines(keepends=True) if line.startswith("|"))
    assert {one.name for one in fields(Scores)} <= {*re.findall(r"`(\w+)`", table)}
