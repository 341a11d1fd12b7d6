"""MOTChallenge text: one line a confirmed track and frame, ``frame,id,x,y,w,h,conf,-1,-1,-1``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hybridtrack.sinks.output import LineFile, required_path
from hybridtrack.types import Frame, FrameResult, RunInfo, RunSummary, TrackState


def mot_lines(result: FrameResult) -> str:
    """Return the lines of a frame: frame counted from 1, box as left, top, width, height in px, confidence."""
    tracks = result.tracks[result.tracks.state == TrackState.CONFIRMED]
    xyxy = tracks.xyxy.astype(np.float64).tolist()
    return "".join(
        f"{result.frame_index + 1},{track_id},{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},{confidence:.4f},-1,-1,-1\n"
        for track_id, (x1, y1, x2, y2), confidence in zip(
            tracks.track_id.tolist(), xyxy, tracks.confidence.tolist(), strict=True
        )
    )


class MotSink:
    """Writes the confirmed tracks to a file, or to standard output for "-"."""

    def __init__(self, path: str | Path) -> None:
        self._file = LineFile(path)

    def open(self, info: RunInfo) -> None:
        """Make the file. Raises SinkError."""
        self._file.open(info.uri)

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Write the lines of one frame, none when it has no confirmed track. Raises SinkError."""
        if lines := mot_lines(result):
            self._file.write(lines.encode("ascii"))

    def close(self, summary: RunSummary | None) -> None:
        """Close the file; the format has no place for a summary."""
        self._file.close()


def create_mot(options: Mapping[str, Any]) -> MotSink:
    """Return the sink that the option ``path`` describes."""
    return MotSink(required_path(options, "mot"))
