"""``hybridtrack sweep``: detect once, then try schedules and trackers on the same boxes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from hybridtrack.cadence import parse_cadence
from hybridtrack.config import FILLS, parse_choice, parse_detectors, parse_fills
from hybridtrack.errors import UsageError
from hybridtrack.sinks.standard_output import reserved_for_results

if TYPE_CHECKING:
    from hybridtrack.sweep import Figures, Material

TRACKERS = "hold,kalman,flow"


@click.command(short_help="Detect once, then try schedules and trackers on the same boxes.")
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.option(
    "--gt", metavar="TRUTH", multiple=True, help="MOTChallenge folder or text, or track file; one for each SOURCE."
)
@click.option("--class", "class_name", metavar="NAME", help="The only class that is scored.")
@click.option(
    "--detect-every",
    metavar="N,...",
    default="1,2,3,5,10",
    show_default=True,
    help="Frames, times (100ms), auto, or auto/N.",
)
@click.option(
    "--trackers", metavar="NAME,...", help=f"Trackers to try.  [default: {TRACKERS}; without pictures hold,kalman]"
)
@click.option(
    "--fills",
    metavar="FILL,...",
    default=",".join(FILLS),
    show_default=True,
    help="What boxes between detector runs go by.",
)
@click.option(
    "--phases",
    type=click.IntRange(min=1),
    metavar="K",
    help="Average each N over at most so many frames of the first run.  [default: all N]",
)
@click.option(
    "--detector",
    metavar="NAME[,key=value…]",
    multiple=True,
    help="Detectors that look once, as for run.  [default: hand]",
)
@click.option(
    "--detections",
    metavar="FILE[,key=value…]",
    multiple=True,
    help="Boxes in place of detectors, with options of the detector replay; one for each SOURCE.",
)
@click.option(
    "--replay",
    metavar="KEY=VALUE,...",
    help="What the detector replay is told of the boxes of all sources, such as birth=0.9.",
)
@click.option(
    "--detect-ms", type=click.FloatRange(min=0), metavar="T", help="What a detector run takes.  [default: as measured]"
)
@click.option("--max-frames", type=click.IntRange(min=1), metavar="N", help="Use so many frames of a source.")
@click.option(
    "--margin",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="Points of HOTA that fewer detector runs may cost.",
)
@click.option("--json", metavar="FILE", help="Write the figures, settings and machine as JSON.")
@reserved_for_results()
def sweep(sources: tuple[str, ...], gt: tuple[str, ...], json: str | None, **flags: Any) -> None:
    """Try each tracker with the detector on every Nth frame of all SOURCEs together, on boxes that were detected once.

    SOURCE is a video or a folder of images, on every frame of which detectors look once; or boxes: a track file with
    raw detections, or MOTChallenge detections with a seqinfo.ini; trackers that look at no pictures need no video.
    A MOTChallenge folder with detections brings its own truth along.

    Printed, × 100, as means over the phases of each N (the frame of the first detector run): accuracy against the
    truth; detector runs; the wall clock of tracking, and of tracking and detector runs (cost), a frame; and which
    settings no other beats by runs or by cost.
    """
    cadences = [parse_cadence(text, where="--detect-every") for text in flags["detect_every"].split(",")]
    fills = parse_fills(flags["fills"], where="--fills")
    for name, given in (("--gt", gt), ("--detections", flags["detections"])):
        if given and len(given) != len(sources):
            raise UsageError(f"{len(sources)} sources and {len(given)} {name}: give one for each, in their order")
    from hybridtrack import sweep as sweeps
    from hybridtrack.sinks.output import ReplacedFile, check_not_source

    file = None if json is None else ReplacedFile(json)
    if file is not None:
        for uri in sources:
            check_not_source(file.path, uri)
    with TemporaryDirectory() as folder:
        trackers = _trackers(flags["trackers"] or TRACKERS)
        materials = _materials(sources, gt, flags, Path(folder))
        if flags["trackers"] is None and any(one.pictures is None for one in materials):
            trackers.remove("flow")
        settings = sweeps.settings_of(trackers, cadences, fills)
        rows = _rows(settings, materials, flags, Path(folder))
    words = sweeps.verdict(rows, margin=flags["margin"])
    _print(sources, rows, words)
    if file is not None:
        told = {**flags, "sources": sources, "gt": gt}
        told["detect_every"] = [cadence.frames or str(cadence) for cadence in cadences]
        file.write(sweeps.report(rows, words, told), sources[0])


def _materials(sources: Sequence[str], gt: Sequence[str], flags: dict[str, Any], folder: Path) -> list[Material]:
    """Return what is swept, with its truth; sources of pictures without detections are looked at now."""
    from dataclasses import replace

    from hybridtrack import sweep as sweeps

    detections = [parse_choice(text, where="--detections", has_cadence=True) for text in flags["detections"]]
    detectors = parse_detectors(flags["detector"])
    told = flags["replay"]
    shared = None if told is None else parse_choice(f"replay,{told}", where="--replay", has_cadence=True)
    if shared is not None and (shared.every is not None or shared.phase):
        raise UsageError(f"--replay {told!r}: cadence and phases are what is tried; leave every= and phase= out")
    materials = []
    for number, uri in enumerate(sources):
        place = folder / f"source-{number}"
        if detections or sweeps.is_recorded(uri):
            material = sweeps.read_material(uri, detections[number] if detections else None)
        else:
            if not gt:  # before the network runs
                raise UsageError(f"no truth of {uri!r}: give --gt, one for each SOURCE in their order")
            _tell(f"{uri}: detecting on every frame")
            material = sweeps.detect_once(uri, detectors, place, max_frames=flags["max_frames"])
        if shared is not None:
            material = material.told(shared)
        if flags["detect_ms"] is not None:
            material = replace(material, detect_ms=flags["detect_ms"])
        truth = gt[number] if gt else None
        materials.append(sweeps.with_truth(material, truth, max_frames=flags["max_frames"], folder=place / "truth"))
    return materials


def _trackers(text: str) -> list[str]:
    """Return the trackers to try. Raises UsageError for one that is not there."""
    from hybridtrack.plugin_host import PluginHost

    host = PluginHost.load()
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        host.tracker(name)
    return names


def _rows(settings: Sequence[Any], materials: Sequence[Material], flags: dict[str, Any], folder: Path) -> list[Figures]:
    from hybridtrack import sweep as sweeps

    conditions = sweeps.Conditions(class_name=flags["class_name"], phases=flags["phases"])
    notes: dict[str, None] = {}
    rows = []
    for number, setting in enumerate(settings, 1):
        _tell(f"setting {number} of {len(settings)}: {setting}")
        rows.append(
            sweeps.figures_of(setting, materials, conditions, folder=folder, note=lambda text: notes.setdefault(text))
        )
    _tell("")
    for note in notes:
        click.echo(f"hybridtrack sweep: {note}", err=True)
    return rows


def _tell(text: str) -> None:
    """Show on a terminal what is being done."""
    if sys.stderr.isatty():
        click.echo(f"\r\033[K{text}", nl=False, err=True)


def _print(sources: Sequence[str], rows: Sequence[Figures], words: Sequence[str]) -> None:
    from hybridtrack.cli.text_table import console, printed
    from hybridtrack.sweep.table import figures, fronts

    screen = console()
    named = sources[0] if len(sources) == 1 else f"{len(sources)} sources"
    screen.print(f"{named}, {rows[0].frames} frames", style="bold", markup=False, highlight=False)
    for table in (figures(rows), fronts(rows)):
        screen.print(printed(table, screen.width))
        screen.print()
    for line in words:
        screen.print(line, markup=False, highlight=False)
