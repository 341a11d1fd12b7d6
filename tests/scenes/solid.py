"""Solids that rays can be cast on: boxes, cone frusta along z, and capsules; all lengths in cm.

A ray starts in the camera and is given by its direction in the camera's frame with z = 1, so that the distance along
it is the depth. Where a ray misses, the depth is infinite.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]

LIGHT = np.array([-0.35, -0.45, 0.82])  #: towards the light, in the world's frame, length about 1
AMBIENT, DIFFUSE = 0.62, 0.45
WALL = 0.82  #: share of a hollow solid's radius that is not wall
INSIDE = 0.5  #: brightness of a hollow solid's inside


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a solid is: ``rotation`` (3, 3), its axes as columns, and ``origin`` (3,), both in the world's frame."""

    rotation: NDArray[np.float64]
    origin: NDArray[np.float64]

    def out(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return points (..., 3) of the solid's frame in the world's."""
        return points @ self.rotation.T + self.origin

    def into(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return points (..., 3) of the world's frame in the solid's."""
        return (points - self.origin) @ self.rotation

    def then(self, rotation: NDArray[np.float64], origin: NDArray[np.float64]) -> Pose:
        """Return the pose in the world of what has this pose in a frame that is turned and moved."""
        return Pose(rotation @ self.rotation, rotation @ self.origin + origin)


@dataclass(frozen=True, slots=True)
class Hit:
    """What rays met: ``depth``, place ``u, v`` on the texture (cm) and brightness ``shade``, each (H, W)."""

    depth: Floats
    u: Floats
    v: Floats
    shade: Floats


def shade_of(cosine: Floats) -> Floats:
    return np.float32(AMBIENT) + np.float32(DIFFUSE) * np.maximum(cosine, 0)


@dataclass(frozen=True, slots=True)
class Slab:
    """A box: ``size`` (3,) along x, y, z; its origin is the middle of its bottom."""

    size: tuple[float, float, float]

    def corners(self) -> NDArray[np.float64]:
        """Return the eight corners (8, 3) in the solid's frame."""
        half = np.array(self.size) / 2
        signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
        return signs * half + [0, 0, half[2]]

    def distance(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how far points (..., 3) of the solid's frame are from its surface; negative inside."""
        half = np.array(self.size) / 2
        q = np.abs(points - [0, 0, half[2]]) - half
        return np.linalg.norm(np.maximum(q, 0), axis=-1) + np.minimum(q.max(-1), 0)

    def cast(self, rays: Floats, pose: Pose, light: NDArray[np.float64]) -> Hit:
        """Return what rays (H, W, 3) meet; ``pose`` and ``light`` in the camera's frame."""
        half = np.array(self.size) / 2
        start = (-pose.rotation.T @ pose.origin - [0, 0, half[2]]).astype(np.float32)
        d = rays @ pose.rotation.astype(np.float32)
        d = np.where(np.abs(d) < 1e-6, np.float32(1e-6), d)
        near = (-start - np.sign(d) * half.astype(np.float32)) / d
        far = (-start + np.sign(d) * half.astype(np.float32)) / d
        axis = near.argmax(-1)
        depth = near.max(-1)
        is_hit = (depth < far.min(-1)) & (depth > 1)
        p = start + depth[..., None] * d
        u = np.where(axis == 0, p[..., 1] + 40, p[..., 0] + 20 * axis)
        v = np.where(axis == 2, p[..., 1], p[..., 2])
        cosines = (pose.rotation.T @ light).astype(np.float32)
        facing = -np.sign(np.take_along_axis(d, axis[..., None], -1)[..., 0])
        return Hit(np.where(is_hit, depth, np.inf).astype(np.float32), u, v, shade_of(cosines[axis] * facing))


@dataclass(frozen=True, slots=True)
class Frustum:
    """A cone frustum along z from 0 to ``height``; with ``is_hollow`` one looks into it from above."""

    bottom_radius: float
    top_radius: float
    height: float
    is_hollow: bool = False

    def corners(self) -> NDArray[np.float64]:
        """Return the corners (8, 3) of the box around it in the solid's frame."""
        r = max(self.bottom_radius, self.top_radius)
        return np.array([[x, y, z] for x in (-r, r) for y in (-r, r) for z in (0.0, self.height)])

    def distance(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how far points (..., 3) of the solid's frame are from the cylinder around it; negative inside."""
        r = max(self.bottom_radius, self.top_radius)
        across = np.hypot(points[..., 0], points[..., 1]) - r
        along = np.abs(points[..., 2] - self.height / 2) - self.height / 2
        q = np.stack([across, along], -1)
        return np.linalg.norm(np.maximum(q, 0), axis=-1) + np.minimum(q.max(-1), 0)

    def cast(self, rays: Floats, pose: Pose, light: NDArray[np.float64]) -> Hit:
        """Return what rays (H, W, 3) meet; ``pose`` and ``light`` in the camera's frame."""
        ox, oy, oz = (-pose.rotation.T @ pose.origin).astype(np.float32)
        d = rays @ pose.rotation.astype(np.float32)
        dx, dy, dz = d[..., 0], d[..., 1], d[..., 2]
        dz = np.where(np.abs(dz) < 1e-6, np.float32(1e-6), dz)
        slope = np.float32((self.top_radius - self.bottom_radius) / self.height)
        r = np.float32(self.bottom_radius) + slope * oz  # of the cone at the height of the rays' start
        a = dx * dx + dy * dy - slope * slope * dz * dz
        a = np.where(np.abs(a) < 1e-6, np.float32(1e-6), a)
        b = ox * dx + oy * dy - r * slope * dz
        root = b * b - a * (ox * ox + oy * oy - r * r)
        side = (-b - np.sqrt(np.maximum(root, 0))) / a
        z = oz + side * dz
        is_side = (root > 0) & (side > 1) & (z >= 0) & (z <= self.height)
        end = np.where(dz < 0, np.float32(self.height), np.float32(0))
        cap = (end - oz) / dz
        cx, cy = ox + cap * dx, oy + cap * dy
        off = np.hypot(cx, cy)
        is_cap = (off <= np.where(dz < 0, self.top_radius, self.bottom_radius)) & (cap > 1)
        is_cap &= ~is_side | (cap < side)
        depth = np.where(is_cap, cap, np.where(is_side, side, np.inf)).astype(np.float32)
        x, y = ox + side * dx, oy + side * dy
        reach = np.maximum(np.hypot(x, y), np.float32(1e-3))
        mean = np.float32((self.bottom_radius + self.top_radius) / 2)
        u = np.where(is_cap, cx + 30, np.arctan2(y, x) * mean)
        v = np.where(is_cap, cy, z)
        lx, ly, lz = (pose.rotation.T @ light).astype(np.float32)
        shade = shade_of((lx * x + ly * y) / reach - slope * lz)
        top = shade_of(np.float32(lz) * -np.sign(dz))
        if self.is_hollow:
            top = np.where((dz < 0) & (off < WALL * self.top_radius), np.float32(INSIDE), top)
        return Hit(depth, u, v, np.where(is_cap, top, shade))


@dataclass(frozen=True, slots=True)
class Capsule:
    """Everything within ``radius`` of the line from ``start`` to ``end`` (3,); ``up`` says where its texture begins."""

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    radius: float
    up: NDArray[np.float64]

    def cast(self, rays: Floats, squared: Floats, light: NDArray[np.float64]) -> Hit:
        """Return what rays (H, W, 3) of length² ``squared`` meet; everything in the camera's frame."""
        a, r = self.start.astype(np.float32), np.float32(self.radius)
        ba = (self.end - self.start).astype(np.float32)
        baba, oaoa, baoa = ba @ ba, a @ a, -(ba @ a)
        bard, rdoa = rays @ ba, -(rays @ a)
        qa = np.maximum(baba * squared - bard * bard, np.float32(1e-6))
        qb = baba * rdoa - baoa * bard
        root = qb * qb - qa * (baba * oaoa - baoa * baoa - r * r * baba)
        depth = np.full(root.shape, np.inf, np.float32)
        near = (root > 0).nonzero()  # the endless cylinder; whatever follows looks at these rays alone
        rays, squared, bard = rays[near], squared[near], bard[near]
        t = (-qb[near] - np.sqrt(root[near])) / qa[near]
        y = baoa + t * bard
        is_end = y >= baba
        centre = np.where(is_end[:, None], self.end.astype(np.float32), a)  # of the ball that may be met instead
        b = -np.einsum("nc,nc->n", rays, centre)
        ball_root = b * b - squared * (np.where(is_end, np.float32(self.end @ self.end), oaoa) - r * r)
        is_body = (y > 0) & ~is_end
        t = np.where(is_body, t, (-b - np.sqrt(np.maximum(ball_root, 0))) / squared)
        is_hit = (is_body | (ball_root > 0)) & (t > 1)
        depth[near] = np.where(is_hit, t, np.inf)
        from_start = t[:, None] * rays - a
        along = np.clip((baoa + t * bard) / baba, 0, 1)
        normal = (from_start - along[:, None] * ba) / r
        axis = ba / np.sqrt(baba)
        e1 = self.up - (self.up @ axis) * axis
        e1 = (e1 / max(float(np.linalg.norm(e1)), 1e-6)).astype(np.float32)
        u, v, shade = np.zeros((3, *depth.shape), np.float32)
        u[near] = np.arctan2(normal @ np.cross(axis, e1), normal @ e1) * r
        v[near] = from_start @ axis
        shade[near] = shade_of(normal @ light.astype(np.float32))
        return Hit(depth, u, v, shade)
