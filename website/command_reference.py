"""A hook of MkDocs: the page of all commands and their options, from what ``--help`` goes by."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Final

import click
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from hybridtrack.cli import cli
from hybridtrack.cli.examples import EXAMPLES

PAGE: Final = "reference/cli.md"
HEAD: Final = """# Command line

What `--help` (`-h`) of each command says. Exit codes: 0 done; 2 something that you can mend, and one line on standard
error says what; 130 interrupted, and what was written is kept; 1 a bug.
"""


def text(plain: str) -> str:
    """Return Markdown that shows a plain text as it is."""
    return re.sub(r"([\\`*_<>\[\]|#])", r"\\\1", plain)


def command_page(root: click.Group, name: str) -> str:
    """Return the Markdown of a program and all of its commands."""
    return HEAD + "".join(_sections(root, click.Context(root, info_name=name, **root.context_settings), depth=2))


def _sections(command: click.Command, context: click.Context, depth: int) -> Iterator[str]:
    yield f"\n{'#' * depth} {context.command_path}\n\n```text\n{command.get_usage(context)}\n```\n"
    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    yield from (f"\n{text(' '.join(one.split()))}\n" for one in paragraphs)
    records = filter(None, (parameter.get_help_record(context) for parameter in command.params))  # --help is left out
    yield from (f"\n`{names}`\n:   {text(' '.join(says.split()))}\n" for names, says in records if says)
    examples = EXAMPLES.get(command.name or "", ()) if depth == 3 else ()
    if examples:
        lines = "\n".join(f"# {what}\n{line}" for what, line in examples)
        yield f"\n```text\n{lines}\n```\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            one = command.get_command(context, name)
            assert one is not None
            if not one.hidden:
                yield from _sections(one, click.Context(one, info_name=name, parent=context), depth + 1)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the page."""
    files.append(File.generated(config, PAGE, content=command_page(cli, "hybridtrack")))
    return files
