"""``hybridtrack export`` and ``import``: track files in other formats, and other formats as track files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hybridtrack.cli.completion import one_of
from hybridtrack.errors import StopRun, UsageError
from hybridtrack.sinks.standard_output import reserved_for_results

if TYPE_CHECKING:
    from hybridtrack.export.importing import Video

#: names of formats, so that --help needs none of them; a test compares
EXPORTS = ("mot", "mot-folder", "coco", "coco-vid", "cvat", "voc", "csv", "parquet", "vtt", "elan", "rerun")
IMPORTS = ("mot", "coco", "cvat")


@click.command(short_help="Write a track file in a format that other tools read.")
@click.argument("tracks", metavar="TRACKS.jsonl")
@click.option(
    "--to",
    metavar="FORMAT",
    required=True,
    shell_complete=one_of(EXPORTS),
    help=f"{', '.join(EXPORTS[:-1])} or {EXPORTS[-1]}.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="File to write, or folder (mot-folder, voc); - is standard output.  [default: named after TRACKS]",
)
@click.option(
    "--class", "class_names", metavar="NAME", multiple=True, help="Only tracks of this class. May be repeated."
)
@click.option("--all-states", is_flag=True, help="Tentative and lost tracks as well, not confirmed ones alone.")
@click.option("--video", metavar="FILE", help="Where the video is now (elan), or to put inside (rerun).")
@reserved_for_results()
def export(
    tracks: str, to: str, output: str | None, class_names: tuple[str, ...], all_states: bool, video: str | None
) -> None:
    """Write a track file in the format that another tool reads.

    What the format has no place for is said on standard error.
    """
    from hybridtrack.cli.progress import Progress
    from hybridtrack.export.exporting import export_tracks

    try:
        with Progress(None) as progress:
            done = export_tracks(
                tracks,
                to,
                output,
                class_names=class_names,
                has_all_states=all_states,
                video=video,
                on_frame=progress.advance,
            )
    except StopRun:  # nobody reads it
        return
    if done.is_cut:
        click.echo(f"hybridtrack export: the last line of {tracks!r} is not whole and was left out", err=True)
    if done.lost:
        click.echo(f"hybridtrack export: {to} has no place for {_listed(done.lost)}", err=True)
    if output is None:
        click.echo(f"hybridtrack export: wrote {done.path}", err=True)


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


@click.command("import", short_help="Make a track file of annotations or of another tracker's results.")
@click.argument("path", metavar="FILE")
@click.option(
    "--from",
    "name",
    metavar="FORMAT",
    required=True,
    shell_complete=one_of(IMPORTS),
    help=f"{', '.join(IMPORTS[:-1])} or {IMPORTS[-1]}.",
)
@click.option("-o", "--output", metavar="FILE", default="-", help="Track file to write.  [default: standard output]")
@click.option(
    "--like", metavar="TRACKS.jsonl", help="Track file of the same video: its times, size, and roles of classes."
)
@click.option("--video", metavar="SOURCE", help="The video, or folder of images, for its size and rate.")
@click.option("--size", metavar="WxH", help="Size of the pictures, where neither says it.")
@click.option(
    "--class", "class_name", metavar="NAME", help="Class of all boxes of a file without any.  [default: object]"
)
@click.option("--fps", type=click.FloatRange(min=0, min_open=True), metavar="F", help="Frames per second, likewise.")
@reserved_for_results()
def import_(
    path: str,
    name: str,
    output: str,
    like: str | None,
    video: str | None,
    size: str | None,
    fps: float | None,
    class_name: str | None,
) -> None:
    """Make a track file of FILE, annotations or results of another tool, for evaluate, relations, view and export.

    Boxes without an identity become raw detections, which --detector replay shows.
    """
    from pathlib import Path

    from hybridtrack.export.importing import imported_lines
    from hybridtrack.sinks.output import whole_file
    from hybridtrack.wire import encode_line

    known = _known(like, video, size, fps)
    for read in (path, like):
        if read is not None and output != "-" and Path(output).resolve() == Path(read).resolve():
            raise UsageError(f"cannot write {output!r}: it is what is read; give another name")
    lines = imported_lines(path, name, known, class_name=class_name)
    first = next(lines)  # it can be read
    try:
        with whole_file(output, known.uri or path) as write:
            write(encode_line(first))
            for line in lines:
                write(encode_line(line))
    except StopRun:  # nobody reads it
        return


def _known(like: str | None, video: str | None, size: str | None, fps: float | None) -> Video:
    """Return what flags say of the video."""
    from dataclasses import replace

    from hybridtrack.config import parse_size
    from hybridtrack.export.importing import Video, video_of_source, video_of_tracks

    if like is not None and video is not None:
        raise UsageError("--like and --video both say what the video is: give one of them")
    known = video_of_tracks(like) if like is not None else video_of_source(video) if video is not None else Video()
    if size is not None:
        known = replace(known, size_px=parse_size(size))
    return known if fps is None else replace(known, fps=fps)
