"""A frame on its way through the engine: with detectors at work on it, and then with its tracks."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from hybridtrack.detector_runner import Outcome
from hybridtrack.late_results import LateRun
from hybridtrack.types import Detections, DetectorRun, Frame, Tracks


@dataclass(frozen=True, slots=True)
class FrameJob:
    """A frame under way; ``seen`` is what detectors and trackers get of it."""

    frame: Frame
    seen: Frame
    decode_ms: float | None
    triggers: dict[str, str] = field(default_factory=dict)
    outcomes: dict[str, Future[Outcome]] = field(default_factory=dict)
    late: Mapping[str, LateRun] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrackedFrame:
    """A frame that has been tracked: all that is known of it but what its tracks have to do with each other."""

    frame: Frame
    seen: Frame
    runs: tuple[DetectorRun, ...]
    detections: Mapping[str, Detections | None]
    tracks: Tracks
    stage_ms: Mapping[str, float]

    def took(self, **ms: float) -> TrackedFrame:
        """Return the same after stages that took so many milliseconds more."""
        more = {stage: self.stage_ms.get(stage, 0.0) + taken for stage, taken in ms.items()}
        return replace(self, stage_ms={**self.stage_ms, **more})
