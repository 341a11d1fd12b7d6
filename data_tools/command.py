"""What the commands share: one line for what the user can mend, and how problems are told."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

import click

from data_tools.annotation import Problem, count_problems
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


def make_folder(path: Path) -> Path:
    """Return a folder that exists now. Raises DataError when it cannot be made."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot make the folder {str(path)!r}: {error.strerror}; give another one") from error
    return path
