"""The CSV of the origin's data preparation: ``filename,width,height,class,xmin,ymin,xmax,ymax``, a row for a box.

It has no place for pictures without a box, polygons, and whether an object is ignored.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Final

from data_tools.annotation import Annotation, DataSet, Picture, Problem, used_labels
from data_tools.errors import DataError
from hybridtrack.sinks.output import ReplacedFile
from hybridtrack.types import Size

COLUMNS: Final = ("filename", "width", "height", "class", "xmin", "ymin", "xmax", "ymax")


def read_csv(path: Path, folder: Path | None = None) -> DataSet:
    """Return the data set of a CSV file; its pictures lie in ``folder`` (default: beside it).

    Labels are in the order of the alphabet. Problems: rows that are none, rows that give a picture another size.
    Raises DataError when it is not such a file.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot read {str(path)!r}: {getattr(error, 'strerror', None) or error}") from error
    if rows and not set(COLUMNS) <= set(rows[0]):
        found = ",".join(str(column) for column in rows[0])
        raise DataError(f"{str(path)!r} is to have the columns {','.join(COLUMNS)}, found {found}")
    sizes: dict[str, Size] = {}
    boxes: dict[str, list[Annotation]] = {}
    problems: list[Problem] = []
    for number, row in enumerate(rows, 2):
        name, where = row["filename"], f"{path.name}, line {number}"
        try:
            size_px = int(row["width"]), int(row["height"])
            x1, y1, x2, y2 = (float(row[column]) for column in COLUMNS[4:])
        except (TypeError, ValueError) as error:
            problems.append(Problem(kind="row that is none", where=where, detail=str(error)))
            continue
        if sizes.setdefault(name, size_px) != size_px:
            detail = f"{size_px[0]}x{size_px[1]}, before it was {sizes[name][0]}x{sizes[name][1]}"
            problems.append(Problem(kind="picture of two sizes", where=f"{where}, {name}", detail=detail))
            continue
        boxes.setdefault(name, []).append(Annotation(label=row["class"], xyxy=(x1, y1, x2, y2)))
    pictures = tuple(
        Picture(name=name, size_px=sizes[name], annotations=tuple(found), folder=folder or path.parent)
        for name, found in boxes.items()
    )
    return DataSet(labels=used_labels(pictures), pictures=pictures, problems=tuple(problems))


def write_csv(data: DataSet, path: Path) -> None:
    """Write the boxes of a data set, rounded to whole pixels. Raises SinkError."""
    stream = io.StringIO(newline="")
    rows = csv.writer(stream, lineterminator="\n")
    rows.writerow(COLUMNS)
    for picture, annotation in data.annotations():
        rows.writerow((picture.name, *picture.size_px, annotation.label, *map(round, annotation.xyxy)))
    ReplacedFile(path).write(stream.getvalue().encode(), "")
