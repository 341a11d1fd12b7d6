"""A pinhole camera over a table, held still or swaying."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from tests.scenes.solid import Floats

WIDTH_PX, HEIGHT_PX, FPS = 640, 360, 30
MARGIN_PX = 200  #: how far around the picture a solid's pixels are counted
SWAY_HZ = (0.15, 0.7)
TURN_DEG = 0.2  #: greatest turn for each centimetre of sway


@dataclass(frozen=True, slots=True)
class View:
    """The camera on one frame: ``rotation`` (3, 3) from the world's frame to the camera's, and its place (3,), cm."""

    rotation: NDArray[np.float64]
    place: NDArray[np.float64]
    focal_px: float

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The (3, 4) projection from cm to pixels; the centre of the top-left pixel is (0, 0)."""
        k = np.array([[self.focal_px, 0, (WIDTH_PX - 1) / 2], [0, self.focal_px, (HEIGHT_PX - 1) / 2], [0, 0, 1.0]])
        return k @ np.column_stack([self.rotation, -self.rotation @ self.place])

    def seen(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return points (..., 3) of the world in the camera's frame: right, down, ahead."""
        return (points - self.place) @ self.rotation.T

    def project(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the pixels (..., 2) of points (..., 3) of the world that lie ahead of the camera."""
        ahead = self.seen(points)
        return ahead[..., :2] / ahead[..., 2:] * self.focal_px + [(WIDTH_PX - 1) / 2, (HEIGHT_PX - 1) / 2]

    def rays(self) -> Floats:
        """Return the direction (H, W, 3) of each pixel, margin included, in the camera's frame with z = 1."""
        x = (np.arange(-MARGIN_PX, WIDTH_PX + MARGIN_PX) - (WIDTH_PX - 1) / 2) / self.focal_px
        y = (np.arange(-MARGIN_PX, HEIGHT_PX + MARGIN_PX) - (HEIGHT_PX - 1) / 2) / self.focal_px
        directions = np.ones((len(y), len(x), 3), np.float32)
        directions[..., 0], directions[..., 1] = x[None], y[:, None]
        return directions


class Camera:
    """Where the camera is on each frame: somewhere in front of the table, and swaying about it."""

    def __init__(self, rng: np.random.Generator, *, sway_cm: float) -> None:
        self.focal_px = float(rng.uniform(560, 620))
        self._place = np.array([rng.uniform(-5, 5), rng.uniform(-66, -56), rng.uniform(40, 56)])
        self._target = np.array([rng.uniform(-2, 2), rng.uniform(6, 11), 2.0])
        self._sway_cm = sway_cm
        self._hz = rng.uniform(*SWAY_HZ, (6, 2))
        self._phase = rng.uniform(0, 2 * np.pi, (6, 2))

    def view(self, frame_index: int) -> View:
        """Return the camera on a frame."""
        waves = np.sin(2 * np.pi * self._hz * frame_index / FPS + self._phase) @ [0.65, 0.35]
        place = self._place + self._sway_cm * waves[:3] * [1, 0.6, 0.6]
        ahead = self._target - self._place  # it looks where it looked: the table moves in the picture
        ahead = ahead / np.linalg.norm(ahead)
        right = np.cross(ahead, [0, 0, 1.0])
        right = right / np.linalg.norm(right)
        steady = np.stack([right, np.cross(ahead, right), ahead])
        turn = Rotation.from_euler("xyz", self._sway_cm * TURN_DEG * waves[3:], degrees=True).as_matrix()
        return View(turn @ steady, place, self.focal_px)
