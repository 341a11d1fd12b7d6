"""``hybridtrack bench``: what it costs and what it brings to detect on every Nth frame only."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from hybridtrack.config import parse_cadence
from hybridtrack.sinks.standard_output import reserved_for_results, results

if TYPE_CHECKING:
    from rich.table import Table

    from hybridtrack.bench import Row, Spread
    from hybridtrack.sinks.output import ReplacedFile


@click.command(short_help="Compare detecting every frame with holding and following boxes.")
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.option(
    "--detect-every", metavar="N,...", default="1,3,5,10", show_default=True, help="Frames, times (100ms), or auto."
)
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True, help="How often each mode runs.")
@click.option(
    "--max-frames", type=click.IntRange(min=1), default=300, show_default=True, help="Use so many frames of a source."
)
@click.option("--json", metavar="FILE", help="Write the figures, settings and machine as JSON.")
@reserved_for_results()
def bench(sources: tuple[str, ...], detect_every: str, rounds: int, max_frames: int, json: str | None) -> None:
    """Compare modes on each SOURCE, a file or a folder or glob of images.

    Modes: none (detect on every frame), hold and flow, with the detector every N frames. Printed: frames per second and
    CPU milliseconds a frame beyond decoding, each as median ± half the range over the rounds, and how the boxes agree
    with those of detecting on every frame (F1 at IoU .5), on all frames and on those without a detector run (filled).
    """
    cadences = [parse_cadence(text, where="--detect-every") for text in detect_every.split(",")]
    from rich.console import Console

    from hybridtrack import bench as benches
    from hybridtrack.sinks.output import ReplacedFile, check_not_source

    file = ReplacedFile(json) if json is not None else None
    for uri in sources:  # all of them before the first is measured
        benches.open_repeatable(uri).close()
        if file is not None:
            check_not_source(file.path, uri)
    modes = benches.modes_of(cadences)
    console = Console(file=results())
    rows: list[Row] = []
    for uri in sources:
        own = benches.bench(uri, modes, rounds=rounds, max_frames=max_frames, on_run=_tell)
        _tell("")
        console.print(_table(own))
        console.print(benches.verdict(own), soft_wrap=True, markup=False, highlight=False)
        rows += own
    if file is not None:
        settings = {"detect_every": [c.frames or str(c) for c in cadences], "rounds": rounds, "max_frames": max_frames}
        _write(file, benches.report(rows, settings), sources[0])


def _write(file: ReplacedFile, content: bytes, uri: str) -> None:
    from hybridtrack.sinks.output import cannot_write

    file.open(uri)
    try:
        file.temporary.write_bytes(content)
    except OSError as error:
        file.discard()
        raise cannot_write(file.path, error) from error
    file.keep()


def _tell(text: str) -> None:
    """Show on a terminal what is being measured; no thread draws it, which would cost CPU time that is measured."""
    if sys.stderr.isatty():
        click.echo(f"\r\033[K{text}", nl=False, err=True)


def _table(rows: Sequence[Row]) -> Table:
    from rich.table import Table
    from rich.text import Text

    title = Text(f"{rows[0].source}, {rows[0].frames} frames")
    table = Table(title=title, title_justify="left", box=None, header_style="bold")
    table.add_column("mode", no_wrap=True)
    for header in ("detect every", "runs", "frames/s", "speed-up", "CPU ms", "F1", "filled F1"):
        table.add_column(header, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            row.mode,
            str(row.detect_every),
            str(row.detector_runs),
            _spread(row.fps, 0),
            f"{row.speed_up.median:.2f}",
            _spread(row.cpu_ms, 2),
            _share(row.f1),
            _share(row.filled_f1),
        )
    return table


def _spread(spread: Spread, digits: int) -> str:
    return f"{spread.median:.{digits}f} ±{(spread.most - spread.least) / 2:.{digits}f}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
