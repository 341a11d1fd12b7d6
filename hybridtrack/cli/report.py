"""``hybridtrack report``: what is in a track file, as a page."""

from __future__ import annotations

import click

from hybridtrack.errors import StopRun, UsageError
from hybridtrack.sinks.standard_output import reserved_for_results


@click.command(short_help="Write a page with tables and plots of a track file, or of several side by side.")
@click.argument("tracks", metavar="TRACKS.jsonl...", nargs=-1, required=True)
@click.option(
    "-o", "--output", metavar="FILE", help="Page to write; - is standard output.  [default: named after TRACKS]"
)
@click.option("--video", metavar="FILE", help="Where the video is now.  [default: where the track file says]")
@reserved_for_results()
def report(tracks: tuple[str, ...], output: str | None, video: str | None) -> None:
    """Write one HTML page, to read, print or send: what was there when, who touched and held what, where hands were,
    and what a frame took. Of several files, the last is what the others are compared with.
    """
    from pathlib import Path

    from hybridtrack.report.page import default_path
    from hybridtrack.report.page import report as page
    from hybridtrack.sinks.output import whole_file

    path = default_path(tracks[0]) if output is None else output
    reads = [one for one in (*tracks, video) if one is not None]
    if path != "-" and Path(path).resolve() in [Path(one).resolve() for one in reads]:
        raise UsageError(f"cannot write {path!r}: it is what is read; give another name")
    if video is not None and not Path(video).exists():
        raise UsageError(f"no video {video!r}: give the file, or leave --video out")
    try:
        with whole_file(path, tracks[0]) as write:
            write(page(tracks, video=video))
    except StopRun:  # nobody reads it
        return
    if output is None:
        click.echo(f"hybridtrack report: wrote {path}", err=True)
