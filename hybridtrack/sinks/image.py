"""One drawn frame as a picture file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2

from hybridtrack.errors import SinkError
from hybridtrack.sinks.drawing import draw_tracks
from hybridtrack.sinks.output import ReplacedFile, cannot_write, required_path
from hybridtrack.types import Frame, FrameResult, RunInfo, RunSummary, TrackState

_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


class ImageSink:
    """Writes the frame ``frame_index``, or, without one, the first of those that show the most confirmed tracks.

    A run that has no such frame makes no file.
    """

    def __init__(self, path: str | Path, *, frame_index: int | None = None) -> None:
        self._file = ReplacedFile(path)
        if self._file.path.suffix.lower() not in _SUFFIXES:
            known = ", ".join(_SUFFIXES)
            raise SinkError(f"cannot write {str(path)!r}: a picture file ends in {known}; give such a name")
        self._frame_index = frame_index
        self._info: RunInfo | None = None
        self._chosen: tuple[Frame, FrameResult] | None = None
        self._track_count = -1

    def open(self, info: RunInfo) -> None:
        """Make the temporary file. Raises SinkError."""
        self._file.open(info.uri)
        self._info = info

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Keep the frame when it is the one to draw so far."""
        if self._frame_index is not None:
            if frame.index == self._frame_index:
                self._chosen = frame, result
            return
        track_count = int((result.tracks.state == TrackState.CONFIRMED).sum())
        if track_count > self._track_count:
            self._chosen, self._track_count = (frame, result), track_count

    def close(self, summary: RunSummary | None) -> None:
        """Draw and write the frame that was chosen, also when the run was interrupted. Raises SinkError."""
        info, self._info = self._info, None
        chosen, self._chosen = self._chosen, None
        if info is None:
            return
        if chosen is None:
            self._file.discard()
            return
        frame, result = chosen
        picture = draw_tracks(
            frame.bgr(), result.tracks, info.classes, caption=f"frame {frame.index}, {frame.time_s:.2f} s"
        )
        try:
            _, encoded = cv2.imencode(self._file.path.suffix, picture)
            self._file.temporary.write_bytes(encoded.tobytes())
        except (cv2.error, OSError) as error:
            self._file.discard()
            raise cannot_write(self._file.path, error) from error
        self._file.keep()


def create_image(options: Mapping[str, Any]) -> ImageSink:
    """Return the sink that the options ``path`` and ``frame`` (its number, from 0) describe."""
    return ImageSink(required_path(options, "image"), frame_index=options.get("frame"))
