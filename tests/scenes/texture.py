"""Textures made of noise: everything in a scene has one, since flow is measured on it. All uint8 (H, W, 3) BGR."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

PX_PER_CM = 10
SIDE_PX = 512  #: of a solid's texture, which repeats

Picture = NDArray[np.uint8]


def grain(rng: np.random.Generator, shape: tuple[int, int], cells: tuple[int, ...]) -> NDArray[np.float32]:
    """Return smooth noise (H, W) of about unit spread, a sum of layers with cells of so many pixels."""
    total = np.zeros(shape, np.float32)
    for cell in cells:
        small = rng.standard_normal((max(shape[0] // cell, 1) + 1, max(shape[1] // cell, 1) + 1)).astype(np.float32)
        total += cv2.resize(small, shape[::-1], interpolation=cv2.INTER_CUBIC)
    return total / np.sqrt(len(cells))


def tint(colour: NDArray[np.float64], noise: NDArray[np.float32], spread: float) -> Picture:
    """Return a colour (3,) made brighter and darker by noise."""
    picture: Picture = np.clip(colour * (1 + spread * noise[..., None]), 0, 255).astype(np.uint8)
    return picture


def skin(rng: np.random.Generator) -> Picture:
    """Return skin: mottled, with fine creases across."""
    tone = np.array([120, 150, 200]) * rng.uniform(0.45, 1.1)
    picture = tint(tone, grain(rng, (SIDE_PX, SIDE_PX), (3, 9, 24)), 0.13)
    creases = np.zeros((SIDE_PX, SIDE_PX), np.uint8)
    for v in np.cumsum(rng.uniform(5, 14, SIDE_PX // 10)):
        cv2.line(creases, (0, int(v)), (SIDE_PX, int(v + rng.uniform(-6, 6))), 60, 1, cv2.LINE_AA)
    return cv2.subtract(picture, cv2.merge([creases // 2, creases // 2, creases // 3]))


def cloth(rng: np.random.Generator) -> Picture:
    """Return a sleeve: weave and folds."""
    colour = rng.uniform(30, 190, 3)
    return tint(colour, grain(rng, (SIDE_PX, SIDE_PX), (2, 6, 30)), 0.22)


def label(rng: np.random.Generator) -> Picture:
    """Return what a thing's surface looks like: a colour with stripes, spots or patches, and grain over it."""
    first, second = rng.uniform(30, 235, 3), rng.uniform(20, 245, 3)
    picture = np.empty((SIDE_PX, SIDE_PX, 3), np.float32)
    picture[:] = first
    kind = rng.integers(3)
    if kind == 0:
        step = int(rng.uniform(15, 40))
        for start in range(0, SIDE_PX, 2 * step):
            rows = slice(start, start + step)
            picture[(rows, slice(None)) if rng.random() < 0.5 else (slice(None), rows)] = second
    elif kind == 1:
        for x, y in rng.integers(0, SIDE_PX, (150, 2)):
            cv2.circle(picture, (int(x), int(y)), int(rng.integers(4, 14)), second.tolist(), -1, cv2.LINE_AA)
    else:
        picture[grain(rng, (SIDE_PX, SIDE_PX), (20, 50)) > 0.4] = second
    for x, y in rng.integers(0, SIDE_PX, (60, 2)):  # print
        end = (int(x + rng.integers(4, 24)), int(y + rng.integers(0, 3)))
        cv2.line(picture, (int(x), int(y)), end, rng.uniform(0, 255, 3).tolist(), 2, cv2.LINE_AA)
    picture *= 1 + 0.07 * grain(rng, (SIDE_PX, SIDE_PX), (2, 5, 40))[..., None]
    return np.clip(picture, 0, 255).astype(np.uint8)


def wood(rng: np.random.Generator, shape: tuple[int, int]) -> Picture:
    """Return a table top: grain that runs along x."""
    height, width = shape
    long = cv2.resize(grain(rng, (height, max(width // 12, 8)), (2, 6, 20)), (width, height))
    colour = np.array([rng.uniform(50, 140), rng.uniform(70, 160), rng.uniform(90, 190)])
    return tint(colour, 0.8 * long + 0.5 * grain(rng, shape, (3, 40)), 0.14)


def mat(rng: np.random.Generator, shape: tuple[int, int]) -> Picture:
    """Return a mat: a weave with a light rim."""
    picture = tint(rng.uniform(70, 200, 3), grain(rng, shape, (3, 7, 60)), 0.1)
    rim = max(2, PX_PER_CM // 2)
    cv2.rectangle(picture, (rim // 2, rim // 2), (shape[1] - rim, shape[0] - rim), (225, 230, 230), rim)
    return picture
