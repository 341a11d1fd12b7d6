"""Relations as lines between two boxes: the more they have to do with each other, the more of a line."""

from __future__ import annotations

from collections.abc import Sequence

import cv2

from hybridtrack.sinks.ink import BLACK, WHITE, Colour, Point, between, dashes, draw_lines
from hybridtrack.types import Array

_DOT_UNITS = (2, 5)  #: drawn, left out; in widths of a thin line
_DASH_UNITS = (8, 6)


def draw_relation(
    picture: Array, subject_xyxy: Sequence[int], object_xyxy: Sequence[int], state: str, colour: Colour, unit: int
) -> None:
    """Draw what a hand, or another subject, has to do with an object: boxes in px, ``colour`` the subject's.

    ``near``: dotted and white, over the gap between them; ``overlapping``: dashed and white, from middle to middle;
    ``holding``: thick, of the subject's colour, with a knob at each end. A state of a plugin: a thin white line.
    """
    if state == "near":
        drawn, left_out = _DOT_UNITS
        gap = between(subject_xyxy, object_xyxy)
        draw_lines(picture, dashes(gap, drawn * unit, left_out * unit), WHITE, unit + 1)
        return
    line = _middle(subject_xyxy), _middle(object_xyxy)
    if state == "holding":
        for radius_px, knob_colour in ((3 * unit + 4, BLACK), (3 * unit + 2, colour)):
            for end in line:
                cv2.circle(picture, end, radius_px, knob_colour, cv2.FILLED, cv2.LINE_AA)
        draw_lines(picture, [line], colour, 2 * unit + 2)
        return
    drawn, left_out = _DASH_UNITS
    is_dashed = state == "overlapping"
    draw_lines(picture, dashes(line, drawn * unit, left_out * unit) if is_dashed else [line], WHITE, unit + 1)


def _middle(xyxy: Sequence[int]) -> Point:
    x1, y1, x2, y2 = xyxy
    return (x1 + x2) // 2, (y1 + y2) // 2
