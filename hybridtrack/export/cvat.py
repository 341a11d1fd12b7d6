"""CVAT for video 1.1: an XML document with a track for each object, to correct by hand and to take back."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from msgspec import UNSET

from hybridtrack.errors import TrackFileError
from hybridtrack.export.class_numbers import ClassNumbers
from hybridtrack.export.format import ExportFormat, Imported, ImportedBox, ImportFormat, Recording
from hybridtrack.export.xml_text import XmlWriter, elements
from hybridtrack.wire import ORIGIN_NAMES, TrackRow

#: attributes with a meaning here, as labels declare them: input type and, of a choice, the values
_OWN: Final = {
    "track_id": ("number", "0\n1000000\n1"),
    "origin": ("select", "\n".join(ORIGIN_NAMES)),
    "confidence": ("text", ""),
    "occluded_by": ("text", ""),
}
_Rows = list[tuple[int, TrackRow]]


def write_cvat(recording: Recording, path: Path) -> None:
    """Write a track for each class that an id goes under, with a box on each of its frames and an end after them."""
    numbers = ClassNumbers(recording.header)
    tracks: defaultdict[tuple[int, str], _Rows] = defaultdict(list)
    frames: list[int] = []
    for line in recording.frames:
        frames.append(line.frame_index)
        for row in line.tracks:
            numbers.of(row.class_name)
            tracks[row.track_id, row.class_name].append((line.frame_index, row))
    extra = sorted({name for rows in tracks.values() for _, row in rows for name in row.attributes or ()} - {*_OWN})
    after = dict(pairwise(frames))
    if frames and (recording.header.source.frame_count or 0) > frames[-1] + 1:  # the video goes on
        after[frames[-1]] = frames[-1] + 1
    with path.open("w", encoding="utf-8", newline="\n") as file:
        xml = XmlWriter(file)
        with xml.element("annotations"):
            xml.leaf("version", "1.1")
            _write_meta(xml, recording, [name for _, name in numbers.items()], extra, max(frames, default=-1) + 1)
            for (track_id, class_name), rows in tracks.items():
                with xml.element("track", id=track_id, label=class_name, source="auto"):
                    _write_boxes(xml, rows, after)


def _write_meta(xml: XmlWriter, recording: Recording, names: Sequence[str], extra: Sequence[str], length: int) -> None:
    source = recording.header.source
    with xml.element("meta"), xml.element("task"):
        xml.leaf("name", Path(source.uri).stem)
        xml.leaf("size", length)
        xml.leaf("mode", "interpolation")
        xml.leaf("start_frame", 0)
        xml.leaf("stop_frame", max(length - 1, 0))
        with xml.element("labels"):
            for name in names:
                with xml.element("label"):
                    xml.leaf("name", name)
                    with xml.element("attributes"):
                        for attribute, (kind, values) in [*_OWN.items(), *((one, ("text", "")) for one in extra)]:
                            _write_attribute(xml, attribute, kind, values)
        with xml.element("original_size"):
            xml.leaf("width", source.width_px)
            xml.leaf("height", source.height_px)
        xml.leaf("source", source.uri)


def _write_attribute(xml: XmlWriter, name: str, kind: str, values: str) -> None:
    with xml.element("attribute"):
        xml.leaf("name", name)
        xml.leaf("mutable", "True")
        xml.leaf("input_type", kind)
        xml.leaf("default_value", values.split("\n")[0])
        xml.leaf("values", values)


def _write_boxes(xml: XmlWriter, rows: _Rows, after: dict[int, int]) -> None:
    """Write the boxes of a track; where it is not on the next frame, one outside the picture ends it there."""
    on = {frame_index for frame_index, _ in rows}
    for frame_index, row in rows:
        _write_box(xml, frame_index, row, is_outside=False)
        following = after.get(frame_index)
        if following is not None and following not in on:
            _write_box(xml, following, row, is_outside=True)


def _write_box(xml: XmlWriter, frame_index: int, row: TrackRow, *, is_outside: bool) -> None:
    x1, y1, x2, y2 = (f"{edge:.2f}" for edge in row.xyxy)
    occluded = int(row.occluded_by is not UNSET)
    place = {"frame": frame_index, "outside": int(is_outside), "occluded": occluded, "keyframe": 1}
    with xml.element("box", **place, xtl=x1, ytl=y1, xbr=x2, ybr=y2, z_order=0):
        own: dict[str, Any] = {"track_id": row.track_id, "origin": row.origin}
        own["confidence"] = "" if row.confidence is None else row.confidence
        own["occluded_by"] = row.occluded_by if row.occluded_by is not UNSET else ""
        for name, value in ((row.attributes or {}) | own).items():
            xml.leaf("attribute", _text(value), name=name)


def _text(value: Any) -> str:
    """Return what ``_value`` reads as ``value``; most texts stand as they are."""
    return value if isinstance(value, str) and _value(value) == value else json.dumps(value)


def read_cvat(path: Path) -> Imported:
    """Return the boxes of a CVAT document of a video; those between two boxes of a track are interpolated.

    A track goes by its attribute ``track_id`` where it has one, for CVAT gives new numbers. Raises TrackFileError.
    """
    boxes: list[ImportedBox] = []
    count = 0
    for element in elements(path, "track"):
        root = element
        if element.tag == "track":
            count += 1
            boxes += _track(element, f"track {count} of {str(path)!r}")
    if root.tag != "annotations":
        raise TrackFileError(f"{str(path)!r} is no CVAT document: expected <annotations>, found <{root.tag}>")
    if not count and root.find("image") is not None:
        raise TrackFileError(f"{str(path)!r} is 'CVAT for images', without tracks: export it as 'CVAT for video 1.1'")
    task = root.find("meta/task")
    task = root.find("meta/job") if task is None else task
    size = _size(root, path)
    return Imported(
        boxes=boxes,
        class_names=[name.text or "" for name in root.iterfind("meta//labels/label/name")],
        size_px=size,
        frame_count=None if task is None else _frame_count(task, path),
        uri=root.findtext("meta/source") or root.findtext("meta/task/source"),
    )


def _track(track: Any, where: str) -> Iterator[ImportedBox]:
    """Yield the boxes of a track, those that are interpolated among them."""
    before: tuple[ImportedBox, bool] | None = None
    numbered = sorted(((_whole(box, "frame", where), box) for box in track.findall("box")), key=lambda one: one[0])
    own_id = _whole(track, "id", where)
    for place, (frame, box) in enumerate(numbered):
        if place and numbered[place - 1][0] == frame:
            raise TrackFileError(f"{where} has two boxes on frame {frame}: expected one")
        read = _box(box, frame, track.get("label", ""), own_id, where)
        is_outside = box.get("outside") == "1"
        if before is not None and not before[1]:
            yield from _between(before[0], read)
        if not is_outside:
            yield read
        before = read, is_outside


def _box(box: Any, frame_index: int, label: str, own_id: int, where: str) -> ImportedBox:
    texts = {one.get("name", ""): one.text or "" for one in box.findall("attribute")}
    x1, y1, x2, y2 = (round(_number(box, edge, where), 2) for edge in ("xtl", "ytl", "xbr", "ybr"))
    if not (x2 > x1 and y2 > y1):
        raise TrackFileError(f"{where} has a box without area on frame {frame_index}: expected xbr > xtl and ybr > ytl")
    score = _value(texts.get("confidence", ""))
    origin = texts.get("origin", "")
    hand = _value(texts.get("occluded_by", ""))
    attributes = {name: _value(text) for name, text in texts.items() if name not in _OWN}
    if box.get("occluded") == "1" and not isinstance(hand, int):
        attributes["occluded"] = True
    track_id = _value(texts.get("track_id", ""))
    is_key = box.get("keyframe", "1") == "1"
    return ImportedBox(
        frame_index=frame_index,
        track_id=track_id if isinstance(track_id, int) and track_id > 0 else own_id,
        class_name=label,
        xyxy=(x1, y1, x2, y2),
        score=float(score) if isinstance(score, int | float) else None,
        origin=origin if origin in ORIGIN_NAMES else "detected" if is_key else "interpolated",
        occluded_by=hand if isinstance(hand, int) else None,
        attributes=attributes,
    )


def _between(one: ImportedBox, other: ImportedBox) -> Iterator[ImportedBox]:
    """Yield the boxes on the frames between two, on a straight line, as CVAT shows them."""
    span = other.frame_index - one.frame_index
    for step in range(1, span):
        edges = [round(a + (b - a) * step / span, 2) for a, b in zip(one.xyxy, other.xyxy, strict=True)]
        xyxy = (edges[0], edges[1], edges[2], edges[3])
        yield replace(one, frame_index=one.frame_index + step, xyxy=xyxy, origin="interpolated")


def _number(element: Any, name: str, where: str) -> float:
    text = element.get(name)
    try:
        value = float(text)
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise TrackFileError(f"{where}: {name} of a <{element.tag}> is {text!r}, expected a number")
    return value


def _whole(element: Any, name: str, where: str) -> int:
    text = element.get(name) or ""
    if not text.isdecimal():
        raise TrackFileError(f"{where}: {name} of a <{element.tag}> is {text!r}, expected a whole number from 0")
    return int(text)


def _value(text: str) -> Any:
    """Return the number, list or truth value that an attribute's text says, else the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _size(root: Any, path: Path) -> tuple[int, int] | None:
    width, height = (root.findtext(f"meta//original_size/{side}") for side in ("width", "height"))
    if width is None or height is None:
        return None
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise TrackFileError(f"{str(path)!r}: its original_size is {width!r} by {height!r}, expected pixels")
    return int(width), int(height)


def _frame_count(task: Any, path: Path) -> int | None:
    text = task.findtext("size")
    if text is None:
        return None
    if not text.isdecimal():
        raise TrackFileError(f"{str(path)!r}: its size is {text!r}, expected a number of frames")
    return int(text)


CVAT = ExportFormat(
    name="cvat",
    suffix=".cvat.xml",
    summary="CVAT for video 1.1, to correct boxes by hand",
    holds=frozenset({"boxes", "numbers of tracks", "classes", "confidences", "origins", "occlusions", "attributes"}),
    write=write_cvat,
)
CVAT_IMPORT = ImportFormat(name="cvat", summary="CVAT for video 1.1", read=read_cvat)
