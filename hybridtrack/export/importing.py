"""Making a track file of what another format says: its boxes frame by frame, and what it does not say of the video."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from msgspec import UNSET

from hybridtrack.errors import TrackFileError, UsageError
from hybridtrack.export.format import Imported, ImportedBox
from hybridtrack.export.formats import import_format
from hybridtrack.track_file import read_tracks
from hybridtrack.types import Size
from hybridtrack.wire import (
    ClassRow,
    DetectionRow,
    DetectorRow,
    FrameLine,
    HeaderLine,
    Line,
    RunRow,
    SourceRow,
    SummaryLine,
    TrackRow,
)

TRIGGER = "import"
_HAND = "hand"
_NAMELESS = "object"  #: class of boxes whose file has no classes


@dataclass(frozen=True, slots=True, kw_only=True)
class Video:
    """What is known of the video that boxes are of, None where it is not. times_s: of frames, by index."""

    uri: str | None = None
    size_px: Size | None = None
    fps: float | None = None
    frame_count: int | None = None
    times_s: Mapping[int, float] = field(default_factory=dict)
    classes: Sequence[ClassRow] = ()


def video_of_tracks(path: str) -> Video:
    """Return what a track file says of its video: size, rate, the time of each frame, and roles of classes."""
    with read_tracks(path) as file:
        source = file.header.source
        times_s = {line.frame_index: line.time_s for line in file}
        return Video(
            uri=source.uri,
            size_px=(source.width_px, source.height_px),
            fps=source.fps,
            frame_count=max(times_s, default=-1) + 1,
            times_s=times_s,
            classes=file.header.classes,
        )


def video_of_source(uri: str) -> Video:
    """Return what a video, or a folder of images, says of itself. Raises SourceError."""
    from hybridtrack.sources import open_source

    with open_source(uri) as source:
        info = source.info
        return Video(
            uri=uri,
            size_px=(info.width_px, info.height_px),
            fps=None if info.fps is None else float(info.fps),
            frame_count=info.frame_count,
        )


def imported_lines(path: str, name: str, video: Video, *, class_name: str | None = None) -> Iterator[Line]:
    """Yield the lines of a track file that says what ``path`` says in the format ``name``.

    ``video`` goes before what the file itself says, and boxes are scaled to its size; ``class_name`` is the class of
    all boxes of a file without classes. Boxes of a track become its rows, on frames that somebody looked at; boxes
    without an identity become raw detections of a detector called after the format, for ``replay``. Raises UsageError
    when size or rate are known to nobody, TrackFileError.
    """
    imported = _named(import_format(name).read(Path(path)), path, class_name)
    size_px, fps = video.size_px or imported.size_px, video.fps or imported.fps
    times_s = video.times_s or imported.times_s
    if size_px is None:
        raise UsageError(f"{path!r} does not say how large the pictures are: give --size WxH, --video or --like")
    boxes = _scaled(imported, size_px)
    by_frame = defaultdict(list)
    for box in boxes:
        by_frame[box.frame_index].append(box)
    length = max(max(by_frame, default=-1) + 1, imported.frame_count or video.frame_count or 0)
    if fps is None and length > 1 and len(times_s) < length:
        raise UsageError(f"{path!r} does not say how many frames a second there are: give --fps, --video or --like")
    _check(boxes, path, video.times_s)
    yield _header(imported, video, path, name, (size_px, fps, length))
    shift = int(any(box.track_id == 0 for box in boxes))
    before: dict[int, tuple[float, TrackRow]] = {}
    frames = sorted(video.times_s) if video.times_s else range(length)
    seen = 0
    for frame_index in frames:
        time_s = times_s.get(frame_index, frame_index / fps if fps else 0.0)
        is_seen = imported.looked_at is None or frame_index in imported.looked_at
        line = _frame(frame_index, round(time_s, 6), by_frame.get(frame_index, ()), name, shift)
        seen += is_seen
        if not is_seen:
            line.runs = []
        _move(line, before)
        yield line
    yield _summary(len(frames), seen, name)


def _named(imported: Imported, path: str, class_name: str | None) -> Imported:
    """Return the same with one class for all, where the file has none. Raises UsageError where it has some."""
    if imported.has_classes:
        if class_name is not None:
            raise UsageError(f"{path!r} has classes with names: leave --class {class_name} out")
        return imported
    name = class_name or _NAMELESS
    return replace(imported, boxes=[replace(box, class_name=name) for box in imported.boxes], class_names=[name])


def _scaled(imported: Imported, size_px: Size) -> list[ImportedBox]:
    """Return the boxes in pixels of pictures of ``size_px``."""
    if imported.size_px is None or imported.size_px == size_px:
        return list(imported.boxes)
    x, y = (new / old for new, old in zip(size_px, imported.size_px, strict=True))
    scaled = []
    for box in imported.boxes:
        x1, y1, x2, y2 = box.xyxy
        scaled.append(replace(box, xyxy=(round(x1 * x, 2), round(y1 * y, 2), round(x2 * x, 2), round(y2 * y, 2))))
    return scaled


def _check(boxes: Iterable[ImportedBox], path: str, times_s: Mapping[int, float]) -> None:
    """Raise TrackFileError when one track has two boxes on one frame, or one is on a frame that is not there.

    Interpolated boxes on frames that a live run dropped are not wanted, and nothing is wrong with them.
    """
    seen: set[tuple[int, int]] = set()
    for box in boxes:
        if times_s and box.frame_index not in times_s and box.origin != "interpolated":
            found = f"{path!r} has a box on frame {box.frame_index}, which the track file of --like does not have"
            raise TrackFileError(f"{found}: give that of the same video")
        if box.track_id is not None:
            place = box.frame_index, box.track_id
            if place in seen:
                raise TrackFileError(f"{path!r} has two boxes of track {place[1]} on frame {place[0]}: expected one")
            seen.add(place)


def _header(
    imported: Imported, video: Video, path: str, name: str, extent: tuple[Size, float | None, int]
) -> HeaderLine:
    (width_px, height_px), fps, length = extent
    known = {one.name: one for one in video.classes}
    names = list(dict.fromkeys([*known, *imported.class_names, *(box.class_name for box in imported.boxes)]))
    return HeaderLine(
        source=SourceRow(
            uri=video.uri or imported.uri or path,
            width_px=width_px,
            height_px=height_px,
            fps=fps,
            frame_count=video.frame_count or length,
        ),
        classes=[known.get(one) or _class_row(one) for one in names],
        open_classes=False,
        detectors=[
            DetectorRow(name=name, distribution=None, version=None, bundle=None, sha256=None, every=None, classes=names)
        ],
        settings={"imported_from": path, "format": name},
    )


def _class_row(name: str) -> ClassRow:
    return ClassRow(name=name, role=_HAND if name == _HAND else "object", identity=name)


def _frame(frame_index: int, time_s: float, boxes: Sequence[ImportedBox], name: str, shift: int) -> FrameLine:
    detections = [
        DetectionRow(class_name=box.class_name, xyxy=box.xyxy, score=1.0 if box.score is None else box.score)
        for box in boxes
        if box.track_id is None
    ]
    tracks = [_track(box, box.track_id + shift, name, shift) for box in boxes if box.track_id is not None]
    return FrameLine(
        frame_index=frame_index,
        time_s=time_s,
        runs=[RunRow(detector=name, trigger=TRIGGER, status="ok")],
        tracks=sorted(tracks, key=lambda row: row.track_id),
        relations=[],
        events=[],
        detections={name: detections} if detections else UNSET,
    )


def _track(box: ImportedBox, track_id: int, name: str, shift: int) -> TrackRow:
    score = 1.0 if box.score is None else box.score
    return TrackRow(
        track_id=track_id,
        class_name=box.class_name,
        xyxy=box.xyxy,
        score=score,
        confidence=score,
        origin=box.origin,
        state="confirmed",
        unseen_s=0.0,
        velocity=(0.0, 0.0),
        detector=name,
        occluded_by=UNSET if box.occluded_by is None else box.occluded_by + shift,
        attributes=box.attributes or UNSET,
    )


def _move(line: FrameLine, before: dict[int, tuple[float, TrackRow]]) -> None:
    """Give the rows of a frame the velocity since the frame before it, and what is unseen its seconds."""
    for row in line.tracks:
        last = before.get(row.track_id)
        if last is not None and line.time_s > last[0]:
            past_s = line.time_s - last[0]
            old, new = _centre(last[1]), _centre(row)
            row.velocity = (round((new[0] - old[0]) / past_s, 2), round((new[1] - old[1]) / past_s, 2))
            if row.origin != "detected":
                row.unseen_s = round((last[1].unseen_s or 0.0) + past_s, 6)
        before[row.track_id] = line.time_s, row


def _centre(row: TrackRow) -> tuple[float, float]:
    x1, y1, x2, y2 = row.xyxy
    return (x1 + x2) / 2, (y1 + y2) / 2


def _summary(frames: int, seen: int, name: str) -> SummaryLine:
    return SummaryLine(
        frames=frames,
        dropped=0,
        seconds=0.0,
        fps=0.0,
        detector_runs={name: seen},
        failures={},
        stage_ms={},
        complete=True,
    )
