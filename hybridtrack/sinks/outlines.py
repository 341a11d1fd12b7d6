"""Boxes as lines that say where each comes from.

A detector saw it on this frame: thick line; its pixels were followed: thin line; a motion model says so: dashed;
between two detector runs, with both known: dotted.
"""

from __future__ import annotations

from collections.abc import Sequence

from hybridtrack.sinks.ink import Colour, Line, dashes, draw_lines
from hybridtrack.types import Array, Origin

_DASH_UNITS = {Origin.PREDICTED: (10, 6), Origin.INTERPOLATED: (1, 7)}  #: drawn, left out; in widths of a thin line


def draw_outline(picture: Array, xyxy: Sequence[int], origin: Origin, colour: Colour, unit: int) -> None:
    """Draw the sides of a box, px, into a picture; dashes begin at each corner."""
    x1, y1, x2, y2 = xyxy
    corners = [(x1, y1), (x2, y1), (x2, y2), (x1, y2)]
    sides: list[Line] = list(zip(corners, corners[1:] + corners[:1], strict=True))
    if origin in _DASH_UNITS:
        drawn, left_out = _DASH_UNITS[origin]
        sides = [dash for side in sides for dash in dashes(side, drawn * unit, left_out * unit)]
    draw_lines(picture, sides, colour, 3 * unit + 1 if origin is Origin.DETECTED else unit + 1)
