"""A short clip's truth and tracks as files, with all that an evaluation has to handle; no chance is in it.

Two hands and a mug over 40 frames; the truth is in half the pixels of the tracks. There are ignored regions of both
classes with tracks in them, classes of one identity, a class that the truth has not, tracks that are tentative or lost,
ids that change, gaps, false alarms, detector runs that failed, and raw detections of any score.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from hybridtrack.types import Box
from hybridtrack.wire import (
    ClassRow,
    DetectionRow,
    DetectorRow,
    FrameLine,
    HeaderLine,
    Line,
    RunRow,
    SourceRow,
    StateName,
    TrackRow,
    encode_line,
)

FRAMES = 40
FPS = 25.0
HAND_EVERY, THINGS_EVERY = 3, 5
FAILED_RUN = 12  #: frame of a run of the hand detector that failed

CLASSES = (("hand", "hand"), ("open", "hand"), ("mug", "mug"), ("coffee cup", "mug"), ("bottle", "bottle"))


def write_truth(folder: Path) -> None:
    """Write the sequence's folder: gt/gt.txt, classes.txt and seqinfo.ini, in pixels of 640x360."""
    (folder / "gt").mkdir(parents=True)
    rows = [row for frame in range(FRAMES) for row in _truth_rows(frame)]
    (folder / "gt/gt.txt").write_text("".join(f"{row}\n" for row in rows))
    (folder / "classes.txt").write_text("1 hand\n2 mug\n")
    (folder / "seqinfo.ini").write_text(
        f"[Sequence]\nname=clip\nframeRate=25\nseqLength={FRAMES}\nimWidth=640\nimHeight=360\nimExt=.jpg\n"
    )


def write_tracks(file: Path) -> None:
    """Write the track file, in pixels of 1280x720."""
    file.write_bytes(b"".join(map(encode_line, _lines())))


def _truth_rows(frame: int) -> Iterator[str]:
    def row(number: int, box: Box, kind: int, confidence: int = 1) -> str:
        left, top, right, bottom = box
        size = f"{right - left:.2f},{bottom - top:.2f}"
        return f"{frame + 1},{number},{left:.2f},{top:.2f},{size},{confidence},{kind},1"

    yield row(1, _hand(1, frame), 1)
    if frame >= 4:
        yield row(2, _hand(2, frame), 1)
    yield row(3, _mug(frame), 2)
    if 8 <= frame < 30:
        yield row(8, (20.0, 20.0, 140.0, 120.0), 1, 0)  # hands that nobody told apart
    if frame < 20:
        yield row(9, (500.0, 10.0, 600.0, 110.0), 2, 0)


def _hand(number: int, frame: int) -> Box:
    left, top = (100 + 9 * frame, 150 + 4 * (frame % 7)) if number == 1 else (420 - 8 * frame, 190.0 - frame)
    return left, top, left + 70.0, top + 60.0


def _mug(frame: int) -> Box:
    left = 300.0 + (3 * frame if frame > 20 else 0)
    return left, 230.0, left + 40.0, 280.0


def _lines() -> Iterator[Line]:
    yield HeaderLine(
        source=SourceRow(uri="clip.mp4", width_px=1280, height_px=720, fps=FPS, frame_count=FRAMES),
        classes=[
            ClassRow(name=name, role="hand" if identity == "hand" else "object", identity=identity)
            for name, identity in CLASSES
        ],
        open_classes=False,
        detectors=[
            _detector("hands", HAND_EVERY, ["hand", "open"]),
            _detector("things", THINGS_EVERY, ["mug", "coffee cup", "bottle"]),
        ],
        settings={},
    )
    for frame in range(FRAMES):
        yield _frame_line(frame)


def _detector(name: str, every: int, classes: list[str]) -> DetectorRow:
    return DetectorRow(
        name=name, distribution=None, version=None, bundle=None, sha256=None, every=every, classes=classes
    )


def _frame_line(frame: int) -> FrameLine:
    runs = []
    if frame % HAND_EVERY == 0:
        runs.append(RunRow(detector="hands", trigger="interval", status="failed" if frame == FAILED_RUN else "ok"))
    if frame % THINGS_EVERY == 1:
        runs.append(RunRow(detector="things", trigger="interval", status="ok"))
    seen = {
        run.detector: list(_hands_seen(frame) if run.detector == "hands" else _things_seen(frame))
        for run in runs
        if run.status == "ok"
    }
    return FrameLine(
        frame_index=frame,
        time_s=round(frame / FPS, 6),
        runs=runs,
        tracks=list(_tracks(frame)),
        relations=[],
        events=[],
        detections=seen,
    )


def _tracks(frame: int) -> Iterator[TrackRow]:
    first = 1 if frame < 18 else 5
    yield _track(first, "hand", _off(_hand(1, frame), frame, 5))
    if frame >= 6 and not 15 <= frame < 19:
        yield _track(2, "open" if frame % 4 else "hand", _off(_hand(2, frame), frame + 3, 9))
    if frame >= 2:
        yield _track(3, "coffee cup" if frame % 6 == 1 else "mug", _off(_mug(frame), 2 * frame, 6))
    if 10 <= frame < 32:
        yield _track(11, "hand", (30.0, 30.0, 110.0, 95.0))  # in the ignored region, and after its end
    if frame < 16:
        yield _track(12, "mug", (520.0, 20.0, 580.0, 80.0))
        yield _track(13, "hand", (510.0, 15.0, 570.0, 75.0))  # in a region of the other class
    if frame % 5 == 0:
        yield _track(14, "bottle", (200.0, 60.0, 230.0, 140.0))
    yield _track(15, "hand", _off(_hand(1, frame), frame, 5), "tentative")
    if 15 <= frame < 19:
        yield _track(2, "hand", _off(_hand(2, 14), 0, 0), "lost")


def _hands_seen(frame: int) -> Iterator[DetectionRow]:
    yield _detection("hand", _off(_hand(1, frame), frame, 7), 0.95 - 0.01 * frame)
    if frame >= 4:
        yield _detection("open", _off(_hand(2, frame), frame + 1, 14), 0.5 + 0.01 * frame)
    if frame % 6 == 0:
        yield _detection("hand", _off(_hand(1, frame), frame, 16), 0.62)
        yield _detection("hand", (25.0, 40.0, 95.0, 110.0), 0.88)
    if frame % 4 == 0:
        yield _detection("hand", (400.0, 300.0, 450.0, 350.0), 0.3)


def _things_seen(frame: int) -> Iterator[DetectionRow]:
    yield _detection("mug", _off(_mug(frame), frame, 4), 0.7)
    yield _detection("coffee cup", _off(_mug(frame), frame, 12), 0.4 + 0.01 * frame)
    yield _detection("bottle", (200.0, 60.0, 230.0, 140.0), 0.9)


def _off(box: Box, phase: int, by_px: float) -> Box:
    """Return a box that is wrong by up to so many px, in the truth's pixels."""
    x, y = by_px * math.sin(1.3 * phase), by_px * math.cos(0.9 * phase)
    left, top, right, bottom = box
    return left + x, top + y, right + x + by_px / 3, bottom + y


def _doubled(box: Box) -> Box:
    left, top, right, bottom = (round(2 * edge, 2) for edge in box)
    return left, top, right, bottom


def _track(track_id: int, class_name: str, box: Box, state: StateName = "confirmed") -> TrackRow:
    return TrackRow(
        track_id=track_id,
        class_name=class_name,
        xyxy=_doubled(box),
        score=0.9,
        confidence=0.9,
        origin="tracked",
        state=state,
        unseen_s=0.0,
        velocity=(0.0, 0.0),
        detector="hands",
    )


def _detection(class_name: str, box: Box, score: float) -> DetectionRow:
    return DetectionRow(class_name=class_name, xyxy=_doubled(box), score=round(score, 4))
