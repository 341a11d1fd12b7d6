"""The pictures that a training is judged by while it goes on: decoded once, kept at the network's size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hybridtrack.hookspecs import Detector
from hybridtrack.types import Detections, Frame
from models.average_precision import Judged
from models.truth import TruePicture, read_truth


def read_validation(files: Sequence[str], labels: Sequence[str], size_px: int) -> list[TruePicture]:
    """Return the pictures of TFRecords, resized to (size_px, size_px) as detectors do. Raises SourceError."""
    return [resized(one, size_px) for file in files for one in read_truth(Path(file), labels)]


def resized(one: TruePicture, size_px: int) -> TruePicture:
    """Return a picture and its boxes at another size; the IoU of boxes stays what it is."""
    width, height = one.frame.size_px
    frame = Frame.from_array(one.frame.rgb((size_px, size_px)), channels="rgb", index=one.frame.index)
    scale = (size_px / width, size_px / height) * 2
    return replace(one, frame=frame, xyxy=one.xyxy * scale)


def judge(detector: Detector, pictures: Sequence[TruePicture]) -> list[Judged]:
    """Return the truth of each picture with what the detector finds, whose classes are those of the truth."""
    return [judged(one, detector.detect(one.frame)) for one in pictures]


def judged(one: TruePicture, found: Detections) -> Judged:
    """Return the truth of a picture with what was found."""
    return Judged(
        name=one.name,
        group=one.group,
        size_px=one.frame.size_px,
        xyxy=one.xyxy,
        class_id=one.class_id,
        is_crowd=one.is_crowd,
        found=found,
    )
