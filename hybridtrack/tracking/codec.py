"""Follows boxes by the motion vectors that the video codec stored: the encoder has searched for motion already.

The median and the spread of the vectors inside a box, each block weighted by its area; vectors that go with the
background do not count where enough others go elsewhere: a hand's box is half table. No pixel is looked at.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hybridtrack.hookspecs import Measurement
from hybridtrack.types import Array, Frame, MotionVectors, Size

_INNER = 0.75  #: share of a box's width and height whose blocks count: the rim is mostly table
_EVERY = 16  #: one block in so many tells the camera's motion
_MIN_BLOCKS = 3  #: in a box, with fewer nothing is said
_MIN_COVER = 0.2  #: share of a box's inside under blocks that came from an earlier frame, for it to count as measured
_FULL_COVER = 0.8  #: ... from which all of it was found again
_OWN_WAY = 0.0015  #: of the picture's longer side: a block that goes farther from the camera's way goes its own
_MIN_OWN_SHARE = 0.3  #: of a box's area that must go its own way before the rest is left out
_INLIER = 0.004  #: of the longer side: distance from the median up to which a block agrees with it
_INLIER_SPREADS = 2.5  #: ... or this many times the median distance: a hand turns and opens
_MIN_SCALING_BLOCKS = 6  #: that tell how a box grows
_SCALING_PRIOR_PX2 = 64.0  #: weight of "it keeps its size", so that blocks close to each other tell no scale
_MAX_SCALING = 1.25  #: of a box between the frames that vectors join
_CENTRE_STD = 0.003  #: standard deviation of a perfect measurement of the centre, of the longer side
_SIZE_STD = 0.03  #: ... and of the size, as a share of it
_MEMORY = 17  #: frames: H.264 encoders put at most 16 B frames between a picture and the one that it starts from


@dataclass(frozen=True, slots=True)
class BoxMotion:
    """How a box has gone: shift of its centre (2,), px; scale; error of the shift, px. ``cover`` is the share of it
    that came from an earlier frame; the rest is None where that is too little."""

    cover: float
    shift: Array | None = None
    scale: float = 1.0
    error_px: float = 0.0


def weighted_median(values: Array, weight: Array) -> float:
    """Return the lower median of ``values`` (N,), N > 0, each with a positive ``weight`` (N,)."""
    order = values.argsort()
    total = weight[order].cumsum()
    return float(values[order[total.searchsorted(total[-1] / 2)]])


def camera_shift(motion: MotionVectors) -> Array:
    """Return how most of the picture has gone since the frame that the vectors start from (2,), px."""
    return np.array([_median(motion.dx_px[::_EVERY]), _median(motion.dy_px[::_EVERY])])


def _median(values: Array) -> float:
    """Return the upper median, a fifth of the cost of numpy's."""
    middle = len(values) // 2
    return float(np.partition(values, middle)[middle])


def box_motion(motion: MotionVectors, box: Array, camera: Array, size_px: Size) -> BoxMotion | None:
    """Return how what is inside ``box`` (4,) has gone; None where there are too few blocks to tell.

    camera: (2,), as ``camera_shift``. size_px: of the picture.
    """
    unit = max(size_px)
    rim = (box[2:] - box[:2]) * (1 - _INNER) / 2
    left, top = np.maximum(box[:2] + rim, 0).tolist()
    right, bottom = np.minimum(box[2:] - rim, size_px).tolist()
    if right <= left or bottom <= top:
        return None
    rows = _rows_inside(motion, left, top, right, bottom)
    if len(rows) < _MIN_BLOCKS:
        return None
    area = motion.area_px[rows]
    total = int(area.sum())
    cover = total / ((right - left) * (bottom - top))
    if cover < _MIN_COVER:
        return BoxMotion(cover)
    flow = np.stack([motion.dx_px[rows], motion.dy_px[rows]])
    own = (np.abs(flow - camera[:, None]) > unit * _OWN_WAY).any(axis=0)
    if area @ own >= _MIN_OWN_SHARE * total:
        kept = np.flatnonzero(own)
        rows, area, flow = rows[kept], area[kept], flow[:, kept]
    median = np.array([weighted_median(way, area) for way in flow])
    off = np.abs(flow - median[:, None]).max(axis=0)
    spread = _median(off)
    error_px = spread / len(rows) ** 0.5
    if len(rows) < _MIN_SCALING_BLOCKS:
        return BoxMotion(cover, median, error_px=error_px)
    agree = np.flatnonzero(off <= max(unit * _INLIER, _INLIER_SPREADS * spread))
    rows, flow = rows[agree], flow[:, agree]
    end = np.stack([motion.x_px[rows], motion.y_px[rows]])
    return BoxMotion(cover, flow.sum(axis=1) / len(rows), _scale(end - flow, end), error_px)


def _rows_inside(motion: MotionVectors, left: float, top: float, right: float, bottom: float) -> Array:
    """Return the rows (K,) of the blocks whose centre lies in a part of the picture."""
    x, y = motion.x_px, motion.y_px  # whole numbers, and compared as such: with floats it takes three times as long
    in_row = np.flatnonzero((y >= math.ceil(top)) & (y <= math.floor(bottom)))
    x = x[in_row]
    return in_row[(x >= math.ceil(left)) & (x <= math.floor(right))]


def _scale(start: Array, end: Array) -> float:
    """Return by what factor points (2, K) went apart, by least squares about their means."""
    from_start = start - start.sum(axis=1, keepdims=True) / start.shape[1]
    along, square = float(np.vdot(from_start, end)), float(np.vdot(from_start, from_start))
    scale = (along + _SCALING_PRIOR_PX2) / (square + _SCALING_PRIOR_PX2)
    return min(max(scale, 1 / _MAX_SCALING), _MAX_SCALING)


class CodecTracker:
    """Measures how boxes move by the codec's motion vectors, each from the frame that they start from.

    Nothing is measured on frames without vectors, such as key frames.
    """

    fills = True
    filters = True
    needs_motion = True

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._settled: dict[int, dict[int, Array]] = {}  # boxes by id, by the frame's number

    def settle(self, frame: Frame, track_id: Array, xyxy: Array, detected: Array) -> None:
        self._settled[frame.index] = dict(zip(track_id.tolist(), xyxy.copy(), strict=True))
        # two-way fill goes back through the frames
        for number in [number for number in self._settled if abs(number - frame.index) > _MEMORY]:
            del self._settled[number]

    def remember(self) -> object:
        """Return what ``recall`` goes back to."""
        return dict(self._settled)

    def recall(self, remembered: Any) -> None:
        """Go back to where ``remember`` was called; frames come once more from there."""
        self._settled = dict(remembered)

    def measure(self, frame: Frame, track_id: Array, xyxy: Array) -> Measurement:
        found = Measurement.none(xyxy)
        motion = frame.motion if len(xyxy) else None
        past = None if motion is None else self._settled.get(frame.index - motion.frames_back)
        if motion is None or past is None:
            return found
        unit, camera = max(frame.size_px), camera_shift(motion)
        moved, std_px, is_measured, quality = xyxy.copy(), found.std_px, found.is_measured, found.quality
        for row, number in enumerate(track_id.tolist()):
            before = past.get(number)
            went = None if before is None else box_motion(motion, xyxy[row], camera, frame.size_px)
            if before is None or went is None:
                continue
            quality[row] = min(1.0, went.cover / _FULL_COVER)
            if went.shift is None:
                continue
            centre, half = (before[:2] + before[2:]) / 2 + went.shift, (before[2:] - before[:2]) / 2 * went.scale
            moved[row] = np.concatenate([centre - half, centre + half])
            std_px[row, :2] = _CENTRE_STD * unit + went.error_px
            std_px[row, 2:] = 2 * _SIZE_STD * half + went.error_px
            is_measured[row] = True
        return Measurement(xyxy=moved, std_px=std_px, is_measured=is_measured, quality=quality)


def create_codec(options: Mapping[str, Any]) -> CodecTracker:
    """Return the tracker that follows boxes by the codec's motion vectors."""
    return CodecTracker()
