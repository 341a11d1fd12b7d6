"""The formats of annotations by name, and which one a file or folder has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from data_tools.annotation import DataSet
from data_tools.coco import read_coco, write_coco
from data_tools.cvat import read_cvat, write_cvat
from data_tools.errors import DataError
from data_tools.origin_csv import read_csv, write_csv
from data_tools.oxford import read_oxford
from data_tools.voc import read_voc, write_voc
from data_tools.yolo import read_yolo, write_yolo
from hybridtrack.errors import unknown_name


@dataclass(frozen=True, slots=True)
class Format:
    """How a format is read (from a file or folder, and that of the pictures) and, where it can be, written."""

    read: Callable[[Path, Path | None], DataSet]
    write: Callable[[DataSet, Path], None] | None = None


FORMATS = {
    "coco": Format(read_coco, write_coco),
    "csv": Format(read_csv, write_csv),
    "cvat": Format(read_cvat, write_cvat),
    "oxford": Format(read_oxford),
    "voc": Format(read_voc, write_voc),
    "yolo": Format(read_yolo, write_yolo),
}


def read(path: Path, name: str | None = None, folder: Path | None = None) -> DataSet:
    """Return the data set in a file or folder; its format is told, or found out. Raises DataError."""
    return find_format(name or detect(path)).read(path, folder)


def find_format(name: str) -> Format:
    """Return a format. Raises DataError when there is none of this name."""
    if name not in FORMATS:
        raise DataError(unknown_name("format", name, FORMATS))
    return FORMATS[name]


def detect(path: Path) -> str:
    """Return the name of the format that a file or folder seems to have. Raises DataError."""
    if path.is_dir():
        for name, pattern in (("voc", "*.xml"), ("oxford", "*.mat"), ("yolo", "*.txt")):
            if next(path.rglob(pattern), None) is not None:
                return name
    by_suffix = {".json": "coco", ".csv": "csv", ".xml": "cvat"}.get(path.suffix.lower())
    if by_suffix is not None and path.is_file():
        return by_suffix
    hint = "; track files and their video: data_tools.frames" if path.suffix.lower() == ".jsonl" else ""
    raise DataError(f"cannot tell the format of {str(path)!r}: name one of {', '.join(FORMATS)} with --format{hint}")
