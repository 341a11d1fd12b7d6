"""What a run was, as a table on standard output."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from hybridtrack.sinks.standard_output import results
from hybridtrack.types import Frame, FrameResult, RunInfo, RunSummary

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def summary_table(summary: RunSummary) -> Table:
    """Return frames, tracks, seconds, detector runs and frames per second of a run, one a row."""
    from rich.table import Table
    from rich.text import Text

    table = Table(show_header=False, box=None)
    table.add_column(justify="left")
    table.add_column(justify="right")
    frames = f"{summary.frames}" + (f" ({summary.dropped} dropped)" if summary.dropped else "")
    table.add_row("frames", frames)
    table.add_row("tracks", f"{summary.track_count}")
    table.add_row("seconds", f"{summary.seconds:.2f}")
    for detector, runs in summary.detector_runs.items():
        failed = summary.failures.get(detector, 0)
        table.add_row(Text(f"runs of {detector}"), f"{runs}" + (f" ({failed} failed)" if failed else ""))
    table.add_row("frames per second", f"{summary.fps:.1f}")
    if not summary.complete:
        table.add_row("complete", "no")
    return table


class TableSink:
    """Prints the summary and its notes when the run has ended; nothing when it broke off without one."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console
        self._is_open = False

    def open(self, info: RunInfo) -> None:
        """Begin; there is nothing to make."""
        self._is_open = True

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Take a frame; the summary counts it."""

    def close(self, summary: RunSummary | None) -> None:
        """Print the table, and each note on a line of its own."""
        is_open, self._is_open = self._is_open, False
        if summary is None or not is_open:
            return
        from rich.console import Console
        from rich.text import Text

        console = self._console or Console(file=results())
        with suppress(SystemExit):  # what rich answers when nobody reads: the run itself was done
            console.print(summary_table(summary))
            for note in summary.notes:
                console.print(Text(note), soft_wrap=True)


def create_table(options: Mapping[str, Any]) -> TableSink:
    """Return the sink; it has no options."""
    return TableSink()
