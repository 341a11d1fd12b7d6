"""COCO annotations: pictures and boxes, and with the keys of COCO-VID which video they are of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import UNSET

from hybridtrack.coco_file import CocoAnnotation, CocoImage, read_annotations
from hybridtrack.errors import TrackFileError
from hybridtrack.export.class_numbers import ClassNumbers
from hybridtrack.export.format import ExportFormat, Imported, ImportedBox, ImportFormat, Recording
from hybridtrack.export.picture_names import frame_index_of, picture_names
from hybridtrack.wire import ORIGIN_NAMES, FrameLine, TrackRow

_VIDEO_ID: Final = 1
_OWN: Final = (
    "origin",
    "occluded",
    "occluded_by",
    "track_id",
    "keyframe",
    "rotation",
)  #: attributes with a meaning here


def write_coco(recording: Recording, path: Path, *, is_video: bool) -> None:
    """Write annotations: an image a frame, numbered from 1, and a box a track on it. ``is_video``: as COCO-VID."""
    source = recording.header.source
    name_of = picture_names(source.uri)
    numbers = ClassNumbers(recording.header)
    images: list[msgspec.Raw] = []
    boxes: list[msgspec.Raw] = []
    for line in recording.frames:
        image = {
            "id": line.frame_index + 1,
            "file_name": name_of(line.frame_index),
            "width": source.width_px,
            "height": source.height_px,
            "time_s": line.time_s,
        }
        images.append(_raw({**image, "video_id": _VIDEO_ID, "frame_id": line.frame_index} if is_video else image))
        for row in line.tracks:
            box = _annotation(line, row, len(boxes) + 1, numbers)
            own = {"video_id": _VIDEO_ID, "instance_id": row.track_id} if is_video else {}
            boxes.append(_raw(box | own))
    video = {"id": _VIDEO_ID, "name": Path(source.uri).stem, "file_name": source.uri}
    video |= {"width": source.width_px, "height": source.height_px, "fps": source.fps}
    document = {
        "info": {"description": f"hybridtrack: {source.uri}"},
        "licenses": [],
        "categories": [{"id": number, "name": name, "supercategory": ""} for number, name in numbers.items()],
        **({"videos": [video]} if is_video else {}),
        "images": images,
        "annotations": boxes,
    }
    path.write_bytes(msgspec.json.encode(document) + b"\n")


def _raw(value: Mapping[str, Any]) -> msgspec.Raw:
    """Return the text of ``value``, which takes a tenth of the memory."""
    return msgspec.Raw(msgspec.json.encode(value))


def _annotation(line: FrameLine, row: TrackRow, number: int, numbers: ClassNumbers) -> dict[str, Any]:
    x1, y1, x2, y2 = row.xyxy
    width, height = round(x2 - x1, 2), round(y2 - y1, 2)
    attributes: dict[str, Any] = {**(row.attributes or {}), "track_id": row.track_id, "origin": row.origin}
    if row.occluded_by is not UNSET:
        attributes |= {"occluded": True, "occluded_by": row.occluded_by}
    return {
        "id": number,
        "image_id": line.frame_index + 1,
        "category_id": numbers.of(row.class_name),
        "bbox": (x1, y1, width, height),
        "area": round(width * height, 2),
        "segmentation": [],
        "iscrowd": 0,
        "track_id": row.track_id,
        **({} if row.confidence is None else {"score": row.confidence}),
        "attributes": attributes,
    }


def read_coco(path: Path) -> Imported:
    """Return the boxes of COCO annotations; those of crowds are left out.

    Frames are numbered by ``frame_id``, else by names such as frame_000017.jpg, else as the names sort. Boxes are those
    of a track where ``track_id``, ``instance_id`` or an attribute ``track_id`` says so. Raises TrackFileError.
    """
    document = read_annotations(path)
    if len(document.videos) > 1:
        raise TrackFileError(
            f"{str(path)!r} has {len(document.videos)} videos: expected one a file; split it by video_id"
        )
    names = {one.category_id: one.name for one in document.categories}
    frames = _frames_of(document.images, path)
    boxes = []
    for number, one in enumerate(document.annotations, 1):
        if one.image_id not in frames or one.category_id not in names:
            kind = "images" if one.image_id not in frames else "categories"
            raise TrackFileError(f"annotation {number} of {str(path)!r} is of none of its {kind}: list it there")
        if not one.iscrowd and one.bbox[2] > 0 and one.bbox[3] > 0:
            boxes.append(_box(one, frames[one.image_id], names[one.category_id]))
    video = document.videos[0] if document.videos else None
    return Imported(
        boxes=boxes,
        class_names=list(names.values()),
        size_px=_size_of(document.images),
        fps=video.fps if video else None,
        times_s={frames[one.image_id]: one.time_s for one in document.images if one.time_s is not None},
        frame_count=max(frames.values(), default=-1) + 1,
        looked_at=frozenset(frames.values()),
        uri=(video.file_name or video.name) if video else None,
    )


def _frames_of(images: Sequence[CocoImage], path: Path) -> dict[int, int]:
    """Return the frame index of each image by its id. Raises TrackFileError when two would be one frame."""
    told = {one.image_id: one.frame_id for one in images}
    named = {one.image_id: frame_index_of(one.file_name) for one in images}
    for found in (told, named):
        frames = {image: frame for image, frame in found.items() if frame is not None}
        if len(frames) == len(images):
            break
    else:
        from hybridtrack.sources.images import natural_key  # here, as it brings OpenCV along

        in_order = sorted(images, key=lambda image: natural_key(image.file_name))
        frames = {one.image_id: number for number, one in enumerate(in_order)}
    if len(set(frames.values())) < len(images) or min(frames.values(), default=0) < 0:
        raise TrackFileError(f"{str(path)!r} has two images of one frame, or one below 0: expected each frame once")
    return frames


def _size_of(images: Sequence[CocoImage]) -> tuple[int, int] | None:
    sizes = {(one.width, one.height) for one in images}
    if len(sizes) != 1:
        return None
    ((width, height),) = sizes
    return None if width is None or height is None else (width, height)


def _box(one: CocoAnnotation, frame_index: int, class_name: str) -> ImportedBox:
    left, top, width, height = one.bbox
    who = [one.track_id, one.instance_id, one.attributes.get("track_id")]
    ids = [track_id for track_id in who if isinstance(track_id, int) and track_id >= 0]
    origin, hand = one.attributes.get("origin"), one.attributes.get("occluded_by")
    kept = {name: value for name, value in one.attributes.items() if name not in _OWN}
    if one.attributes.get("occluded") is True and hand is None:
        kept["occluded"] = True
    return ImportedBox(
        frame_index=frame_index,
        track_id=ids[0] if ids else None,
        class_name=class_name,
        xyxy=(round(left, 2), round(top, 2), round(left + width, 2), round(top + height, 2)),
        score=one.score,
        origin=origin if origin in ORIGIN_NAMES else "detected",
        occluded_by=hand if isinstance(hand, int) else None,
        attributes=kept,
    )


_HELD: Final = frozenset(
    {"boxes", "numbers of tracks", "classes", "times", "confidences", "origins", "occlusions", "attributes"}
)
COCO = ExportFormat(
    name="coco",
    suffix=".coco.json",
    summary="COCO annotations, for training, FiftyOne and many more",
    holds=_HELD,
    write=partial(write_coco, is_video=False),
)
COCO_VID = ExportFormat(
    name="coco-vid",
    suffix=".coco-vid.json",
    summary="COCO annotations with videos and instances, as trackers are trained with",
    holds=_HELD,
    write=partial(write_coco, is_video=True),
)
COCO_IMPORT = ImportFormat(name="coco", summary="COCO annotations, those of COCO-VID among them", read=read_coco)
