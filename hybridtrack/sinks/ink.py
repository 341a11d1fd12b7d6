"""What pictures are drawn with: colours, the width of a line, and lines with a dark edge that show on any ground."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import cv2

from hybridtrack.types import Array, Size

Colour: TypeAlias = tuple[int, int, int]
Point: TypeAlias = tuple[int, int]
Line: TypeAlias = tuple[Point, Point]

#: blue, green, red; bright neighbours of the colours that M. Okabe and K. Ito chose for all kinds of colour vision
PALETTE: tuple[Colour, ...] = (
    (0, 200, 255),
    (255, 190, 90),
    (130, 220, 0),
    (180, 130, 255),
    (70, 240, 250),
    (255, 120, 60),
    (60, 110, 255),
)
BLACK: Colour = (0, 0, 0)
WHITE: Colour = (255, 255, 255)
_HEIGHT_PX = 480  #: of a picture whose lines are one unit wide; larger ones get wider lines


def colour_of(class_id: int) -> Colour:
    """Return the colour of a class."""
    return PALETTE[class_id % len(PALETTE)]


def line_unit(size_px: Size) -> int:
    """Return the width of a thin line, px, in a picture of this size."""
    return max(1, round(min(size_px) / _HEIGHT_PX))


def between(a: Sequence[int], b: Sequence[int]) -> Line:
    """Return the shortest level, upright or slanted line from one box, xyxy, to another; a point where they overlap.

    Where they face each other it stands in the middle of what they have in common.
    """
    ends = []
    for axis in (0, 1):
        low, high = max(a[axis], b[axis]), min(a[axis + 2], b[axis + 2])
        if low <= high:
            ends.append(((low + high) // 2,) * 2)
        else:
            ends.append((high, low) if a[axis] < b[axis] else (low, high))
    (x1, x2), (y1, y2) = ends
    return (x1, y1), (x2, y2)


def dashes(line: Line, drawn_px: int, left_out_px: int) -> list[Line]:
    """Return a line cut into dashes, the first of which begins where it does; none of a line without length."""
    (x1, y1), (x2, y2) = line
    length_px = max(abs(x2 - x1), abs(y2 - y1))
    cut = []
    for start_px in range(0, length_px, drawn_px + left_out_px):
        end_px = min(start_px + drawn_px - 1, length_px)
        ends = [(x1 + (x2 - x1) * at / length_px, y1 + (y2 - y1) * at / length_px) for at in (start_px, end_px)]
        (first, last) = [(round(x), round(y)) for x, y in ends]
        cut.append((first, last))
    return cut


def draw_lines(picture: Array, lines: Sequence[Line], colour: Colour, width_px: int) -> None:
    """Draw straight lines, with a dark edge of a pixel, into a picture."""
    for line_colour, line_width_px in ((BLACK, width_px + 2), (colour, width_px)):
        for start, end in lines:
            is_slanted = start[0] != end[0] and start[1] != end[1]
            cv2.line(picture, start, end, line_colour, line_width_px, cv2.LINE_AA if is_slanted else cv2.LINE_8)
