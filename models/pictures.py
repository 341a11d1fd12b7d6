"""Pictures that networks are compared, calibrated and measured on: of videos, of folders, and generated."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from hybridtrack.errors import SourceError
from hybridtrack.types import Array, Frame, Size

DEMO_CLIP = Path(__file__).parent.parent / "examples" / "data" / "table.mp4"
IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})


def read_pictures(path: Path, *, every: int = 1) -> Iterator[Frame]:
    """Yield every ``every``-th picture of a video, or of a folder in the order of its names. Raises SourceError."""
    if path.is_dir():
        names = sorted(name for name in path.iterdir() if name.suffix.lower() in IMAGE_SUFFIXES)
        if not names:
            raise SourceError(f"folder {str(path)!r} has no pictures ({', '.join(sorted(IMAGE_SUFFIXES))})")
        for index, name in enumerate(names[::every]):
            bgr = cv2.imread(str(name), cv2.IMREAD_COLOR)
            if bgr is None:
                raise SourceError(f"cannot read {str(name)!r}: not a picture")
            yield Frame.from_array(bgr, index=index * every)
        return
    if not path.is_file():
        raise SourceError(f"no video or folder of pictures at {str(path)!r}")
    from hybridtrack.sources import open_source

    with open_source(str(path)) as source:
        for frame in source:
            if frame.index % every == 0:
                yield frame


def generated_pictures(count: int, size_px: Size, rng: np.random.Generator) -> Iterator[Array]:
    """Yield uint8 (H, W, 3) pictures of smooth coloured noise, of sharp noise, and of plain colours, in turn."""
    width, height = size_px
    for number in range(count):
        cells = (2 + number, 9, max(width, height))[number % 3]
        coarse = rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8)
        yield cv2.resize(coarse, size_px, interpolation=cv2.INTER_CUBIC if number % 2 else cv2.INTER_NEAREST)
