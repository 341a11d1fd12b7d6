"""How boxes are expected to move: the constants of the Kalman filter, for what turns at once and for what does not.

All lengths are in box sizes: the geometric mean of a box's width and height.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hybridtrack.association import Expected, Seen, assign_pairs
from hybridtrack.boxes import paired_iou, xyxy_to_cxcywh
from hybridtrack.hookspecs import Measurement
from hybridtrack.tracking.box_filter import BoxFilter
from hybridtrack.types import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinematics:
    """What is known of a kind of motion before it is seen. Standard deviations and half lives."""

    detection_std: float  #: of a detector's box with score 1; a score of 0 doubles it
    acceleration_per_s2: float  #: of the centre
    size_acceleration_per_s2: float
    new_speed_per_s: float  #: of a box that was seen only once
    coast_half_life_s: float  #: of the velocity while nothing measures it
    size_coast_half_life_s: float  #: ... and of that of the size
    jump: float  #: a detection farther off than this is believed and the motion before it forgotten
    min_inside: float  #: share of a box that has to be in the picture while no detector sees it


#: hands start and stop within a few frames, and what they handle does; so does all whose pixels tell how it moves
AGILE = Kinematics(
    detection_std=0.04,
    acceleration_per_s2=20.0,
    size_acceleration_per_s2=6.0,
    new_speed_per_s=2.0,
    coast_half_life_s=0.5,
    size_coast_half_life_s=0.5,
    jump=0.3,
    min_inside=0.2,
)
#: persons, vehicles, things on a belt, where no pixels are looked at: their inertia is all there is to go by
SMOOTH = Kinematics(
    detection_std=0.06,
    acceleration_per_s2=1.2,
    size_acceleration_per_s2=0.5,
    new_speed_per_s=1.0,
    coast_half_life_s=np.inf,
    size_coast_half_life_s=0.2,
    jump=2.0,
    min_inside=0.6,
)

_SURPRISE_VAR = 9.0  #: variances that a smooth box may be off before it counts as turning
_MIN_COMMON = 4  #: boxes that have to be off by the same to tell that the camera has moved
_COMMON_MIN_IOU = 0.3  #: of each with where it was expected
_COMMON_STDS = 2.0  #: standard errors of the median from which it is no accident
_COMMON_SHARE = 0.5  #: of it that is taken for the camera's: persons who walk together are off together, too


def _both(*names: str) -> Array:
    """Return constants (2, D) of smooth boxes, row 0, and of agile ones, row 1: ``is_agile`` selects rows."""
    return np.array([[getattr(kind, name) for name in names] for kind in (SMOOTH, AGILE)])


_DETECTION_STD = _both("detection_std")
_ACCELERATION = _both(*["acceleration_per_s2"] * 2, *["size_acceleration_per_s2"] * 2)
_NEW_SPEED = _both("new_speed_per_s")
_COAST_HALF_LIFE_S = _both(*["coast_half_life_s"] * 2, *["size_coast_half_life_s"] * 2)
_JUMP = _both("jump")
_MIN_INSIDE = _both("min_inside")


def min_inside(is_agile: Array) -> Array:
    """Return the share (N,) of each box that has to be in the picture while no detector sees it."""
    share: Array = _MIN_INSIDE[is_agile.astype(np.intp), 0]
    return share


def accelerations(is_agile: Array) -> Array:
    """Return the standard deviations (N, 4) of the accelerations of boxes, in box sizes per second squared."""
    acceleration: Array = _ACCELERATION[is_agile.astype(np.intp)]
    return acceleration


def new_speed(is_agile: Array) -> Array:
    """Return the standard deviations (N,) of the speeds of boxes that appear, in box sizes per second."""
    speed: Array = _NEW_SPEED[is_agile.astype(np.intp), 0]
    return speed


def begun(position: Array, score: Array, is_agile: Array) -> BoxFilter:
    """Return beliefs about boxes that were seen once. position: (N, 4), cx, cy, w, h; score, is_agile: (N,)."""
    speed = _NEW_SPEED[is_agile.astype(np.intp)] * _size(position)
    return BoxFilter.at(position, detection_std(position, score, is_agile), speed)


def predicted(before: BoxFilter, found: Measurement, dt_s: float, is_agile: Array) -> BoxFilter:
    """Return the beliefs ``dt_s`` later, with what was measured of the boxes' way since ``before``."""
    kind = is_agile.astype(np.intp)
    after = before.predicted(dt_s, _size(before.position) * _ACCELERATION[kind])
    rows = found.is_measured.nonzero()[0]
    if len(rows):
        change = xyxy_to_cxcywh(found.xyxy[rows]) - before.position[rows]
        after[rows] = after[rows].shifted(before[rows], dt_s, change, found.std_px[rows])
    if len(rows) < len(after):
        unmeasured = (~found.is_measured).nonzero()[0]
        after.velocity[unmeasured] *= 0.5 ** (dt_s / _COAST_HALF_LIFE_S[kind[unmeasured]])
    after.position[:, 2:] = np.maximum(after.position[:, 2:], 1.0)
    return after


def corrected(beliefs: BoxFilter, position: Array, score: Array, is_agile: Array) -> BoxFilter:
    """Return the beliefs after detections at ``position`` (N, 4), cx, cy, w, h; far ones may start them anew."""
    std = detection_std(position, score, is_agile)
    beliefs = beliefs.widened(_surprise(beliefs, position, std, is_agile))
    after = beliefs.corrected(position, std)
    off = np.abs(position[:, :2] - beliefs.position[:, :2]).max(axis=1)
    far = (off > (_JUMP[is_agile.astype(np.intp)] * _size(position))[:, 0]).nonzero()[0]
    if len(far):
        after[far] = begun(position[far], score[far], is_agile[far])
    return after


def _surprise(beliefs: BoxFilter, position: Array, std: Array, is_agile: Array) -> Array:
    """Return what to widen beliefs (N, 4) by so that the detected centres are no more than three deviations off.

    A smooth box that turns after all would be followed too late otherwise, and lost (fading memory: Xia et al.,
    "Adaptive fading Kalman filter with an application", 1994). Sizes are not followed so: what hides a box in part
    changes them.
    """
    ratio = np.square(position - beliefs.position) / (beliefs.var_position + np.square(std)) / _SURPRISE_VAR
    ratio[is_agile] = 1.0
    ratio[:, 2:] = 1.0
    surprise: Array = np.maximum(ratio, 1.0)
    return surprise


def detection_std(position: Array, score: Array, is_agile: Array) -> Array:
    """Return the standard deviations (N, 4) of centre and size of detected boxes (N, 4), px."""
    share = _DETECTION_STD[is_agile.astype(np.intp)]
    std: Array = np.repeat(share * _size(position) * (2 - score)[:, None], 4, axis=1)
    return std


def common_shift(tracks: Expected, found: Seen) -> Array:
    """Return by how far the camera has moved beyond what all the tracks expect, px (2,); 0 where nothing tells.

    That is the median by which detections are off from the tracks that they overlap. ``found`` are of the same class.
    """
    if min(len(tracks.xyxy), len(found.xyxy)) < _MIN_COMMON:
        return np.zeros(2)
    rows, columns = np.nonzero(_touch(tracks.xyxy, found.xyxy))
    overlap = paired_iou(tracks.xyxy[rows], found.xyxy[columns])
    near = (overlap >= _COMMON_MIN_IOU).nonzero()[0]
    if len(near) < _MIN_COMMON:
        return np.zeros(2)
    near = near[assign_pairs(rows[near], columns[near], -overlap[near])]
    if len(near) < _MIN_COMMON:
        return np.zeros(2)
    off = (xyxy_to_cxcywh(found.xyxy[columns[near]]) - xyxy_to_cxcywh(tracks.xyxy[rows[near]]))[:, :2]
    middle = _median(off)
    # 1.48 times the median distance from the median is the standard deviation of Gaussian noise
    error = 1.48 * _median(np.abs(off - middle)) / np.sqrt(len(near))
    shift: Array = _COMMON_SHARE * np.where(np.abs(middle) > _COMMON_STDS * error, middle, 0.0)
    return shift


def _touch(a: Array, b: Array) -> Array:
    """Return which boxes of ``a`` (N, 4) and ``b`` (M, 4) overlap at all, bool (N, M)."""
    touch: Array = (a[:, None, 0] < b[:, 2]) & (b[:, 0] < a[:, None, 2])
    touch &= (a[:, None, 1] < b[:, 3]) & (b[:, 1] < a[:, None, 3])
    return touch


def _median(values: Array) -> Array:
    """Return the medians (D,) of values (N, D), N > 0: ``np.median`` takes ten times as long over a few numbers."""
    ordered = np.sort(values, axis=0)
    n = len(ordered)
    middle: Array = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    return middle


def _size(position: Array) -> Array:
    """Return the sizes (N, 1) of boxes (N, 4), cx, cy, w, h."""
    size: Array = np.sqrt(position[:, 2:3] * position[:, 3:4])
    return size
