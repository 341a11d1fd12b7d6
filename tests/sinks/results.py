"""Runs as an engine would tell them to sinks, small enough to be worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from hybridtrack.hookspecs import Sink
from hybridtrack.types import (
    ClassInfo,
    DetectorInfo,
    DetectorRun,
    Frame,
    FrameResult,
    Origin,
    RunInfo,
    RunSummary,
    Size,
    Tracks,
    TrackState,
    VideoInfo,
)

HAND = ClassInfo(name="hand", role="hand")
MUG = ClassInfo(name="mug")
CLASSES = (HAND, MUG)


def run_info(
    uri: str = "table.mp4",
    size_px: Size = (64, 48),
    *,
    video: VideoInfo | None = None,
    settings: Mapping[str, Any] | None = None,
) -> RunInfo:
    """Return a run of one detector over a video of 30000/1001 frames a second."""
    return RunInfo(
        uri=uri,
        video=video or VideoInfo(width_px=size_px[0], height_px=size_px[1], fps=Fraction(30000, 1001), frame_count=3),
        classes=CLASSES,
        detectors=(DetectorInfo(name="hand", classes=CLASSES, every=3, distribution="hybridtrack", version="0.1.0"),),
        settings=settings or {"source": uri, "detect_every": "3"},
    )


def run_summary(*, frames: int = 3, complete: bool = True, notes: tuple[str, ...] = ()) -> RunSummary:
    """Return the summary of a run of half a second."""
    return RunSummary(
        frames=frames,
        dropped=0,
        seconds=0.5,
        detector_runs={"hand": 1},
        failures={},
        stage_ms={"detect": 5.25, "track": 0.5},
        track_count=2,
        complete=complete,
        notes=notes,
    )


def tracks_at(
    xyxy: Sequence[Sequence[float]],
    *,
    origin: Origin = Origin.DETECTED,
    state: TrackState = TrackState.CONFIRMED,
    last_detected_s: float = 0.0,
) -> Tracks:
    """Return hands with the ids 1, 2, …, one a box, that move 12 px/s to the right."""
    n = len(xyxy)
    return Tracks(
        track_id=np.arange(1, n + 1),
        xyxy=np.array(xyxy).reshape(n, 4),
        velocity=np.tile((12.0, -3.5), (n, 1)),
        score=np.full(n, 0.98),
        confidence=np.full(n, 0.9),
        class_id=np.zeros(n),
        origin=np.full(n, origin),
        state=np.full(n, state),
        last_detected_s=np.full(n, last_detected_s),
        detector=("hand",) * n,
    )


def result_of(frame: Frame, tracks: Tracks) -> FrameResult:
    """Return the result of a frame on which the detector ran when its number divides by three."""
    runs = (DetectorRun(detector="hand", trigger="interval"),) if frame.index % 3 == 0 else ()
    return FrameResult(
        frame_index=frame.index, time_s=frame.time_s, runs=runs, detections={"hand": None}, tracks=tracks
    )


def frames_of(sizes_px: Sequence[Size], *, grey: int = 90, interval_s: float = 0.04) -> Iterator[Frame]:
    """Yield a plain picture of each size."""
    for index, (width, height) in enumerate(sizes_px):
        bgr = np.full((height, width, 3), grey, np.uint8)
        yield Frame.from_array(bgr, index=index, time_s=index * interval_s)


def write_run(sink: Sink, sizes_px: Sequence[Size], *, info: RunInfo | None = None) -> None:
    """Write a whole run of frames with one hand each to a sink."""
    sink.open(info or run_info())
    for frame in frames_of(sizes_px):
        sink.write(frame, result_of(frame, tracks_at([(10, 10, 30, 30)])))
    sink.close(run_summary(frames=len(sizes_px)))
