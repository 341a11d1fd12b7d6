"""Trackers that look at no pictures: a motion model alone, the last box, or nothing between detector runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hybridtrack.hookspecs import Measurement
from hybridtrack.types import Array, Frame


class MotionOnlyTracker:
    """Measures nothing, because it looks at no pictures."""

    looks = False

    def __init__(self, *, fills: bool, filters: bool) -> None:
        self.fills = fills
        self.filters = filters

    def reset(self) -> None:
        """Nothing is remembered."""

    def remember(self) -> None:
        """Nothing is remembered."""

    def recall(self, remembered: object) -> None:
        """Nothing is remembered."""

    def settle(self, frame: Frame, track_id: Array, xyxy: Array, detected: Array) -> None:
        """Nothing is remembered."""

    def measure(self, frame: Frame, track_id: Array, xyxy: Array) -> Measurement:
        return Measurement.none(xyxy)


def create_kalman(options: Mapping[str, Any]) -> MotionOnlyTracker:
    """Return the tracker whose boxes go on as the filter predicts: at their last velocity, which dies away."""
    return MotionOnlyTracker(fills=True, filters=True)


def create_hold(options: Mapping[str, Any]) -> MotionOnlyTracker:
    """Return the tracker whose boxes stay where they were last detected: the baseline that others have to beat."""
    return MotionOnlyTracker(fills=True, filters=False)


def create_none(options: Mapping[str, Any]) -> MotionOnlyTracker:
    """Return the tracker that has boxes on frames with a detector run alone."""
    return MotionOnlyTracker(fills=False, filters=False)
