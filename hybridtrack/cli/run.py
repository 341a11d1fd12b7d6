"""``hybridtrack run``: detect every few frames, track in between, write tracks."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hybridtrack.cli.completion import detectors, trackers
from hybridtrack.config import FILLS, RUNTIMES, RunSettings, read_settings
from hybridtrack.errors import UsageError
from hybridtrack.sinks.standard_output import reserved_for_results

if TYPE_CHECKING:
    from hybridtrack.hookspecs import Sink
    from hybridtrack.plugin_host import PluginHost
    from hybridtrack.selection import RelationLike
    from hybridtrack.types import RunSummary


@click.command(short_help="Track hands through a video, camera, stream or folder of images.")
@click.argument("source_argument", metavar="[SOURCE]", required=False)
@click.option("--source", metavar="SOURCE", help="The same as the argument.  [default: camera 0]")
@click.option("--width", type=int, help="Width to ask of a camera, in pixels.")
@click.option("--height", type=int, help="Height to ask of a camera, in pixels.")
@click.option("--size", metavar="WxH", help="Detectors and trackers look at this size; boxes stay in source pixels.")
@click.option(
    "--detect-every",
    metavar="N|100ms|auto[/N]",
    help="Run detectors of hands every N frames, every T ms, or as tracks need it.  [default: 3]",
)
@click.option(
    "--detector",
    metavar="NAME[,every=N][,phase=P][,limit=T][,birth=S][,key=value…]",
    multiple=True,
    shell_complete=detectors,
    help="A detector in place of the default one (hand); +NAME adds to it. One that takes longer than limit= (default "
    "30s) on a frame is left out from then on. birth= is the score from which what it sees begins a track (default "
    ".5, on trial from .4). May be repeated.",
)
@click.option(
    "--identity",
    metavar="NAME=CLASS|CLASS",
    multiple=True,
    help="Classes that mean one thing: their boxes share tracks, whichever detector they come from. May be repeated.",
)
@click.option(
    "--tracker",
    metavar="NAME",
    shell_complete=trackers,
    help="What carries boxes between detector runs.  [default: flow]",
)
@click.option(
    "--fill",
    type=click.Choice(FILLS),
    help="What boxes between detector runs go by: the last run, or the next one as well, for which each frame then "
    "waits.  [default: forward]",
)
@click.option(
    "--relations/--no-relations", default=None, help="Relate hands to objects, and tell events.  [default: --relations]"
)
@click.option(
    "--relation",
    metavar="NAME[,key=value…]",
    multiple=True,
    help="A relation in place of the default one (hand_object); +NAME adds to it. May be repeated.",
)
@click.option(
    "--table",
    metavar="X1,Y1,…,X4,Y4:WxHcm",
    help="Corners of a rectangle on the table on the first frame (near left, near right, far right, far left) and its "
    "size; or markers=ID,ID,ID,ID:WxHcm. Gives positions in cm.",
)
@click.option("--zones", metavar="FILE", help="TOML file of zones ([zones.NAME]), for events enter and leave.")
@click.option("--start", type=float, metavar="T", help="Begin at this second of the source.")
@click.option("--end", type=float, metavar="T", help="End at this second of the source.")
@click.option("--max-frames", type=int, metavar="N", help="End after so many frames.")
@click.option("--loop", type=int, metavar="K", help="Play a file K times.  [default: 1]")
@click.option("--fps", type=float, metavar="F", help="Frames per second of a folder of images.  [default: 30]")
@click.option("--pace", is_flag=True, default=None, help="Play a file as fast as it was made; late frames are dropped.")
@click.option(
    "--live",
    is_flag=True,
    default=None,
    help="No frame waits for a slow detector: its result is carried to the frame on which it arrives.",
)
@click.option("--json", metavar="FILE", help="Write tracks as JSON Lines; - is standard output.")
@click.option("--with-detections", is_flag=True, default=None, help="Write the raw detections to --json as well.")
@click.option("--mot", metavar="FILE", help="Write tracks as MOTChallenge text.")
@click.option("--video", metavar="FILE", help="Write the video with boxes and ids drawn on it.")
@click.option("--image", metavar="FILE", help="Write a picture of the first frame with the most tracks.")
@click.option("--show", "--display", is_flag=True, default=None, help="Show the video in a window; q ends.")
@click.option("--web", is_flag=True, default=None, help="Show the run in a browser: video, boxes, timeline.")
@click.option("--web-host", metavar="ADDRESS", help="Address that --web listens on.  [default: 127.0.0.1]")
@click.option("--web-port", type=click.IntRange(1, 65535), help="Port that --web listens on.  [default: a free one]")
@click.option(
    "--runtime", type=click.Choice(RUNTIMES), help="What runs the networks.  [default: the first that is installed]"
)
@click.option("--config", metavar="FILE", help="TOML file with the same names as these flags, which win over it.")
@click.option("--quiet", is_flag=True, help="Nothing on standard error but errors: no progress, summary or notes.")
@reserved_for_results()
def run(config: str | None, source_argument: str | None, quiet: bool, **flags: Any) -> None:
    """Track hands through SOURCE: a file, camera number, rtsp:// address, or a folder or glob of images.
    blank:WIDTHxHEIGHT@FPS:FRAMES has frames without a picture, to track the boxes of a file (--detector replay).

    Without an output the run ends with a table on standard output; with one, on a terminal, with the same table on
    standard error.
    """
    if source_argument is not None:
        if flags["source"] is not None:
            raise UsageError(f"two sources, {source_argument!r} and --source {flags['source']!r}: give one")
        flags["source"] = source_argument
    given = {key: value for key, value in flags.items() if value not in (None, ())}
    settings = read_settings(given, Path(config) if config else None)
    summary = execute(settings, is_quiet=quiet)
    if (settings.outputs or settings.show or settings.web) and not quiet:
        _tell(summary)


def _tell(summary: RunSummary) -> None:
    """Say on standard error how the run went: its notes, and on a terminal its figures."""
    if sys.stderr.isatty():
        from rich.console import Console

        from hybridtrack.sinks.table import summary_table

        Console(stderr=True).print(summary_table(summary))
    for note in summary.notes:
        click.echo(f"hybridtrack run: {note}", err=True)


def execute(settings: RunSettings, *, is_quiet: bool = False) -> RunSummary:
    """Return the summary of a run that did what the settings say; ``is_quiet``: without showing how far it is.

    Raises HybridTrackError.
    """
    from hybridtrack.cli.progress import Progress
    from hybridtrack.engine import Engine
    from hybridtrack.plugin_host import PluginHost
    from hybridtrack.relations.zones import Zones
    from hybridtrack.run import write_run
    from hybridtrack.sinks.output import check_not_source
    from hybridtrack.sources import open_source

    host = PluginHost.load()
    sinks = build_sinks(settings, host)
    if settings.web:
        sinks.append(page_sink(settings))
    relations: list[RelationLike] = [*settings.relation] if settings.relations else []
    if settings.zones:
        relations.append(Zones(settings.zones))
    with ExitStack() as stack:
        if settings.live:
            from hybridtrack.tracking.flow import one_thread_each

            stack.enter_context(one_thread_each())
        engine = stack.enter_context(
            Engine(
                detectors=settings.detector,
                identity=settings.identity,
                tracker=settings.tracker,
                fill=settings.fill,
                relations=relations,
                table=settings.table,
                detect_every=settings.detect_every,
                size=settings.size,
                runtime=settings.runtime,
                live=settings.live,
                host=host,
            )
        )
        source = stack.enter_context(
            open_source(
                settings.source,
                fps=settings.fps,
                loop=settings.loop,
                start_s=settings.start,
                end_s=settings.end,
                width_px=settings.width,
                height_px=settings.height,
                pace=settings.pace,
            )
        )
        for path in settings.outputs.values():  # before any of them is made
            check_not_source(path, source.uri)
        limits = (settings.max_frames, source.expected_frames)
        expected = min((n for n in limits if n is not None), default=None)
        progress = stack.enter_context(Progress(expected, is_quiet=is_quiet))
        return write_run(
            engine,
            source,
            sinks,
            settings=settings.resolved(),
            max_frames=settings.max_frames,
            on_frame=progress.advance,
        )


def build_sinks(settings: RunSettings, host: PluginHost) -> list[Sink]:
    """Return the sinks that the settings name, none of them open."""
    wanted: dict[str, dict[str, Any]] = {name: {"path": path} for name, path in settings.outputs.items()}
    if settings.json is not None:
        wanted["json"]["with_detections"] = settings.with_detections
    if settings.show:
        wanted["display"] = {}
    if not wanted and not settings.web:
        wanted["table"] = {}
    return [host.sink(name).build(options) for name, options in wanted.items()]


def page_sink(settings: RunSettings) -> Sink:
    """Return the page that shows the run. Raises MissingPackageError."""
    from hybridtrack.cli.view import check_packages

    check_packages()
    from hybridtrack.view.live import PageSink
    from hybridtrack.view.serving import LOOPBACK, open_browser

    def tell(text: str) -> None:
        click.echo(text if text.startswith("http://") else f"hybridtrack run: {text}", err=True)
        if text.startswith("http://"):
            open_browser(text)

    return PageSink(host=settings.web_host or LOOPBACK, port=settings.web_port or 0, tell=tell)
