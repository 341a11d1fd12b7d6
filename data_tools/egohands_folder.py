"""The unpacked EgoHands archive: 48 folders of 100 frames, each with its ``polygons.mat``, and ``metadata.mat`` above.

A folder's name is ``ACTIVITY_PLACE_VIEWER_PARTNER``. ``polygons`` is a 1×100 struct array in the order of the sorted
frames' names, with the fields of ``SIDES``: n×2 corners (x, y), or nothing when the hand is not seen. ``metadata.mat``
repeats the polygons with the number of each frame; it tells which frame is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from data_tools.annotation import Annotation, DataSet, Picture, Polygon, Problem, polygon_area, polygon_box
from data_tools.errors import DataError
from data_tools.matlab import read_structs
from hybridtrack.sources.image_size import read_size

SIDES: Final = ("myleft", "myright", "yourleft", "yourright")
SAMPLES: Final = "_LABELLED_SAMPLES"
_FRAME: Final = re.compile(r"frame_(\d+)\.jpe?g", re.IGNORECASE)
_CORNERS: Final = 3  #: that a polygon needs


@dataclass(frozen=True, slots=True, kw_only=True)
class Video:
    """What the name of a video tells: who wears the camera (viewer), and who sits opposite (partner)."""

    activity: str
    place: str
    viewer: str
    partner: str

    @property
    def session(self) -> str:
        """The game that was filmed; another video may show it from the other side of the table."""
        return "_".join((self.activity, self.place, *sorted((self.viewer, self.partner))))


def parse_video(name: str) -> Video:
    """Return what a video's name tells. Raises DataError."""
    parts = name.split("_")
    if len(parts) != 4 or not all(parts):
        raise DataError(f"{name!r} is no name of an EgoHands video: expected ACTIVITY_PLACE_VIEWER_PARTNER")
    return Video(activity=parts[0], place=parts[1], viewer=parts[2], partner=parts[3])


def read_egohands(folder: Path, *, has_sides: bool = False) -> DataSet:
    """Return the frames of an unpacked archive with their polygons and the boxes round them.

    Labels: ``hand``, or with ``has_sides`` those of ``SIDES``. Pictures are named ``VIDEO/frame_0011.jpg``, their group
    is the video. Problems: videos whose polygons cannot be told to their frames (left out), frames that are missing
    or have no polygons (left out), polygons that are none. Raises DataError when there is nothing of EgoHands.
    """
    samples = find_samples(folder)
    videos = sorted(path for path in samples.iterdir() if path.is_dir())
    problems: list[Problem] = []
    numbers = _frame_numbers(samples.parent / "metadata.mat", problems)
    pictures: list[Picture] = []
    for video in videos:
        parse_video(video.name)
        pictures += _read_video(video, samples, numbers.get(video.name), has_sides, problems)
    if not pictures:
        first = f"; the first problem is {problems[0]}" if problems else ""
        raise DataError(f"no frame with polygons in {str(samples)!r}{first}")
    return DataSet(labels=SIDES if has_sides else ("hand",), pictures=tuple(pictures), problems=tuple(problems))


def find_samples(folder: Path) -> Path:
    """Return the folder of the videos' folders, in ``folder`` or one level below. Raises DataError."""
    for candidate in (folder, folder / SAMPLES, *sorted(folder.glob(f"*/{SAMPLES}"))):
        if candidate.is_dir() and any(candidate.glob("*/polygons.mat")):
            return candidate
    raise DataError(f"no EgoHands in {str(folder)!r}: expected {SAMPLES}/VIDEO/polygons.mat")


def _read_video(
    video: Path, samples: Path, numbers: Sequence[int] | None, has_sides: bool, problems: list[Problem]
) -> Iterator[Picture]:
    """Yield the frames of a video that have polygons."""
    try:
        rows = read_structs(video / "polygons.mat", "polygons", SIDES)
    except DataError as error:
        problems.append(Problem(kind="video without polygons, left out", where=video.name, detail=str(error)))
        return
    frames = {int(match[1]): path for path in sorted(video.iterdir()) if (match := _FRAME.fullmatch(path.name))}
    if numbers is None:
        numbers = sorted(frames)
    if len(numbers) != len(rows):
        detail = f"{len(numbers)} frames, {len(rows)} rows of polygons"
        problems.append(Problem(kind="video with a wrong count of polygons, left out", where=video.name, detail=detail))
        return
    problems += [
        Problem(kind="frame without polygons", where=f"{video.name}/{frames[number].name}")
        for number in sorted(set(frames) - set(numbers))
    ]
    for number, row in zip(numbers, rows, strict=True):
        name = f"{video.name}/frame_{number:04d}.jpg"
        path = frames.get(number)
        size_px = None if path is None else read_size(path)
        if path is None or size_px is None:
            kind = "frame that is missing" if path is None else "frame that is no picture"
            problems.append(Problem(kind=kind, where=name))
            continue
        annotations = tuple(_annotations(row, name, has_sides, problems))
        yield Picture(
            name=path.relative_to(samples).as_posix(),
            size_px=size_px,
            annotations=annotations,
            folder=samples,
            group=video.name,
            frame_number=number,
        )


def _annotations(row: Mapping[str, Any], name: str, has_sides: bool, problems: list[Problem]) -> Iterator[Annotation]:
    for side in SIDES:
        corners = np.asarray(row[side])
        if corners.size == 0:  # the hand is not seen
            continue
        polygon = _polygon(corners)
        if polygon is None:
            detail = f"{side}, an array of {'x'.join(map(str, corners.shape))}"
            problems.append(Problem(kind="polygon that is none", where=name, detail=detail))
            continue
        label = side if has_sides else "hand"
        yield Annotation(label=label, xyxy=polygon_box([polygon]), polygons=(polygon,))


def _polygon(corners: Any) -> Polygon | None:
    if corners.ndim != 2 or corners.shape[1] != 2 or not np.issubdtype(corners.dtype, np.number):
        return None
    polygon = tuple((float(x), float(y)) for x, y in corners)
    if len(polygon) < _CORNERS or not np.isfinite(corners).all() or polygon_area(polygon) == 0:
        return None
    return polygon


def _frame_numbers(metadata: Path, problems: list[Problem]) -> dict[str, list[int]]:
    """Return the numbers of each video's frames in the order of its polygons; nothing without ``metadata.mat``."""
    if not metadata.is_file():
        return {}
    try:
        videos = read_structs(metadata, "video", ("video_id", "labelled_frames"))
        return {
            str(np.asarray(video["video_id"]).item()): [
                int(np.asarray(frame).item()) for frame in video["labelled_frames"]["frame_num"].ravel()
            ]
            for video in videos
        }
    except (DataError, ValueError, TypeError, KeyError, IndexError) as error:
        detail = " ".join(f"{type(error).__name__}: {error}".split())
        problems.append(Problem(kind="metadata.mat that cannot be read", where=str(metadata), detail=detail))
        return {}
