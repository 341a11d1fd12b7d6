"""Follows boxes by sparse optical flow: one pyramidal Lucas-Kanade pass over all boxes, checked forward and backward.

Bouguet, "Pyramidal implementation of the affine Lucas Kanade feature tracker" (2001), for the flow; Kalal, Mikolajczyk
& Matas, "Forward-backward error" (2010), for the check. A box is moved by those of its points that agree with each
other, and points that go with the background do not count where enough others go elsewhere: a hand's box is half table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
_MIN_SOLID_SHARE = 0.6  #: ... where the box is full of its object: what else moves in it lies over it
_INLIER_PX = 1.5  #: distance from the common motion up to which a point agrees with it
_INLIER_SPREADS = 2.5  #: ... or this many times the median distance: a hand turns and opens
_MIN_POINTS = 4  #: that must agree for a box to count as measured
_MIN_FREE_SHARE = 0.25  #: of a box's points that must lie in no box before it, for these to tell its motion alone
_STALE_S = 0.25  #: without a detector's word, from which it is looked for signs that a hand has left a thing
_LEFT_SHARE = 0.2  #: of a thing's points that rest while the hand over it moves, from which the thing rests too
_RESTS_PX, _RESTS_SHARE = 0.35, 0.3  #: way of a point that rests, and as a share of the hand's way
_MAX_SCALING = 1.25  #: of a box from frame to frame
_CENTRE_STD_PX = 0.4  #: standard deviation of a perfect measurement of the centre, at flow size
_SIZE_STD = 0.01  #: ... and of the size, as a share of it


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Let OpenCV work in the threads that call it alone, in all of the process; as before in the end.

    It shares out each small picture among as many threads as there are cores, and then waits for the slowest: with a
    detector at work beside it, that one has no core.
    """
    count = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(count)


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


def common_motion(
    points: Array, moved: Array, valid: Array, camera: Array, own_share: float | Array = _MIN_OWN_SHARE
) -> tuple[Array, Array, Array, Array]:
    """Return the motion that most points of each box agree on.

    points, moved: float64 (N, K, 2), where K points of N boxes were and are, px. valid: bool (N, K). camera: (2,), how
    the background moved, px. own_share: of a box's points that must go their own way before background-like ones are
    left out. Returns shift (N, 2), px, and scale (N,) about the agreeing points' centre; which agree, bool (N, K); and
    the standard deviation (N,) of one of them about the common motion, px.
    """
    flow = moved - points
    own = valid & (np.abs(flow - camera).max(axis=2) > _BACKGROUND_LIKE_PX)
    goes_own_way = own.sum(axis=1) >= np.maximum(_MIN_POINTS, own_share * valid.sum(axis=1))
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
    return end - start, scale, agrees, np.sqrt(rest / np.maximum(2 * count - 4, 1))


def _go_with_cover(shift: Array, expected: Array, covered: Array, hidden: Array, has_free: Array) -> Array:
    """Return which boxes (N,) were measured on the pixels of what hides them, by how those went.

    shift, expected: (N, 2), how the boxes' points went and how the boxes were expected to. covered: bool (N, K, N),
    the points that lie in other boxes. hidden: (N, K), those that something has come to lie on. has_free: (N,), boxes
    measured on points of their own. The points that two boxes share are the front one's; that one goes as they do.
    """
    share = covered.sum(axis=1)
    off = np.abs(shift - expected).max(axis=1)
    is_foreign: Array = ~has_free & hidden.any(axis=1) & (off > _INLIER_PX)
    rows = np.flatnonzero(~has_free & share.any(axis=1))
    if len(rows):
        cover = share[rows].argmax(axis=1)
        went = np.where(has_free[cover, None], shift[cover], expected[cover])
        is_foreign[rows] = np.abs(shift[rows] - went).max(axis=1) < off[rows]
    return is_foreign


class FlowTracker:
    """Measures how boxes move by optical flow on the luma, at 320 pixels width."""

    fills = True
    filters = True

    def __init__(self) -> None:
        self.reset()
        self._near = 0.5 + _INNER * (_grid(_GRID, _GRID) - 0.5)
        self._far = _grid(*_BACKGROUND_GRID)

    def reset(self) -> None:
        self._before: Array | None = None
        self._expected: tuple[Array, Array, Array, Array] | None = None
        self._seen_s: dict[int, float] = {}  # when a detector saw the boxes last, by id
        self._hidden: dict[int, Array] = {}  # of solid boxes, by id: the points that something else has come to lie on

    def remember(self) -> object:
        """Return what ``recall`` goes back to."""
        return self._before, dict(self._seen_s), dict(self._hidden)

    def recall(self, remembered: Any) -> None:
        """Go back to where ``remember`` was called; frames come once more from there."""
        self._before, seen_s, hidden = remembered
        self._seen_s, self._hidden, self._expected = dict(seen_s), dict(hidden), None

    def expect(self, change_px: Array, may_hide: Array, is_solid: Array, is_hand: Array) -> None:
        """Take what is known of N boxes beyond where they lie, for the next call of ``measure``.

        change_px: (N, 2), how their centres are expected to go. may_hide: (N, N), in row i the boxes whose pixels may
        lie over those of box i; not the hand that carries it. is_solid: (N,), what fills its box, unlike a hand.
        """
        self._expected = change_px, may_hide, is_solid, is_hand

    def settle(self, frame: Frame, track_id: Array, xyxy: Array, detected: Array) -> None:
        seen = dict.fromkeys(track_id[detected].tolist(), frame.time_s)
        self._seen_s = {
            number: seen.get(number, self._seen_s.get(number, frame.time_s)) for number in track_id.tolist()
        }
        known = set(track_id[~detected].tolist())
        self._hidden = {number: points for number, points in self._hidden.items() if number in known}
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
        told, self._expected = self._expected, None
        if told is None:
            shift, scaling, agrees, std = common_motion(near, moved, valid, camera)
            is_foreign = np.zeros(n, bool)
        else:
            shift, scaling, agrees, std, is_foreign = self._own_motion(
                track_id, near, moved, valid, camera, boxes, told[0] / scale_px[:2], *told[1:], frame.time_s
            )
        count = agrees.sum(axis=1)
        in_picture = ((near >= 0) & (near < size)).all(axis=2)
        centre, half = corner[:, 0] + extent[:, 0] / 2 + shift, extent[:, 0] / 2
        half = half * np.clip(scaling, 1 / _MAX_SCALING, _MAX_SCALING)[:, None]
        error = (std / np.sqrt(np.maximum(count, 1)))[:, None]
        return Measurement(
            xyxy=np.concatenate([centre - half, centre + half], axis=1) * scale_px,
            std_px=np.concatenate([np.repeat(_CENTRE_STD_PX + error, 2, 1), _SIZE_STD * extent[:, 0] + 2 * error], 1)
            * scale_px,
            is_measured=(count >= _MIN_POINTS) & ~is_foreign,
            quality=np.where(is_foreign, 1.0, (valid & in_picture).sum(axis=1) / np.maximum(in_picture.sum(axis=1), 1)),
        )

    def _own_motion(
        self,
        track_id: Array,
        near: Array,
        moved: Array,
        valid: Array,
        camera: Array,
        boxes: Array,
        expected: Array,
        may_hide: Array,
        is_solid: Array,
        is_hand: Array,
        time_s: float,
    ) -> tuple[Array, Array, Array, Array, Array]:
        """Return the common motion of each box's points that are its own, and which boxes show what hides them (N,).

        As ``common_motion``; boxes (N, 4), expected (N, 2), may_hide, is_solid and is_hand as told, at flow size.
        """
        k = near.shape[1]
        rim = _WINDOW_PX / 2  # a point nearer to a box than this goes with it as often as not
        point = near[:, :, None]
        inside = ((point >= boxes[:, :2] - rim) & (point <= boxes[:, 2:] + rim)).all(axis=3)
        covered = inside & may_hide[:, None]
        hidden = np.array([self._hidden.get(number, np.zeros(k, bool)) for number in track_id.tolist()])
        free = valid & ~covered.any(axis=2) & ~hidden
        has_free = free.sum(axis=1) >= _MIN_FREE_SHARE * k
        used = np.where(has_free[:, None], free, valid)
        own_share = np.where(is_solid, _MIN_SOLID_SHARE, _MIN_OWN_SHARE)
        shift, scaling, agrees, std = common_motion(near, moved, used, camera, own_share)
        scaling[is_solid & (agrees.sum(axis=1) < _MIN_SOLID_SHARE * k)] = 1.0  # a part of a thing tells no size
        is_foreign = _go_with_cover(shift, expected, covered, hidden, has_free)
        in_hand = ((point >= boxes[:, :2]) & (point <= boxes[:, 2:])).all(axis=3) & is_hand
        is_carried = (in_hand & ~may_hide[:, None]).any(axis=(1, 2))  # measured on the hand's points as well
        way = np.abs(shift - camera).max(axis=1)
        rests = valid & (
            np.abs(moved - near - camera).max(axis=2) <= np.maximum(_RESTS_PX, _RESTS_SHARE * way)[:, None]
        )
        is_stale = np.array([time_s - self._seen_s.get(number, time_s) > _STALE_S for number in track_id.tolist()])
        is_blind = is_stale & is_solid & in_hand.any(axis=(1, 2)) & (is_carried | ~has_free)
        is_left = is_blind & (way > 2 * _RESTS_PX) & (rests.sum(axis=1) >= _LEFT_SHARE * valid.sum(axis=1))
        shift[is_left], scaling[is_left], agrees[is_left] = camera, 1.0, rests[is_left]
        scaling[is_carried & is_stale] = 1.0  # the hand turns and closes
        is_foreign &= ~(is_left | (is_blind & (way <= _RESTS_PX)))  # where all rests, so does the thing
        hidden |= free & ~agrees
        for row in np.flatnonzero(is_solid & has_free):
            self._hidden[int(track_id[row])] = hidden[row]
        return shift, scaling, agrees, std, is_foreign

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
