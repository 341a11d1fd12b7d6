"""``hybridtrack relations``: relations and events of a track file once more, and what they add up to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import click

from hybridtrack.config import parse_relations
from hybridtrack.errors import SinkError, StopRun, UsageError
from hybridtrack.sinks.standard_output import reserved_for_results

if TYPE_CHECKING:
    from hybridtrack.ledger.interactions import Interaction, Ledger
    from hybridtrack.relation_runner import RelationRunner
    from hybridtrack.track_file import TrackFile
    from hybridtrack.wire import FrameLine

Write: TypeAlias = Callable[[bytes], None]


@click.command(short_help="Add up who touched and held what in a track file; by other rules, if you like.")
@click.argument("tracks", metavar="TRACKS.jsonl")
@click.option(
    "--relation",
    metavar="NAME[,key=value…]",
    multiple=True,
    help="A relation in place of the default one (hand_object); +NAME adds to it. May be repeated.",
)
@click.option("--recorded", is_flag=True, help="Take relations and events as the file has them.")
@click.option("--csv", metavar="FILE", help="Write the table as comma-separated values.")
@click.option("--vtt", metavar="FILE", help="Write a caption for each touch, hold and visit (WebVTT).")
@click.option("--eaf", metavar="FILE", help="Write an annotation for each of them, for ELAN (EAF 3.0).")
@click.option("--json", metavar="FILE", help="Write the track file with the new relations and events.")
@reserved_for_results()
def relations(tracks: str, relation: tuple[str, ...], recorded: bool, **asked: str | None) -> None:
    """Compute relations and events of a track file anew, without the video, and add them up.

    Without an output, a table of touches and holds is printed, a row for each hand and each object that it touched.
    For FILE, - is standard output.
    """
    paths = {name: path for name, path in asked.items() if path is not None}
    if recorded and (relation or "json" in paths):
        other = "--relation" if relation else "--json"
        raise UsageError(f"--recorded takes what the file has, {other} is about computing it anew: give one of them")
    choices = parse_relations(relation)
    _check_outputs(tracks, list(paths.values()))
    try:
        _add_up(tracks, None if recorded else tuple(map(str, choices)), paths or {"table": "-"})
    except StopRun as stop:
        if len(paths) > 1:
            raise SinkError(f"{stop}, and no output was written") from stop


def _check_outputs(tracks: str, paths: list[str]) -> None:
    """Raise UsageError when outputs would replace the input or each other."""
    if len({path if path == "-" else Path(path).resolve() for path in paths}) < len(paths):
        raise UsageError(f"two outputs would go to one file ({', '.join(paths)}): give each its own")
    for path in paths:
        if path != "-" and Path(path).resolve() == Path(tracks).resolve():
            raise UsageError(f"cannot write {path!r}: it is the track file that is read; give another name")


def _add_up(tracks: str, choices: tuple[str, ...] | None, paths: Mapping[str, str]) -> None:
    """Write what a track file adds up to; ``choices``: the relations to compute anew, None: take those it has."""
    from hybridtrack.ground import parse_zones
    from hybridtrack.ledger.interactions import Ledger
    from hybridtrack.plugin_host import PluginHost
    from hybridtrack.relation_runner import RelationRunner
    from hybridtrack.relations.zones import Zones
    from hybridtrack.selection import select_relations
    from hybridtrack.sinks.output import whole_file
    from hybridtrack.track_file import read_tracks

    host = None if choices is None else PluginHost.load()
    with ExitStack() as stack:
        file = stack.enter_context(read_tracks(tracks))
        zones = [Zones(parse_zones(kept))] if (kept := file.header.settings.get("zones")) else []
        runner = None if host is None else RelationRunner(select_relations([*(choices or ()), *zones], host))
        outputs = {name: stack.enter_context(whole_file(path, file.header.source.uri)) for name, path in paths.items()}
        ledger = Ledger()
        interactions: list[Interaction] = []
        for line in _lines(file, runner, choices or (), outputs.pop("json", None)):
            interactions += ledger.add(line)
        interactions += ledger.finish()
        for name, write in outputs.items():
            write(_document(name, ledger, interactions, file, paths[name]).encode())
    if file.is_cut:
        click.echo(f"hybridtrack relations: the last line of {tracks!r} is not whole and was left out", err=True)
    for note in runner.notes if runner else ():
        click.echo(f"hybridtrack relations: {note}", err=True)


def _lines(
    file: TrackFile, runner: RelationRunner | None, choices: Sequence[str], write: Write | None
) -> Iterator[FrameLine]:
    """Yield the frames, related anew where there is a ``runner``; ``write`` takes the whole file as it becomes."""
    from hybridtrack.cli.progress import Progress
    from hybridtrack.ledger.recomputation import header_again, related_again, summary_again
    from hybridtrack.wire import encode_line

    with Progress(file.header.source.frame_count) as progress:
        if write is not None:
            write(encode_line(header_again(file.header, choices, file.path)))
        for line in file if runner is None else related_again(file, file.header, runner):
            if write is not None:
                write(encode_line(line))
            yield line
            progress.advance()
        if write is not None and file.summary is not None and runner is not None:
            write(encode_line(summary_again(file.summary, file.header, runner)))


def _document(name: str, ledger: Ledger, interactions: Sequence[Interaction], file: TrackFile, path: str) -> str:
    """Return the text of an output."""
    from hybridtrack.ledger.captions import webvtt_text
    from hybridtrack.ledger.elan import eaf_text
    from hybridtrack.ledger.table import csv_text, plain_text

    match name:
        case "csv":
            return csv_text(ledger.totals)
        case "vtt":
            return webvtt_text(interactions)
        case "eaf":
            media = Path(file.header.source.uri)
            return eaf_text(
                interactions,
                date=datetime.fromtimestamp(Path(file.path).stat().st_mtime, UTC),
                media=media if media.is_file() else None,
                folder=Path(path).parent,  # of standard output: the present one
            )
    return plain_text(ledger.totals)
