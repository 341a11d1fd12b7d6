"""Track files by hand: one that says something of every facet, and the same without one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from msgspec import UNSET
from msgspec.structs import replace

from hybridtrack.wire import (
    ClassRow,
    DetectionRow,
    DetectorRow,
    EventRow,
    FrameLine,
    HeaderLine,
    RelationRow,
    RunRow,
    SourceRow,
    SummaryLine,
    TrackRow,
    encode_line,
)

TIMES_S = (0.0, 0.04, 0.081, 0.12, 0.2)  #: of frames 0, 1, 2, 3 and 5; frame 4 was dropped
FRAMES = (0, 1, 2, 3, 5)


def header(uri: str = 'Tisch ⟨1⟩ & "2".mp4') -> HeaderLine:
    return HeaderLine(
        source=SourceRow(uri=uri, width_px=64, height_px=48, fps=25.0, frame_count=9),
        classes=[
            ClassRow(name="hand", role="hand", identity="hand"),
            ClassRow(name="coffee <cup>", role="object", identity="mug"),
        ],
        open_classes=True,
        detectors=[
            DetectorRow(
                name="hand", distribution=None, version=None, bundle=None, sha256=None, every=3, classes=["hand"]
            )
        ],
        settings={},
    )


def track(track_id: int, class_name: str, left: float, **others: object) -> TrackRow:
    row = TrackRow(
        track_id=track_id,
        class_name=class_name,
        xyxy=(left, 10.5, round(left + 12.25, 2), 30.01),
        score=0.75,
        confidence=0.7321,
        origin="detected",
        state="confirmed",
        unseen_s=0.0,
        velocity=(12.5, -3.0),
        detector="hand",
    )
    return replace(row, **others)


def frames() -> list[FrameLine]:
    """Return five frames: a hand that goes and comes, a cup that it covers, a thing whose class is in no header."""
    rows = {
        0: [track(1, "hand", 3.5), track(2, "coffee <cup>", 20.0, attributes={"side": "left", "marker": "7"})],
        1: [
            track(1, "hand", 4.25, origin="tracked", unseen_s=0.04, score=None),
            track(2, "coffee <cup>", 20.0, origin="predicted", unseen_s=0.04, occluded_by=1),
        ],
        2: [track(2, "coffee <cup>", 20.5, origin="interpolated", position_cm=(1.5, 2.25), speed_cm_s=0.5)],
        3: [track(1, "hand", 6.0), track(2, "coffee <cup>", 21.0, state="lost"), track(12, "brush", -4.0)],
        5: [],
    }
    lines = [
        FrameLine(
            frame_index=index,
            time_s=time_s,
            runs=[RunRow(detector="hand", trigger="interval", status="ok")] if index % 3 == 0 else [],
            tracks=rows[index],
            relations=[],
            events=[],
        )
        for index, time_s in zip(FRAMES, TIMES_S, strict=True)
    ]
    lines[1].relations = [
        RelationRow(
            subject=1,
            object=2,
            state="holding",
            distance=0.0,
            overlap=0.25,
            coverage=0.5,
            offset=(0.5, None),
            closing=0.0,
            distance_cm=1.25,
        )
    ]
    lines[1].events = [EventRow(kind="pick_up", time_s=0.02, subject=1, object=2)]
    lines[3].events = [EventRow(kind="put_down", time_s=0.1, subject=1, object=2)]
    lines[3].camera = [1.0, 0.0, 0.5, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    lines[0].detections = {"hand": [DetectionRow(class_name="hand", xyxy=(3.0, 4.0, 9.0, 9.0), score=0.9)]}
    return lines


def _of_rows(change: Callable[[TrackRow], TrackRow]) -> Callable[[FrameLine], FrameLine]:
    return lambda line: replace(line, tracks=[change(row) for row in line.tracks])


#: a file's frame as it would be if the facet had said something else, or nothing
CHANGES: Mapping[str, Callable[[FrameLine], FrameLine]] = {
    "boxes": _of_rows(lambda row: replace(row, xyxy=(30.0, 20.0, 40.0, 31.0))),
    "numbers of tracks": _of_rows(lambda row: replace(row, track_id=row.track_id + 4)),
    "classes": _of_rows(lambda row: replace(row, class_name="thing")),
    "times": lambda line: replace(
        line,
        time_s=round(line.time_s + 0.01, 6),
        events=[replace(one, time_s=round(one.time_s + 0.01, 6)) for one in line.events],
    ),
    "confidences": _of_rows(lambda row: replace(row, confidence=0.5)),
    "scores": _of_rows(lambda row: replace(row, score=0.5)),
    "origins": _of_rows(lambda row: replace(row, origin="detected")),
    "states": _of_rows(lambda row: replace(row, state="confirmed")),
    "seconds unseen": _of_rows(lambda row: replace(row, unseen_s=0.5)),
    "velocities": _of_rows(lambda row: replace(row, velocity=(0.0, 0.0))),
    "occlusions": _of_rows(lambda row: replace(row, occluded_by=UNSET)),
    "places on the table": _of_rows(lambda row: replace(row, position_cm=UNSET, speed_cm_s=UNSET)),
    "attributes": _of_rows(lambda row: replace(row, attributes=UNSET)),
    "relations": lambda line: replace(line, relations=[]),
    "events": lambda line: replace(line, events=[]),
    "raw detections": lambda line: replace(line, detections=UNSET),
    "camera motion": lambda line: replace(line, camera=UNSET),
}


def write(path: Path, lines: Iterable[FrameLine] | None = None, head: HeaderLine | None = None) -> Path:
    """Write a track file; return its path."""
    body = frames() if lines is None else list(lines)
    summary = SummaryLine(
        frames=len(body),
        dropped=1,
        seconds=0.5,
        fps=10.0,
        detector_runs={"hand": 2},
        failures={},
        stage_ms={},
        complete=True,
    )
    path.write_bytes(b"".join(map(encode_line, [head or header(), *body, summary])))
    return path
