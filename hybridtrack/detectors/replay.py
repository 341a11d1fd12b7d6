"""A detector that shows boxes of a file: a run again, another detector's results, or the truth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hybridtrack import boxes
from hybridtrack.detectors.recording import (
    Recording,
    kind_of,
    read_coco_recording,
    read_mot_recording,
    read_track_recording,
)
from hybridtrack.errors import DetectorError, UsageError
from hybridtrack.types import Box, Detections, Frame

_MEANT_FOR = {  # options beside path and min_score, by the kind of file
    "jsonl": ("detector",),
    "mot": ("class", "labels", "min_visibility"),
    "coco": ("class", "labels"),
}


class ReplayDetector:
    """Shows the boxes that a recording has for the number of the frame, and never asks for the picture itself."""

    supports_region = False

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self.classes = recording.classes

    def detect(self, frame: Frame, region_xyxy: Box | None = None) -> Detections:
        """Return the boxes scaled to the size of the frame and cut at its edges, those outside it left out.

        Raises DetectorError when the file cannot tell what is on the frame, and when a region is asked for.
        """
        recording = self._recording
        if region_xyxy is not None:
            raise DetectorError("detector 'replay' has boxes of whole frames only; leave the region out")
        if frame.index not in recording.looked_at:
            raise DetectorError(recording.gap_at(frame.index))
        found = recording.frames.get(frame.index)
        if found is None:
            return Detections.empty()
        xyxy = boxes.rescale(found.xyxy, recording.size_px or frame.size_px, frame.size_px)
        shown = Detections(
            xyxy=boxes.clip(xyxy, frame.size_px),
            score=found.score,
            class_id=found.class_id,
            attributes=found.attributes,
        )
        return shown[np.flatnonzero((shown.xyxy[:, 2:] > shown.xyxy[:, :2]).all(axis=1))]

    def reset(self) -> None:
        """Do nothing: every frame is shown on its own."""

    def close(self) -> None:
        """Do nothing: the file was read when the detector was built."""


def create_replay(options: Mapping[str, Any]) -> ReplayDetector:
    """Return the detector that shows the file of the option ``path``; its whole contents are read.

    Raises UsageError for options that do not fit the file, TrackFileError when it cannot be read.
    """
    path = options.get("path")
    if not path:
        raise UsageError("detector 'replay' needs the file with the boxes: give path=FILE")
    min_visibility = options.get("min_visibility") or 0.0
    if not 0 <= min_visibility <= 1:
        raise UsageError(f"detector 'replay': min_visibility is {min_visibility:g}, expected a number in 0..1")
    min_score = options.get("min_score")
    if min_score is not None and not np.isfinite(min_score):
        raise UsageError(f"detector 'replay': min_score is {min_score:g}, expected a number")
    kind = kind_of(path)
    for name in ("detector", "class", "labels", "min_visibility"):
        if options.get(name) and name not in _MEANT_FOR[kind]:
            raise UsageError(f"detector 'replay': {name}= does not apply to {path!r}: leave it out")
    if kind == "jsonl":
        return ReplayDetector(read_track_recording(path, detector=options.get("detector"), min_score=min_score))
    class_name, labels = options.get("class"), options.get("labels")
    if kind == "coco":
        return ReplayDetector(read_coco_recording(path, class_name=class_name, labels=labels, min_score=min_score))
    return ReplayDetector(
        read_mot_recording(
            path, class_name=class_name, labels=labels, min_visibility=min_visibility, min_score=min_score
        )
    )
