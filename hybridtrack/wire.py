"""The JSON Lines track format, version 1: one Struct a line, what makes them, and their JSON text.

Python names say format and unit as everywhere else in hybridtrack; the JSON names are those of docs/tracks.md. Numbers
are rounded as float64: pixels, and pixels a second, to 0.01, seconds to 0.000001, scores and confidences to 0.0001. A
missing value (None, NaN) is ``null``. ``python -m hybridtrack.wire`` prints the JSON Schema of a line.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias, get_args

import msgspec
import numpy as np
from msgspec import UNSET, Struct, UnsetType, field

from hybridtrack.types import (
    Array,
    Box,
    ClassInfo,
    Detections,
    Event,
    FrameResult,
    Relations,
    RunInfo,
    RunStatus,
    RunSummary,
    Scene,
    Tracks,
)

FORMAT: Literal["hybridtrack.tracks"] = "hybridtrack.tracks"
VERSION: Literal[1] = 1

OriginName: TypeAlias = Literal["detected", "tracked", "predicted", "interpolated"]
StateName: TypeAlias = Literal["tentative", "confirmed", "lost"]

ORIGIN_NAMES: tuple[OriginName, ...] = get_args(OriginName)  #: by the value of ``Origin``
STATE_NAMES: tuple[StateName, ...] = get_args(StateName)  #: by the value of ``TrackState``


class SourceRow(Struct, kw_only=True):
    """Where the pictures came from; ``fps`` and ``frame_count`` are null when the source does not know them."""

    uri: str
    width_px: int = field(name="width")
    height_px: int = field(name="height")
    fps: float | None
    frame_count: int | None


class ClassRow(Struct, kw_only=True):
    """A class, its role (hand, object, other) and the class under which identity is kept.

    ``key`` is the attribute that tells objects of the class apart, where there is one.
    """

    name: str
    role: str
    identity: str
    key: str | UnsetType = UNSET


class DetectorRow(Struct, kw_only=True):
    """A detector of the run, what it ran with, and how often: ``every`` so many frames, or a text such as 100ms."""

    name: str
    distribution: str | None
    version: str | None
    bundle: str | None
    sha256: str | None
    every: int | str | None
    classes: list[str]


class HeaderLine(Struct, kw_only=True, tag_field="type", tag="header"):
    """The first line: what was run on what. With ``open_classes``, rows can name classes that are not listed."""

    format: Literal["hybridtrack.tracks"] = FORMAT
    version: Literal[1] = VERSION
    source: SourceRow
    coordinates: Literal["xyxy_px"] = "xyxy_px"
    classes: list[ClassRow]
    open_classes: bool
    detectors: list[DetectorRow]
    settings: dict[str, Any]


class RunRow(Struct, kw_only=True):
    """That a detector was run for this frame, and why; ``frame`` is the frame that a late run looked at."""

    detector: str
    trigger: str
    status: RunStatus
    frame_index: int | UnsetType = field(default=UNSET, name="frame")


class TrackRow(Struct, kw_only=True):
    """A track on this frame. ``unseen`` is seconds since a detector last confirmed it, ``velocity`` px/s.

    ``position_cm`` and ``speed_cm``, a second, are on the table.
    """

    track_id: int = field(name="id")
    class_name: str = field(name="class")
    xyxy: Box = field(name="box")
    score: float | None
    confidence: float | None
    origin: OriginName
    state: StateName
    unseen_s: float | None = field(name="unseen")
    velocity: tuple[float | None, float | None]
    detector: str
    occluded_by: int | UnsetType = UNSET
    position_cm: tuple[float, float] | UnsetType = UNSET
    speed_cm_s: float | UnsetType = field(default=UNSET, name="speed_cm")
    attributes: dict[str, Any] | UnsetType = UNSET


class RelationRow(Struct, kw_only=True):
    """A hand (``subject``) and an object that are near: gap, offset and closing speed in hand widths.

    ``state`` is near, overlapping or holding, or what a plugin calls a relation of its own.
    """

    subject: int
    object: int
    state: str
    distance: float | None
    overlap: float | None
    coverage: float | None
    offset: tuple[float | None, float | None]
    closing: float | None
    distance_cm: float | UnsetType = UNSET


class EventRow(Struct, kw_only=True):
    """Something that happened; ``time`` is its onset, the line it stands on is where it was decided."""

    kind: str
    time_s: float = field(name="time")
    subject: int
    object: int | UnsetType = UNSET
    from_id: int | UnsetType = field(default=UNSET, name="from")
    to_id: int | UnsetType = field(default=UNSET, name="to")
    zone: str | UnsetType = UNSET


class DetectionRow(Struct, kw_only=True):
    """A raw box of a detector."""

    class_name: str = field(name="class")
    xyxy: Box = field(name="box")
    score: float | None
    attributes: dict[str, Any] | UnsetType = UNSET


class FrameLine(Struct, kw_only=True, tag_field="type", tag="frame"):
    """One frame; ``frame`` counts from 0. ``detections`` has the raw boxes of each detector that ran, by name.

    ``camera`` is the homography, row by row, that maps pixels of the first frame on which it was measured to this one.
    """

    frame_index: int = field(name="frame")
    time_s: float = field(name="time")
    runs: list[RunRow]
    tracks: list[TrackRow]
    relations: list[RelationRow]
    events: list[EventRow]
    camera: list[float] | UnsetType = UNSET
    detections: dict[str, list[DetectionRow]] | UnsetType = UNSET


class SummaryLine(Struct, kw_only=True, tag_field="type", tag="summary"):
    """The last line of a run that came to an end; ``complete`` is false when it was interrupted."""

    frames: int
    dropped: int
    seconds: float
    fps: float
    detector_runs: dict[str, int]
    failures: dict[str, int]
    stage_ms: dict[str, float | None]
    complete: bool
    notes: list[str] | UnsetType = UNSET


Line: TypeAlias = HeaderLine | FrameLine | SummaryLine

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


def header_line(info: RunInfo) -> HeaderLine:
    """Return the first line of a run."""
    return HeaderLine(
        source=SourceRow(
            uri=_plain(info.uri),
            width_px=info.video.width_px,
            height_px=info.video.height_px,
            fps=None if info.video.fps is None else round(float(info.video.fps), 6),
            frame_count=info.video.frame_count,
        ),
        classes=[ClassRow(name=c.name, role=c.role, identity=c.identity, key=c.key or UNSET) for c in info.classes],
        open_classes=info.open_classes,
        detectors=[
            DetectorRow(
                name=detector.name,
                distribution=detector.distribution,
                version=detector.version,
                bundle=detector.bundle,
                sha256=detector.sha256,
                every=detector.every,
                classes=[c.name for c in detector.classes],
            )
            for detector in info.detectors
        ],
        settings=_plain(info.settings),
    )


def frame_line(result: FrameResult, classes: Sequence[ClassInfo], *, with_detections: bool = False) -> FrameLine:
    """Return the line of a frame; ``classes`` are the run's, which every ``class_id`` counts into.

    ``with_detections``: the raw detections stand in it as well.
    """
    line = FrameLine(
        frame_index=result.frame_index,
        time_s=round(result.time_s, 6),
        runs=[
            RunRow(
                detector=run.detector,
                trigger=run.trigger,
                status=run.status,
                frame_index=UNSET if run.frame_index is None else run.frame_index,
            )
            for run in result.runs
        ],
        tracks=_track_rows(result, classes),
        relations=_relation_rows(result.relations),
        events=[_event_row(event) for event in result.events],
        camera=UNSET if result.camera is None else _rounded(result.camera.ravel(), 9),
    )
    if with_detections:
        line.detections = {
            name: _detection_rows(detections, classes)
            for name, detections in result.detections.items()
            if detections is not None
        }
    return line


def rounded_scene(scene: Scene) -> Scene:
    """Return ``scene`` with the digits of time, boxes, velocities and camera that a track file keeps.

    Relations are asked about this one, so that they say the same of a file later.
    """
    tracks = object.__new__(Tracks)  # what is in it was checked when it was made: this takes a third of the time
    for name in Tracks.__slots__:
        object.__setattr__(tracks, name, getattr(scene.tracks, name))
    for name in ("xyxy", "velocity"):
        values = np.round(getattr(tracks, name).astype(np.float64), 2).astype(np.float32)
        values.flags.writeable = False
        object.__setattr__(tracks, name, values)
    return Scene(
        frame_index=scene.frame_index,
        time_s=round(scene.time_s, 6),
        tracks=tracks,
        classes=scene.classes,
        camera=np.round(scene.camera, 9),
        table=scene.table,
    )


def scene_of(line: FrameLine, classes: list[ClassInfo]) -> Scene:
    """Return what relations are computed from, as a frame's line says it; ``classes`` grows by those it lacks."""
    rows = line.tracks
    names = [info.name for info in classes]
    for row in rows:
        if row.class_name not in names:
            names.append(row.class_name)
            classes.append(ClassInfo(name=row.class_name))
    number = {name: class_id for class_id, name in reversed(list(enumerate(names)))}
    seen = {name: [row.attributes.get(name) if row.attributes else None for row in rows] for name in _attributes(rows)}
    tracks = Tracks(
        track_id=np.array([row.track_id for row in rows]),
        xyxy=np.array([row.xyxy for row in rows]),
        velocity=_floats(row.velocity for row in rows),
        score=_floats(row.score for row in rows),
        confidence=_floats(row.confidence for row in rows),
        class_id=np.array([number[row.class_name] for row in rows]),
        origin=np.array([ORIGIN_NAMES.index(row.origin) for row in rows]),
        state=np.array([STATE_NAMES.index(row.state) for row in rows]),
        last_detected_s=line.time_s - _floats(row.unseen_s for row in rows),
        detector=tuple(row.detector for row in rows),
        attributes={name: _objects(values) for name, values in seen.items()},
        occluded_by=np.array([0 if row.occluded_by is UNSET else row.occluded_by for row in rows]),
        position_cm=_floats((None, None) if row.position_cm is UNSET else row.position_cm for row in rows),
        speed_cm_s=_floats(None if row.speed_cm_s is UNSET else row.speed_cm_s for row in rows),
    )
    camera = np.eye(3) if line.camera is UNSET else np.array(line.camera).reshape(3, 3)
    return Scene(frame_index=line.frame_index, time_s=line.time_s, tracks=tracks, classes=classes, camera=camera)


def with_relations(line: FrameLine, relations: Relations, events: Sequence[Event]) -> FrameLine:
    """Return a frame's line with these relations and events in place of its own."""
    rows, happened = _relation_rows(relations), [_event_row(event) for event in events]
    return msgspec.structs.replace(line, relations=rows, events=happened)


def summary_line(summary: RunSummary) -> SummaryLine:
    """Return the last line of a run."""
    return SummaryLine(
        frames=summary.frames,
        dropped=summary.dropped,
        seconds=round(summary.seconds, 6),
        fps=round(summary.fps, 2),
        detector_runs=dict(summary.detector_runs),
        failures=dict(summary.failures),
        stage_ms={stage: round(ms, 4) for stage, ms in summary.stage_ms.items()},
        complete=summary.complete,
        notes=[_plain(note) for note in summary.notes] or UNSET,
    )


def encode_line(line: Line) -> bytes:
    """Return the JSON text of a line in UTF-8, with the newline that ends it."""
    return _encoder.encode(line) + b"\n"


def decode_line(text: bytes | str) -> Line:
    """Return the line that a JSON text says. Raises msgspec.DecodeError when it says none."""
    return _decoder.decode(text)


def line_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) that every line fulfils."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"A line of {FORMAT}, version {VERSION}",
        **msgspec.json.schema(Line),
    }


def _track_rows(result: FrameResult, classes: Sequence[ClassInfo]) -> list[TrackRow]:
    tracks = result.tracks
    if not len(tracks):
        return []
    attributes = _attribute_rows(tracks.attributes)
    columns = zip(
        tracks.track_id.tolist(),
        tracks.class_id.tolist(),
        tracks.origin.tolist(),
        tracks.state.tolist(),
        tracks.detector,
        tracks.occluded_by.tolist(),
        _track_numbers(tracks, result.time_s),
        strict=True,
    )
    return [
        TrackRow(
            track_id=track_id,
            class_name=classes[class_id].name,
            xyxy=(x1, y1, x2, y2),
            score=score,
            confidence=confidence,
            origin=ORIGIN_NAMES[origin],
            state=STATE_NAMES[state],
            unseen_s=unseen_s,
            velocity=(across, down),
            detector=detector,
            occluded_by=occluded_by or UNSET,
            position_cm=UNSET if x_cm != x_cm or y_cm != y_cm else (x_cm, y_cm),
            speed_cm_s=UNSET if speed_cm_s != speed_cm_s else speed_cm_s,
            attributes=attributes[row] if attributes else UNSET,
        )
        for row, (
            track_id,
            class_id,
            origin,
            state,
            detector,
            occluded_by,
            (x1, y1, x2, y2, across, down, x_cm, y_cm, speed_cm_s, score, confidence, unseen_s),
        ) in enumerate(columns)
    ]


_TRACK_DIGITS: Final = np.array([1e2] * 9 + [1e4] * 2 + [1e6])  #: of ``_track_numbers``, as what multiplies them
_TRACK_DIGITS.flags.writeable = False


def _track_numbers(tracks: Tracks, time_s: float) -> list[list[float]]:
    """Return a row a track: box, velocity, place and speed on the table, score, confidence, seconds unseen; rounded."""
    table = np.empty((len(tracks), len(_TRACK_DIGITS)))
    table[:, :4], table[:, 4:6], table[:, 6:8] = tracks.xyxy, tracks.velocity, tracks.position_cm
    table[:, 8], table[:, 9], table[:, 10] = tracks.speed_cm_s, tracks.score, tracks.confidence
    np.subtract(time_s, tracks.last_detected_s, out=table[:, 11])
    rounded: list[list[float]] = (np.rint(table * _TRACK_DIGITS) / _TRACK_DIGITS + 0.0).tolist()
    return rounded


def _relation_rows(relations: Relations) -> list[RelationRow]:
    if not len(relations):
        return []
    columns = zip(
        relations.subject.tolist(),
        relations.object.tolist(),
        relations.state,
        _rounded(relations.distance, 3),
        _rounded(relations.overlap, 3),
        _rounded(relations.coverage, 3),
        _rounded(relations.offset, 3),
        _rounded(relations.closing, 3),
        _numbers(relations.distance_cm, 2),
        strict=True,
    )
    return [
        RelationRow(
            subject=subject,
            object=object_,
            state=state,
            distance=distance,
            overlap=overlap,
            coverage=coverage,
            offset=tuple(offset),
            closing=closing,
            distance_cm=UNSET if distance_cm is None else distance_cm,
        )
        for subject, object_, state, distance, overlap, coverage, offset, closing, distance_cm in columns
    ]


def _event_row(event: Event) -> EventRow:
    return EventRow(
        kind=event.kind,
        time_s=round(event.time_s, 6),
        subject=event.subject,
        object=UNSET if event.object is None else event.object,
        from_id=UNSET if event.from_id is None else event.from_id,
        to_id=UNSET if event.to_id is None else event.to_id,
        zone=UNSET if event.zone is None else event.zone,
    )


def _detection_rows(detections: Detections, classes: Sequence[ClassInfo]) -> list[DetectionRow]:
    attributes = _attribute_rows(detections.attributes)
    columns = zip(
        detections.class_id.tolist(), _rounded(detections.xyxy, 2), _rounded(detections.score, 4), strict=True
    )
    return [
        DetectionRow(
            class_name=classes[class_id].name,
            xyxy=tuple(xyxy),
            score=score,
            attributes=attributes[row] if attributes else UNSET,
        )
        for row, (class_id, xyxy, score) in enumerate(columns)
    ]


def _rounded(values: Array, decimals: int) -> list[Any]:
    """Return ``values`` as nested lists of float64; adding 0 turns -0.0 into 0.0."""
    rounded: list[Any] = (np.round(values.astype(np.float64), decimals) + 0.0).tolist()
    return rounded


def _numbers(values: Array, decimals: int) -> list[float | None]:
    """Return ``values`` (N,) rounded, None where they are NaN."""
    return [None if value != value else value for value in _rounded(values, decimals)]


def _attributes(rows: Sequence[TrackRow]) -> list[str]:
    return sorted({name for row in rows if row.attributes for name in row.attributes})


def _objects(values: Sequence[Any]) -> Array:
    """Return ``values`` as an array of Python objects, lists among them."""
    column = np.empty(len(values), object)
    column[:] = values
    return column


def _floats(values: Iterable[Any]) -> Array:
    """Return numbers, or pairs of them, as float64; None as NaN."""
    return np.array(list(values), np.float64)


def _attribute_rows(attributes: Mapping[str, Array]) -> list[dict[str, Any]]:
    """Return name -> value for each row; floats with the digits of their own precision, float32 31.53 as 31.53."""
    columns = {
        name: (values.astype(str).astype(np.float64) if values.dtype.kind == "f" else values).tolist()
        for name, values in ((name, np.asarray(column)) for name, column in attributes.items())
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _plain(value: Any) -> Any:
    """Return settings as JSON can hold them: paths as text, bytes of file names that are no UTF-8 escaped."""
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [_plain(item) for item in value]
    return value


if __name__ == "__main__":
    print(msgspec.json.format(msgspec.json.encode(line_schema()), indent=2).decode())
