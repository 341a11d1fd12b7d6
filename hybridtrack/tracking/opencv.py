"""OpenCV's single-object trackers, one a box, behind the interface that ``flow`` has.

They are what ``flow`` is compared with. A tracker is started anew on every box that a detector sees. It answers with a
box of its own, of which only the change since the frame before is used, as it is for flow. ``cv2.legacy`` is used
because it takes fractions of a pixel and says whether it started; its answer "found" is not believed where the box is
absurd.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from hybridtrack.boxes import clip
from hybridtrack.errors import MissingPackageError
from hybridtrack.hookspecs import Measurement
from hybridtrack.tracking.flow import flow_size
from hybridtrack.types import Array, Frame

_MIN_SIDE_PX = 4.0  #: a box that is smaller, as the tracker sees it, cannot be started on: OpenCV raises
_STD = 0.03  #: standard deviation of a measured change, as a share of the box's size
_MAX_GROWTH = 1.5  #: a side that changes more from frame to frame is a failure, whatever the tracker says


@dataclass(slots=True)
class _Follower:
    """One OpenCV tracker and its last box: x, y, width, height at the size at which it looks."""

    tracker: Any
    xywh: Array


class OpenCvTracker:
    """Measures how boxes move with one OpenCV tracker each, at the size at which flow looks."""

    fills = True
    filters = True

    def __init__(self, make: Callable[[], Any], *, needs_colour: bool) -> None:
        self._make = make
        self._needs_colour = needs_colour
        self._followers: dict[int, _Follower] = {}

    def reset(self) -> None:
        self._followers.clear()

    def measure(self, frame: Frame, track_id: Array, xyxy: Array) -> Measurement:
        scale = np.array(frame.size_px) / flow_size(frame.detail_px)
        picture = self._picture(frame) if self._followers else None
        moved = np.array(xyxy, np.float64)
        found = np.zeros(len(xyxy), bool)
        for row, number in enumerate(track_id.tolist()):
            follower = self._followers.get(number)
            if follower is None:
                continue
            before = follower.xywh
            after = self._update(follower, picture)
            if after is None:
                del self._followers[number]
                continue
            found[row] = True
            centre = (moved[row, :2] + moved[row, 2:]) / 2
            centre += (after[:2] - before[:2] + (after[2:] - before[2:]) / 2) * scale
            half = (moved[row, 2:] - moved[row, :2]) * (after[2:] / before[2:]) / 2
            moved[row] = np.concatenate([centre - half, centre + half])
        size = np.tile(xyxy[:, 2:] - xyxy[:, :2], 2)
        return Measurement(xyxy=moved, std_px=_STD * size, is_measured=found, quality=np.ones(len(xyxy)))

    def settle(self, frame: Frame, track_id: Array, xyxy: Array, detected: Array) -> None:
        alive = set(track_id.tolist())
        for number in self._followers.keys() - alive:
            del self._followers[number]
        size = flow_size(frame.detail_px)
        scale = np.tile(np.array(frame.size_px) / size, 2)
        for row in np.flatnonzero(detected):
            box = clip(xyxy[row : row + 1] / scale, size)[0]
            xywh = np.concatenate([box[:2], box[2:] - box[:2]])
            self._followers.pop(int(track_id[row]), None)
            if (xywh[2:] >= _MIN_SIDE_PX).all():
                tracker = self._make()
                if tracker.init(self._picture(frame), tuple(xywh.tolist())):
                    self._followers[int(track_id[row])] = _Follower(tracker, xywh)

    def _picture(self, frame: Frame) -> Array:
        size = flow_size(frame.detail_px)
        return frame.bgr(size) if self._needs_colour else frame.gray(size)

    def _update(self, follower: _Follower, picture: Array | None) -> Array | None:
        """Return the follower's new box, kept in it, or None when it is lost."""
        ok, answer = follower.tracker.update(picture)
        xywh = np.array(answer, np.float64)
        if not ok or not np.isfinite(xywh).all() or (xywh[2:] < _MIN_SIDE_PX).any():
            return None
        growth = xywh[2:] / follower.xywh[2:]
        if (growth > _MAX_GROWTH).any() or (growth < 1 / _MAX_GROWTH).any():
            return None
        follower.xywh = xywh
        return xywh


def _legacy(name: str) -> Callable[[], Any]:
    """Return what makes the tracker ``name`` of OpenCV contrib. Raises MissingPackageError on a build without them."""
    try:
        make: Callable[[], Any] = getattr(cv2.legacy, f"Tracker{name}_create")
    except AttributeError as error:
        raise MissingPackageError(
            f"tracker {name.lower()!r} needs OpenCV's contrib modules, which cv2 {cv2.__version__} lacks: "
            "pip uninstall all of opencv, then pip install opencv-contrib-python-headless"
        ) from error
    return make


def create_medianflow(options: Mapping[str, Any]) -> OpenCvTracker:
    """Return Kalal's median flow (2010): a grid of points with a forward-backward check."""
    return OpenCvTracker(_legacy("MedianFlow"), needs_colour=False)


def create_mosse(options: Mapping[str, Any]) -> OpenCvTracker:
    """Return Bolme's correlation filter (2010)."""
    return OpenCvTracker(_legacy("MOSSE"), needs_colour=False)


def create_kcf(options: Mapping[str, Any]) -> OpenCvTracker:
    """Return Henriques' kernelised correlation filter (2015)."""
    return OpenCvTracker(_legacy("KCF"), needs_colour=True)


def create_csrt(options: Mapping[str, Any]) -> OpenCvTracker:
    """Return Lukežič's discriminative correlation filter with channel and spatial reliability (2017)."""
    return OpenCvTracker(_legacy("CSRT"), needs_colour=True)
