"""Boxes that wander over a picture and cross each other, for measuring trackers without pictures; numpy alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIZE_PX = (1920, 1080)
FPS = 30.0
MISSED = 0.02  #: share of the boxes that the detector does not see, another 2 % on each frame
_WIDTH_PX, _HEIGHT_PX = (30.0, 60.0), (50.0, 110.0)  #: least and greatest size of a box
_SPEED_PX_S = 120.0  #: standard deviation of each component of the velocity
_MEMORY_S = 1.0  #: time in which a box forgets its velocity
_NOISE_PX = 1.5  #: standard deviation of the detector's error in each edge
_LEAST_SCORE = 0.6  #: all detections are sure ones


@dataclass(frozen=True, slots=True, eq=False)
class CrowdFrame:
    """What a detector says of one frame: xyxy float32 (N, 4), px; score float32 (N,)."""

    xyxy: NDArray[np.float32]
    score: NDArray[np.float32]


def crowd(boxes: int, frames: int, seed: int) -> list[CrowdFrame]:
    """Return what a detector says of ``boxes`` boxes in smooth random motion over ``frames`` frames.

    Velocities are Ornstein-Uhlenbeck processes; boxes turn back at the picture's edges, and pass through each other.
    """
    random = np.random.default_rng(seed)
    size = np.stack([random.uniform(*_WIDTH_PX, boxes), random.uniform(*_HEIGHT_PX, boxes)], axis=1)
    low, high = size / 2, np.array(SIZE_PX) - size / 2
    centre = random.uniform(low, high)
    velocity = random.normal(0, _SPEED_PX_S, (boxes, 2))
    kept = np.exp(-1 / (FPS * _MEMORY_S))
    seen = []
    for _ in range(frames):
        velocity = kept * velocity + np.sqrt(1 - kept**2) * random.normal(0, _SPEED_PX_S, (boxes, 2))
        centre += velocity / FPS
        velocity = np.where(centre < low, np.abs(velocity), np.where(centre > high, -np.abs(velocity), velocity))
        centre = np.clip(centre, low, high)
        is_seen = random.random(boxes) >= MISSED
        xyxy = np.concatenate([centre - size / 2, centre + size / 2], axis=1) + random.normal(0, _NOISE_PX, (boxes, 4))
        score = random.uniform(_LEAST_SCORE, 1.0, boxes)
        seen.append(CrowdFrame(xyxy[is_seen].astype(np.float32), score[is_seen].astype(np.float32)))
    return seen
