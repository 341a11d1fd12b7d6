"""Pages of the documentation, run as a reader would: their commands and programs, in order, in one folder."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r'^```(\w*)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
_NUMBER = re.compile(r"[-+]?\d[\d.,:]*")


@dataclass(frozen=True)
class Block:
    """Fenced code: its language, the file that it is (``title="run.toml"``), and the text."""

    language: str
    file: str
    text: str


def all_blocks(markdown: str) -> list[Block]:
    """Return all fenced code of a page."""
    return [Block(*found.groups("")) for found in _FENCE.finditer(markdown)]


def blocks(markdown: str, language: str) -> list[str]:
    """Return the text of a page's fenced code in a language."""
    return [block.text for block in all_blocks(markdown) if block.language == language]


def command_lines(text: str) -> list[list[str]]:
    """Return the words of each line of a shell block that is a command, without comments."""
    return [words for line in text.splitlines() if (words := shlex.split(line, comments=True))]


def is_shown(shown: str, printed: str) -> bool:
    """Return whether the lines of a page stand in what was printed, in order, whatever the numbers are.

    A line ``…`` stands for lines that the page leaves out.
    """
    lines = (_without_numbers(line) for line in printed.splitlines())
    return all(_without_numbers(line) in lines for line in shown.splitlines() if line.strip() != "…")


def _without_numbers(line: str) -> list[str]:
    return _NUMBER.sub("#", line).split()


def run_page(page: Path, install: Callable[[Path], None]) -> Iterator[tuple[Block, str]]:
    """Run a page in the present folder; yield each block of commands or Python with what it printed.

    ``text`` is what the block before it prints, and checked; a block with a title is a file, and written. ``pip install
    ./plugins/NAME`` is left to ``install``.
    """
    printed = ""
    for block in all_blocks(page.read_text(encoding="utf-8")):
        if block.file:
            Path(block.file).write_text(block.text, encoding="utf-8")
        elif block.language == "sh":
            printed = "".join(_run(words, install) for words in command_lines(block.text))
            yield block, printed
        elif block.language == "python":
            printed = _finish([sys.executable, "-c", block.text])
            yield block, printed
        elif block.language == "text":
            assert is_shown(block.text, printed), f"{page.name} shows\n{block.text}\nand this is printed:\n{printed}"


def _run(words: list[str], install: Callable[[Path], None]) -> str:
    if words[:2] == ["pip", "install"]:
        if words[2] != ".":  # which is what is tested
            install(Path(words[2]))
        return ""
    assert words[0] == "hybridtrack", words
    return _finish([sys.executable, "-m", *words])


def _finish(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "COLUMNS": "120"}, timeout=300)
    assert done.returncode == 0, f"{shlex.join(command)}: {done.stderr}"
    return done.stdout + done.stderr


def expose(package: Path, folder: Path) -> list[Path]:
    """Describe a plugin's sources in ``folder`` as pip would; return what belongs into PYTHONPATH."""
    project = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    info = folder / f"{project['name'].replace('-', '_')}-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 0.1.0\n")
    names = "\n".join(f"{name} = {module}" for name, module in project["entry-points"]["hybridtrack"].items())
    (info / "entry_points.txt").write_text(f"[hybridtrack]\n{names}\n")
    return [folder, (package / "src").resolve()]
