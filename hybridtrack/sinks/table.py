"""What a run was, as a table on standard output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from hybridtrack.relations.zones import dwell
from hybridtrack.sinks.standard_output import results
from hybridtrack.speed_up import estimated_speed_up
from hybridtrack.types import ClassInfo, Event, Frame, FrameResult, RunInfo, RunSummary

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def summary_table(summary: RunSummary, dwelt: Mapping[str, float] | None = None) -> Table:
    """Return frames, tracks, seconds, detector runs and frames per second of a run, one a row, and where it can be told
    how much work detecting on every frame would have been.

    ``dwelt``: then come these seconds, by what they are of.
    """
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
    speed_up = estimated_speed_up(summary.frames, summary.detector_runs, summary.stage_ms)
    if speed_up is not None:
        table.add_row("detecting on every frame", f"about {speed_up:.1f} × the work")
    for what, seconds in (dwelt or {}).items():
        table.add_row(Text(what), f"{seconds:.2f} s")
    if not summary.complete:
        table.add_row("complete", "no")
    return table


class TableSink:
    """Prints the summary and its notes when the run has ended; nothing when it broke off without one."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console
        self._is_open = False
        self._classes: Sequence[ClassInfo] = ()
        self._class_of: dict[int, int] = {}  # track id -> class id
        self._events: list[Event] = []
        self._end_s = 0.0

    def open(self, info: RunInfo) -> None:
        """Begin; there is nothing to make."""
        self._is_open, self._classes = True, info.classes
        self._class_of, self._events = {}, []

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Take a frame: the summary counts it; who is in which zone is remembered."""
        self._end_s = result.time_s
        entries = [event for event in result.events if event.zone is not None]
        if entries:
            self._events += entries
            self._class_of |= dict(zip(result.tracks.track_id.tolist(), result.tracks.class_id.tolist(), strict=True))

    def close(self, summary: RunSummary | None) -> None:
        """Print the table, how long tracks were in zones in it, and each note on a line of its own."""
        is_open, self._is_open = self._is_open, False
        if summary is None or not is_open:
            return
        from rich.console import Console
        from rich.text import Text

        console = self._console or Console(file=results())
        with suppress(SystemExit):  # what rich answers when nobody reads: the run itself was done
            console.print(summary_table(summary, self._dwelt()))
            for note in summary.notes:
                console.print(Text(note), soft_wrap=True)

    def _dwelt(self) -> dict[str, float]:
        """Return seconds in zones by track and zone: "mug 4 in tray"."""
        seconds: dict[str, float] = {}
        for (track_id, zone), spent_s in dwell(self._events, self._end_s).items():
            class_id = self._class_of.get(track_id)
            name = "track" if class_id is None else self._classes[class_id].name
            seconds[f"{name} {track_id} in {zone}"] = spent_s
        return seconds


def create_table(options: Mapping[str, Any]) -> TableSink:
    """Return the sink; it has no options."""
    return TableSink()
