"""Ground truth of boxes: COCO JSON folders and MOTChallenge sequences with their clip."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from hybridtrack import boxes
from hybridtrack.errors import SourceError
from hybridtrack.mot_file import read_sequence
from hybridtrack.types import Array, Frame, Size
from models.pictures import read_pictures


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrueBoxes:
    """The boxes of one class on a picture: xyxy float64 (N, 4), px; ignored (N,), True where nobody can tell."""

    size_px: Size
    xyxy: Array
    ignored: Array


def read_truth(folder: Path, class_name: str) -> Iterator[tuple[Frame, TrueBoxes]]:
    """Yield the pictures of a folder and their boxes of one class. Raises SourceError when there is no truth in it.

    Known are ``annotations.json`` (COCO) beside ``images/``, and ``gt/gt.txt`` with ``classes.txt`` and ``seqinfo.ini``
    (MOTChallenge) beside a clip, which lies in the folder or next to it under the folder's name.
    """
    if (folder / "annotations.json").is_file():
        return _read_coco(folder, class_name)
    if (folder / "gt" / "gt.txt").is_file():
        return _read_mot(folder, class_name)
    raise SourceError(f"no truth in {str(folder)!r}: neither annotations.json nor gt/gt.txt")


def _read_coco(folder: Path, class_name: str) -> Iterator[tuple[Frame, TrueBoxes]]:
    content = json.loads((folder / "annotations.json").read_text(encoding="utf-8"))
    wanted = {category["id"] for category in content["categories"] if category["name"] == class_name}
    for picture in content["images"]:
        rows = [x for x in content["annotations"] if x["image_id"] == picture["id"] and x["category_id"] in wanted]
        bgr = cv2.imread(str(folder / "images" / picture["file_name"]), cv2.IMREAD_COLOR)
        if bgr is None:
            raise SourceError(f"cannot read {picture['file_name']!r} in {str(folder / 'images')!r}")
        xywh = np.array([x["bbox"] for x in rows], float).reshape(-1, 4)
        frame = Frame.from_array(bgr, index=picture["id"])
        yield (
            frame,
            TrueBoxes(
                size_px=frame.size_px,
                xyxy=np.column_stack([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]]),
                ignored=np.array([bool(x.get("iscrowd", 0)) for x in rows], bool),
            ),
        )


def _read_mot(folder: Path, class_name: str) -> Iterator[tuple[Frame, TrueBoxes]]:
    sequence = read_sequence(folder)
    wanted = [number for number, name in sequence.class_names.items() if name == class_name]
    if not wanted:
        raise SourceError(f"no class {class_name!r} in {str(folder)!r}: its classes.txt is to name one")
    truth = sequence.rows[np.isin(sequence.rows.class_id, wanted)]
    for frame in read_pictures(_clip(folder)):
        rows = truth[truth.frame_index == frame.index]
        yield (
            frame,
            TrueBoxes(
                size_px=frame.size_px,
                xyxy=boxes.rescale(rows.xyxy, sequence.size_px or frame.size_px, frame.size_px),
                ignored=rows.confidence == 0,
            ),
        )


def _clip(folder: Path) -> Path:
    for clip in (*sorted(folder.glob("*.mp4")), folder.with_suffix(".mp4")):
        if clip.is_file():
            return clip
    raise SourceError(f"no clip (.mp4) in {str(folder)!r} or beside it")
