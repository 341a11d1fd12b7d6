"""The way that tracks have come within the last second or so."""

from __future__ import annotations

import cv2
import numpy as np

from hybridtrack.sinks.ink import Colour
from hybridtrack.types import Array, FrameResult, Size, TrackState

TRAIL_S = 1.5  #: how far back a trail goes
_GAP_S = 0.5  #: a track that was away for longer begins a new trail
_STEP = (
    0.05  #: a point is added when the track has gone this share of its box's size, so that what rests leaves no knot
)
_LEAST = 0.2  #: a trail shorter than this share of its box's size is none
_OPACITY = 0.65
_SUBPIXEL_BITS = 4
_FARTHEST_PX = 10_000  #: from the picture that is drawn to; further away OpenCV's numbers end


class Trails:
    """Middles of the confirmed tracks' boxes; those of frames before move with the table, where it was measured."""

    def __init__(self) -> None:
        self._points: dict[int, list[tuple[float, float, float]]] = {}  #: time, s; x and y, px, by track
        self._seen: dict[int, tuple[float, float, float]] = {}  #: time, s, x and y, px, where a track was last
        self._camera: Array | None = None

    def follow(self, result: FrameResult) -> None:
        """Take one frame; what is older than a trail is dropped."""
        now_s = result.time_s
        self._move(result.camera)
        tracks = result.tracks
        for track_id, state, (x1, y1, x2, y2) in zip(
            tracks.track_id.tolist(), tracks.state.tolist(), tracks.xyxy.tolist(), strict=True
        ):
            if state != TrackState.CONFIRMED or not np.isfinite((x1, y1, x2, y2)).all():
                continue
            if track_id in self._seen and now_s - self._seen[track_id][0] > _GAP_S:
                del self._points[track_id]
            x, y = (x1 + x2) / 2, (y1 + y2) / 2
            self._seen[track_id] = now_s, x, y
            points = self._points.setdefault(track_id, [])
            step_px = _STEP * np.sqrt(max((x2 - x1) * (y2 - y1), 0.0))
            if not points or abs(x - points[-1][1]) + abs(y - points[-1][2]) >= step_px:
                points.append((now_s, x, y))
        for track_id, points in [*self._points.items()]:
            self._points[track_id] = [point for point in points if point[0] > now_s - TRAIL_S]
            if self._seen[track_id][0] <= now_s - TRAIL_S:
                del self._points[track_id], self._seen[track_id]

    def of(self, track_id: int) -> Array:
        """Return where a track was, up to where it is: float64 (N, 2), px of the present frame; N = 0: not known."""
        if track_id not in self._seen:
            return np.empty((0, 2))
        return np.array([point[1:] for point in (*self._points[track_id], self._seen[track_id])])

    def _move(self, camera: Array | None) -> None:
        """Carry the points over from the frame before to this one, with the table."""
        before, self._camera = self._camera, camera
        if camera is None or before is None or np.array_equal(camera, before):
            return
        try:
            change = camera @ np.linalg.inv(before)
        except np.linalg.LinAlgError:
            return
        for track_id, points in self._points.items():
            if points:
                homogeneous = np.array([(x, y, 1.0) for _, x, y in points]) @ change.T
                moved = (homogeneous[:, :2] / homogeneous[:, 2:]).tolist()
                self._points[track_id] = [(point[0], x, y) for point, (x, y) in zip(points, moved, strict=True)]


def draw_trail(picture: Array, points: Array, box_px: Size, colour: Colour, unit: int) -> None:
    """Draw a line through points, float (N, 2), px, that grows to its end, into a picture.

    Nothing for fewer than two points, nor where they lie within a fifth of the box's size.
    """
    points = points[np.isfinite(points).all(axis=1)]
    if len(points) < 2 or np.ptp(points, axis=0).max() < _LEAST * np.sqrt(box_px[0] * box_px[1]):
        return
    margin = 2 * unit + 2
    height, width = picture.shape[:2]
    points = points.clip(-_FARTHEST_PX, np.array((width, height)) + _FARTHEST_PX)
    x1, y1 = np.floor(points.min(axis=0) - margin).clip(0, (width, height)).astype(int).tolist()
    x2, y2 = np.ceil(points.max(axis=0) + margin).clip(0, (width, height)).astype(int).tolist()
    under = picture[y1:y2, x1:x2]
    if not under.size:
        return
    over = under.copy()
    ends = np.rint((points - (x1, y1)) * (1 << _SUBPIXEL_BITS)).astype(np.int32)
    steps = 2 * unit + 1
    for step in range(steps):
        first, last = (step * (len(ends) - 1) // steps, (step + 1) * (len(ends) - 1) // steps)
        if last > first:
            cv2.polylines(over, [ends[first : last + 1]], False, colour, step + 1, cv2.LINE_AA, _SUBPIXEL_BITS)
    cv2.addWeighted(over, _OPACITY, under, 1 - _OPACITY, 0, dst=under)
