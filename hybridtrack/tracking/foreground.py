"""Where something moves that no track explains, by differences between small pictures."""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np

from hybridtrack.tracking.flow import flow_size
from hybridtrack.types import Array, Frame, Size

_WIDTH_PX = 160  #: width at which pictures are compared; the height follows the picture's shape
_PAST_S = 0.1  #: how old the picture is that a new one is compared with: slow things have gone a way by then
_LEVELS = 10.0  #: grey levels beyond which a difference is none of noise
_CHANGED_LEVELS = 25.0  #: ... and beyond which it says nothing of the camera
_MIN_SHARE = 0.0015  #: of the picture that has to move: a hand's tip
_MARGIN = 0.25  #: of a track's box on each side: what moves there is its own
_OWN_S = 0.7  #: how long a place is a track's own after something moved there that touched the track
_OWN_SHARE = 0.3  #: of something that moves, which has to lie in such a place for it to be the track's
_STILL_PX = 0.02  #: shift of the whole picture up to which the camera counts as still
_KERNEL = np.ones((3, 3), np.uint8)
_ROUNDING_S = 1e-6


class Foreground:
    """Tells for frames in order what moves outside every track.

    A picture is compared with the one a tenth of a second before. A difference counts where neither the light explains
    it (each row's median is taken out: lamps flicker, and a rolling shutter turns that into bands) nor the camera (the
    shift of the whole picture is taken out, and one more pixel allowed: what comes in brings grey levels that were not
    there). What touches a track is that track's, and so is, for a while, what moves in the same place: a hand moves an
    arm, a shadow, and what it carries.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin a new source."""
        self._past: deque[tuple[float, Array]] = deque()
        self._owner = np.zeros((0, 0), np.int64)
        self._owned_s = np.zeros((0, 0))

    def step(self, frame: Frame, track_id: Array, xyxy: Array) -> Array:
        """Return boxes, float64 (M, 4), px, of what moves on ``frame`` and belongs to no track at ``xyxy`` (N, 4)."""
        picture = _small(frame)
        if self._owner.shape != picture.shape:
            self._past.clear()
            self._owner, self._owned_s = np.zeros(picture.shape, np.int64), np.full(picture.shape, -np.inf)
        while len(self._past) > 1 and self._past[1][0] <= frame.time_s - _PAST_S + _ROUNDING_S:
            self._past.popleft()
        self._past.append((frame.time_s, picture))
        before = self._past[0][1]
        moving = _difference(_shifted(before, picture), picture) > _LEVELS
        closed = cv2.morphologyEx(moving.view(np.uint8), cv2.MORPH_CLOSE, _KERNEL)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
        if count == 1:
            return np.empty((0, 4))
        scale = np.tile(np.array(picture.shape[::-1]) / frame.size_px, 2)
        is_owned = self._own(labels, count, frame.time_s, track_id, _grown(xyxy * scale, picture.shape))
        rows = np.flatnonzero(~is_owned & (stats[:, cv2.CC_STAT_AREA] >= _MIN_SHARE * picture.size))
        corner = stats[rows][:, [cv2.CC_STAT_LEFT, cv2.CC_STAT_TOP]]
        sides = stats[rows][:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]]
        found: Array = np.concatenate([corner, corner + sides], axis=1) / scale
        return found

    def _own(self, labels: Array, count: int, time_s: float, track_id: Array, xyxy: Array) -> Array:
        """Give the tracks at ``xyxy`` (N, 4) the patches that are theirs; return which patches are, bool (count,)."""
        owner = np.zeros(count, np.int64)
        is_theirs = np.isin(self._owner, track_id) & (time_s - self._owned_s < _OWN_S)
        size, theirs = np.bincount(labels.ravel(), minlength=count), np.bincount(labels[is_theirs], minlength=count)
        for label in np.flatnonzero(theirs > _OWN_SHARE * size):
            owner[label] = np.bincount(self._owner[is_theirs & (labels == label)]).argmax()
        for number, (x1, y1, x2, y2) in zip(track_id.tolist(), xyxy.tolist(), strict=True):
            owner[labels[y1:y2, x1:x2].ravel()] = number
        owner[0] = 0
        owned = owner[labels]
        self._owner = np.where(owned > 0, owned, self._owner)
        self._owned_s = np.where(owned > 0, time_s, self._owned_s)
        is_owned: Array = owner > 0
        is_owned[0] = True  # what does not move
        return is_owned


def _small(frame: Frame) -> Array:
    """Return the picture at a small size, uint8, made of the one that trackers look at."""
    width, height = frame.size_px
    size: Size = (_WIDTH_PX, max(1, round(height * _WIDTH_PX / width)))
    gray = cv2.resize(frame.gray(flow_size(frame.detail_px)), size, interpolation=cv2.INTER_AREA)
    small: Array = cv2.GaussianBlur(gray, (3, 3), 0)
    return small


def _relit(before: Array, after: Array) -> Array:
    """Return by how many grey levels most of each row has become lighter, int16 (H, 1)."""
    sample = after[:, ::4].astype(np.int16) - before[:, ::4]
    middle = sample.shape[1] // 2
    lighter: Array = np.partition(sample, middle, axis=1)[:, middle, None]
    return lighter


def _shifted(before: Array, after: Array) -> Array:
    """Return ``before`` moved as most of the picture has moved since (Lucas and Kanade, 1981), coarse to fine."""
    shift, moved = np.zeros(2), before
    for scale in (4, 2, 1):
        small = [
            cv2.resize(one, None, fx=1 / scale, fy=1 / scale, interpolation=cv2.INTER_AREA) for one in (moved, after)
        ]
        shift = shift + _step(*small) * scale
        if np.abs(shift).sum() > _STILL_PX:
            way = np.array([[1, 0, shift[0]], [0, 1, shift[1]]])
            moved = cv2.warpAffine(before, way, before.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    return moved


def _step(before: Array, after: Array) -> Array:
    """Return the shift (2,), px, that explains the difference best where it is small."""
    dx, dy = (one[1:-1, 1:-1].astype(np.float32).ravel() / 8 for one in cv2.spatialGradient(before))
    relit = after.astype(np.int16) - before - _relit(before, after)
    difference = relit[1:-1, 1:-1].astype(np.float32).ravel()
    slope = np.stack([dx, dy]) * (np.abs(difference) < _CHANGED_LEVELS)
    step: Array = -np.linalg.solve(slope @ slope.T + np.eye(2) * max(len(difference), 1), slope @ difference)
    return step


def _difference(before: Array, after: Array) -> Array:
    """Return by how many grey levels ``after`` leaves what light and small shifts make of ``before``, int16 (H, W)."""
    after = after.astype(np.int16) - _relit(before, after)
    difference: Array = np.maximum(after - cv2.dilate(before, _KERNEL), cv2.erode(before, _KERNEL) - after)
    return difference


def _grown(xyxy: Array, shape: tuple[int, ...]) -> Array:
    """Return boxes (N, 4) with a margin, whole pixels inside a picture of ``shape``, int (N, 4)."""
    margin = _MARGIN * np.tile(xyxy[:, 2:] - xyxy[:, :2], 2) * np.array([-1, -1, 1, 1])
    grown: Array = np.clip(np.round(xyxy + margin), 0, np.tile(shape[1::-1], 2)).astype(int)
    return grown
