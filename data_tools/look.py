"""Look at a data set: figures, plots and contact sheets of its annotations drawn into its pictures.

python -m data_tools.look annotations.json --out out/look
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from data_tools import command
from data_tools.annotation import DataSet, Problem
from data_tools.contact_sheet import write_sheets
from data_tools.plots import write_plots
from data_tools.statistics import measure
from data_tools.usable import usable
from hybridtrack.sinks.output import ReplacedFile


def look(data: DataSet, folder: Path, *, sheets: int, seed: int = 0) -> list[Problem]:
    """Write ``statistics.json``, four plots and contact sheets into a folder; return what is wrong with the boxes."""
    command.make_folder(folder)
    ReplacedFile(folder / "statistics.json").write((json.dumps(measure(data), indent=1) + "\n").encode(), "")
    write_plots(data, folder)
    _, problems = write_sheets(data, folder, sheets=sheets, seed=seed)
    return problems + [problem for picture in data.pictures for problem in usable(picture, data.labels)[1]]


@click.command(context_settings=command.CONTEXT)
@command.data_options
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of what is made.")
@click.option("--sheets", type=click.IntRange(0), default=2, help="Contact sheets, of 20 pictures each.")
@click.option("--seed", default=0, help="Which pictures are shown.")
def main(data: DataSet, out: Path, sheets: int, seed: int) -> None:
    """Write figures, plots and contact sheets of DATA."""
    command.tell([*data.problems, *look(data, out, sheets=sheets, seed=seed)])
    boxes = sum(len(picture.annotations) for picture in data.pictures)
    click.echo(f"{len(data.pictures)} pictures, {boxes} boxes, {len(data.labels)} labels: see {out}")


if __name__ == "__main__":
    command.run(main, "look")
