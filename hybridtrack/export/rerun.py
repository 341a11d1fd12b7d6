"""Rerun recordings: boxes, relations and events over time, for the viewer of rerun.io."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from hybridtrack.errors import UsageError
from hybridtrack.export.class_numbers import ClassNumbers
from hybridtrack.export.extra import optional
from hybridtrack.export.format import ExportFormat, Recording
from hybridtrack.wire import EventRow, FrameLine

EXTRA: Final = "rerun"
_TRACKS, _RELATIONS, _EVENTS, _VIDEO = "picture/tracks", "picture/relations", "events", "picture/video"


def write_rerun(recording: Recording, path: Path) -> None:
    """Write an .rrd file with the timelines ``frame`` and ``time``; the video inside where that was asked for.

    Raises MissingPackageError, and UsageError for a video that Rerun cannot play.
    """
    rerun = optional("rerun", extra=EXTRA)
    stream = rerun.RecordingStream("hybridtrack", recording_id=recording.path.name)
    stream.set_log_time_enabled(False)
    stream.set_log_tick_enabled(False)
    stream.save(path)
    try:
        numbers = ClassNumbers(recording.header)
        if recording.has_video_inside and recording.video is not None:
            _log_video(rerun, stream, recording.video)
        for line in recording.frames:
            stream.set_time("frame", sequence=line.frame_index)
            stream.set_time("time", duration=line.time_s)
            _log_frame(rerun, stream, line, numbers)
            if recording.has_video_inside:
                reference = rerun.VideoFrameReference(seconds=line.time_s, video_reference=_VIDEO)
                stream.log("picture", reference)
        stream.log("/", rerun.AnnotationContext(numbers.items()), static=True)
    finally:
        stream.disconnect()


def _log_video(rerun: Any, stream: Any, video: Path) -> None:
    if video.suffix.lower() != ".mp4":
        raise UsageError(f"Rerun plays MP4 alone, found {str(video)!r}: leave --video out, or convert it")
    stream.log(_VIDEO, rerun.AssetVideo(path=video), static=True)


def _log_frame(rerun: Any, stream: Any, line: FrameLine, numbers: ClassNumbers) -> None:
    arrow = optional("pyarrow", extra=EXTRA)  # empty columns have a type in it
    rows = line.tracks
    stream.log(
        _TRACKS,
        rerun.Boxes2D(
            array=np.array([row.xyxy for row in rows], np.float64).reshape(-1, 4),
            array_format=rerun.Box2DFormat.XYXY,
            labels=[f"{row.class_name} {row.track_id}" for row in rows],
            class_ids=[numbers.of(row.class_name) for row in rows],
        ),
        rerun.AnyValues(
            drop_untyped_nones=False,
            track_id=arrow.array([row.track_id for row in rows], arrow.int64()),
            origin=arrow.array([row.origin for row in rows], arrow.string()),
            confidence=arrow.array([row.confidence for row in rows], arrow.float64()),
        ),
    )
    centres = {row.track_id: ((row.xyxy[0] + row.xyxy[2]) / 2, (row.xyxy[1] + row.xyxy[3]) / 2) for row in rows}
    pairs = [row for row in line.relations if row.subject in centres and row.object in centres]
    stream.log(
        _RELATIONS,
        rerun.LineStrips2D(
            [[centres[row.subject], centres[row.object]] for row in pairs], labels=[row.state for row in pairs]
        ),
    )
    for event in line.events:
        stream.set_time("time", duration=event.time_s)
        stream.log(_EVENTS, rerun.TextLog(_text(event)))
        stream.set_time("time", duration=line.time_s)


def _text(event: EventRow) -> str:
    others = {"object": event.object, "from": event.from_id, "to": event.to_id, "zone": event.zone}
    told = [f"{name} {value}" for name, value in others.items() if isinstance(value, int | str)]
    return " ".join([event.kind, f"subject {event.subject}", *told])


RERUN = ExportFormat(
    name="rerun",
    suffix=".rrd",
    summary="boxes, relations and events for the viewer of rerun.io (extra 'rerun')",
    holds=frozenset(
        {"boxes", "numbers of tracks", "classes", "times", "confidences", "origins", "relations", "events"}
    ),
    write=write_rerun,
)
