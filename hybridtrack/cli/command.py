"""How commands refuse: one line that names the command, whatever module it comes from."""

from __future__ import annotations

from typing import Any

import click

from hybridtrack.errors import HybridTrackError


class Refusal(click.ClickException):
    """Something that the user can mend, told in one line that begins with the command."""


class RefusingGroup(click.Group):
    """A group whose commands' HybridTrackErrors become refusals, and stand in the order in which they were added."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand. Raises Refusal for every HybridTrackError; usage errors name the subcommand."""
        try:
            return super().invoke(ctx)
        except HybridTrackError as error:
            path = " ".join(filter(None, [ctx.command_path, ctx.invoked_subcommand]))
            raise Refusal(f"{path}: {' '.join(str(error).split())}") from error
        except click.UsageError as error:
            command = self.get_command(ctx, ctx.invoked_subcommand or "")
            if error.ctx is None and command is not None:  # raised while its flags were read: it has no context yet
                error.ctx = click.Context(command, parent=ctx, info_name=ctx.invoked_subcommand)
            raise
