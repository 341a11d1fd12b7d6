"""What a file says that was seen on each frame: track files, MOTChallenge text, COCO results."""

from __future__ import annotations

import sys
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from msgspec import UNSET

from hybridtrack.coco_file import CocoImage, read_labels, read_results
from hybridtrack.errors import TrackFileError, UsageError, unknown_name
from hybridtrack.mot_file import read_class_names, read_sequence, scores_of
from hybridtrack.track_file import read_tracks
from hybridtrack.types import Array, ClassInfo, Detections, Size
from hybridtrack.wire import DetectionRow, FrameLine, HeaderLine, RunRow, TrackRow

_ALL_FRAMES = range(sys.maxsize)
_DEFAULT_CLASS = "object"  #: of boxes whose file has no classes
_FORMATS = "a track file (JSON Lines), MOTChallenge text or a folder with one, or COCO results (JSON)"
_SNIFFED_BYTES = 4096


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recording:
    """What a file says that was seen, frame by frame.

    frames: by frame index, boxes in px of ``size_px``, (width, height); None: of whatever frame they are shown on.
    looked_at: the frames of which the file can tell; on one of them that is not in ``frames`` nothing was found.
    """

    path: str
    classes: tuple[ClassInfo, ...]
    frames: Mapping[int, Detections]
    size_px: Size | None = None
    looked_at: Container[int] = _ALL_FRAMES

    def gap_at(self, frame_index: int) -> str:
        """Return the line that says why the file cannot tell what is on a frame."""
        asked = f"{self.path!r} cannot tell what is on frame {frame_index}"
        if isinstance(self.looked_at, range):
            return f"{asked}: it ends after {len(self.looked_at)} frames; end the run there"
        return f"{asked}: its own detectors did not all run on it; take every= and phase= of that run"


def kind_of(path: str) -> Literal["jsonl", "mot", "coco"]:
    """Return the kind of a file, by its first character; a folder is "mot". Raises TrackFileError."""
    if Path(path).is_dir():
        return "mot"
    head = _head_of(path)
    if not head:  # nothing was found, or nothing was written
        return "mot" if Path(path).suffix == ".txt" else "jsonl"
    if head[:1].isdigit():
        return "mot"
    if head[:1] == b"{":
        return "jsonl"
    if head[:1] == b"[":
        return "coco"
    raise TrackFileError(f"{path!r} begins with {head[:20]!r}: expected {_FORMATS}")


def _head_of(path: str) -> bytes:
    """Return how a file begins, without a byte order mark and blanks. Raises TrackFileError."""
    try:
        with open(path, "rb") as file:
            head = file.read(_SNIFFED_BYTES)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise TrackFileError(f"cannot read {path!r}: {getattr(error, 'strerror', None) or error}") from error
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()


def read_track_recording(path: str, *, detector: str | None = None, min_score: float | None = None) -> Recording:
    """Return what the detectors of a run saw, or what the one called ``detector`` did.

    These are the raw detections where the file has them; else the rows that a detector saw on their frame
    (``origin`` detected), as the tracker left them. Frames on which not all of these detectors ran were not looked at.
    The raw detections of a late run are shown on the frame that it looked at.
    Raises TrackFileError and UsageError.
    """
    with read_tracks(path) as tracks:
        header = tracks.header
        known = [one.name for one in header.detectors]
        if not known:
            raise TrackFileError(f"{path!r} has no detector: its run had none, so there is nothing to show")
        if detector is not None and detector not in known:
            raise UsageError(f"detector 'replay': {path!r}: {unknown_name('detector', detector, known)}")
        wanted = known if detector is None else [detector]
        seen: dict[int, dict[str, list[DetectionRow | TrackRow]]] = {}
        for line in tracks:
            for run in line.runs:
                looked_at = _looked_at(run, line)
                if run.detector in wanted and looked_at is not None:
                    seen.setdefault(looked_at, {})[run.detector] = _seen_by(run.detector, line)
        lines = {
            index: [row for name in wanted for row in by_detector[name]]
            for index, by_detector in sorted(seen.items())
            if by_detector.keys() >= {*wanted}
        }
    classes = _classes_in(header, wanted, lines.values())
    numbers = {info.name: number for number, info in enumerate(classes)}
    frames = {index: _detections_of(rows, numbers, min_score) for index, rows in lines.items()}
    return Recording(
        path=path,
        classes=classes,
        frames=frames,
        size_px=(header.source.width_px, header.source.height_px),
        looked_at=frames.keys(),
    )


def _looked_at(run: RunRow, line: FrameLine) -> int | None:
    """Return the frame of which a run tells what is on it, None: of none."""
    if run.status == "ok":
        return line.frame_index
    is_raw = isinstance(line.detections, dict) and run.detector in line.detections
    return run.frame_index if run.status == "late" and is_raw and run.frame_index is not UNSET else None


def _seen_by(detector: str, line: FrameLine) -> list[DetectionRow | TrackRow]:
    if isinstance(line.detections, dict):
        return [*line.detections.get(detector, ())]
    return [row for row in line.tracks if row.origin == "detected" and row.detector == detector]


def _classes_in(
    header: HeaderLine, wanted: Sequence[str], frames: Iterable[Sequence[DetectionRow | TrackRow]]
) -> tuple[ClassInfo, ...]:
    """Return the classes of the detectors, each name once, and after them those that rows alone name."""
    described = {row.name: row for row in reversed(header.classes)}
    offered = [name for one in header.detectors if one.name in wanted for name in one.classes]
    met = [row.class_name for rows in frames for row in rows]
    return tuple(
        ClassInfo(name=name, role=described[name].role, identity=described[name].identity)
        if name in described
        else _class_info(name)
        for name in dict.fromkeys([*offered, *met])
    )


def _detections_of(
    rows: Sequence[DetectionRow | TrackRow], numbers: Mapping[str, int], min_score: float | None
) -> Detections:
    if min_score is not None:
        rows = [row for row in rows if row.score is None or row.score >= min_score]
    attributes = [row.attributes if isinstance(row.attributes, dict) else {} for row in rows]
    shared = [name for name in attributes[0] if all(name in one for one in attributes)] if rows else []
    return Detections(
        xyxy=np.array([row.xyxy for row in rows], np.float64),
        score=np.array([1.0 if row.score is None else row.score for row in rows]),
        class_id=np.array([numbers[row.class_name] for row in rows]),
        attributes={name: _column([one[name] for one in attributes]) for name in shared},
    )


def _column(values: list[Any]) -> Array:
    """Return an attribute of each row; lists of one length become a further dimension, odd values stay as they are."""
    try:
        return np.array(values)
    except ValueError:
        column = np.empty(len(values), object)
        column[:] = values
        return column


def read_mot_recording(
    path: str,
    *,
    class_name: str | None = None,
    labels: str | None = None,
    min_visibility: float = 0.0,
    min_score: float | None = None,
) -> Recording:
    """Return the boxes of a MOTChallenge text, or of the one in a folder; those of confidence 0 are to be ignored.

    ``class_name``: of boxes whose file has no classes. ``labels``: a file that names them, in place of
    ``classes.txt``. ``min_score``: least confidence, as the file has it. Raises TrackFileError and UsageError.
    """
    sequence = read_sequence(path)
    rows = sequence.rows
    score = scores_of(rows.confidence)
    is_shown = (rows.confidence != 0) & (rows.visibility >= min_visibility)
    if min_score is not None:
        is_shown &= rows.confidence >= min_score
    rows, score = rows[is_shown], score[is_shown]
    names = sequence.class_names if labels is None else _labels_in(labels)[0]
    classes, class_id = _classes_of(rows.class_id, rows.line, "line", names, class_name, str(sequence.path))
    return Recording(
        path=str(sequence.path),
        classes=classes,
        frames=_by_frame(rows.frame_index, Detections(xyxy=rows.xyxy, score=score, class_id=class_id)),
        size_px=sequence.size_px,
        looked_at=_ALL_FRAMES if sequence.frame_count is None else range(sequence.frame_count),
    )


def read_coco_recording(
    path: str, *, class_name: str | None = None, labels: str | None = None, min_score: float | None = None
) -> Recording:
    """Return the boxes of COCO results.

    ``image_id`` is the number of the frame from 1, unless ``labels`` are annotations that list the images: then frames
    are these in the natural order of their file names, as a folder of images is read. ``class_name``: one class for
    all. Raises TrackFileError and UsageError.
    """
    results = read_results(path)
    image_id = np.array([row.image_id for row in results], np.int64)
    category_id = np.array([row.category_id for row in results], np.int64)
    xywh = np.array([row.bbox for row in results], np.float64).reshape(-1, 4)
    score = np.array([row.score for row in results], np.float64)
    number = np.arange(1, len(results) + 1)
    names, images = ({}, []) if labels is None else _labels_in(labels)
    frame_index, frame_count, size_px = _frames_of(image_id, images, path)
    is_shown = np.ones(len(results), bool) if min_score is None else score >= min_score
    classes, class_id = _classes_of(category_id[is_shown], number[is_shown], "row", names, class_name, path)
    found = Detections(
        xyxy=np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)[is_shown],
        score=scores_of(score)[is_shown],
        class_id=class_id,
    )
    return Recording(
        path=path,
        classes=classes,
        frames=_by_frame(frame_index[is_shown], found),
        size_px=size_px,
        looked_at=_ALL_FRAMES if frame_count is None else range(frame_count),
    )


def _frames_of(image_id: Array, images: Sequence[CocoImage], path: str) -> tuple[Array, int | None, Size | None]:
    """Return the frame index (N,) of each row; number and size of all frames where ``images`` tell."""
    if not images:
        if (image_id < 1).any():
            row = int(np.argmax(image_id < 1))
            raise TrackFileError(
                f"row {row + 1} of {path!r} has image_id {image_id[row]}: without the images in labels=FILE it is the "
                "number of a frame, from 1"
            )
        return image_id - 1, None, None
    from hybridtrack.sources.images import natural_key  # here, as it brings OpenCV along

    in_order = sorted(images, key=lambda image: natural_key(image.file_name))
    index = {image.image_id: number for number, image in enumerate(in_order)}
    for number, one in enumerate(image_id.tolist(), 1):
        if one not in index:
            raise TrackFileError(f"row {number} of {path!r} has image_id {one}, which labels=FILE does not list")
    sizes = {(image.width, image.height) for image in images}
    (width, height), *others = sizes
    size_px = None if others or width is None or height is None else (width, height)
    return np.array([index[one] for one in image_id.tolist()], np.int64), len(images), size_px


def _labels_in(path: str) -> tuple[Mapping[int, str], Sequence[CocoImage]]:
    """Return class names by number, and images, of COCO annotations; of lines such as "1 hand" the names alone.

    Raises TrackFileError.
    """
    if _head_of(path)[:1] != b"{":
        return read_class_names(path), ()
    labels = read_labels(path)
    return {one.category_id: one.name for one in labels.categories}, labels.images


def _classes_of(
    number: Array, row: Array, unit: str, names: Mapping[int, str], class_name: str | None, path: str
) -> tuple[tuple[ClassInfo, ...], Array]:
    """Return the classes, and for each class number (N,) of the file its place in them; -1 means that it has none."""
    has_none = len(number) > 0 and (number == -1).all()
    if has_none or (not names and (class_name is not None or not len(number))):
        return (_class_info(class_name or _DEFAULT_CLASS),), np.zeros(len(number), np.int32)
    if class_name is not None:
        raise UsageError(f"detector 'replay': {path!r} has classes with names: leave class={class_name} out")
    is_nameless = ~np.isin(number, list(names))
    if is_nameless.any():
        first = int(np.argmax(is_nameless))
        raise TrackFileError(
            f"{unit} {row[first]} of {path!r}: class {number[first]} has no name: name it in classes.txt or in "
            "labels=FILE, or give class=NAME for all where there is neither"
        )
    offered = list(dict.fromkeys(names.values()))
    place = {class_id: offered.index(name) for class_id, name in names.items()}
    class_id = np.array([place[one] for one in number.tolist()], np.int32)
    return tuple(map(_class_info, offered)), class_id


def _class_info(name: str) -> ClassInfo:
    return ClassInfo(name=name, role="hand" if name == "hand" else "object")


def _by_frame(frame_index: Array, found: Detections) -> dict[int, Detections]:
    """Return the rows of each frame that has any, in their own order."""
    order = np.argsort(frame_index, kind="stable")
    index, starts = np.unique(frame_index[order], return_index=True)
    ordered = found[order]
    edges = [*starts.tolist(), len(ordered)]
    return {frame: ordered[edges[i] : edges[i + 1]] for i, frame in enumerate(index.tolist())}
