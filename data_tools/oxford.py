"""The hand data set of Oxford's Visual Geometry Group: for each picture a ``.mat`` with the corners of turned boxes.

``annotations/NAME.mat`` beside ``images/NAME.jpg``, also several levels down (training, validation, test). ``boxes`` is
a 1×N cell array of structs whose fields a, b, c, d are corners (y, x); where d is missing, it completes a
parallelogram.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from data_tools.annotation import Annotation, DataSet, Picture, Polygon, Problem, polygon_area, polygon_box
from data_tools.errors import DataError
from data_tools.matlab import read_variable
from data_tools.picture_folder import find_pictures, size_of

LABEL = "hand"


def read_oxford(path: Path, folder: Path | None = None) -> DataSet:
    """Return the data set of a folder; ``folder``: that of the pictures, default where each ``images`` is.

    Problems: pictures without a file of corners (left out), and the other way round; files and boxes that are none.
    Raises DataError when there are no such files.
    """
    files = sorted(path.rglob("*.mat"))
    if not files:
        raise DataError(f"no .mat files in {str(path)!r}: expected annotations/NAME.mat beside images/NAME.jpg")
    top = folder or path
    found = {_key(picture, top): picture for picture in find_pictures(top)}
    problems: list[Problem] = []
    pictures: list[Picture] = []
    for file in files:
        where = file.relative_to(path).as_posix()
        picture = found.pop(_key(file, path), None)
        size_px = None if picture is None else size_of(picture)
        if picture is None or size_px is None:
            kind = "annotation without a picture" if picture is None else "picture that cannot be decoded"
            problems.append(Problem(kind=kind, where=where))
            continue
        try:
            boxes = read_variable(file, "boxes")
        except DataError as error:
            problems.append(Problem(kind="file that cannot be read", where=where, detail=str(error)))
            continue
        name = picture.relative_to(top).as_posix()
        annotations = tuple(_annotations(boxes, where, problems))
        pictures.append(Picture(name=name, size_px=size_px, annotations=annotations, folder=top))
    problems += [
        Problem(kind="picture without annotations, left out", where=picture.relative_to(top).as_posix())
        for picture in found.values()
    ]
    return DataSet(labels=(LABEL,), pictures=tuple(pictures), problems=tuple(problems))


def _key(file: Path, top: Path) -> tuple[str, ...]:
    """Return what a picture and its annotation have in common: their path without ending, images and annotations."""
    parts = file.relative_to(top).with_suffix("").parts
    return tuple(part for part in parts if part not in ("images", "annotations"))


def _annotations(boxes: Any, where: str, problems: list[Problem]) -> Iterator[Annotation]:
    for number, cell in enumerate(np.asarray(boxes, object).ravel(), 1):
        polygon = _polygon(cell)
        if polygon is None:
            problems.append(Problem(kind="box that is none", where=f"{where}, box {number}"))
        else:
            yield Annotation(label=LABEL, xyxy=polygon_box([polygon]), polygons=(polygon,))


def _polygon(cell: Any) -> Polygon | None:
    struct = np.asarray(cell).ravel()
    names = struct.dtype.names or ()
    if len(struct) != 1 or not {"a", "b", "c"} <= set(names):
        return None
    try:
        corners = [np.asarray(struct[0][name], float).reshape(2) for name in "abcd" if name in names]
    except (TypeError, ValueError):
        return None
    if len(corners) == 3:
        corners.append(corners[0] + corners[2] - corners[1])
    polygon = tuple((float(x), float(y)) for y, x in corners)
    return polygon if np.isfinite(corners).all() and polygon_area(polygon) > 0 else None
