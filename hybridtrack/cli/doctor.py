"""``hybridtrack doctor``: what is installed, and whether it works."""

from __future__ import annotations

import click

from hybridtrack.errors import HybridTrackError
from hybridtrack.sinks.standard_output import reserved_for_results, results


@click.command(short_help="Print what is installed, and try whether it works.")
@click.pass_context
@reserved_for_results()
def doctor(context: click.Context) -> None:
    """Print versions, back ends, bundles and plugins, and try the whole way on generated pictures.

    Ends with exit code 2 when something has to be mended.
    """
    from hybridtrack.doctor import examine

    is_healthy = True
    for finding in examine():
        mark = "ok  " if finding.is_ok else "MEND"
        click.echo(f"{mark} {finding.subject:<12}{finding.text}", file=results())
        is_healthy &= finding.is_ok
    if not is_healthy:
        raise HybridTrackError("something has to be mended: see the lines marked MEND")
