"""Pictures of a scene, and which pixel shows what: solids are cast into one depth buffer, so that what is hidden is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.scenes.camera import HEIGHT_PX, MARGIN_PX, WIDTH_PX, View
from tests.scenes.solid import LIGHT, Capsule, Floats, Frustum, Hit, Pose, Slab
from tests.scenes.texture import PX_PER_CM, SIDE_PX, Picture

NEAREST_CM = 8.0  #: of what is drawn
TABLE_CM = ((-110.0, 110.0), (-45.0, 215.0))  #: x and y of the table's texture
BACKGROUND = 0  #: the id of everything that has none
BLUR_PX = 0.6

Part = Capsule | tuple[Slab | Frustum, Pose]


@dataclass(frozen=True, slots=True)
class Body:
    """Something of one id, all of one texture: parts in the world's frame."""

    id: int
    parts: Sequence[Part]
    texture: Picture


@dataclass(frozen=True, slots=True)
class Drawn:
    """``ids`` (H, W) says what each pixel shows; ``bgr`` is None where only that was asked for.

    ``whole_px``: how many pixels a body has, hidden ones and those outside the picture too; ``whole_box``: the edges of
    those, xyxy, which may leave the picture.
    """

    ids: NDArray[np.uint8]
    bgr: Picture | None
    whole_px: dict[int, int]
    whole_box: dict[int, tuple[int, int, int, int]]


class Painter:
    """Draws bodies over a table top. Keeps what is the same on all frames."""

    def __init__(self, view: View, table: Picture, rng: np.random.Generator, *, noise: float) -> None:
        self._table = table
        self._rays = view.rays()
        self._squared = np.einsum("hwc,hwc->hw", self._rays, self._rays)
        shape = (HEIGHT_PX + 64, WIDTH_PX + 64, 3)
        self._noise = (noise * rng.standard_normal(shape)).astype(np.int16) if noise else None

    def draw(self, view: View, bodies: Sequence[Body], *, seed: int, with_picture: bool = True) -> Drawn:
        """Return a frame; ``seed``: of its pixel noise."""
        shape = self._rays.shape[:2]
        depth = np.full(shape, np.inf, np.float32)
        ids = np.full(shape, BACKGROUND, np.uint8)
        bgr = self._ground(view, bodies) if with_picture else None
        whole_px: dict[int, int] = {}
        whole_box: dict[int, tuple[int, int, int, int]] = {}
        for body in bodies:
            layer = self._layer(view, body, with_picture)
            if layer is None:
                continue
            (top, left), near, colour = layer
            window = (slice(top, top + near.shape[0]), slice(left, left + near.shape[1]))
            own = np.isfinite(near)
            if body.id != BACKGROUND and own.any():
                whole_px[body.id] = int(np.count_nonzero(own))
                rows, columns = own.any(1).nonzero()[0], own.any(0).nonzero()[0]
                whole_box[body.id] = (
                    left + int(columns[0]) - MARGIN_PX,
                    top + int(rows[0]) - MARGIN_PX,
                    left + int(columns[-1]) + 1 - MARGIN_PX,
                    top + int(rows[-1]) + 1 - MARGIN_PX,
                )
            front = near < depth[window]
            np.copyto(depth[window], near, where=front)
            ids[window][front] = body.id
            if bgr is not None and colour is not None:
                np.copyto(bgr[window], colour, where=front[..., None])
        inside = (slice(MARGIN_PX, MARGIN_PX + HEIGHT_PX), slice(MARGIN_PX, MARGIN_PX + WIDTH_PX))
        picture = None if bgr is None else self._finished(bgr[inside], seed)
        return Drawn(ids[inside], picture, whole_px, whole_box)

    def _layer(
        self, view: View, body: Body, with_picture: bool
    ) -> tuple[tuple[int, int], Floats, Picture | None] | None:
        """Return a body alone: its place (row, column), depth (H, W), infinite beside it, and colours."""
        light = view.rotation @ LIGHT
        seen = [(part, window) for part in body.parts if (window := self._window(view, part)) is not None]
        if not seen:
            return None
        top, left = (min(window[axis].start for _, window in seen) for axis in (0, 1))
        bottom, right = (max(window[axis].stop for _, window in seen) for axis in (0, 1))
        near = np.full((bottom - top, right - left), np.inf, np.float32)
        u, v, shade = (np.zeros_like(near) for _ in range(3))
        for part, window in seen:
            hit = self._cast(view, part, window, light)
            place = (
                slice(window[0].start - top, window[0].stop - top),
                slice(window[1].start - left, window[1].stop - left),
            )
            front = hit.depth < near[place]
            np.copyto(near[place], hit.depth, where=front)
            if with_picture:
                for field, value in ((u, hit.u), (v, hit.v), (shade, hit.shade)):
                    np.copyto(field[place], value, where=front)
        return (top, left), near, _coloured(body.texture, u, v, shade) if with_picture else None

    def _cast(self, view: View, part: Part, window: tuple[slice, slice], light: NDArray[np.float64]) -> Hit:
        rays = self._rays[window]
        if isinstance(part, Capsule):
            ahead = Capsule(view.seen(part.start), view.seen(part.end), part.radius, view.rotation @ part.up)
            return ahead.cast(rays, self._squared[window], light)
        solid, pose = part
        return solid.cast(rays, Pose(view.rotation @ pose.rotation, view.seen(pose.origin)), light)

    def _window(self, view: View, part: Part) -> tuple[slice, slice] | None:
        """Return the rows and columns (margin included) that a part can be seen in."""
        if isinstance(part, Capsule):
            ends, radius = view.seen(np.stack([part.start, part.end])), part.radius
            if (ends[:, 2] < NEAREST_CM).all():
                return None
            if (ends[:, 2] < NEAREST_CM).any():  # cut where it comes too near
                a, b = ends
                at = a + (NEAREST_CM - a[2]) / (b[2] - a[2]) * (b - a)
                ends = np.stack([at, b if b[2] > NEAREST_CM else a])
            points, spread = ends, 1.1 * radius / ends[:, 2:] * view.focal_px
        else:
            solid, pose = part
            points, spread = view.seen(pose.out(solid.corners())), np.zeros(1)
            if (points[:, 2] < NEAREST_CM).any():
                return None
        centre = points[:, :2] / points[:, 2:] * view.focal_px + [(WIDTH_PX - 1) / 2, (HEIGHT_PX - 1) / 2]
        limit = np.array([WIDTH_PX, HEIGHT_PX]) + 2 * MARGIN_PX
        low = np.clip(np.floor((centre - spread).min(0)) - 1 + MARGIN_PX, 0, limit).astype(int)
        high = np.clip(np.ceil((centre + spread).max(0)) + 2 + MARGIN_PX, 0, limit).astype(int)
        if (high - low < 1).any():
            return None
        (left, top), (right, bottom) = low.tolist(), high.tolist()
        return slice(top, bottom), slice(left, right)

    def _ground(self, view: View, bodies: Sequence[Body]) -> Picture:
        """Return the table top, darker under what is near it, margin included (and left empty)."""
        (left, right), (near, far) = TABLE_CM
        size = self._table.shape[1::-1]
        to_cm = np.array([[(right - left) / size[0], 0, left], [0, (near - far) / size[1], far], [0, 0, 1]])
        matrix = view.matrix[:, [0, 1, 3]] @ to_cm
        ground = cv2.warpPerspective(
            self._table, matrix, (WIDTH_PX, HEIGHT_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
        shadow = _shadow(view, bodies)
        ground = cv2.multiply(ground, cv2.merge([shadow] * 3), scale=1 / 255)
        whole = np.zeros((*self._rays.shape[:2], 3), np.uint8)
        whole[MARGIN_PX : MARGIN_PX + HEIGHT_PX, MARGIN_PX : MARGIN_PX + WIDTH_PX] = ground
        return whole

    def _finished(self, bgr: Picture, seed: int) -> Picture:
        """Return the picture blurred a little, with pixel noise that differs from frame to frame."""
        soft = cv2.GaussianBlur(bgr, (3, 3), BLUR_PX)
        if self._noise is None:
            return soft
        y, x = np.random.default_rng(seed).integers(0, 64, 2)
        noisy: Picture = cv2.add(soft, self._noise[y : y + HEIGHT_PX, x : x + WIDTH_PX], dtype=cv2.CV_8U)
        return noisy


def _coloured(texture: Picture, u: Floats, v: Floats, shade: Floats) -> Picture:
    half = np.float32(SIDE_PX / 2)
    at_u, at_v = u * np.float32(PX_PER_CM) + half, v * np.float32(PX_PER_CM) + half
    colour = cv2.remap(texture, at_u, at_v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    lit: Picture = cv2.multiply(colour, cv2.merge([shade] * 3), dtype=cv2.CV_8U)
    return lit


def _shadow(view: View, bodies: Sequence[Body]) -> Picture:
    """Return how bright the table is (H, W): soft dark spots below bodies, fainter the higher they are."""
    scale = 4
    dark = np.full((HEIGHT_PX // scale, WIDTH_PX // scale), 255, np.uint8)
    for body in bodies:
        for part in body.parts:
            if isinstance(part, Capsule):
                points, radius = np.stack([part.start, part.end]), part.radius
            else:
                points, radius = part[1].out(part[0].corners()), 0.5
            height = max(float(points[:, 2].min()) - radius, 0.0)
            if height > 12:
                continue
            flat = points * [1, 1, 0] + [0.25 * height, 0.3 * height, 0]
            rim = radius * np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]])
            ring = (flat[:, None] + rim).reshape(-1, 3)
            if (view.seen(ring)[:, 2] < NEAREST_CM).any():
                continue
            outline = cv2.convexHull((view.project(ring) / scale * 16).astype(np.int32))
            level = int(255 * (0.62 + 0.38 * height / 12))
            spot = np.full_like(dark, 255)
            cv2.fillConvexPoly(spot, outline, level, shift=4)
            dark = np.minimum(dark, spot)
    return cv2.resize(cv2.GaussianBlur(dark, (0, 0), 1.6), (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_LINEAR)
