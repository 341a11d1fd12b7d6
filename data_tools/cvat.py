"""CVAT's XML, version 1.1: "for images", and "for video", whose tracks become boxes on frames.

In a file for video a frame is ``VIDEO/frame_000123.jpg``: ``python -m data_tools.frames`` cuts it out of the video.
Boxes are taken on every frame for which the file has one (CVAT writes those in between too), not where they are
``outside``. Turned boxes and other shapes than boxes and polygons are problems. There is no place for what is ignored.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from data_tools.annotation import Annotation, DataSet, Picture, Polygon, Problem, polygon_box, used_labels
from data_tools.errors import DataError
from data_tools.picture_folder import first_folder
from data_tools.xml_file import read_root, text_of, write_root
from hybridtrack.types import Size

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_CORNERS = ("xtl", "ytl", "xbr", "ybr")
_OTHER_SHAPES = ("polyline", "points", "ellipse", "cuboid", "mask", "skeleton")


def frame_name(video: str, frame_index: int) -> str:
    """Return the name of the picture of a frame that is cut out of a video."""
    return f"{video}/frame_{frame_index:06d}.jpg"


def read_cvat(path: Path, folder: Path | None = None) -> DataSet:
    """Return the data set of a file; its pictures lie in ``folder``, or in ``images`` beside it, or beside it.

    Labels are in the order of the task, or of the alphabet. Raises DataError when it is no such file.
    """
    root = read_root(path)
    if root.tag != "annotations":
        raise DataError(f"{str(path)!r} is no CVAT file: expected <annotations>, found <{root.tag}>")
    folder = folder or first_folder(path.parent / "images", path.parent)
    problems: list[Problem] = []
    try:
        tracks = root.findall("track")
        pictures = _frames(root, tracks, path, folder, problems) if tracks else _images(root, folder, problems)
    except (KeyError, ValueError) as error:
        detail = " ".join(f"{type(error).__name__} {error}".split())
        raise DataError(f"{str(path)!r} is no CVAT file: {detail}") from error
    listed = tuple(dict.fromkeys(text_of(label, "name") for label in root.iterfind("meta//labels/label")))
    used = used_labels(pictures)
    labels = (*listed, *(label for label in used if label not in listed))
    return DataSet(labels=labels, pictures=tuple(pictures), problems=tuple(problems))


def write_cvat(data: DataSet, path: Path) -> None:
    """Write a data set as CVAT's XML for images; ``id`` is the frame's number where all have one. Raises SinkError."""
    root = ElementTree.Element("annotations")
    ElementTree.SubElement(root, "version").text = "1.1"
    add_labels(root, data.labels)
    has_numbers = all(picture.frame_number is not None for picture in data.pictures)
    for row, picture in enumerate(data.pictures):
        number = picture.frame_number if has_numbers else row
        width_px, height_px = picture.size_px
        attributes = {"id": number, "name": picture.name, "width": width_px, "height": height_px}
        image = ElementTree.SubElement(root, "image", {key: str(value) for key, value in attributes.items()})
        for annotation in picture.annotations:
            _add_shapes(image, annotation)
    write_root(root, path)


def add_labels(root: Element, labels: Sequence[str]) -> Element:
    """Add what a file tells of its task, and return that element."""
    meta = ElementTree.SubElement(root, "meta")
    task = ElementTree.SubElement(meta, "task")
    parent = ElementTree.SubElement(task, "labels")
    for label in labels:
        ElementTree.SubElement(ElementTree.SubElement(parent, "label"), "name").text = label
    return task


def _add_shapes(image: Element, annotation: Annotation) -> None:
    """Add the polygons of an annotation, one box where there are none."""
    shared = {"label": annotation.label, "occluded": "0", "source": "manual"}
    for polygon in annotation.polygons:
        points = ";".join(f"{x:.2f},{y:.2f}" for x, y in polygon)
        ElementTree.SubElement(image, "polygon", shared | {"points": points, "z_order": "0"})
    if not annotation.polygons:
        corners = {name: f"{value:.2f}" for name, value in zip(_CORNERS, annotation.xyxy, strict=True)}
        ElementTree.SubElement(image, "box", shared | corners | {"z_order": "0"})


def _images(root: Element, folder: Path, problems: list[Problem]) -> list[Picture]:
    pictures = []
    for image in root.iterfind("image"):
        name = image.attrib["name"].replace("\\", "/")
        rows = [_annotation(shape, shape.get("label", ""), name, problems) for shape in image]
        pictures.append(
            Picture(
                name=name,
                size_px=(int(image.attrib["width"]), int(image.attrib["height"])),
                annotations=tuple(row for row in rows if row is not None),
                folder=folder,
            )
        )
    return pictures


def _frames(
    root: Element, tracks: Sequence[Element], path: Path, folder: Path, problems: list[Problem]
) -> list[Picture]:
    """Return the frames of a video, those without a box too, as far as the task goes."""
    size_px = _video_size(root)
    video = Path(text_of(root, "meta/source") or text_of(root, "meta/task/source") or path.name).stem
    found: dict[int, list[Annotation]] = defaultdict(list)
    for track in tracks:
        for shape in track:
            frame_index = int(shape.attrib["frame"])
            if shape.get("outside") == "1":
                continue
            where = f"frame {frame_index}, track {track.get('id')}"
            annotation = _annotation(shape, track.attrib["label"], where, problems)
            if annotation is not None:
                found[frame_index].append(annotation)
    count = text_of(root, "meta/task/size") or text_of(root, "meta/job/size")
    frames = range(int(count)) if count else sorted(found)
    return [
        Picture(
            name=frame_name(video, frame_index),
            size_px=size_px,
            annotations=tuple(found[frame_index]),
            folder=folder,
            group=video,
            frame_number=frame_index,
        )
        for frame_index in frames
    ]


def _video_size(root: Element) -> Size:
    for place in ("meta/original_size", "meta/task/original_size", "meta/job/original_size"):
        if root.find(place) is not None:
            return int(text_of(root, f"{place}/width")), int(text_of(root, f"{place}/height"))
    raise KeyError("original_size, which tells the video's size")


def _annotation(shape: Element, label: str, where: str, problems: list[Problem]) -> Annotation | None:
    """Return a shape as annotation. None: it is none, or a problem."""
    kind = None
    if shape.tag in _OTHER_SHAPES:
        kind = f"shape that is not read: {shape.tag}"
    elif float(shape.get("rotation", "0")) != 0:
        kind = "turned box, left out"
    elif shape.tag == "box":
        x1, y1, x2, y2 = (float(shape.attrib[corner]) for corner in _CORNERS)
        if all(map(math.isfinite, (x1, y1, x2, y2))):
            return Annotation(label=label, xyxy=(x1, y1, x2, y2))
        kind = "box that is none"
    elif shape.tag == "polygon":
        polygon = _polygon(shape.attrib["points"])
        return Annotation(label=label, xyxy=polygon_box([polygon]), polygons=(polygon,))
    if kind is not None:
        problems.append(Problem(kind=kind, where=f"{where}, {label}"))
    return None


def _polygon(text: str) -> Polygon:
    corners = [tuple(map(float, corner.split(","))) for corner in text.split(";") if corner]
    return tuple((x, y) for x, y in corners)
