"""``hybridtrack evaluate``: how good tracks are, against the truth or against another run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from hybridtrack.errors import UsageError
from hybridtrack.sinks.standard_output import reserved_for_results, results

if TYPE_CHECKING:
    from rich.table import Table

    from hybridtrack.evaluate import Evaluation, Scores

_STDOUT = "-"
_FILE_WIDTH = 200  #: columns of what is no terminal: enough for any name
_MANY = 4  #: sequences that are counted, not named, in the title


@click.command(short_help="Measure tracks against the truth, or against another run.")
@click.argument("files", metavar="TRACKS GT [TRACKS GT]...", nargs=-1, required=True)
@click.option("--class", "class_name", metavar="NAME", help="The only class that counts. Default: all in both files.")
@click.option("--json", metavar="FILE", help="Write the figures as JSON; - is standard output, without a table.")
@reserved_for_results()
def evaluate(files: tuple[str, ...], class_name: str | None, json: str | None) -> None:
    """Measure TRACKS against the truth in GT; several pairs are combined.

    TRACKS is a track file (JSON Lines) or MOTChallenge text. GT is a MOTChallenge folder or text, or the track file of
    another run. Printed, × 100: HOTA and its parts, MOTA, IDF1; identity switches and fragmentations; F1 on frames
    without a detector run (filled), AP of the raw detections; jitter in box sizes per s² (in brackets: of the truth);
    the delay until a new object is seen; how many never were.
    """
    from rich.console import Console

    from hybridtrack.evaluate import evaluate as measure
    from hybridtrack.evaluate.report import report
    from hybridtrack.sinks.output import whole_file

    if len(files) % 2:
        raise UsageError(f"{files[-1]!r} stands alone: give TRACKS GT, or several such pairs")
    pairs = list(zip(files[::2], files[1::2], strict=True))
    if json is not None and json != _STDOUT:
        _check_output(json, files)
    evaluation = measure(pairs, class_name=class_name)
    if json is not None:
        with whole_file(json, files[0]) as write:
            write(report(evaluation, pairs, class_name=class_name))
    if json != _STDOUT:
        stream = results()
        console = Console(file=stream, width=None if stream.isatty() else _FILE_WIDTH)
        for table in _tables(evaluation):
            console.print(table)
    for note in evaluation.notes:
        click.echo(f"hybridtrack evaluate: {note}", err=True)


def _check_output(path: str, files: Sequence[str]) -> None:
    """Raise SinkError when a file cannot be written, UsageError when it would replace one of ``files``."""
    from pathlib import Path

    from hybridtrack.sinks.output import check_writable

    check_writable(path, is_replaced=True)
    if Path(path).resolve() in [Path(file).resolve() for file in files]:
        raise UsageError(f"cannot write {path!r}: it is what is evaluated; give another name")


def _tables(evaluation: Evaluation) -> list[Table]:
    """Return the figures in two tables, each narrow enough for 80 columns: of tracks, and of boxes and times."""
    from rich.text import Text

    tracks: dict[str, Callable[[Scores], str]] = {
        "HOTA": lambda one: _hundred(one.hota),
        "DetA": lambda one: _hundred(one.det_a),
        "AssA": lambda one: _hundred(one.ass_a),
        "LocA": lambda one: _hundred(one.loc_a),
        "MOTA": lambda one: _hundred(one.mota),
        "IDF1": lambda one: _hundred(one.idf1),
        "IDSW": lambda one: str(one.id_switches),
        "Frag": lambda one: str(one.fragmentations),
    }
    rest: dict[str, Callable[[Scores], str]] = {
        "frames": lambda one: str(one.frames),
        "runs": lambda one: _number(one.frames_with_run, 0),
        "filled F1": lambda one: _hundred(one.filled_f1),
        "AP50": lambda one: _hundred(one.ap50),
        "AP75": lambda one: _hundred(one.ap75),
        "jitter": lambda one: f"{_number(one.jitter, 1)} ({_number(one.truth_jitter, 1)})",
        "delay s": lambda one: _number(one.delay_s, 3),
        "unseen": lambda one: f"{one.never_seen}/{one.objects}",
    }
    rows = _rows(evaluation)
    first, second = _table(rows, tracks), _table(rows, rest)
    names = list(evaluation.sequences)
    what = f"{len(names)} sequences" if len(names) >= _MANY else ", ".join(names)
    first.title = Text(f"{what}: {', '.join(evaluation.classes)}")
    return [first, second]


def _rows(evaluation: Evaluation) -> list[tuple[str, Sequence[tuple[str, Scores]]]]:
    """Return what there is to show, kind by kind: one sequence or one class is no more than all of them."""
    kinds = [("sequence", list(evaluation.sequences.items())), ("class", list(evaluation.classes.items()))]
    shown = [(kind, scores) for kind, scores in kinds if len(scores) > 1]
    return [*shown, ("", [("combined", evaluation.combined)])]


def _table(
    rows: Sequence[tuple[str, Sequence[tuple[str, Scores]]]], columns: dict[str, Callable[[Scores], str]]
) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(title_justify="left", box=None, header_style="bold", pad_edge=False)
    table.add_column("", overflow="fold")
    for header in columns:
        table.add_column(header, justify="right", no_wrap=True)
    for kind, scores in rows:
        for name, one in scores:
            label = f"class {name}" if kind == "class" else name
            table.add_row(Text(label), *(text(one) for text in columns.values()))
    return table


def _hundred(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.2f}"


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
