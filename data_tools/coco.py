"""COCO JSON: ``images``, ``annotations``, ``categories``.

Labels take the order of their ids when read, and the ids 1, 2, … when written. Of our own are ``video`` (the group) and
``frame`` of an image, and ``info.folder``: where the pictures lie, seen from the file.
"""

from __future__ import annotations

import json
import math
import os
from collections import defaultdict
from pathlib import Path
from typing import Any

from data_tools.annotation import Annotation, DataSet, Picture, Polygon, Problem
from data_tools.errors import DataError
from hybridtrack.sinks.output import ReplacedFile
from hybridtrack.types import Box

DECIMALS = 4  #: of a pixel, in what is written


def read_coco(path: Path, folder: Path | None = None) -> DataSet:
    """Return the data set of a COCO file; its pictures lie in ``folder``.

    Default: what ``info.folder`` says, else ``images`` beside the file, else beside it.

    What cannot be used is a problem: annotations without a box, of unknown pictures or categories; run-length masks,
    whose box is kept. Raises DataError when it is no COCO file.
    """
    content = _load(path)
    if folder is None:
        folder = _folder(content, path.parent)
    try:
        labels = {row["id"]: str(row["name"]) for row in sorted(content["categories"], key=lambda row: row["id"])}
        images = {row["id"]: row for row in content["images"]}
        if len(images) < len(content["images"]):
            raise DataError(f"{str(path)!r} gives one id to more than one image: give each its own")
        problems: list[Problem] = []
        found: dict[Any, list[Annotation]] = defaultdict(list)
        for row in content["annotations"]:
            if row.get("image_id") not in images:
                where = f"annotation {row.get('id')}"
                problems.append(Problem(kind="unknown picture", where=where, detail=f"image_id {row.get('image_id')}"))
                continue
            where = f"{images[row['image_id']]['file_name']}, annotation {row.get('id')}"
            annotation = _annotation(row, labels, where, problems)
            if annotation is not None:
                found[row["image_id"]].append(annotation)
        pictures = tuple(_picture(row, tuple(found[key]), folder) for key, row in images.items())
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{str(path)!r} is no COCO file: {type(error).__name__} {error}") from error
    return DataSet(labels=tuple(labels.values()), pictures=pictures, problems=tuple(problems))


def write_coco(data: DataSet, path: Path) -> None:
    """Write a data set as COCO JSON. Raises SinkError, and DataError when its pictures lie in several folders."""
    content = coco_content(data)
    folders = {picture.folder for picture in data.pictures}
    if len(folders) > 1:
        raise DataError(f"pictures of {len(folders)} folders cannot stand in one COCO file: bring them into one folder")
    for folder in folders:
        content = {"info": {"folder": Path(os.path.relpath(folder, path.parent)).as_posix()}, **content}
    ReplacedFile(path).write((json.dumps(content, indent=1) + "\n").encode(), "")


def coco_content(data: DataSet) -> dict[str, Any]:
    """Return a data set in COCO's words. Raises DataError for a label that the data set does not list."""
    ids = {label: number for number, label in enumerate(data.labels, 1)}
    images: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for number, picture in enumerate(data.pictures, 1):
        images.append(_image_row(picture, number))
        for annotation in picture.annotations:
            if annotation.label not in ids:
                raise DataError(f"{picture.name!r} has the label {annotation.label!r}, which is not listed: list it")
            rows.append(_annotation_row(annotation, len(rows) + 1, number, ids[annotation.label]))
    categories = [{"id": number, "name": label} for label, number in ids.items()]
    return {"images": images, "annotations": rows, "categories": categories}


def _load(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"cannot read {str(path)!r}: {error.strerror}") from error
    except ValueError as error:
        raise DataError(f"{str(path)!r} is no JSON: {error}") from error
    missing = {"images", "annotations", "categories"} - set(content if isinstance(content, dict) else ())
    if missing:
        raise DataError(f"{str(path)!r} is no COCO file: it has no {', '.join(sorted(missing))}")
    return dict(content)


def _folder(content: dict[str, Any], beside: Path) -> Path:
    """Return where the pictures of a file lie that tells it, or does not."""
    told = content["info"].get("folder") if isinstance(content.get("info"), dict) else None
    if isinstance(told, str):
        return Path(os.path.normpath(beside / told))
    return beside / "images" if (beside / "images").is_dir() else beside


def _picture(row: dict[str, Any], annotations: tuple[Annotation, ...], folder: Path) -> Picture:
    video, frame = row.get("video"), row.get("frame")
    return Picture(
        name=str(row["file_name"]),
        size_px=(int(row["width"]), int(row["height"])),
        annotations=annotations,
        folder=folder,
        group=None if video is None else str(video),
        frame_number=None if frame is None else int(frame),
    )


def _annotation(row: dict[str, Any], labels: dict[Any, str], where: str, problems: list[Problem]) -> Annotation | None:
    label = labels.get(row.get("category_id"))
    if label is None:
        detail = f"category_id {row.get('category_id')}"
        problems.append(Problem(kind="unknown label", where=where, detail=detail))
        return None
    box = _box(row.get("bbox"))
    if box is None:
        problems.append(Problem(kind="box that is none", where=where, detail=f"bbox {row.get('bbox')!r}"))
        return None
    shape = row.get("segmentation") or []
    if isinstance(shape, dict):
        problems.append(Problem(kind="run-length mask left out", where=where, detail="its box is kept"))
        shape = []
    polygons = tuple(_polygon(flat) for flat in shape)
    return Annotation(label=label, xyxy=box, polygons=polygons, is_ignored=bool(row.get("iscrowd")))


def _box(xywh: Any) -> Box | None:
    if not isinstance(xywh, list) or len(xywh) != 4:
        return None
    if not all(isinstance(value, int | float) and math.isfinite(value) for value in xywh):
        return None
    x, y, width, height = map(float, xywh)
    return x, y, x + width, y + height


def _polygon(flat: list[float]) -> Polygon:
    return tuple(zip(map(float, flat[::2]), map(float, flat[1::2]), strict=True))


def _image_row(picture: Picture, number: int) -> dict[str, Any]:
    width_px, height_px = picture.size_px
    row: dict[str, Any] = {"id": number, "file_name": picture.name, "width": width_px, "height": height_px}
    if picture.group is not None:
        row["video"] = picture.group
    if picture.frame_number is not None:
        row["frame"] = picture.frame_number
    return row


def _annotation_row(annotation: Annotation, number: int, image_id: int, category_id: int) -> dict[str, Any]:
    x1, y1, x2, y2 = annotation.xyxy
    row: dict[str, Any] = {
        "id": number,
        "image_id": image_id,
        "category_id": category_id,
        "bbox": [round(value, DECIMALS) for value in (x1, y1, x2 - x1, y2 - y1)],
        "area": round(annotation.area_px, DECIMALS),
        "iscrowd": int(annotation.is_ignored),
    }
    if annotation.polygons:
        row["segmentation"] = [
            [round(value, DECIMALS) for corner in polygon for value in corner] for polygon in annotation.polygons
        ]
    return row
