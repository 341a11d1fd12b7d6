"""The tutorial and the guide do what they say, and no page has a command with an option that there is not."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import click
import pytest

from hybridtrack.cli import cli
from tests.pages import all_blocks, expose, is_shown, run_page

ROOT = Path(__file__).parents[2]
RUN = ("tutorial", "reference/api", *(f"guide/{path.stem}" for path in ROOT.glob("docs/guide/*.md")))
PAGES = [
    path
    for pattern in ("README.md", "docs/**/*.md", "data_tools/README.md", "models/README.md", "plugins/*/README.md")
    for path in ROOT.glob(pattern)
]


@pytest.mark.parametrize("name", RUN)
def test_page_does_what_it_says(name: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.chdir(place)
    for folder in ("examples", "plugins"):
        (place / folder).symlink_to(root / folder, target_is_directory=True)

    def install(package: Path) -> None:
        paths = [str(path) for path in expose(package, tmp_path / "installed" / package.name)]
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([*paths, os.environ.get("PYTHONPATH", "")]))

    ran = list(run_page(root / f"docs/{name}.md", install))
    assert ran
    for block, _ in ran:
        for written in re.findall(r"(?:--json|--video|--image|--mot|--csv|-o) ([\w.]+)", block.text):
            assert (place / written).stat().st_size > 0


def command_lines(path: Path) -> list[str]:
    """Return the lines of a page's code that begin with the program and are no descriptions of it."""
    lines = (line for block in all_blocks(path.read_text(encoding="utf-8")) for line in block.text.splitlines())
    return [line for line in lines if re.match(r"hybridtrack [a-z]+ (?![\[A-Z ])", line)]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_of_pages_have_options_that_there_are(path: Path) -> None:
    for line in command_lines(path):
        _, name, *words = shlex.split(line, comments=True)
        group = click.Context(cli, info_name="hybridtrack", **cli.context_settings)
        cli.commands[name].make_context(name, words, parent=group)  # raises what a wrong one is told


def test_commands_are_found_on_pages() -> None:
    assert sum(len(command_lines(path)) for path in PAGES) > 40


@pytest.mark.parametrize(
    ("shown", "is_there"),
    [
        ("hand 1 0.5\n", True),
        ("…\nmug 7 3.25\n", True),
        ("mug 1 2\nhand 1 2\n", False),
        ("bottle 1 2\n", False),
        ("hand 1\n", False),
    ],
)
def test_what_pages_show_is_compared_but_for_the_numbers(shown: str, is_there: bool) -> None:
    assert is_shown(shown, "hand  4   12.5\nmug 2 1.0\n") == is_there
