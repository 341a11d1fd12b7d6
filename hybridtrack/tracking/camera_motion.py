"""How the camera moves over the table: the background's optical flow, summed up since the first frame."""

from __future__ import annotations

import cv2
import numpy as np

from hybridtrack.tracking.flow import flow_size
from hybridtrack.types import Array, Frame

_GRID = (12, 8)  #: points across and down the picture
_MIN_POINTS = 8  #: of the background that must be found again; with fewer the camera is taken to stand still


class CameraMotion:
    """Measures the homography that maps pixels of the first frame to those of the present one."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin a new source."""
        self._before: Array | None = None
        self._camera = np.eye(3)

    def step(self, frame: Frame, xyxy: Array) -> Array:
        """Return the homography, float64 (3, 3), px; ``xyxy`` (N, 4) are the boxes of what may move by itself."""
        size = flow_size(frame.detail_px)
        after = frame.gray(size)
        before, self._before = self._before, after
        if before is None or before.shape != after.shape:
            return self._camera
        scale = np.array(size) / np.array(frame.size_px)
        x, y = (np.arange(_GRID[0]) + 0.5) / _GRID[0], (np.arange(_GRID[1]) + 0.5) / _GRID[1]
        points = np.stack([np.tile(x, _GRID[1]), np.repeat(y, _GRID[0])], axis=1) * size
        boxes = xyxy * np.tile(scale, 2)
        is_free = ~((points[:, None] >= boxes[None, :, :2]) & (points[:, None] <= boxes[None, :, 2:])).all(2).any(1)
        points = points[is_free].astype(np.float32)
        if len(points) < _MIN_POINTS:
            return self._camera
        moved, status, _ = cv2.calcOpticalFlowPyrLK(before, after, points, None)
        found = status[:, 0] == 1
        if found.sum() >= _MIN_POINTS:
            step, _ = cv2.estimateAffinePartial2D(points[found], moved[found])
            if step is not None:
                to_flow = np.diag([*scale, 1.0])
                self._camera = np.linalg.inv(to_flow) @ np.vstack([step, [0, 0, 1]]) @ to_flow @ self._camera
        return self._camera
