"""A frame to show places on: as the camera saw it, and the table from above."""

from __future__ import annotations

import numpy as np

from hybridtrack.errors import SourceError, UsageError
from hybridtrack.ground import TableSetting, parse_table
from hybridtrack.types import Array, Box
from hybridtrack.wire import HeaderLine

WIDTH_PX = 640  #: of a picture in a page
_MARGIN = 0.25  #: of the table, that is shown around it


def first_picture(uri: str) -> Array | None:
    """Return the luma of the first frame, uint8 (H, W), at its own size; None where there is no video any more."""
    from hybridtrack.sources import open_source

    try:
        with open_source(uri) as source:
            for frame in source:
                return frame.gray()
    except (SourceError, UsageError):
        return None
    return None


def is_recorded(uri: str) -> bool:
    """Return whether a source can be opened again: a camera would show something else now."""
    return not uri.isdecimal() and "://" not in uri and not uri.startswith("blank:")


def reduced(picture: Array) -> Array:
    """Return a picture no wider than ``WIDTH_PX``."""
    import cv2

    height, width = picture.shape
    if width <= WIDTH_PX:
        return picture
    small: Array = cv2.resize(picture, (WIDTH_PX, round(height * WIDTH_PX / width)), interpolation=cv2.INTER_AREA)
    return small


def table_of(header: HeaderLine) -> TableSetting | None:
    """Return the table that the run was told of, None when it was not."""
    told = header.settings.get("table")
    try:
        return parse_table(told) if isinstance(told, str) else None
    except UsageError:  # a version to come says it in another way
        return None


def extent_cm(table: TableSetting | None, places: Array) -> Box:
    """Return left, top, right, bottom of what is shown: the table with a margin, or without one where hands were.

    Top is the far side: y counts away from the near one.
    """
    if table is None:
        (left, near), (right, far) = places.min(axis=0), places.max(axis=0)
        return float(left) - 1, float(far) + 1, float(right) + 1, float(near) - 1
    x, y = table.width_cm * _MARGIN, table.depth_cm * _MARGIN
    return -x, table.depth_cm + y, table.width_cm + x, -y


def seen_from_above(picture: Array, table: TableSetting, extent: Box) -> Array | None:
    """Return the table as from above, uint8 (H, W), all of ``extent``; None where markers, not corners, tell of it."""
    if not table.corners_px:
        return None
    import cv2

    left, top, right, bottom = extent
    per_cm = WIDTH_PX / (right - left)
    size = WIDTH_PX, round((top - bottom) * per_cm)
    width, depth = table.width_cm, table.depth_cm
    corners_cm = np.array([[0, 0], [width, 0], [width, depth], [0, depth]])
    there = np.column_stack([corners_cm[:, 0] - left, top - corners_cm[:, 1]]) * per_cm
    way = cv2.getPerspectiveTransform(np.array(table.corners_px, np.float32), there.astype(np.float32))
    above: Array = cv2.warpPerspective(picture, way, size, flags=cv2.INTER_AREA)
    return above
