"""``hybridtrack bench``: what it costs and what it brings to detect on every Nth frame only."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from hybridtrack.cadence import parse_cadence
from hybridtrack.cli.text_table import console, printed
from hybridtrack.config import parse_choice, parse_detectors
from hybridtrack.errors import UsageError
from hybridtrack.sinks.standard_output import reserved_for_results

if TYPE_CHECKING:
    from hybridtrack.bench import Comparison, Conditions, Mode, Standard
    from hybridtrack.cadence import Cadence

ALL = "all sources"


@click.command(short_help="Compare detecting every frame with trackers in between: speed and accuracy.")
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.option(
    "--detect-every",
    metavar="N,...",
    default="1,2,3,5,10",
    show_default=True,
    help="Frames, times (100ms), auto, or auto/N.",
)
@click.option(
    "--gt",
    metavar="TRUTH",
    multiple=True,
    help="MOTChallenge folder or text, or track file, with the truth of the source; one for each SOURCE.",
)
@click.option("--class", "class_name", metavar="NAME", help="The only class that is scored.")
@click.option(
    "--trackers",
    metavar="NAME,...",
    default="hold,flow,kalman,medianflow,mosse,kcf,csrt",
    show_default=True,
    help="Trackers to compare; with flow, two-way fill and the adaptive schedule as well.",
)
@click.option(
    "--shrink",
    metavar="K,...",
    default="2,3",
    show_default=True,
    help="Also detect on every frame at pictures K times smaller; 1: leave that out.",
)
@click.option(
    "--rival",
    metavar="DETECTOR",
    multiple=True,
    help="Also run another detector on every frame (hand,bundle=…), such as one with a smaller network.",
)
@click.option("--detector", metavar="NAME[,key=value…]", multiple=True, help="Detectors of all modes, as for run.")
@click.option("--relations/--no-relations", default=True, show_default=True, help="Relate hands to objects.")
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True, help="How often each mode runs.")
@click.option(
    "--max-frames", type=click.IntRange(min=1), default=600, show_default=True, help="Use so many frames of a source."
)
@click.option(
    "--margin",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="Points of HOTA that a mode may lose and still pay.",
)
@click.option("--json", metavar="FILE", help="Write the figures, settings and machine as JSON.")
@click.option("--html", metavar="FILE", help="Write a page with the tables and the curve of accuracy over speed.")
@reserved_for_results()
def bench(sources: tuple[str, ...], json: str | None, html: str | None, margin: float, **flags: Any) -> None:
    """Compare modes on each SOURCE, a file or a folder or glob of images.

    Modes: none (detect on every frame, the reference), and each tracker with the detector every N frames. Printed:
    frames per second and CPU milliseconds a frame beyond decoding, each as median ± half the range over the rounds;
    accuracy, × 100, against --gt, or without it against detecting on every frame; F1 on frames without a detector run
    (filled); what stages and frames take; and which N to choose.

    A mode "pays" when it was faster in every round and its HOTA is within --margin of the reference's (without --gt:
    when its boxes agree with the reference's, F1 of .9 or more). * marks modes that no other is both faster and more
    accurate than.
    """
    cadences = [parse_cadence(text, where="--detect-every") for text in flags["detect_every"].split(",")]
    modes, conditions = _plan(cadences, flags)
    if flags["gt"] and len(flags["gt"]) != len(sources):
        raise UsageError(f"{len(sources)} sources and {len(flags['gt'])} --gt: give the truth of each, in their order")
    from hybridtrack import bench as benches
    from hybridtrack.sinks.output import ReplacedFile, check_not_source

    files = {name: ReplacedFile(path) for name, path in (("json", json), ("html", html)) if path is not None}
    for uri in sources:  # all of them before the first is measured
        benches.open_repeatable(uri).close()
        for file in files.values():
            check_not_source(file.path, uri)
    load = benches.load()
    standard = benches.Standard(has_truth=bool(flags["gt"]), margin=margin)
    comparisons = []
    for one in _compared(sources, flags["gt"], modes, conditions, standard):
        comparisons.append(one)
        _print(one, [cadence.frames for cadence in cadences if cadence.frames])
    if note := benches.busy_note(load, benches.core_count()):
        click.echo(f"hybridtrack bench: {note}", err=True)
    settings = {
        **{key: value for key, value in flags.items() if key != "detect_every"},
        "detect_every": [cadence.frames or str(cadence) for cadence in cadences],
        "margin": margin,
        "load": load,
    }
    if "json" in files:
        files["json"].write(benches.report(comparisons, settings), sources[0])
    if "html" in files:
        from hybridtrack.bench.page import page

        files["html"].write(page(comparisons, settings), sources[0])


def _plan(cadences: Sequence[Cadence], flags: Mapping[str, Any]) -> tuple[list[Mode], Conditions]:
    """Return the modes and conditions that flags ask for. Raises UsageError."""
    from hybridtrack import bench as benches
    from hybridtrack.plugin_host import PluginHost

    trackers = [name.strip() for name in flags["trackers"].split(",") if name.strip()]
    host = PluginHost.load()
    for name in trackers:
        host.tracker(name)  # it is there
    shrinks = flags["shrink"].split(",")
    if not all(text.strip().isdecimal() and int(text) for text in shrinks):
        raise UsageError(f"--shrink {flags['shrink']!r}: use whole numbers from 1, such as 2,3")
    modes = benches.modes_of(
        cadences,
        trackers=trackers,
        shrinks=[int(text) for text in shrinks],
        rivals=[parse_choice(text, where="--rival", has_cadence=True) for text in flags["rival"]],
    )
    conditions = benches.Conditions(
        detectors=parse_detectors(flags["detector"]),
        relations=flags["relations"],
        class_name=flags["class_name"],
        max_frames=flags["max_frames"],
        rounds=flags["rounds"],
    )
    return modes, conditions


def _compared(
    sources: Sequence[str], truths: Sequence[str], modes: Sequence[Mode], conditions: Conditions, standard: Standard
) -> Iterator[Comparison]:
    """Yield the comparison on each source as soon as it is done, and after more than one, on all of them."""
    from hybridtrack import bench as benches

    done = []
    with TemporaryDirectory() as folder:
        for number, uri in enumerate(sources):
            truth = truths[number] if truths else None
            runs = benches.take_turns(
                uri, modes, conditions, folder=Path(folder) / str(number), truth=truth, tell=_tell
            )
            costs = benches.costs_of(uri, modes, conditions, tell=_tell)
            _tell("")
            done.append(runs)
            rows = benches.rows_of(modes, [runs], conditions, name=uri)
            against = "detecting on every frame" if truth is None else truth
            for note in runs.notes:
                click.echo(f"hybridtrack bench: {note}", err=True)
            yield benches.Comparison(rows=rows, costs=costs, standard=standard, truth=against)
        if len(done) > 1:
            rows = benches.rows_of(modes, done, conditions, name=ALL)
            against = "detecting on every frame" if not truths else "the truth of each"
            yield benches.Comparison(rows=rows, costs=[], standard=standard, truth=against)


def _tell(text: str) -> None:
    """Show on a terminal what is being measured; no thread draws it, which would cost CPU time that is measured."""
    if sys.stderr.isatty():
        click.echo(f"\r\033[K{text}", nl=False, err=True)


def _print(one: Comparison, cadences: Sequence[int]) -> None:
    from hybridtrack.bench.table import costs, figures, stages

    screen = console()
    title = f"{one.name}, {one.rows[0].frames} frames; accuracy against {one.truth}"
    screen.print(title, style="bold", markup=False, highlight=False)
    tables = [figures(one.rows, one.standard, is_wide=screen.width >= 120), stages(one.rows)]
    if one.costs:
        tables.append(costs(one.costs, cadences))
    for table in tables:
        screen.print(printed(table, screen.width))
        screen.print()
    for line in one.words:
        screen.print(line, markup=False, highlight=False)
    screen.print()
