"""Small files of tracks and of truth, by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hybridtrack.types import Box
from hybridtrack.wire import (
    ClassRow,
    DetectionRow,
    DetectorRow,
    FrameLine,
    HeaderLine,
    RunRow,
    SourceRow,
    StateName,
    TrackRow,
    encode_line,
)

FPS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackText:
    """What a track file says.

    tracks: frame, id, class, box[, state]. classes: names and their identities. runs: by detector, each of which has
    the class of its own name, the frames. seen: raw boxes, frame, class, box, score.
    """

    frames: int
    tracks: Sequence[tuple[int, int, str, Box] | tuple[int, int, str, Box, StateName]] = ()
    classes: Mapping[str, str] = field(default_factory=lambda: {"hand": "hand"})
    runs: Mapping[str, Iterable[int]] = field(default_factory=dict)
    seen: Sequence[tuple[int, str, Box, float]] | None = None
    size: tuple[int, int] = (100, 100)
    fps: float | None = FPS
    open_classes: bool = False

    def write(self, path: Path) -> Path:
        header = HeaderLine(
            source=SourceRow(
                uri="clip.mp4", width_px=self.size[0], height_px=self.size[1], fps=self.fps, frame_count=None
            ),
            classes=[ClassRow(name=name, role="other", identity=identity) for name, identity in self.classes.items()],
            open_classes=self.open_classes,
            detectors=[
                DetectorRow(
                    name=name, distribution=None, version=None, bundle=None, sha256=None, every=1, classes=[name]
                )
                for name in self.runs
            ],
            settings={},
        )
        path.write_bytes(encode_line(header) + b"".join(encode_line(self._frame(i)) for i in range(self.frames)))
        return path

    def _frame(self, frame: int) -> FrameLine:
        line = FrameLine(
            frame_index=frame,
            time_s=round(frame / FPS, 6),
            runs=[
                RunRow(detector=name, trigger="interval", status="ok")
                for name, frames in self.runs.items()
                if frame in frames
            ],
            tracks=[_row(*row[1:]) for row in self.tracks if row[0] == frame],
            relations=[],
            events=[],
        )
        if self.seen is not None:
            line.detections = {
                run.detector: [
                    DetectionRow(class_name=name, xyxy=box, score=score)
                    for at, name, box, score in self.seen
                    if at == frame and name == run.detector
                ]
                for run in line.runs
            }
        return line


def write_text(path: Path, rows: Iterable[Sequence[float]]) -> Path:
    """Write MOTChallenge text: frame from 1, id, left, top, width, height, ..."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(",".join(f"{value:g}" for value in row) + "\n" for row in rows))
    return path


def write_folder(
    folder: Path,
    rows: Iterable[Sequence[float]],
    *,
    classes: str | None = "1 hand\n",
    length: int | None = 10,
    size: tuple[int, int] = (100, 100),
    fps: float | None = FPS,
) -> Path:
    """Write a MOTChallenge folder."""
    write_text(folder / "gt/gt.txt", rows)
    if classes is not None:
        (folder / "classes.txt").write_text(classes)
    if length is not None:
        rate = "" if fps is None else f"frameRate={fps:g}\n"
        (folder / "seqinfo.ini").write_text(
            f"[Sequence]\nseqLength={length}\nimWidth={size[0]}\nimHeight={size[1]}\n{rate}"
        )
    return folder


def _row(track_id: int, class_name: str, box: Box, state: StateName = "confirmed") -> TrackRow:
    return TrackRow(
        track_id=track_id,
        class_name=class_name,
        xyxy=box,
        score=None,
        confidence=None,
        origin="tracked",
        state=state,
        unseen_s=None,
        velocity=(None, None),
        detector="hand",
    )
