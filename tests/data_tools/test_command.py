from __future__ import annotations

from pathlib import Path

import click
import pytest

from data_tools import command
from data_tools.annotation import Problem
from data_tools.errors import strict_error


def test_problems_are_counted_and_the_first_named(capsys: pytest.CaptureFixture[str]) -> None:
    odd = [Problem(kind="odd box", where=f"{number}.jpg", detail="flat") for number in range(7)]
    command.tell([Problem(kind="lost picture", where="x.jpg"), *odd])
    assert capsys.readouterr().err.splitlines() == [
        "odd box: 7",
        *(f"  {number}.jpg: flat" for number in range(5)),
        "  and 2 more",
        "lost picture: 1",
        "  x.jpg",
    ]


@pytest.mark.parametrize(
    ("raised", "code", "told"),
    [
        (None, 0, ""),
        (strict_error((Problem(kind="odd", where="a"),)), 2, "odd: 1\n  a\nerror: 1 problems, and they are errors"),
        (click.UsageError("no such\nthing"), 2, "error: no such thing\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
    ],
    ids=["done", "mend it", "usage", "interrupted"],
)
def test_command_ends_with_one_line_and_its_code(
    raised: BaseException | None,
    code: int,
    told: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @click.command()
    def main() -> None:
        if raised is not None:
            raise raised

    monkeypatch.setattr("sys.argv", ["main"])
    with pytest.raises(SystemExit) as ended:
        command.run(main, "main")
    assert ended.value.code == code
    assert capsys.readouterr().err.strip().startswith(told.strip())


def test_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(ValueError, match="cannot make the folder"):
        command.make_folder(file / "below")
