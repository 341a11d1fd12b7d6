"""Videos and pictures that are not as hoped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import av
import cv2
import numpy as np


def noise(size: tuple[int, int], seed: int = 0) -> np.ndarray:
    """Return a smooth random picture, uint8 (H, W, 3)."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    return cv2.GaussianBlur(pixels, (0, 0), 3)


def write_video(
    path: Path,
    size: tuple[int, int],
    count: int = 7,
    *,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    stamps_ms: Sequence[int] | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Write a video of noise at 30 frames a second, or with the given times."""
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=1000 if stamps_ms else 30)
        stream.width, stream.height = size
        stream.pix_fmt = pix_fmt
        stream.gop_size = 5
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(noise(size, index))
            frame.pts = stamps_ms[index] if stamps_ms else index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
