"""The command line: reads flags, starts what was asked for, and says in one line what the user can mend.

Exit codes: 0 done, 2 the user can mend it (one line on stderr), 1 a bug (its traceback), 130 interrupted. Each command
imports what it needs when it runs, so that ``--help`` is quick.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

import hybridtrack
from hybridtrack.cli.bench import bench
from hybridtrack.cli.command import Refusal, RefusingGroup
from hybridtrack.cli.completion import completion
from hybridtrack.cli.doctor import doctor
from hybridtrack.cli.evaluate import evaluate
from hybridtrack.cli.examples import epilog
from hybridtrack.cli.export import export, import_
from hybridtrack.cli.models import models
from hybridtrack.cli.plugins import plugins
from hybridtrack.cli.relations import relations
from hybridtrack.cli.report import report
from hybridtrack.cli.run import run
from hybridtrack.cli.sweep import sweep
from hybridtrack.cli.view import view
from hybridtrack.sinks.standard_output import end_of_results

#: what native libraries read when they are loaded, so that they keep their banners to themselves
QUIET = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "GLOG_minloglevel": "3",
    "OPENCV_LOG_LEVEL": "SILENT",
    "OPENCV_VIDEOIO_DEBUG": "0",
    "OPENCV_FFMPEG_LOGLEVEL": "-8",
}


@click.group(
    cls=RefusingGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=epilog(""),
)
@click.version_option(hybridtrack.__version__, prog_name="hybridtrack")
@click.pass_context
def cli(context: click.Context) -> None:
    """Find hands on a table in video every few frames, and carry them in between."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for command in (
    run,
    view,
    relations,
    report,
    export,
    import_,
    evaluate,
    bench,
    sweep,
    plugins,
    models,
    doctor,
    completion,
):
    cli.add_command(command)
    command.epilog = epilog(command.name or "")


def exit_code(arguments: Sequence[str]) -> int:
    """Return the exit code of a command line; bugs raise."""
    try:
        code = cli.main(list(arguments), prog_name="hybridtrack", standalone_mode=False)
    except Refusal as refusal:
        click.echo(refusal.message, err=True)
        return 2
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "hybridtrack"
        message = " ".join(error.format_message().split())
        click.echo(f"{path}: {message} See '{path} --help'.", err=True)
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("hybridtrack: interrupted; what was written so far is kept", err=True)
        return 130
    return code if isinstance(code, int) else 0


def main() -> None:
    """Run the command line of this process and exit."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        sys.exit(exit_code(sys.argv[1:]))
    finally:
        end_of_results()
