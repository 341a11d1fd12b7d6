"""Reading COCO JSON: results of a detector, and the annotations that say what its numbers mean."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from hybridtrack.errors import TrackFileError
from hybridtrack.types import Box

_T = TypeVar("_T")


class CocoResult(msgspec.Struct, kw_only=True):
    """A box of a detector: ``bbox`` is left, top, width, height in px."""

    image_id: int
    category_id: int
    bbox: Box
    score: float


class CocoImage(msgspec.Struct, kw_only=True):
    """An image that results speak of; its size in px is None where the file has none."""

    image_id: int = msgspec.field(name="id")
    file_name: str
    width: int | None = None
    height: int | None = None
    frame_id: int | None = None  #: of a video, from 0
    time_s: float | None = None  #: of a video, where we wrote it


class CocoCategory(msgspec.Struct, kw_only=True):
    """A class and its number."""

    category_id: int = msgspec.field(name="id")
    name: str


class CocoLabels(msgspec.Struct, kw_only=True):
    """What annotations say of classes and images, their boxes left out."""

    categories: list[CocoCategory]
    images: list[CocoImage] = []


class CocoAnnotation(msgspec.Struct, kw_only=True):
    """A box of annotations; who it is stands in ``track_id``, ``instance_id`` or an attribute, if anywhere."""

    image_id: int
    category_id: int
    bbox: Box
    iscrowd: int = 0
    score: float | None = None
    track_id: int | None = None
    instance_id: int | None = None
    attributes: dict[str, Any] = {}


class CocoVideo(msgspec.Struct, kw_only=True):
    """A video whose frames the images are (COCO-VID)."""

    name: str | None = None
    file_name: str | None = None
    fps: float | None = None


class CocoAnnotations(CocoLabels, kw_only=True):
    """Annotations whole: classes, images and boxes, and of video its name."""

    annotations: list[CocoAnnotation] = []
    videos: list[CocoVideo] = []


def read_annotations(path: str | os.PathLike[str]) -> CocoAnnotations:
    """Return classes, images and boxes of an annotations file. Raises TrackFileError, naming file and place."""
    return _decode(path, CocoAnnotations, "COCO annotations")


def read_results(path: str | os.PathLike[str]) -> list[CocoResult]:
    """Return the rows of a results file. Raises TrackFileError, naming file and row."""
    return _decode(path, list[CocoResult], "a list of image_id, category_id, bbox, score")


def read_labels(path: str | os.PathLike[str]) -> CocoLabels:
    """Return the classes and images of an annotations file. Raises TrackFileError."""
    return _decode(path, CocoLabels, "COCO annotations")


def _decode(path: str | os.PathLike[str], kind: type[_T], wanted: str) -> _T:
    try:
        return msgspec.json.decode(Path(path).read_bytes(), type=kind)
    except OSError as error:
        raise TrackFileError(f"cannot read {os.fspath(path)!r}: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TrackFileError(f"{os.fspath(path)!r} is not {wanted}: {str(error).splitlines()[0]}") from error
