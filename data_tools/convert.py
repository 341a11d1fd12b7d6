"""Convert annotations from one format to another.

    python -m data_tools.convert labels.csv --to coco --out annotations.json

What the other format has no place for is lost: see README.md.
"""

from __future__ import annotations

from pathlib import Path

import click

from data_tools import command
from data_tools.annotation import DataSet
from data_tools.errors import DataError, strict_error
from data_tools.formats import FORMATS, find_format

WRITABLE = sorted(name for name, its in FORMATS.items() if its.write is not None)


@click.command(context_settings=command.CONTEXT)
@command.data_options
@click.option("--to", required=True, type=click.Choice(WRITABLE), help="Format to write.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="File, or folder for voc and yolo.")
@click.option("--strict", is_flag=True, help="Refuse to write when anything could not be read.")
def main(data: DataSet, to: str, out: Path, strict: bool) -> None:
    """Write the annotations of DATA in another format."""
    if strict and data.problems:
        raise strict_error(data.problems)
    write = find_format(to).write
    if write is None:
        raise DataError(f"the format {to!r} can be read, not written; choose one of {', '.join(WRITABLE)}")
    command.make_folder(out if to in ("voc", "yolo") else out.parent)
    write(data, out)
    command.tell(data.problems)
    click.echo(f"wrote {len(data.pictures)} pictures, {sum(1 for _ in data.annotations())} boxes to {out}")


if __name__ == "__main__":
    command.run(main, "convert")
