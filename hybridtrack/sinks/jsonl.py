"""JSON Lines: the track format of docs/tracks.md, written as the run goes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hybridtrack import wire
from hybridtrack.sinks.output import LineFile, required_path
from hybridtrack.types import Frame, FrameResult, RunInfo, RunSummary


class JsonLinesSink:
    """Writes a header, a line a frame and a summary to a file, or to standard output for "-"."""

    def __init__(self, path: str | Path, *, with_detections: bool = False) -> None:
        self._file = LineFile(path)
        self._with_detections = with_detections
        self._info: RunInfo | None = None

    def open(self, info: RunInfo) -> None:
        """Make the file and write the header. Raises SinkError."""
        self._info = info
        self._file.open(info.uri)
        self._file.write(wire.encode_line(wire.header_line(info)))

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Write one line. Raises SinkError when the disk is full; the lines so far are kept."""
        assert self._info is not None, "a sink is opened before it is written to"
        line = wire.frame_line(result, self._info.classes, with_detections=self._with_detections)
        self._file.write(wire.encode_line(line))

    def close(self, summary: RunSummary | None) -> None:
        """Write the summary, if there is one, and close the file."""
        try:
            if summary is not None and self._file.is_open:
                self._file.write(wire.encode_line(wire.summary_line(summary)))
        finally:
            self._file.close()


def create_jsonl(options: Mapping[str, Any]) -> JsonLinesSink:
    """Return the sink that the options ``path`` and ``with_detections`` describe."""
    return JsonLinesSink(required_path(options, "json"), with_detections=bool(options.get("with_detections")))
