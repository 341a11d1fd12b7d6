"""The things on the table: what they are made of and how large, in cm. Their origin is the middle of the base."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tests.scenes.solid import Frustum, Slab

Solid = Slab | Frustum
Kind = Literal["mug", "can", "bottle", "box", "book", "block"]


@dataclass(frozen=True, slots=True)
class Thing:
    """A thing made of solids, each with its height above the base."""

    kind: Kind
    solids: tuple[tuple[Solid, float], ...]

    @property
    def height(self) -> float:
        """The height of its top."""
        solid, base = self.solids[-1]
        return base + (solid.height if isinstance(solid, Frustum) else solid.size[2])

    @property
    def half_size(self) -> tuple[float, float]:
        """Half its extent along its own x and y."""
        solid, _ = self.solids[0]
        if isinstance(solid, Slab):
            return solid.size[0] / 2, solid.size[1] / 2
        radius = max(solid.bottom_radius, solid.top_radius)
        return radius, radius

    @property
    def reach(self) -> float:
        """The radius of the circle around its base."""
        x, y = self.half_size
        return float(np.hypot(x, y)) if self.is_angular else x

    @property
    def is_angular(self) -> bool:
        """Whether it has flat sides."""
        return isinstance(self.solids[0][0], Slab)

    def corners(self) -> NDArray[np.float64]:
        """Return the corners (N, 3) of the boxes around its solids."""
        return np.concatenate([solid.corners() + np.array([0, 0, base]) for solid, base in self.solids])

    def distance(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how far points (..., 3) of its own frame are from it; negative inside."""
        return np.min([solid.distance(points - [0, 0, base]) for solid, base in self.solids], axis=0)


def mug(rng: np.random.Generator) -> Thing:
    return Thing("mug", ((Frustum(rng.uniform(3.3, 3.9), rng.uniform(3.8, 4.4), rng.uniform(8, 10.5), True), 0),))


def can(rng: np.random.Generator) -> Thing:
    radius = rng.uniform(2.6, 3.4)
    return Thing("can", ((Frustum(radius, radius, rng.uniform(9, 13)), 0),))


def bottle(rng: np.random.Generator) -> Thing:
    radius, body, neck = rng.uniform(3.0, 3.8), rng.uniform(11, 14), rng.uniform(1.1, 1.5)
    shoulder = Frustum(radius, neck, 3.5)
    return Thing("bottle", ((Frustum(radius, radius, body), 0), (shoulder, body), (Frustum(neck, neck, 4), body + 3.5)))


def box(rng: np.random.Generator) -> Thing:
    return Thing("box", ((Slab((rng.uniform(16, 22), rng.uniform(5, 6.5), rng.uniform(5, 7))), 0),))


def book(rng: np.random.Generator) -> Thing:
    return Thing("book", ((Slab((rng.uniform(13, 17), rng.uniform(10, 13), rng.uniform(2.2, 3.5))), 0),))


def block(rng: np.random.Generator) -> Thing:
    return Thing("block", ((Slab((rng.uniform(4, 6), rng.uniform(3, 4.2), rng.uniform(2.5, 4.5))), 0),))


MAKERS: dict[Kind, Callable[[np.random.Generator], Thing]] = {
    "mug": mug,
    "can": can,
    "bottle": bottle,
    "box": box,
    "book": book,
    "block": block,
}
