"""Tracks as ``supervision.Detections``, for its annotators, zones and counters, and its detections as ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridtrack.export.extra import optional
from hybridtrack.types import ClassInfo, Detections, Tracks, TrackState
from hybridtrack.wire import ORIGIN_NAMES, FrameLine, HeaderLine, scene_of

if TYPE_CHECKING:
    import supervision

EXTRA = "supervision"


def to_supervision(
    tracks: Tracks | FrameLine, classes: Sequence[ClassInfo] | HeaderLine, *, has_all_states: bool = False
) -> supervision.Detections:
    """Return the tracks of a frame, as they come from an engine or out of a track file.

    classes: of the run (``engine.classes``), or the file's header. ``confidence`` is the track's, ``data`` has
    ``class_name`` and ``origin``. Only confirmed rows, unless ``has_all_states``. Raises MissingPackageError.
    """
    module: Any = optional("supervision", extra=EXTRA)
    if isinstance(classes, HeaderLine):
        classes = [ClassInfo(name=one.name, role=one.role, identity=one.identity) for one in classes.classes]
    known = list(classes)
    if isinstance(tracks, FrameLine):
        tracks = scene_of(tracks, known).tracks
    if not has_all_states:
        tracks = tracks[tracks.state == TrackState.CONFIRMED]
    found: supervision.Detections = module.Detections(
        xyxy=tracks.xyxy.astype(np.float32),
        confidence=tracks.confidence.astype(np.float32),
        class_id=tracks.class_id.astype(np.int64),
        tracker_id=tracks.track_id.copy(),
        data={
            "class_name": np.array([known[one].name for one in tracks.class_id.tolist()], str),
            "origin": np.array([ORIGIN_NAMES[one] for one in tracks.origin.tolist()], str),
        },
    )
    return found


def from_supervision(detections: supervision.Detections) -> Detections:
    """Return what a model gave that speaks supervision, for a detector of one's own; scores it has none of are 1."""
    n = len(detections)
    score = np.ones(n) if detections.confidence is None else detections.confidence
    class_id = np.zeros(n) if detections.class_id is None else detections.class_id
    return Detections(xyxy=detections.xyxy, score=np.asarray(score), class_id=np.asarray(class_id))
