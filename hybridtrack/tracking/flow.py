"""Follows boxes by sparse optical flow: one pyramidal Lucas-Kanade pass over all boxes, checked forward and backward.

Bouguet, "Pyramidal implementation of the affine Lucas Kanade feature tracker" (2001), for the flow; Kalal, Mikolajczyk
& Matas, "Forward-backward error" (2010), for the check. A box is moved by those of its points that agree with each
other, and points that go with the background do not count where enough others go elsewhere: a hand's box is half table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from hybridtrack.hookspecs import Measurement
from hybridtrack.types import Array, Frame, Size

_WIDTH_PX = 320  #: width at which flow is measured; the height follows the picture's shape
_GRID = 5  #: points along each side of a box
_INNER = 0.75  #: share of a box's width and height that the points span: the rim is mostly table
_BACKGROUND_GRID = (6, 4)  #: points across and down the whole picture that tell the camera's motion
_WINDOW_PX = 11
_LEVELS = 2  #: of the pyramid above the picture itself
_CRITERIA = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 12, 0.03)
_MAX_ROUND_TRIP_PX = 1.0  #: a point whose way forward and back ends farther from its start is lost
_BACKGROUND_LIKE_PX = 0.5  #: a point that goes this nearly as the camera does may be background
_MIN_OWN_SHARE = 0.3  #: of a box's points that must go their own way before background-like ones are left out
_INLIER_PX = 1.5  #: distance from the common motion up to which a point agrees with it
_INLIER_SPREADS = 2.5  #: ... or this many times the median distance: a hand turns and opens
_MIN_POINTS = 4  #: that must agree for a box to count as measured
_MAX_SCALING = 1.25  #: of a box from frame to frame
_CENTRE_STD_PX = 0.4  #: standard deviation of a perfect measurement of the centre, at flow size
_SIZE_STD = 0.01  #: ... and of the size, as a share of it


def flow_size(size_px: Size) -> Size:
    """Return the size at which flow is measured in a picture of ``size_px``: never larger than the picture."""
    width, height = size_px
    scale = min(1.0, _WIDTH_PX / width)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _grid(columns: int, rows: int) -> Array:
    """Return the centres (columns * rows, 2) of the cells of the unit square, x and y in 0..1."""
    x, y = (np.arange(columns) + 0.5) / columns, (np.arange(rows) + 0.5) / rows
    return np.stack([np.tile(x, rows), np.repeat(y, columns)], axis=1)


def masked_median(values: Array, mask: Array) -> Array:
    """Return the lower medians (N, D) of ``values`` (N, K, D) over K where ``mask`` (N, K); 0 where it never holds."""
    ordered = np.sort(np.where(mask[..., None], values, np.inf), axis=1)
    count = mask.sum(axis=1)
    middle: Array = ordered[np.arange(len(values)), np.maximum(count - 1, 0) // 2]
    middle[count == 0] = 0.0
    return middle


def common_motion(points: Array, moved: Array, valid: Array, camera: Array) -> tuple[Array, Array, Array, Array]:
    """Return the motion that most points of each box agree on.

    points, moved: float64 (N, K, 2), where K points of N boxes were and are, px. valid: bool (N, K). camera: (2,), how
    the background moved, px. Returns shift (N, 2), px, and scale (N,) about the agreeing points' centre; how many agree
    (N,); and the standard deviation (N,) of one of them about the common motion, px.
    """
    flow = moved - points
    own = valid & (np.abs(flow - camera).max(axis=2) > _BACKGROUND_LIKE_PX)
    goes_own_way = own.sum(axis=1) >= np.maximum(_MIN_POINTS, _MIN_OWN_SHARE * valid.sum(axis=1))
    used = np.where(goes_own_way[:, None], own, valid)
    off = np.abs(flow - masked_median(flow, used)[:, None]).max(axis=2)
    spread = masked_median(off[..., None], used)
    agrees = used & (off <= np.maximum(_INLIER_PX, _INLIER_SPREADS * spread))
    count = agrees.sum(axis=1)
    weight = agrees[..., None]
    divisor = np.maximum(count, 1)[:, None]
    start, end = (points * weight).sum(axis=1) / divisor, (moved * weight).sum(axis=1) / divisor
    from_start, from_end = (points - start[:, None]) * weight, (moved - end[:, None]) * weight
    # least squares for a scale; the 1 px² keeps points that all but coincide from telling one
    scale = ((from_start * from_end).sum(axis=(1, 2)) + 1) / ((from_start**2).sum(axis=(1, 2)) + 1)
    rest = ((from_end - scale[:, None, None] * from_start) ** 2).sum(axis=(1, 2))
    return end - start, scale, count, np.sqrt(rest / np.maximum(2 * count - 4, 1))


class FlowTracker:
    """Measures how boxes move by optical flow on the luma, at 320 pixels width."""

    fills = True
    filters = True

    def __init__(self) -> None:
        self._before: Array | None = None
        self._near = 0.5 + _INNER * (_grid(_GRID, _GRID) - 0.5)
        self._far = _grid(*_BACKGROUND_GRID)

    def reset(self) -> None:
        self._before = None

    def settle(self, frame: Frame, track_id: Array, xyxy: Array, detected: Array) -> None:
        self._before = frame.gray(flow_size(frame.detail_px)) if len(xyxy) else None

    def measure(self, frame: Frame, track_id: Array, xyxy: Array) -> Measurement:
        if self._before is None or not len(xyxy):
            return Measurement.none(xyxy)
        size = np.array(flow_size(frame.detail_px))
        scale_px = np.tile(np.array(frame.size_px) / size, 2)
        boxes = xyxy / scale_px
        corner, extent = boxes[:, None, :2], boxes[:, None, 2:] - boxes[:, None, :2]
        near, far = corner + self._near * extent, self._far * size
        n, k, _ = near.shape
        points = np.concatenate([near.reshape(-1, 2), far]).astype(np.float32)
        moved, valid = self._follow(frame.gray((int(size[0]), int(size[1]))), points, n * k)
        outside = ((far < corner) | (far > corner + extent)).any(axis=2).all(axis=0)
        camera = masked_median((moved[n * k :] - far)[None], (valid[n * k :] & outside)[None])[0]
        moved, valid = moved[: n * k].reshape(n, k, 2), valid[: n * k].reshape(n, k)
        shift, scaling, count, std = common_motion(near, moved, valid, camera)
        in_picture = ((near >= 0) & (near < size)).all(axis=2)
        centre, half = corner[:, 0] + extent[:, 0] / 2 + shift, extent[:, 0] / 2
        half = half * np.clip(scaling, 1 / _MAX_SCALING, _MAX_SCALING)[:, None]
        error = (std / np.sqrt(np.maximum(count, 1)))[:, None]
        return Measurement(
            xyxy=np.concatenate([centre - half, centre + half], axis=1) * scale_px,
            std_px=np.concatenate([np.repeat(_CENTRE_STD_PX + error, 2, 1), _SIZE_STD * extent[:, 0] + 2 * error], 1)
            * scale_px,
            is_measured=count >= _MIN_POINTS,
            quality=(valid & in_picture).sum(axis=1) / np.maximum(in_picture.sum(axis=1), 1),
        )

    def _follow(self, after: Array, points: Array, checked: int) -> tuple[Array, Array]:
        """Return where ``points`` (K, 2) of the former picture are now, float64 (K, 2), and which to believe (K,).

        The first ``checked`` of them are followed back as well; for the rest a median has to do.
        """
        settings: dict[str, Any] = {
            "winSize": (_WINDOW_PX, _WINDOW_PX),
            "maxLevel": _LEVELS,
            "criteria": _CRITERIA,
        }
        moved, status, _ = cv2.calcOpticalFlowPyrLK(self._before, after, points, None, **settings)
        back, status_back, _ = cv2.calcOpticalFlowPyrLK(after, self._before, moved[:checked], None, **settings)
        found = status[:, 0].astype(bool)
        found[:checked] &= status_back[:, 0].astype(bool)
        found[:checked] &= np.abs(back - points[:checked]).max(axis=1) <= _MAX_ROUND_TRIP_PX
        return moved.astype(np.float64), found


def create_flow(options: Mapping[str, Any]) -> FlowTracker:
    """Return the tracker that follows boxes by optical flow."""
    return FlowTracker()
