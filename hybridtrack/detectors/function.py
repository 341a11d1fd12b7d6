"""A plain function as a detector."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hybridtrack.types import Box, ClassInfo, Detections, Frame


class FunctionDetector:
    """Asks ``function(frame)``, which returns ``Detections``, or boxes xyxy (N, 4) in px that all get score 1.

    Without ``classes`` all boxes are of the one class that has the function's name and the role "object".
    """

    supports_region = False

    def __init__(self, function: Callable[[Frame], Any], classes: tuple[ClassInfo, ...] = ()) -> None:
        self._function = function
        self.classes = classes or (ClassInfo(name=getattr(function, "__name__", "object")),)

    def detect(self, frame: Frame, region_xyxy: Box | None = None) -> Detections:
        found = self._function(frame)
        if isinstance(found, Detections):
            return found
        xyxy = np.asarray(found, np.float32)
        if xyxy.size == 0:
            return Detections.empty()
        if xyxy.ndim != 2 or xyxy.shape[1] != 4:  # numbers in fours would make boxes of anything
            raise ValueError(f"{self.classes[0].name} returned boxes of shape {xyxy.shape}: expected (N, 4)")
        return Detections(xyxy=xyxy, score=np.ones(len(xyxy)), class_id=np.zeros(len(xyxy)))

    def reset(self) -> None:
        """Do nothing: a function has no past."""

    def close(self) -> None:
        """Do nothing: a function holds nothing."""
