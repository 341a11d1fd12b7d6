"""Tables on a terminal, or whole in a file or a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hybridtrack.sinks.standard_output import results

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from hybridtrack.bench.table import TextTable

NARROW = 90  #: columns below which a single space has to do between cells
FILE_WIDTH = 200  #: columns of what is no terminal: enough for all figures


def console() -> Console:
    """Return what prints results, as wide as the terminal that they go to."""
    from rich.console import Console

    stream = results()
    return Console(file=stream, width=None if stream.isatty() else FILE_WIDTH)


def printed(table: TextTable, width: int) -> Table:
    """Return a table to print on ``width`` columns: no lines, names to the left, figures to the right."""
    from rich.table import Table
    from rich.text import Text

    is_narrow = width < NARROW
    made = Table(title=Text(table.title), title_justify="left", title_style="italic", box=None, header_style="bold")
    made.pad_edge, made.collapse_padding = not is_narrow, is_narrow
    for number, name in enumerate(table.header):
        made.add_column(Text(name), justify="right" if number else "left", no_wrap=True)
    for row in table.rows:
        made.add_row(*map(Text, row))
    return made
