"""Tracks drawn into a picture: the line says where a box came from, the colour which class it is.

A detector saw it on this frame: thick line; its pixels were followed: thin line; a motion model says so: dashed;
between two detector runs, with both known: dotted. Only confirmed tracks are drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import cv2
import numpy as np

from hybridtrack import boxes
from hybridtrack.types import Array, ClassInfo, Origin, Tracks, TrackState

Colour: TypeAlias = tuple[int, int, int]
Point: TypeAlias = tuple[int, int]

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
_BLACK: Colour = (0, 0, 0)
_WHITE: Colour = (255, 255, 255)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_HEIGHT_PX = 480  #: of a picture whose lines are one unit wide; larger ones get wider lines and larger text
_DASH_UNITS = {Origin.PREDICTED: (10, 6), Origin.INTERPOLATED: (1, 7)}  #: drawn, left out; in line units


def draw_tracks(bgr: Array, tracks: Tracks, classes: Sequence[ClassInfo], *, caption: str = "") -> Array:
    """Return a copy of a picture, uint8 (H, W, 3), with the confirmed tracks and ``caption`` in its corner.

    Boxes are cut at the edges; those outside the picture, or not finite, are left out.
    """
    picture = np.array(bgr)
    height, width = picture.shape[:2]
    unit = max(1, round(min(height, width) / _HEIGHT_PX))
    shown = tracks[(tracks.state == TrackState.CONFIRMED) & np.isfinite(tracks.xyxy).all(axis=1)]
    xyxy = np.rint(boxes.clip(shown.xyxy, (width - 1, height - 1))).astype(int)
    rows = [row for row in range(len(shown)) if xyxy[row, 2] > xyxy[row, 0] and xyxy[row, 3] > xyxy[row, 1]]
    colours = [PALETTE[class_id % len(PALETTE)] for class_id in shown.class_id.tolist()]
    for row in rows:
        _draw_box(picture, xyxy[row].tolist(), Origin(int(shown.origin[row])), colours[row], unit)
    for row in rows:  # after all boxes, so that no line crosses a label
        x1, y1, _, _ = xyxy[row].tolist()
        name = classes[int(shown.class_id[row])].name
        _draw_label(picture, f"{name} {shown.track_id[row]}", (x1, y1), colours[row], _BLACK, unit)
    if caption:
        _draw_label(picture, caption, (0, 0), _BLACK, _WHITE, unit)
    return picture


def _draw_box(picture: Array, xyxy: Sequence[int], origin: Origin, colour: Colour, unit: int) -> None:
    thickness = 3 * unit + 1 if origin is Origin.DETECTED else unit + 1
    lines = _dashes(xyxy, origin, unit) if origin in _DASH_UNITS else _sides(xyxy)
    for line_colour, line_width in ((_BLACK, thickness + 2), (colour, thickness)):
        for start, end in lines:
            cv2.line(picture, start, end, line_colour, line_width)


def _sides(xyxy: Sequence[int]) -> list[tuple[Point, Point]]:
    x1, y1, x2, y2 = xyxy
    corners = [(x1, y1), (x2, y1), (x2, y2), (x1, y2)]
    return list(zip(corners, corners[1:] + corners[:1], strict=True))


def _dashes(xyxy: Sequence[int], origin: Origin, unit: int) -> list[tuple[Point, Point]]:
    """Return the sides of a box cut into dashes that begin at each corner."""
    drawn, left_out = (units * unit for units in _DASH_UNITS[origin])
    dashes: list[tuple[Point, Point]] = []
    for (x1, y1), (x2, y2) in _sides(xyxy):
        length = abs(x2 - x1) + abs(y2 - y1)
        dx, dy = np.sign(x2 - x1), np.sign(y2 - y1)
        for start in range(0, length, drawn + left_out):
            end = min(start + drawn - 1, length)
            dashes.append(((int(x1 + dx * start), int(y1 + dy * start)), (int(x1 + dx * end), int(y1 + dy * end))))
    return dashes


def _draw_label(picture: Array, text: str, corner: Point, colour: Colour, text_colour: Colour, unit: int) -> None:
    """Write ``text`` on a tag above a box's corner, or below it where there is no room; moved into the picture."""
    height, width = picture.shape[:2]
    scale = 0.5 * unit
    (text_width, text_height), baseline = cv2.getTextSize(text, _FONT, scale, unit)
    margin = 2 * unit
    tag_width, tag_height = text_width + 2 * margin, text_height + baseline + margin
    x = max(0, min(corner[0], width - tag_width - 1))
    y = corner[1] - tag_height if corner[1] >= tag_height else corner[1]
    y = max(0, min(y, height - tag_height - 1))
    end = (x + tag_width, y + tag_height)
    cv2.rectangle(picture, (x, y), end, colour, cv2.FILLED)
    cv2.rectangle(picture, (x, y), end, _BLACK)
    cv2.putText(picture, text, (x + margin, y + margin + text_height), _FONT, scale, text_colour, unit, cv2.LINE_AA)
