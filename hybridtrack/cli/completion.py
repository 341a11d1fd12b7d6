"""``hybridtrack completion``: what a shell sources to complete commands, options, names and files."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    get_completion_class,
)

SHELLS = ("bash", "zsh", "fish")
_VARIABLE = "_HYBRIDTRACK_COMPLETE"

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


class _WithFiles(ShellComplete):
    """Offers files wherever nothing else is known: most values are names of files."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """Return what may stand in place of ``incomplete`` after ``args``."""
        found = super().get_completions(args, incomplete)
        return found or [CompletionItem(incomplete, type="file")]


@add_completion_class
class _Bash(_WithFiles, BashComplete):
    """Bash from 4.4 on."""


@add_completion_class
class _Zsh(_WithFiles, ZshComplete):
    """Z shell."""


@add_completion_class
class _Fish(_WithFiles, FishComplete):
    """Fish."""


def one_of(names: Iterable[str]) -> Complete:
    """Return what completes to one of ``names``."""
    known = list(names)
    return lambda context, parameter, incomplete: [
        CompletionItem(name) for name in known if name.startswith(incomplete)
    ]


def trackers(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the trackers that are installed."""
    from hybridtrack.plugin_host import PluginHost

    offers = PluginHost.load().trackers
    return [CompletionItem(name) for name in offers if name.startswith(incomplete)]


def detectors(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the detectors that are installed, with a + before them where one was typed."""
    from hybridtrack.plugin_host import PluginHost

    sign = "+" if incomplete.startswith("+") else ""
    offers = PluginHost.load().detectors
    return [CompletionItem(sign + name) for name in offers if name.startswith(incomplete.removeprefix("+"))]


@click.command(short_help="Print what a shell sources to complete command lines.")
@click.argument("shell", metavar="|".join(SHELLS), type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what a shell sources to complete commands, options, names of trackers and formats, and files."""
    kind = get_completion_class(shell)
    assert kind is not None
    root = context.find_root()
    click.echo(kind(root.command, {}, "hybridtrack", _VARIABLE).source())
