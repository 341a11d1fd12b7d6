"""Contact sheets: many small pictures with their annotations drawn in, to look at."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from data_tools.annotation import Annotation, DataSet, Picture, Problem
from hybridtrack.sinks.output import ReplacedFile
from hybridtrack.types import Array, Size

COLUMNS: Final = 5
ROWS: Final = 4
CELL_PX: Final[Size] = (384, 216)
#: blue, green, red
COLOURS: Final = ((0, 200, 255), (255, 190, 90), (130, 220, 0), (180, 130, 255), (70, 240, 250), (60, 110, 255))
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_TEXT: Final = 0.42


def write_sheets(data: DataSet, folder: Path, *, sheets: int = 1, seed: int = 0) -> tuple[list[Path], list[Problem]]:
    """Write sheets of 20 pictures taken at random, in the order of the data set; return the files, and unread pictures.

    Raises SinkError.
    """
    count = min(sheets * COLUMNS * ROWS, len(data.pictures))
    chosen = [data.pictures[row] for row in sorted(random.Random(seed).sample(range(len(data.pictures)), count))]
    paths, problems = [], []
    for number, page in enumerate(_pages(chosen), 1):
        cells = []
        for picture in page:
            bgr = cv2.imread(str(picture.path), cv2.IMREAD_COLOR)
            if bgr is None:
                problems.append(Problem(kind="picture that cannot be decoded", where=picture.name))
            else:
                cells.append(draw_cell(bgr, picture, data.labels))
        if cells:
            paths.append(folder / f"sheet-{number:02d}.png")
            ReplacedFile(paths[-1]).write(cv2.imencode(".png", join(cells))[1].tobytes(), "")
    return paths, problems


def draw_cell(bgr: Array, picture: Picture, labels: Sequence[str], size_px: Size = CELL_PX) -> Array:
    """Return a picture, uint8 (H, W, 3), that fits a cell, its annotations and its name; grey fills the rest."""
    height_px, width_px = bgr.shape[:2]
    scale = min(size_px[0] / width_px, size_px[1] / height_px)
    shown_px = max(1, round(width_px * scale)), max(1, round(height_px * scale))
    shown = cv2.resize(bgr, shown_px, interpolation=cv2.INTER_AREA)
    for annotation in picture.annotations:
        # of the size that the annotations mean, which a broken data set has wrong: then it shows
        _draw(shown, annotation, (shown_px[0] / picture.size_px[0], shown_px[1] / picture.size_px[1]), labels)
    cell = np.full((size_px[1], size_px[0], 3), 64, np.uint8)
    top, left = (size_px[1] - shown_px[1]) // 2, (size_px[0] - shown_px[0]) // 2
    cell[top : top + shown_px[1], left : left + shown_px[0]] = shown
    _write(cell, picture.name[-52:], (4, size_px[1] - 6), (255, 255, 255))
    return cell


def join(cells: Sequence[Array]) -> Array:
    """Return cells of one size, row by row, on one picture."""
    columns = min(COLUMNS, len(cells))
    blank = np.zeros_like(cells[0])
    rows = [[*cells[begin : begin + columns]] for begin in range(0, len(cells), columns)]
    rows[-1] += [blank] * (columns - len(rows[-1]))
    return np.vstack([np.hstack(row) for row in rows])


def _pages(pictures: Sequence[Picture]) -> Iterator[Sequence[Picture]]:
    for begin in range(0, len(pictures), COLUMNS * ROWS):
        yield pictures[begin : begin + COLUMNS * ROWS]


def _draw(shown: Array, annotation: Annotation, scale: tuple[float, float], labels: Sequence[str]) -> None:
    number = labels.index(annotation.label) if annotation.label in labels else -1
    colour = COLOURS[number % len(COLOURS)]
    for polygon in annotation.polygons:
        cv2.polylines(shown, [np.round(np.array(polygon) * scale).astype(np.int32)], True, colour, 1, cv2.LINE_AA)
    x1, y1, x2, y2 = np.round(np.array(annotation.xyxy) * (scale * 2)).astype(int).tolist()
    cv2.rectangle(shown, (x1, y1), (x2 - 1, y2 - 1), colour, 1)
    if annotation.is_ignored:
        cv2.line(shown, (x1, y1), (x2 - 1, y2 - 1), colour, 1)
    _write(shown, annotation.label, (max(x1, 0) + 2, max(y1, 0) + 12), colour)


def _write(bgr: Array, text: str, corner: tuple[int, int], colour: tuple[int, int, int]) -> None:
    shadow = (corner[0] + 1, corner[1] + 1)
    cv2.putText(bgr, text, shadow, _FONT, _TEXT, (0, 0, 0), 1, cv2.LINE_AA)
    cv2.putText(bgr, text, corner, _FONT, _TEXT, colour, 1, cv2.LINE_AA)
