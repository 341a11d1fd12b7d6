"""A video made for a test: a textured square on a smooth, resting ground, which moves by known pixels a frame."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import av
import cv2
import numpy as np

WIDTH, HEIGHT, SIDE = 320, 240, 96
STEP = (3, 2)  #: px a frame, to the right and down
FROM = (16, 24)  #: left and top on the first frame
#: an encoder with several references takes any of those that are alike, and libav does not tell which
CODECS = MappingProxyType(  #: name -> file, encoder and its options
    {
        "H.264, P frames alone": ("p.mp4", "libx264", {"bf": "0", "x264-params": "ref=1"}),
        "H.264, B frames": ("b.mp4", "libx264", {"bf": "3", "x264-params": "ref=1:b-adapt=0:b-pyramid=none"}),
        "H.264, B frames as references": (
            "bb.mp4",
            "libx264",
            {"bf": "3", "x264-params": "ref=1:b-adapt=0:b-pyramid=normal"},
        ),
        "H.264 with start codes": ("bb.ts", "libx264", {"bf": "3", "x264-params": "ref=1:b-adapt=0:b-pyramid=normal"}),
        "MPEG-4, B frames": ("b.avi", "mpeg4", {"bf": "2", "b_strategy": "0"}),
        "MPEG-2, B frames": ("b.mpg", "mpeg2video", {"bf": "2", "b_strategy": "0"}),
    }
)


def square_at(index: int) -> np.ndarray:
    """Return where the square is on a frame, float64 (1, 4), px."""
    left, top = FROM[0] + STEP[0] * index, FROM[1] + STEP[1] * index
    return np.array([[left, top, left + SIDE, top + SIDE]], np.float64)


def _texture(width: int, height: int, seed: int, blur_px: float) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    blurred = cv2.GaussianBlur(noise, (0, 0), blur_px).astype(np.float32)
    return np.clip(128 + (blurred - 128) * blur_px * 2, 0, 255).astype(np.uint8)


def write_moving_square(
    file: Path, encoder: str, options: dict[str, str], *, count: int = 24, gop: int = 250, rotation: int = 0
) -> str:
    """Write the clip; return its path. rotation: degrees by which players turn it counterclockwise."""
    ground, square = _texture(WIDTH, HEIGHT, 1, 6.0), _texture(SIDE, SIDE, 2, 2.0)
    with av.open(str(file), "w") as container:
        stream = container.add_stream(encoder, rate=30, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuvj420p" if encoder == "mjpeg" else "yuv420p"
        stream.gop_size, stream.bit_rate = gop, 4_000_000
        if rotation:
            stream.set_display_rotation(rotation)
        for index in range(count):
            picture = ground.copy()
            left, top = square_at(index)[0, :2].astype(int)
            picture[top : top + SIDE, left : left + SIDE] = square
            frame = av.VideoFrame.from_ndarray(picture)
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return str(file)
