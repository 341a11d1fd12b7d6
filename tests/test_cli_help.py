"""What helps at the command line: examples, completion, and what a terminal shows of a run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from hybridtrack.cli import cli, exit_code
from hybridtrack.cli.examples import EXAMPLES
from hybridtrack.export.formats import EXPORTS

HYBRIDTRACK = Path(sys.executable).with_name("hybridtrack")
LINES = [line for examples in EXAMPLES.values() for _, line in examples]

pty = pytest.importorskip("pty", reason="terminals of this kind are Unix's")


def test_every_command_has_an_example(capfd: pytest.CaptureFixture[str]) -> None:
    assert {*cli.commands} <= {*EXAMPLES}
    for name in cli.commands:
        assert exit_code([name, "--help"]) == 0
        text = capfd.readouterr().out
        for what, line in EXAMPLES[name]:
            assert f"    # {what}\n    {line}" in text


@pytest.mark.parametrize("line", LINES)
def test_examples_are_command_lines(line: str) -> None:
    program, name, *words = shlex.split(line.split(" >> ")[0])
    assert program == "hybridtrack"
    if name in cli.commands:
        group = click.Context(cli, info_name="hybridtrack", **cli.context_settings)
        cli.commands[name].make_context(name, words, parent=group)  # raises what a wrong one is told


def completed(words: str) -> list[str]:
    """Return what bash offers in place of the last of ``words``, with the script that the command prints."""
    script = (
        'export PATH="$1:$PATH"; eval "$(hybridtrack completion bash)"; shift; COMP_WORDS=("$@"); '
        'COMP_CWORD=$(($# - 1)); compopt() { echo compopt "$@"; }; _hybridtrack_completion hybridtrack; '
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    command = ["bash", "-c", script, "bash", str(HYBRIDTRACK.parent), *words.split(" ")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == ""
    return done.stdout.split("\n")[:-1]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("hybridtrack re", ["relations", "report"]),
        ("hybridtrack run --tracker k", ["kalman", "kcf"]),
        ("hybridtrack run --detector +re", ["+replay"]),
        ("hybridtrack run --no", ["--no-relations"]),
        ("hybridtrack export t.jsonl --to coco", ["coco", "coco-vid"]),
        ("hybridtrack import t.xml --from c", ["coco", "cvat"]),
        ("hybridtrack completion f", ["fish"]),
        ("hybridtrack report tab", ["compopt -o default", ""]),  # a file, which bash finds by itself
        ("hybridtrack run --json ", ["compopt -o default", ""]),
    ],
)
def test_bash_completes_commands_names_and_files(words: str, wanted: list[str]) -> None:
    assert completed(words) == wanted


def test_all_formats_are_completed() -> None:
    assert completed("hybridtrack export t.jsonl --to ") == [*EXPORTS]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_a_script(shell: str) -> None:
    done = subprocess.run([HYBRIDTRACK, "completion", shell], capture_output=True, text=True, check=True)
    assert "_HYBRIDTRACK_COMPLETE" in done.stdout
    assert f"{shell}_complete" in done.stdout


Shown = Callable[..., tuple[str, str]]


@pytest.fixture
def on_terminal(tmp_path: Path) -> Shown:
    """Run a command with a terminal as standard error; return what went to standard output, and to the terminal."""

    def run(*arguments: str, **environment: str) -> tuple[str, str]:
        terminal, end = pty.openpty()
        known = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS")}
        process = subprocess.Popen(
            [HYBRIDTRACK, *arguments],
            stdout=subprocess.PIPE,
            stderr=end,
            cwd=tmp_path,
            text=True,
            env={**known, "TERM": "xterm-256color", "COLUMNS": "100", **environment},
        )
        os.close(end)
        shown = b""
        while True:
            try:
                part = os.read(terminal, 4096)
            except OSError:  # what Linux says at the end
                break
            if not part:
                break
            shown += part
        os.close(terminal)
        assert process.stdout is not None
        out = process.stdout.read()
        process.stdout.close()
        assert process.wait(timeout=60) == 0, shown
        return out, shown.decode()

    return run


RUN = ("run", "blank:64x48@25:40", "--tracker", "kalman", "--json", "table.jsonl")
COLOUR = re.compile(r"\x1b\[[0-9;]*(?:3|4|9|10)[0-8][0-9;]*m")
NOT_TEXT = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def test_terminal_shows_how_far_a_run_is_and_then_how_it_went(on_terminal: Shown) -> None:
    out, shown = on_terminal(*RUN)
    assert out == ""
    assert COLOUR.search(shown)
    text = NOT_TEXT.sub("", shown)
    assert re.search(r"\b\d+/40\b", text)
    assert re.search(r"\d+ frames/s", text)
    assert re.search(r"\d:\d\d:\d\d", text)  # time left
    for row in (
        "frames +40",
        "tracks +0",
        "runs of hand +14",
        r"frames per second +\d",
        r"detecting on every frame +about \d",
    ):
        assert re.search(row, text), row


def test_colours_are_left_out_where_nobody_wants_them(on_terminal: Shown) -> None:
    _, shown = on_terminal(*RUN, NO_COLOR="1")
    assert "frames per second" in shown
    assert not COLOUR.search(shown)


def test_quiet_run_says_nothing(on_terminal: Shown, tmp_path: Path) -> None:
    assert on_terminal(*RUN, "--quiet") == ("", "")
    assert (tmp_path / "table.jsonl").read_text().count("\n") == 42
    out, shown = on_terminal("run", "blank:64x48@25:4", "--quiet")
    assert "frames per second" in out  # the table is what was asked for
    assert shown == ""


def test_quiet_run_still_tells_what_went_wrong(tmp_path: Path) -> None:
    done = subprocess.run([HYBRIDTRACK, "run", "nowhere.mp4", "--quiet"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2
    assert "nowhere.mp4" in done.stderr
