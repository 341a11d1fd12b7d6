"""Pascal VOC: an XML file for each picture, boxes in whole pixels.

Corners are taken as they are: from 0, xmax and ymax not part of the box (the tools of today; the challenge itself
counted from 1). ``difficult`` is what is ignored. There is no place for polygons and groups.
"""

from __future__ import annotations

import math
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from data_tools.annotation import Annotation, DataSet, Picture, Problem, used_labels
from data_tools.errors import DataError
from data_tools.picture_folder import first_folder, size_of
from data_tools.xml_file import read_root, text_of, write_root
from hybridtrack.types import Box

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

ANNOTATIONS = "Annotations"
_CORNERS = ("xmin", "ymin", "xmax", "ymax")


def read_voc(path: Path, folder: Path | None = None) -> DataSet:
    """Return the data set of a folder of XML files, or of one that has them in ``Annotations``.

    Pictures lie in ``folder``, default ``JPEGImages`` or ``images`` beside ``Annotations``, or beside the XML files.
    Labels are in the order of the alphabet. Problems: files that are no VOC, pictures without a size, objects without
    a box. Raises DataError when there are no XML files.
    """
    annotations = first_folder(path / ANNOTATIONS, path)
    above = annotations.parent if annotations.name == ANNOTATIONS else path
    folder = folder or first_folder(above / "JPEGImages", above / "images", annotations)
    files = sorted(annotations.rglob("*.xml"))
    if not files:
        raise DataError(f"no XML files in {str(path)!r}: expected a file for each picture, in it or in {ANNOTATIONS}")
    problems: list[Problem] = []
    pictures = []
    for file in files:
        where = file.relative_to(annotations).as_posix()
        try:
            root = read_root(file)
        except DataError as error:
            problems.append(Problem(kind="file that cannot be read", where=where, detail=str(error)))
            continue
        picture = _picture(root, where, folder, problems)
        if picture is not None:
            pictures.append(picture)
    return DataSet(labels=used_labels(pictures), pictures=tuple(pictures), problems=tuple(problems))


def write_voc(data: DataSet, folder: Path) -> None:
    """Write ``Annotations/NAME.xml`` for each picture. Raises SinkError, and DataError for names that clash."""
    files = {picture.name: PurePosixPath(picture.name).with_suffix(".xml") for picture in data.pictures}
    if len(set(files.values())) < len(files):
        raise DataError("two pictures differ only in their ending, and VOC has one XML file for both: rename one")
    for picture in data.pictures:
        file = folder / ANNOTATIONS / files[picture.name]
        file.parent.mkdir(parents=True, exist_ok=True)
        write_root(_root(picture), file)


def _picture(root: Element, where: str, folder: Path, problems: list[Problem]) -> Picture | None:
    file_name = text_of(root, "filename")
    if root.tag != "annotation" or not file_name:
        detail = f"<{root.tag}> without a filename" if root.tag == "annotation" else f"<{root.tag}>"
        problems.append(Problem(kind="file that is no VOC", where=where, detail=detail))
        return None
    name = (PurePosixPath(where).parent / PurePosixPath(file_name.replace("\\", "/")).name).as_posix()
    try:
        size_px = int(text_of(root, "size/width")), int(text_of(root, "size/height"))
    except ValueError:
        size_px = (0, 0)
    found = size_px if min(size_px) > 0 else size_of(folder / name)
    if found is None:
        problems.append(Problem(kind="picture without a size", where=where, detail=name))
        return None
    annotations = []
    for number, row in enumerate(root.iterfind("object"), 1):
        label, box = text_of(row, "name"), _box(row)
        if box is None or not label:
            kind = "box that is none" if label else "object without a name"
            problems.append(Problem(kind=kind, where=f"{where}, object {number}"))
            continue
        annotations.append(Annotation(label=label, xyxy=box, is_ignored=text_of(row, "difficult") == "1"))
    return Picture(name=name, size_px=found, annotations=tuple(annotations), folder=folder)


def _box(row: Element) -> Box | None:
    try:
        x1, y1, x2, y2 = (float(text_of(row, f"bndbox/{corner}")) for corner in _CORNERS)
    except ValueError:
        return None
    return (x1, y1, x2, y2) if all(map(math.isfinite, (x1, y1, x2, y2))) else None


def _root(picture: Picture) -> Element:
    root = ElementTree.Element("annotation")

    def add(parent: Element, tag: str, text: object = "") -> Element:
        element = ElementTree.SubElement(parent, tag)
        element.text = str(text) or None
        return element

    add(root, "folder", PurePosixPath(picture.name).parent.name)
    add(root, "filename", PurePosixPath(picture.name).name)
    size = add(root, "size")
    for tag, number in (("width", picture.size_px[0]), ("height", picture.size_px[1]), ("depth", 3)):
        add(size, tag, number)
    for annotation in picture.annotations:
        row = add(root, "object")
        add(row, "name", annotation.label)
        add(row, "difficult", int(annotation.is_ignored))
        box = add(row, "bndbox")
        for tag, value in zip(_CORNERS, annotation.xyxy, strict=True):
            add(box, tag, round(value))
    return root
