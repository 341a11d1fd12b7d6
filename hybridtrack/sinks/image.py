"""One drawn frame as a picture file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2

from hybridtrack.errors import SinkError
from hybridtrack.sinks.drawing import Drawing
from hybridtrack.sinks.output import ReplacedFile, cannot_write, required_path
from hybridtrack.types import Array, Frame, FrameResult, RunInfo, RunSummary, TrackState

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
        self._drawing: Drawing | None = None
        self._picture: Array | None = None
        self._track_count = -1

    def open(self, info: RunInfo) -> None:
        """Make the temporary file. Raises SinkError."""
        self._file.open(info.uri)
        self._drawing = Drawing(info.classes)

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Draw the frame when it is the one to show so far."""
        assert self._drawing is not None, "a sink is opened before it is written to"
        self._drawing.follow(result)
        if self._is_wanted(frame, result):
            self._picture = self._drawing.draw(frame, result)

    def _is_wanted(self, frame: Frame, result: FrameResult) -> bool:
        if self._frame_index is not None:
            return frame.index == self._frame_index
        before = self._track_count
        self._track_count = max(before, int((result.tracks.state == TrackState.CONFIRMED).sum()))
        return self._track_count > before

    def close(self, summary: RunSummary | None) -> None:
        """Write the frame that was chosen, also when the run was interrupted. Raises SinkError."""
        drawing, self._drawing = self._drawing, None
        picture, self._picture = self._picture, None
        if drawing is None:
            return
        if picture is None:
            self._file.discard()
            return
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
