"""Videos made for one test each: every frame is a flat grey whose level tells its number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import av
import numpy as np
import pytest

from hybridtrack.types import Frame

FIRST_LEVEL, LEVELS_A_FRAME = 20, 3  # frame 70 is at 230: each number survives coding


def level_of(number: int) -> int:
    return FIRST_LEVEL + LEVELS_A_FRAME * number


def flat_picture(number: int, width: int, height: int) -> np.ndarray:
    return np.full((height, width, 3), level_of(number), np.uint8)


@pytest.fixture
def number_in() -> Callable[[Frame], int]:
    """What number the picture of a frame shows."""

    def read(frame: Frame) -> int:
        return round((float(frame.rgb().mean()) - FIRST_LEVEL) / LEVELS_A_FRAME)

    return read


@pytest.fixture
def write_video(tmp_path: Path) -> Callable[..., Path]:
    """Writes a video of ``count`` numbered frames, or of ``pictures``, and returns its path."""

    def write(
        name: str = "clip.mp4",
        count: int = 12,
        *,
        size: tuple[int, int] = (64, 48),
        pictures: Sequence[np.ndarray] | None = None,
        codec: str = "libx264",
        pix_fmt: str = "yuv420p",
        stamps_ms: Sequence[int] | None = None,
        rotation: int = 0,
        gop: int = 5,
        container_options: dict[str, str] | None = None,
        with_sound: bool = False,
    ) -> Path:
        path = tmp_path / name
        if pictures is None:
            pictures = [flat_picture(number, *size) for number in range(count)]
        with av.open(str(path), "w", options=container_options or {}) as container:
            stream = container.add_stream(codec, rate=1000 if stamps_ms else 30)
            stream.height, stream.width = pictures[0].shape[:2] if pictures else size[::-1]
            stream.pix_fmt = pix_fmt
            stream.gop_size = gop
            stream.bit_rate = 4_000_000
            if rotation:
                stream.set_display_rotation(rotation)
            if with_sound:
                sound = container.add_stream("aac", rate=8000)
            for number, picture in enumerate(pictures):
                frame = av.VideoFrame.from_ndarray(picture)
                frame.pts = stamps_ms[number] if stamps_ms else number
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
            if with_sound:
                silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), "fltp", "mono")
                silence.rate = 8000
                container.mux(sound.encode(silence))
                container.mux(sound.encode())
        return path

    return write
