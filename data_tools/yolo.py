"""YOLO text: for each picture a file with ``class cx cy w h`` a line, or ``class x y x y x y …`` for a polygon, 0..1.

Pictures lie in ``images``, texts in ``labels`` under the same names, or both in one folder. The classes' names stand in
``data.yaml`` (``names``), or in ``classes.txt`` or ``obj.names``, one a line. There is no place for groups and for what
is ignored.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from data_tools.annotation import Annotation, DataSet, Picture, Polygon, Problem, polygon_box
from data_tools.errors import DataError
from data_tools.picture_folder import find_pictures, first_folder, size_of
from hybridtrack.errors import MissingPackageError
from hybridtrack.sinks.output import ReplacedFile
from hybridtrack.types import Size

LISTS = ("classes.txt", "obj.names")
SETTINGS = ("data.yaml", "dataset.yaml", "data.yml")
_DECIMALS = 8


def read_yolo(path: Path, folder: Path | None = None) -> DataSet:
    """Return the data set of a folder.

    Problems: lines that are none, unknown classes, texts without a picture, pictures without a text (taken as empty).
    Raises DataError when the names of the classes are not there.
    """
    if not path.is_dir():
        raise DataError(f"no folder {str(path)!r}: YOLO needs that of images, labels and the classes' names")
    labels = _read_names(path)
    folder = folder or first_folder(path / "images", path)
    texts = first_folder(path / "labels", path)
    problems: list[Problem] = []
    pictures: list[Picture] = []
    used = {texts / name for name in LISTS}
    for file in find_pictures(folder):
        name = file.relative_to(folder).as_posix()
        text = (texts / name).with_suffix(".txt")
        used.add(text)
        size_px = size_of(file)
        if size_px is None:
            problems.append(Problem(kind="picture that cannot be decoded", where=name))
            continue
        annotations = _read_text(text, labels, size_px, problems)
        if annotations is None:
            problems.append(Problem(kind="picture without a text, taken as empty", where=name))
        pictures.append(Picture(name=name, size_px=size_px, annotations=annotations or (), folder=folder))
    for text in sorted(set(texts.rglob("*.txt")) - used):
        problems.append(Problem(kind="text without a picture", where=text.relative_to(texts).as_posix()))  # noqa: PERF401
    return DataSet(labels=labels, pictures=tuple(pictures), problems=tuple(problems))


def write_yolo(data: DataSet, folder: Path) -> None:
    """Write ``labels/NAME.txt`` and ``data.yaml``: boxes alone. Raises SinkError, DataError for labels not listed."""
    rows = {label: number for number, label in enumerate(data.labels)}
    for picture in data.pictures:
        lines = []
        for annotation in picture.annotations:
            if annotation.label not in rows:
                raise DataError(f"{picture.name!r} has the label {annotation.label!r}, which is not listed: list it")
            x1, y1, x2, y2 = annotation.xyxy
            values = ((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1)
            norm = (value / size for value, size in zip(values, picture.size_px * 2, strict=True))
            lines.append(" ".join([str(rows[annotation.label]), *(f"{value:.{_DECIMALS}f}" for value in norm)]) + "\n")
        text = (folder / "labels" / picture.name).with_suffix(".txt")
        text.parent.mkdir(parents=True, exist_ok=True)
        ReplacedFile(text).write("".join(lines).encode(), "")
    settings = {"path": ".", "train": "images", "val": "images", "names": dict(enumerate(data.labels))}
    ReplacedFile(folder / SETTINGS[0]).write(_yaml().encode(settings), "")


def _yaml() -> Any:
    try:
        import yaml  # noqa: F401 (msgspec.yaml uses it)
    except ImportError as error:
        raise MissingPackageError("data.yaml needs PyYAML: pip install -e '.[train]'") from error
    return msgspec.yaml


def _read_names(path: Path) -> tuple[str, ...]:
    for name in SETTINGS:
        if (path / name).is_file():
            try:
                names = _yaml().decode((path / name).read_bytes())["names"]
            except (msgspec.DecodeError, KeyError, TypeError, OSError) as error:
                raise DataError(f"{str(path / name)!r} has no names of classes: {error}") from error
            if isinstance(names, dict):
                rows = sorted(names, key=int)
                if [int(row) for row in rows] != list(range(len(rows))):
                    raise DataError(f"the classes in {str(path / name)!r} are to be numbered 0, 1, …; found {rows}")
                names = [names[row] for row in rows]
            return tuple(map(str, names))
    for candidate in (*(path / name for name in LISTS), *(path / "labels" / name for name in LISTS)):
        if candidate.is_file():
            return tuple(line.strip() for line in candidate.read_text(encoding="utf-8").splitlines() if line.strip())
    raise DataError(f"no names of classes in {str(path)!r}: expected {', '.join((*SETTINGS[:1], *LISTS))}")


def _read_text(
    text: Path, labels: Sequence[str], size_px: Size, problems: list[Problem]
) -> tuple[Annotation, ...] | None:
    """Return what a text tells of its picture, None when there is no text."""
    try:
        lines = text.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        problems.append(Problem(kind="text that cannot be read", where=text.name, detail=str(error)))
        return ()
    annotations = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{text.name}, line {number}"
        found = _annotation(line, labels, size_px)
        if isinstance(found, str):
            problems.append(Problem(kind=found, where=where, detail=line.strip()[:80]))
        else:
            annotations.append(found)
    return tuple(annotations)


def _annotation(line: str, labels: Sequence[str], size_px: Size) -> Annotation | str:
    """Return the annotation of a line, or the kind of problem that it has."""
    first, *rest = line.split()
    try:
        row, values = int(first), [float(value) for value in rest]
    except ValueError:
        return "line that is none"
    if not 0 <= row < len(labels):
        return "unknown label"
    if not all(map(math.isfinite, values)):
        return "line that is none"
    width_px, height_px = size_px
    if len(values) == 4:
        cx, cy, w, h = values
        left, top = (cx - w / 2) * width_px, (cy - h / 2) * height_px
        return Annotation(label=labels[row], xyxy=(left, top, left + w * width_px, top + h * height_px))
    if len(values) < 6 or len(values) % 2:
        return "line that is none"
    corners = zip(values[::2], values[1::2], strict=True)
    polygon: Polygon = tuple((x * width_px, y * height_px) for x, y in corners)
    return Annotation(label=labels[row], xyxy=polygon_box([polygon]), polygons=(polygon,))
