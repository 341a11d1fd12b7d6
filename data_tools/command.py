"""What the commands share: one line for what the user can mend, and how problems are told."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

import click

from data_tools.annotation import Problem, count_problems, group_by_name
from data_tools.errors import DataError
from hybridtrack.errors import HybridTrackError

SHOWN = 5  #: problems of a kind that are printed; all of them stand in the JSON file

CONTEXT = {"help_option_names": ["-h", "--help"], "show_default": True}


def run(command: click.Command, name: str) -> NoReturn:
    """Run a command of this process and exit: 0 done, 2 the user can mend it (one line), 130 interrupted."""
    try:
        code = command.main(prog_name=f"python -m data_tools.{name}", standalone_mode=False)
    except HybridTrackError as error:
        tell(getattr(error, "problems", ()))
        click.echo(f"error: {' '.join(str(error).split())}", err=True)
        sys.exit(2)
    except click.ClickException as error:
        click.echo(f"error: {' '.join(error.format_message().split())}", err=True)
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)


def data_options(main: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the argument DATA, with --format and --pictures; it gets the data set as ``data``."""

    @click.argument("data", type=click.Path(path_type=Path, exists=True))
    @click.option("--format", "format_name", help="Format of DATA. [default: by its name and content]")
    @click.option(
        "--pictures",
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        help="Folder of the pictures. [default: where the format has them]",
    )
    @click.option(
        "--group",
        help="Regular expression whose (group) in a picture's name is its video: '(.+)_frame'. "
        "[default: what the format tells]",
    )
    @functools.wraps(main)
    def with_data(data: Path, format_name: str | None, pictures: Path | None, group: str | None, **others: Any) -> Any:
        from data_tools.formats import read

        found = read(data, format_name, pictures)
        return main(data=found if group is None else group_by_name(found, group), **others)

    return with_data


def tell(problems: Iterable[Problem]) -> None:
    """Print on stderr how many problems there are of each kind, and the first of them."""
    problems = tuple(problems)
    for kind, count in count_problems(problems).items():
        click.echo(f"{kind}: {count}", err=True)
        named = [problem for problem in problems if problem.kind == kind]
        for problem in named[:SHOWN]:
            click.echo(f"  {problem.where}" + (f": {problem.detail}" if problem.detail else ""), err=True)
        if len(named) > SHOWN:
            click.echo(f"  and {len(named) - SHOWN} more", err=True)


def show_bytes() -> Callable[[int, int | None], None]:
    """Return a function that shows on a terminal how far a download is: bytes done, bytes in all."""
    if not sys.stderr.isatty():
        return lambda done, total: None

    def show(done: int, total: int | None) -> None:
        of = "" if total is None else f" of {total / 1e6:.0f}"
        click.echo(f"\r{done / 1e6:.0f}{of} MB", nl=done == total, err=True)

    return show


def make_folder(path: Path) -> Path:
    """Return a folder that exists now. Raises DataError when it cannot be made."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot make the folder {str(path)!r}: {error.strerror}; give another one") from error
    return path
