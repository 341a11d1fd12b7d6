"""A small EgoHands: the archive's folders, names and MATLAB files, with drawn pictures."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from scipy.io import savemat

SIDES = ("myleft", "myright", "yourleft", "yourright")
SIZE_PX = (128, 72)
VIDEOS = tuple(
    f"{activity}_{place}_{pair}"
    for activity in ("CARDS", "CHESS", "JENGA", "PUZZLE")
    for place in ("COURTYARD", "LIVINGROOM", "OFFICE")
    for pair in ("B_T", "T_B", "H_S", "S_H")
)


def square(x: float, y: float, side: float = 20) -> np.ndarray[Any, Any]:
    """Corners of a square."""
    return np.array([(x, y), (x + side, y), (x + side, y + side), (x, y + side)], float)


def polygon_rows(rows: Sequence[Mapping[str, Any]]) -> np.ndarray[Any, Any]:
    """The struct array of one video: 1×N, with nothing where a side is not given."""
    array = np.empty((1, len(rows)), [(side, object) for side in SIDES])
    for number, row in enumerate(rows):
        for side in SIDES:
            array[0, number][side] = row.get(side, np.empty((0, 0)))
    return array


def write_video(samples: Path, name: str, numbers: Sequence[int], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the folder of one video."""
    folder = samples / name
    folder.mkdir(parents=True)
    for number in numbers:
        noise = np.random.default_rng(number).integers(0, 255, (SIZE_PX[1] // 8, SIZE_PX[0] // 8, 3), np.uint8)
        cv2.imwrite(str(folder / f"frame_{number:04d}.jpg"), cv2.resize(noise, SIZE_PX))
    savemat(folder / "polygons.mat", {"polygons": polygon_rows(rows)})


def write_metadata(samples: Path, numbers: Mapping[str, Sequence[int]]) -> None:
    """Write ``metadata.mat`` beside the samples."""
    videos = np.empty((1, len(numbers)), [("video_id", object), ("labelled_frames", object)])
    for row, (name, its) in enumerate(numbers.items()):
        frames = np.empty((1, len(its)), [("frame_num", object), *((side, object) for side in SIDES)])
        for column, number in enumerate(its):
            frames[0, column]["frame_num"] = float(number)
            for side in SIDES:
                frames[0, column][side] = np.empty((0, 0))
        videos[0, row]["video_id"], videos[0, row]["labelled_frames"] = name, frames
    savemat(samples.parent / "metadata.mat", {"video": videos})


def write_egohands(folder: Path, videos: Sequence[str] = VIDEOS, frames: int = 2) -> Path:
    """Write an unpacked archive of ``frames`` a video, and return the folder of its samples."""
    samples = folder / "_LABELLED_SAMPLES"
    numbers = [11 + 20 * row for row in range(frames)]
    for name in videos:
        rows = [{"myleft": square(4, 40), "yourright": square(80 + row, 2, 10)} for row in range(frames)]
        write_video(samples, name, numbers, rows)
    write_metadata(samples, dict.fromkeys(videos, numbers))
    return samples


def zip_folder(folder: Path, archive: Path) -> Path:
    """Pack a folder as the published archive is."""
    with zipfile.ZipFile(archive, "w") as packed:
        for path in sorted(folder.rglob("*")):
            packed.write(path, path.relative_to(folder))
    return archive
