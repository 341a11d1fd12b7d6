from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from data_tools.annotation import Annotation, DataSet, Picture

HAND = Annotation(label="hand", xyxy=(10.0, 20.0, 30.5, 40.25))
MUG = Annotation(
    label="mug", xyxy=(1.0, 2.0, 5.0, 6.0), polygons=(((1.0, 2.0), (5.0, 2.0), (5.0, 6.0)),), is_ignored=True
)


@pytest.fixture
def draw() -> Callable[..., Path]:
    """Return a function that writes a picture of noise: its format is that of its name."""

    def draw(path: Path, size_px: tuple[int, int] = (80, 60), seed: int = 0) -> Path:
        width_px, height_px = size_px
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(seed).integers(0, 255, (height_px, width_px, 3), np.uint8)
        assert cv2.imwrite(str(path), noise)
        return path

    return draw


@pytest.fixture
def small(tmp_path: Path, draw: Callable[..., Path]) -> DataSet:
    """Three pictures in ``tmp_path/images``: two objects of video a, one of video b, none."""
    folder = tmp_path / "images"
    for number, name in enumerate(("a/1.jpg", "b/1.png", "c.jpg")):
        draw(folder / name, seed=number)
    return DataSet(
        labels=("hand", "mug"),
        pictures=(
            Picture(
                name="a/1.jpg", size_px=(80, 60), annotations=(HAND, MUG), folder=folder, group="a", frame_number=7
            ),
            Picture(name="b/1.png", size_px=(80, 60), annotations=(HAND,), folder=folder, group="b"),
            Picture(name="c.jpg", size_px=(80, 60), folder=folder),
        ),
    )
