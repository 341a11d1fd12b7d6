"""The track file that a run without fault would write: the truth of a scene as tracks, relations and events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from hybridtrack.boxes import iou
from hybridtrack.wire import (
    ClassRow,
    EventRow,
    FrameLine,
    HeaderLine,
    Line,
    RelationRow,
    RunRow,
    SourceRow,
    SummaryLine,
    TrackRow,
    encode_line,
)
from tests.scenes.camera import FPS, HEIGHT_PX, WIDTH_PX
from tests.scenes.scene import CLASSES, FIRST_THING_ID, HAND_IDS, Scene, SeenBox
from tests.scenes.stage import Interval


def write_ideal(scene: Scene, file: Path) -> None:
    """Write the track file of a scene; track ids are the true ones."""
    file.write_bytes(b"".join(encode_line(line) for line in ideal_lines(scene)))


def ideal_lines(scene: Scene) -> Iterator[Line]:
    """Yield header, frames and summary."""
    yield HeaderLine(
        source=SourceRow(uri="clip.mp4", width_px=WIDTH_PX, height_px=HEIGHT_PX, fps=FPS, frame_count=scene.frames),
        classes=[ClassRow(name=name, role="hand" if name == "hand" else "object", identity=name) for name in CLASSES],
        open_classes=False,
        detectors=[],
        settings={},
    )
    for frame_index in range(scene.frames):
        yield _frame_line(scene, frame_index)
    yield SummaryLine(
        frames=scene.frames,
        dropped=0,
        seconds=1.0,
        fps=float(scene.frames),
        detector_runs={"truth": scene.frames},
        failures={},
        stage_ms={},
        complete=True,
    )


def _frame_line(scene: Scene, frame_index: int) -> FrameLine:
    seen = scene.truth(frame_index)
    return FrameLine(
        frame_index=frame_index,
        time_s=round(frame_index / FPS, 6),
        runs=[RunRow(detector="truth", trigger="interval", status="ok")],
        tracks=[_track_row(scene, box) for box in seen],
        relations=_relation_rows(scene, frame_index, seen),
        events=[event for one in scene.intervals if one.kind == "hold" for event in _events(scene, one, frame_index)],
    )


def _track_row(scene: Scene, box: SeenBox) -> TrackRow:
    left, top, right, bottom = map(float, box.xyxy)
    return TrackRow(
        track_id=box.id,
        class_name=CLASSES[scene.class_ids[box.id] - 1],
        xyxy=(left, top, right, bottom),
        score=1.0,
        confidence=1.0,
        origin="detected",
        state="confirmed",
        unseen_s=0.0,
        velocity=(0.0, 0.0),
        detector="truth",
    )


def _relation_rows(scene: Scene, frame_index: int, seen: list[SeenBox]) -> list[RelationRow]:
    """Return a row for each pair in contact, whether or not both can be seen."""
    boxes = {box.id: np.array([box.xyxy], np.float32) for box in seen}
    now = [one for one in scene.intervals if one.first <= frame_index <= one.last]
    held = {(one.side, one.thing) for one in now if one.kind == "hold"}
    rows = []
    for side, thing in sorted({(one.side, one.thing) for one in now}):
        hand, number = HAND_IDS[side], FIRST_THING_ID + thing
        overlap = float(iou(boxes[hand], boxes[number])[0, 0]) if {hand, number} <= boxes.keys() else 0.0
        rows.append(
            RelationRow(
                subject=hand,
                object=number,
                state="holding" if (side, thing) in held else "overlapping",
                distance=0.0,
                overlap=round(overlap, 4),
                coverage=None,
                offset=(None, None),
                closing=None,
            )
        )
    return rows


def _events(scene: Scene, hold: Interval, frame_index: int) -> Iterator[EventRow]:
    """Yield the events of a hold on a frame; a hand-over stands on the taker's first frame, for both hands."""
    ids = {"subject": HAND_IDS[hold.side], "object": FIRST_THING_ID + hold.thing}
    giver = _other(scene, hold, lambda other: other.first < hold.first <= other.last)
    taker = _other(scene, hold, lambda other: hold.first < other.first <= hold.last)
    if frame_index == hold.first and giver is None:
        yield EventRow(kind="pick_up", time_s=round(hold.first / FPS, 6), **ids)
    if frame_index == hold.first and giver is not None:
        middle = (hold.first + giver.last) / 2 / FPS
        yield EventRow(
            kind="hand_over", time_s=round(middle, 6), from_id=HAND_IDS[giver.side], to_id=ids["subject"], **ids
        )
    if frame_index == hold.last and taker is None:
        yield EventRow(kind="put_down", time_s=round(hold.last / FPS, 6), **ids)


def _other(scene: Scene, hold: Interval, fits: Callable[[Interval], bool]) -> Interval | None:
    """Return the hold of the same thing by the other hand that fits."""
    others = (
        one for one in scene.intervals if one.kind == "hold" and one.thing == hold.thing and one.side != hold.side
    )
    return next((one for one in others if fits(one)), None)
