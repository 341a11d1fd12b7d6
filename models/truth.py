"""Ground truth of boxes: COCO JSON folders, MOTChallenge sequences with their clip, and TFRecords."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import cv2
import numpy as np
import tensorflow as tf

from hybridtrack import boxes
from hybridtrack.errors import SourceError
from hybridtrack.mot_file import read_sequence
from hybridtrack.types import Array, Frame
from models.pictures import read_pictures
from models.records import LABEL, TEXT, find_records, read_records

RECORDS = "*.tfrecord*"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TruePicture:
    """A picture and its true boxes: xyxy float (M, 4), px; class_id (M,) into a list of names; is_crowd (M,).

    ``is_crowd``: nobody can tell; what is found there counts nothing. ``group``: the video or folder.
    """

    name: str
    group: str
    frame: Frame
    xyxy: Array
    class_id: Array
    is_crowd: Array


def class_names(path: Path) -> tuple[str, ...]:
    """Return the names of the classes that the truth knows, in its own order. Raises SourceError without any truth."""
    kind = _kind(path)
    if kind == "coco":
        content = _coco(path)
        return tuple(dict.fromkeys(category["name"] for category in content["categories"]))
    if kind == "mot":
        return tuple(dict.fromkeys(read_sequence(path).class_names.values()))
    numbers = _numbers_in_records(_records(path))
    return tuple(numbers[k] for k in sorted(numbers))


def read_truth(path: Path, names: Sequence[str]) -> Iterator[TruePicture]:
    """Yield the pictures and their boxes of the classes ``names``. Raises SourceError when there is no truth.

    Known are a folder with ``annotations.json`` (COCO) beside ``images/``; one with ``gt/gt.txt``, ``classes.txt`` and
    ``seqinfo.ini`` (MOTChallenge) and a clip, in it or beside it under its name; TFRecords: files or a folder of them.
    """
    return {"coco": _read_coco, "mot": _read_mot, "records": _read_tfrecords}[_kind(path)](path, names)


def _kind(path: Path) -> str:
    if (path / "annotations.json").is_file():
        return "coco"
    if (path / "gt" / "gt.txt").is_file():
        return "mot"
    if any(path.glob(RECORDS)) or ".tfrecord" in path.name:
        return "records"
    raise SourceError(f"no truth in {str(path)!r}: neither annotations.json nor gt/gt.txt nor TFRecords")


def _coco(folder: Path) -> dict[str, list[dict[str, object]]]:
    content: dict[str, list[dict[str, object]]] = json.loads((folder / "annotations.json").read_text(encoding="utf-8"))
    return content


def _read_coco(folder: Path, names: Sequence[str]) -> Iterator[TruePicture]:
    content = _coco(folder)
    wanted = {x["id"]: names.index(x["name"]) for x in content["categories"] if x["name"] in names}
    for picture in content["images"]:
        rows = [x for x in content["annotations"] if x["image_id"] == picture["id"] and x["category_id"] in wanted]
        bgr = cv2.imread(str(folder / "images" / str(picture["file_name"])), cv2.IMREAD_COLOR)
        if bgr is None:
            raise SourceError(f"cannot read {picture['file_name']!r} in {str(folder / 'images')!r}")
        xywh = np.array([x["bbox"] for x in rows], float).reshape(-1, 4)
        yield TruePicture(
            name=str(picture["file_name"]),
            group=folder.resolve().name,
            frame=Frame.from_array(bgr, index=picture["id"]),
            xyxy=np.column_stack([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]]),
            class_id=np.array([wanted[x["category_id"]] for x in rows], int),
            is_crowd=np.array([bool(x.get("iscrowd", 0)) for x in rows], bool),
        )


def _read_mot(folder: Path, names: Sequence[str]) -> Iterator[TruePicture]:
    sequence = read_sequence(folder)
    wanted = {number: names.index(name) for number, name in sequence.class_names.items() if name in names}
    if not wanted:
        raise SourceError(
            f"no class {', '.join(map(repr, names))} in {str(folder)!r}: its classes.txt is to name one of them"
        )
    truth = sequence.rows[np.isin(sequence.rows.class_id, list(wanted))]
    for frame in read_pictures(_clip(folder)):
        rows = truth[truth.frame_index == frame.index]
        yield TruePicture(
            name=f"{folder.resolve().name}/{frame.index:06d}",
            group=folder.resolve().name,
            frame=frame,
            xyxy=boxes.rescale(rows.xyxy, sequence.size_px or frame.size_px, frame.size_px),
            class_id=np.array([wanted[k] for k in rows.class_id.tolist()], int),
            is_crowd=rows.confidence == 0,
        )


def _clip(folder: Path) -> Path:
    for clip in (*sorted(folder.glob("*.mp4")), folder.with_suffix(".mp4")):
        if clip.is_file():
            return clip
    raise SourceError(f"no clip (.mp4) in {str(folder)!r} or beside it")


def _records(path: Path) -> list[str]:
    return find_records([str(path / RECORDS if path.is_dir() else path)])


def _read_tfrecords(path: Path, names: Sequence[str]) -> Iterator[TruePicture]:
    files = _records(path)
    known = _numbers_in_records(files)
    place = {k: names.index(name) for k, name in known.items() if name in names}
    for index, record in enumerate(read_records(files).as_numpy_iterator()):
        bgr = cv2.imdecode(np.frombuffer(record.encoded, np.uint8), cv2.IMREAD_COLOR)
        name = record.name.decode("utf-8", "replace") or str(index)
        if bgr is None:
            raise SourceError(f"picture {name!r} of {files[0]!r} ... cannot be decoded: write the records again")
        frame = Frame.from_array(bgr, index=index)
        kept = np.isin(record.class_id, list(place))
        yield TruePicture(
            name=name,
            group=_video(name),
            frame=frame,
            xyxy=record.xyxy[kept] * np.array(frame.size_px * 2, np.float32),
            class_id=np.array([place[k] for k in record.class_id[kept].tolist()], int),
            is_crowd=record.is_crowd[kept],
        )


def _numbers_in_records(files: Sequence[str]) -> dict[int, str]:
    """Return the names of the classes by their numbers, as the boxes say."""
    numbers: dict[int, str] = {}
    for serialized in tf.data.TFRecordDataset(list(files)).as_numpy_iterator():
        features = tf.train.Example.FromString(serialized).features.feature
        texts = features[TEXT].bytes_list.value
        numbers |= {k: text.decode() for k, text in zip(features[LABEL].int64_list.value, texts, strict=True)}
    return numbers


def _video(name: str) -> str:
    """Return the part of a picture's name that its video has given it: what stands before the number of the frame."""
    stem = PurePath(name).stem
    return stem.rstrip("0123456789").rstrip("_-").removesuffix("_frame") or stem
