"""Reading MOTChallenge text, and the folders that say what its rows mean: class names, picture size, length."""

from __future__ import annotations

import configparser
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from hybridtrack.errors import TrackFileError
from hybridtrack.types import Array, Size

TEXTS = ("gt/gt.txt", "gt.txt", "det/det.txt", "det.txt")  #: in a folder, the first of them that is there
_LEAST_COLUMNS = 6  #: frame, id, left, top, width, height
_CLASS_COLUMNS = (8, 9)  #: rows of this length name a class; in those of 10, x, y, z of the world stand there


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MotRows:
    """The rows of a file in its own order, row i = box i.

    line: int64 (N,), number of the line, from 1. frame_index: int64 (N,), from 0 (the file counts from 1). track_id:
    int64 (N,), -1 for detections. xyxy: float64 (N, 4), px, as the file has them: boxes may reach out of the picture,
    or have no area. confidence: float64 (N,), of truth 0 for boxes to ignore; 1 where the file has none. class_id:
    int64 (N,), -1 where the file has none. visibility: float64 (N,), 0..1; 1 where the file has none.
    """

    line: Array
    frame_index: Array
    track_id: Array
    xyxy: Array
    confidence: Array
    class_id: Array
    visibility: Array

    def __len__(self) -> int:
        return len(self.xyxy)

    def __getitem__(self, rows: Array | slice) -> Self:
        """Return the rows that a mask, an index array or a slice selects."""
        return type(self)(
            line=self.line[rows],
            frame_index=self.frame_index[rows],
            track_id=self.track_id[rows],
            xyxy=self.xyxy[rows],
            confidence=self.confidence[rows],
            class_id=self.class_id[rows],
            visibility=self.visibility[rows],
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MotSequence:
    """A file of rows with what stands beside it.

    path: of the text. columns: in each of its rows, 0 when it has none. class_names: by ``class_id``, empty without a
    ``classes.txt``. size_px: (width, height) whose pixels the boxes are in, frame_count, fps: None where no
    ``seqinfo.ini`` says so.
    """

    path: Path
    rows: MotRows
    columns: int
    class_names: Mapping[int, str]
    size_px: Size | None
    frame_count: int | None
    fps: float | None = None


def read_sequence(path: str | os.PathLike[str]) -> MotSequence:
    """Return what a MOTChallenge text says, or the text in a folder: its truth, or its detections without one.

    ``classes.txt`` ("1 hand" a line) and ``seqinfo.ini`` are looked for beside the text, and above a folder ``gt`` or
    ``det``. Raises TrackFileError, naming file and line, when one cannot be read.
    """
    text = _text_in(Path(path))
    folder = text.parent.parent if text.parent.name in ("gt", "det") else text.parent
    names = _beside("classes.txt", text, folder)
    settings = _beside("seqinfo.ini", text, folder)
    size_px, frame_count, fps = (None, None, None) if settings is None else _read_settings(settings)
    rows, columns = _read_table(text)
    return MotSequence(
        path=text,
        rows=rows,
        columns=columns,
        class_names={} if names is None else read_class_names(names),
        size_px=size_px,
        frame_count=frame_count,
        fps=fps,
    )


def scores_of(confidence: Array) -> Array:
    """Return scores in 0..1 of the confidences (N,) of a whole file, in the same order.

    They stand when all are in 0..1. All -1 means that none is known: 1. Others are the sums and margins of old
    detectors, taken for log-odds.
    """
    if ((confidence >= 0) & (confidence <= 1)).all():
        return confidence
    if (confidence == -1).all():
        return np.ones(len(confidence))
    odds = np.exp(np.clip(confidence, -30, 30))
    scores: Array = odds / (1 + odds)
    return scores


def _text_in(path: Path) -> Path:
    if not path.is_dir():
        return path
    for name in TEXTS:
        if (path / name).is_file():
            return path / name
    raise TrackFileError(f"no MOTChallenge text in {str(path)!r}: expected one of {', '.join(TEXTS)}")


def _beside(name: str, text: Path, folder: Path) -> Path | None:
    return next((place / name for place in (text.parent, folder) if (place / name).is_file()), None)


def read_rows(path: str | os.PathLike[str]) -> MotRows:
    """Return the rows of a MOTChallenge text, ``frame,id,left,top,width,height[,confidence[,class[,visibility]]]``.

    Rows of 10 columns (detections, results, the truth of 2015) have coordinates of the world in place of class and
    visibility. Raises TrackFileError, naming file and line.
    """
    return _read_table(path)[0]


def _read_table(path: str | os.PathLike[str]) -> tuple[MotRows, int]:
    """Return the rows and the number of their columns."""
    numbered = [(number, line) for number, line in enumerate(_read(path).splitlines(), 1) if line.strip()]
    lines = [line for _, line in numbered]
    try:
        table = np.loadtxt(lines, delimiter=",", comments=None, ndmin=2) if lines else np.empty((0, _LEAST_COLUMNS))
    except ValueError as error:
        raise _first_refusal(path, numbered) or TrackFileError(f"{os.fspath(path)!r}: {error}") from error
    n, width = table.shape
    number = np.array([number for number, _ in numbered], np.int64)
    if width < _LEAST_COLUMNS:
        raise _too_short(path, number[0], width)
    has_class = width in _CLASS_COLUMNS
    used = table[:, : max(_CLASS_COLUMNS) if has_class else _LEAST_COLUMNS + 1]
    _check(path, number, np.isfinite(np.abs(used).max(axis=1)), "has a number that is not finite")
    _check(
        path,
        number,
        _is_whole(table[:, 0], least=1),
        "has a frame that is no whole number from 1",
    )
    _check(path, number, _is_whole(table[:, 1]), "has an id that is no whole number")
    class_id = table[:, 7] if has_class else np.full(n, -1.0)
    _check(path, number, _is_whole(class_id), "has a class that is no whole number")
    visibility = table[:, 8] if width == max(_CLASS_COLUMNS) else np.ones(n)
    rows = MotRows(
        line=number,
        frame_index=table[:, 0].astype(np.int64) - 1,
        track_id=table[:, 1].astype(np.int64),
        xyxy=np.concatenate([table[:, 2:4], table[:, 2:4] + table[:, 4:6]], axis=1),
        confidence=table[:, 6] if width > _LEAST_COLUMNS else np.ones(n),
        class_id=class_id.astype(np.int64),
        visibility=np.where(visibility < 0, 1.0, visibility),  # -1: not known
    )
    return rows, width if n else 0


def read_class_names(path: str | os.PathLike[str]) -> dict[int, str]:
    """Return the names of classes by number, as lines such as "2 coffee cup" say. Raises TrackFileError."""
    names: dict[int, str] = {}
    for number, line in enumerate(_read(path).splitlines(), 1):
        if not line.strip():
            continue
        class_id, name = (*line.split(maxsplit=1), "")[:2]
        if not (class_id.isdecimal() and name):
            raise TrackFileError(f"line {number} of {os.fspath(path)!r} is {line!r}: expected a number and a name")
        if int(class_id) in names:
            raise TrackFileError(f"line {number} of {os.fspath(path)!r} names class {class_id} again: name it once")
        names[int(class_id)] = name.strip()
    return names


def _read(path: str | os.PathLike[str]) -> str:
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise TrackFileError(f"cannot read {os.fspath(path)!r}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise TrackFileError(f"cannot read {os.fspath(path)!r}: it is no text in UTF-8") from error


def _read_settings(path: Path) -> tuple[Size | None, int | None, float | None]:
    """Return picture size, number of frames and frames a second, None where ``seqinfo.ini`` does not say."""
    settings = configparser.ConfigParser(interpolation=None)
    try:
        settings.read_string(_read(path))
        numbers = {key: settings.getint("Sequence", key, fallback=None) for key in ("imWidth", "imHeight", "seqLength")}
        fps = settings.getfloat("Sequence", "frameRate", fallback=None)
    except (configparser.Error, ValueError) as error:
        if isinstance(error, TrackFileError):
            raise
        raise TrackFileError(f"{str(path)!r} cannot be read: {' '.join(str(error).split())}") from error
    for key, number in numbers.items():
        if number is not None and number < 1:
            raise TrackFileError(f"{str(path)!r}: {key} is {number}, expected 1 or more")
    if fps is not None and not (np.isfinite(fps) and fps > 0):
        raise TrackFileError(f"{str(path)!r}: frameRate is {fps:g}, expected a number above 0")
    width, height, frame_count = numbers.values()
    return None if width is None or height is None else (width, height), frame_count, fps


def _is_whole(values: Array, least: float = -np.inf) -> Array:
    is_exact = np.abs(values) < 2**53  # beyond, float64 skips whole numbers
    whole: Array = (values == np.floor(values)) & is_exact & (values >= least)
    return whole


def _check(path: str | os.PathLike[str], line: Array, is_right: Array, fault: str) -> None:
    if not is_right.all():
        raise TrackFileError(f"line {line[np.argmin(is_right)]} of {os.fspath(path)!r} {fault}")


def _too_short(path: str | os.PathLike[str], line: int, width: int) -> TrackFileError:
    wanted = f"expected frame,id,left,top,width,height,..., at least {_LEAST_COLUMNS}"
    return TrackFileError(f"line {line} of {os.fspath(path)!r} has {width} columns, {wanted}")


def _first_refusal(path: str | os.PathLike[str], numbered: Sequence[tuple[int, str]]) -> TrackFileError | None:
    """Return what is wrong with the first line that is no row like those before it; the whole file was refused."""
    width = 0
    for number, line in numbered:
        words = line.split(",")
        for word in words:
            try:
                float(word)
            except ValueError:
                return TrackFileError(f"line {number} of {os.fspath(path)!r}: {word.strip()!r} is no number")
        width = width or len(words)
        if width < _LEAST_COLUMNS:
            return _too_short(path, number, width)
        if len(words) != width:
            before = f"{width} before it: expected as many in each"
            return TrackFileError(f"line {number} of {os.fspath(path)!r} has {len(words)} columns, {before}")
    return None
