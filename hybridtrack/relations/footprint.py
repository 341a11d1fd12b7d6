"""Where things stand on a table, from their boxes: pure functions on arrays, px of a picture and cm on the table.

A box says where a thing ends in the picture, and a thing has a depth and a height as well. Both are told from the box
under two assumptions: that the picture's centre is the middle of the lens, which gives the focal length and with it
the camera over the table (Zhang, "A flexible new technique for camera calibration", 2000, section 3.1), and
that the thing is upright, no deeper than wide and about as high as deep.
"""

from __future__ import annotations

import numpy as np

from hybridtrack.types import Array, Size

_HEIGHT = 0.9  #: of a thing whose box is wide, in its depths
_NECK = 0.7  #: width of a thing's top, in its widths, when it is ...
_TALL = (1.5, 2.5)  #: ... from not at all to wholly like a bottle: its height in its widths
_HAND_CM = 5.0  #: over the table, the middle of a hand that is at work on it
_ROUNDS = 3  #: of bringing the edges of a standing thing to those of its box
_FOCAL = (0.5, 4.0)  #: in widths of the picture: what lenses have
_USUAL_FOCAL = 1.0
_HORIZON = 0.05  #: of the nearness of the table's middle: what is farther is not on it


def apply(homography: Array, points: Array) -> Array:
    """Return where a homography (3, 3) maps ``points`` (..., 2)."""
    homogeneous = points @ homography[:, :2].T + homography[:, 2]
    mapped: Array = homogeneous[..., :2] / homogeneous[..., 2:]
    return mapped


def homography_of(source: Array, target: Array) -> Array:
    """Return the homography (3, 3) that maps four points (4, 2) to four others, no three of them on a line."""
    rows = [
        row
        for (x, y), (u, v) in zip(source.tolist(), target.tolist(), strict=True)
        for row in ([x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y])
    ]
    found: Array = np.append(np.linalg.solve(np.array(rows), target.ravel()), 1.0).reshape(3, 3)
    return found


def projection(to_table: Array, size_px: Size) -> Array:
    """Return the projection (3, 4) of x, y and the height over the table, cm, to px of a picture of ``size_px``.

    ``to_table`` (3, 3) maps px to cm. Where the view tells no focal length, from straight above, a usual one is taken.
    """
    centre = np.array([[1.0, 0, -size_px[0] / 2], [0, 1, -size_px[1] / 2], [0, 0, size_px[0]]])
    from_table = centre @ np.linalg.inv(to_table)  # to widths of the picture from its middle
    from_table[2] /= size_px[0]
    from_table[:2] /= size_px[0]
    first, second = from_table[:, 0], from_table[:, 1]
    flat = np.array([first[0] * second[0] + first[1] * second[1], first @ first - second @ second])
    flat[1] -= first[2] ** 2 - second[2] ** 2
    deep = np.array([first[2] * second[2], first[2] ** 2 - second[2] ** 2])
    square = -(flat @ flat) / (deep @ flat) if deep @ flat < 0 else np.inf
    focal = np.sqrt(square) if _FOCAL[0] ** 2 <= square <= _FOCAL[1] ** 2 else _USUAL_FOCAL
    lens = np.diag([focal, focal, 1.0])
    turned = np.linalg.solve(lens, from_table)
    up = np.cross(turned[:, 0], turned[:, 1]) / np.sqrt(np.linalg.norm(turned[:, 0]) * np.linalg.norm(turned[:, 1]))
    whole = lens @ np.column_stack([turned[:, :2], up, turned[:, 2]])
    back: Array = np.array([[size_px[0], 0, size_px[0] / 2], [0, size_px[0], size_px[1] / 2], [0, 0, 1]]) @ whole
    return back


def standing_at(to_table: Array, camera: Array, xyxy: Array) -> Array:
    """Return the middle of the base (N, 2), cm, of things that stand on the table, from their boxes (N, 4), px.

    to_table: (3, 3), px to cm, scaled to a third coordinate of 1 in the middle of the table. camera: (3, 4), the
    ``projection``. NaN for a box that does not stand on the table: its lower edge lies at the horizon or over it. The
    outlines of base and top are brought to the box's edges, so that a tall thing that leans in the picture stands
    where it stands.
    """
    xyxy = np.where(_is_on_table(to_table, xyxy[:, 2:])[:, None], xyxy, np.nan)
    middle = (xyxy[:, 0] + xyxy[:, 2]) / 2
    foot = np.stack([middle, xyxy[:, 3]], axis=1)
    place: Array = apply(to_table, foot)
    away = apply(to_table, foot - [0, 1]) - place
    cm_per_px = np.linalg.norm(away, axis=1)
    away = away / cm_per_px[:, None]
    across = np.stack([away[:, 1], -away[:, 0]], axis=1)
    width = _distance(apply(to_table, xyxy[:, [2, 3]]), apply(to_table, xyxy[:, [0, 3]]))
    cm_across = width / (xyxy[:, 2] - xyxy[:, 0])
    sine = np.clip(cm_across / cm_per_px, 1e-3, 1.0)  # of the view's slope: how much shorter the table looks
    behind = apply(to_table, np.stack([middle, xyxy[:, 1]], axis=1))
    # how deep it were if it were flat; a box that reaches over the horizon tells nothing of that
    covered = np.where(_is_on_table(to_table, xyxy[:, :2]), _distance(behind, place), np.inf)
    most = covered / (1 + _HEIGHT * np.sqrt(1 - sine**2) / sine)
    place = place + away * (np.minimum(width, most) / 2)[:, None]
    for _ in range(_ROUNDS):
        back = away * (np.minimum(width, most) / 2)[:, None]
        height = _height(camera, place + back, xyxy[:, 1])
        base = across * (width / 2)[:, None]
        top = base * np.interp(height / width, _TALL, (1.0, _NECK))[:, None]
        left = np.minimum(_seen(camera, place - base, 0.0)[:, 0], _seen(camera, place - top, height)[:, 0])
        right = np.maximum(_seen(camera, place + base, 0.0)[:, 0], _seen(camera, place + top, height)[:, 0])
        off_left, off_right = xyxy[:, 0] - left, xyxy[:, 2] - right
        off_down = xyxy[:, 3] - _seen(camera, place - back, 0.0)[:, 1]
        place = place + across * (cm_across * (off_left + off_right) / 2)[:, None]
        place = place - away * (cm_per_px * off_down)[:, None]
        width = np.maximum(width + cm_across * (off_right - off_left), 0.1 * width)
    return place


def under(to_table: Array, camera: Array, xyxy: Array) -> Array:
    """Return the place (N, 2), cm, under the middle of hands, from their boxes (N, 4), px; NaN at the horizon.

    Nothing tells how high a hand is over the table; it is taken for one at work, 5 cm above it.
    """
    lifted = np.column_stack([camera[:, :2], camera[:, 3] + _HAND_CM * camera[:, 2]])
    middle = (xyxy[:, :2] + xyxy[:, 2:]) / 2
    middle = np.where(_is_on_table(to_table, middle)[:, None], middle, np.nan)
    return apply(np.linalg.inv(lifted), middle)


def lying_at(to_table: Array, xyxy: Array) -> Array:
    """Return the middle (N, 2), cm, of flat things on the table, from their boxes (N, 4), px; NaN at the horizon."""
    middle = (xyxy[:, :2] + xyxy[:, 2:]) / 2
    return apply(to_table, np.where(_is_on_table(to_table, middle)[:, None], middle, np.nan))


def _seen(camera: Array, place: Array, height: Array | float) -> Array:
    """Return px (N, 2) of places (N, 2) at a height (N,) over the table, cm."""
    point = (
        place @ camera[:, :2].T + np.multiply.outer(np.broadcast_to(height, len(place)), camera[:, 2]) + camera[:, 3]
    )
    pixels: Array = point[:, :2] / point[:, 2:]
    return pixels


def _height(camera: Array, place: Array, y: Array) -> Array:
    """Return the heights (N,), cm, >= 0, over places (N, 2) that are seen at ``y`` (N,), px."""
    point = place @ camera[:, :2].T + camera[:, 3]
    height: Array = (y * point[:, 2] - point[:, 1]) / (camera[1, 2] - y * camera[2, 2])
    return np.maximum(height, 0.0)


def _is_on_table(to_table: Array, points: Array) -> Array:
    """Return which points (N, 2), px, are on the table's plane and not near its horizon, bool (N,)."""
    is_near: Array = points @ to_table[2, :2] + to_table[2, 2] > _HORIZON
    return is_near


def _distance(a: Array, b: Array) -> Array:
    distance: Array = np.linalg.norm(a - b, axis=1)
    return distance
