"""Print how long it takes to write pictures as TFRecords, and to write them again: are they the same bytes?

    python -m tests.benchmarks.records [--pictures 4800] [--size 1280x720] [--threads 2]

The pictures are generated: noise of several scales, so that a JPEG is about as large as that of a camera, each with one
to four boxes. ``--pictures 4800`` at 1280x720 is as much as EgoHands. Making them does not count.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

from data_tools.annotation import Annotation, DataSet, Picture
from data_tools.tfrecords import write_records
from hybridtrack.types import Size

LIMIT_S = 240.0  #: for 4,800 pictures of 1280x720 on two cores
SCALES = ((8, 40.0), (32, 30.0), (1, 8.0))  #: one value for so many pixels, and by how much it varies


def draw(path: Path, size_px: Size, seed: int) -> Picture:
    """Write a picture, and return it with its boxes."""
    random = np.random.default_rng(seed)
    width_px, height_px = size_px
    shown = np.full((height_px, width_px, 3), 128, np.float32)
    for scale, spread in SCALES:
        cells = random.normal(0, spread, (-(-height_px // scale), -(-width_px // scale), 3)).astype(np.float32)
        shown += cv2.resize(cells, size_px, interpolation=cv2.INTER_LINEAR)
    cv2.imwrite(str(path), np.clip(shown, 0, 255).astype(np.uint8), (cv2.IMWRITE_JPEG_QUALITY, 90))
    corners = np.sort(random.uniform(0, 1, (random.integers(1, 5), 2, 2)), axis=1) * size_px
    boxes = tuple(Annotation(label="hand", xyxy=(*map(float, pair.ravel()),)) for pair in corners)  # type: ignore[arg-type]
    return Picture(name=path.name, size_px=size_px, annotations=boxes, folder=path.parent)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.records", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--pictures", type=int, default=4800)
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    width_px, height_px = map(int, options.size.split("x"))
    with TemporaryDirectory() as name:
        folder = Path(name)
        with ThreadPoolExecutor() as pool:
            paths = (folder / f"{number:05d}.jpg" for number in range(options.pictures))
            size_px = (width_px, height_px)
            pictures = tuple(pool.map(lambda path: draw(path, size_px, int(path.stem)), paths))
        data = DataSet(labels=("hand",), pictures=pictures)
        size_kb = sum(picture.path.stat().st_size for picture in pictures) / len(pictures) / 1e3
        taken_s, fingerprints = [], set()
        for _ in range(2):
            begin = time.perf_counter()
            records = write_records(data, folder / "records", threads=options.threads, is_strict=True)
            taken_s.append(time.perf_counter() - begin)
            fingerprints.add(records.fingerprint)
    print(f"{options.pictures} pictures of {options.size}, {size_kb:.0f} kB each, {options.threads} threads")
    print("written and read back in " + " and ".join(f"{value:.1f} s" for value in taken_s))
    print("the same bytes both times" if len(fingerprints) == 1 else "DIFFERENT bytes the second time")
    if options.pictures == 4800 and options.size == "1280x720":
        print(f"{'within' if max(taken_s) < LIMIT_S else 'BEYOND'} the {LIMIT_S:.0f} s that are allowed")


if __name__ == "__main__":
    main()
