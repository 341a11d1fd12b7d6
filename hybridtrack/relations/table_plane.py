"""The table in centimetres: where its plane lies in a picture, and where tracks are on it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from hybridtrack.errors import UsageError
from hybridtrack.ground import TableSetting, parse_table
from hybridtrack.relations import footprint
from hybridtrack.types import Array, Origin, Relations, Scene, Size, Tracks

_MARKER = "marker"  #: the class of markers, and ...
_MARKER_ID = "marker_id"  #: ... the attributes that tell their number and ...
_MARKER_CORNERS = "corners"  #: ... their corners (4, 2), px
_SPEED_S = 0.2  #: over which a speed is measured: the shaking of boxes is none


class TablePlane:
    """Places tracks on a table: x to the right along its near side, y away from it, from the near left corner.

    table: a ``TableSetting`` or the text of one. Raises UsageError when the text tells of no table.
    """

    def __init__(self, table: TableSetting | str) -> None:
        self._setting = parse_table(table) if isinstance(table, str) else table
        width, depth = self._setting.width_cm, self._setting.depth_cm
        self._corners_cm = np.array([[0, 0], [width, 0], [width, depth], [0, depth]])
        self.reset()

    def check_classes(self, names: Iterable[str]) -> None:
        """Raise UsageError when the table goes by markers, and ``names``, the run's classes, have none."""
        found = sorted(set(names))
        if self._setting.marker_ids and _MARKER not in found:
            raise UsageError(
                f"table {str(self._setting)!r} goes by markers, but what is found is {', '.join(found) or 'nothing'}: "
                "add one of markers (--detector +markers), or give the corners"
            )

    def reset(self) -> None:
        """Begin a new source."""
        corners = self._setting.corners_px
        self._reference = footprint.homography_of(np.array(corners), self._corners_cm) if corners else None
        self._paths: dict[int, deque[tuple[float, Array]]] = {}

    def place(self, scene: Scene, size_px: Size) -> Scene:
        """Return the scene with its table, and with the places and speeds of its tracks, as far as they are known.

        Both have the digits of a track file, so that what is computed from one is the same.
        size_px: of the picture, (width, height). Until all four markers have been seen on one frame nothing is known.
        """
        tracks = scene.tracks
        names = [scene.classes[class_id].name for class_id in tracks.class_id.tolist()]
        corners_px = self._marked_corners(tracks, names, scene.time_s)
        if corners_px is not None:
            self._reference = footprint.homography_of(corners_px, self._corners_cm) @ scene.camera
        if self._reference is None:
            return scene
        to_table = self._scaled(self._reference @ np.linalg.inv(scene.camera))
        is_hand = np.array([scene.classes[class_id].role == "hand" for class_id in tracks.class_id.tolist()], bool)
        position_cm = _positions(
            to_table, size_px, tracks, is_hand, np.array([name == _MARKER for name in names], bool)
        )
        speed_cm_s = np.round(self._speeds(scene, position_cm), 2)
        placed = replace(tracks, position_cm=np.round(position_cm, 2), speed_cm_s=speed_cm_s)
        return replace(scene, tracks=placed, table=to_table)

    def _marked_corners(self, tracks: Tracks, names: list[str], time_s: float) -> Array | None:
        """Return the centres (4, 2), px, of the four markers when a detector sees all of them on this frame."""
        places: dict[int, Array] = {}
        if not self._setting.marker_ids or not {_MARKER_ID, _MARKER_CORNERS} <= tracks.attributes.keys():
            return None
        for row in np.flatnonzero(tracks.origin == Origin.DETECTED).tolist():
            number, corners = tracks.attributes[_MARKER_ID][row], tracks.attributes[_MARKER_CORNERS][row]
            if names[row] == _MARKER and number is not None and corners is not None:
                places[int(number)] = _crossing(np.asarray(corners, np.float64))
        if not places.keys() >= set(self._setting.marker_ids):
            return None
        return np.stack([places[number] for number in self._setting.marker_ids])

    def _scaled(self, to_table: Array) -> Array:
        """Return the homography with a third coordinate of 1 in the middle of the table."""
        middle = np.linalg.solve(to_table, np.append(self._corners_cm[2] / 2, 1.0))
        scaled: Array = to_table / (to_table[2] @ (middle / middle[2]))
        return scaled

    def _speeds(self, scene: Scene, position_cm: Array) -> Array:
        """Return the speeds (N,), cm/s: the slopes of the paths of the last moments; NaN on a track's first frame."""
        ids = scene.tracks.track_id.tolist()
        self._paths = {track_id: self._paths.get(track_id, deque()) for track_id in ids}
        speeds = np.full(len(ids), np.nan)
        for row, track_id in enumerate(ids):
            path = self._paths[track_id]
            if np.isnan(position_cm[row]).any():
                path.clear()
                continue
            path.append((scene.time_s, position_cm[row]))
            while len(path) > 2 and path[1][0] <= scene.time_s - _SPEED_S:
                path.popleft()
            speeds[row] = _slope(path)
        return speeds


def with_distance_cm(relations: Relations, tracks: Tracks) -> Relations:
    """Return the relations with the distances between the places of their pairs, where both are known."""
    if not len(relations) or np.isnan(tracks.position_cm).all():
        return relations
    row = {track_id: row for row, track_id in enumerate(tracks.track_id.tolist())}
    subjects, objects = (
        tracks.position_cm[[row[track_id] for track_id in ids.tolist()]]
        for ids in (relations.subject, relations.object)
    )
    apart = np.linalg.norm(subjects - objects, axis=1)
    return replace(relations, distance_cm=np.where(np.isnan(relations.distance_cm), apart, relations.distance_cm))


def _positions(to_table: Array, size_px: Size, tracks: Tracks, is_hand: Array, is_flat: Array) -> Array:
    """Return where tracks are, (N, 2), cm: objects and markers where they stand and lie, hands what they are over."""
    xyxy = tracks.xyxy.astype(np.float64)
    camera = footprint.projection(to_table, size_px)
    places = np.empty((len(xyxy), 2))
    stands = ~is_hand & ~is_flat
    places[is_hand] = footprint.under(to_table, camera, xyxy[is_hand])
    places[is_flat] = footprint.lying_at(to_table, xyxy[is_flat])
    places[stands] = footprint.standing_at(to_table, camera, xyxy[stands])
    return places


def _crossing(corners: Array) -> Array:
    """Return where the diagonals of corners (4, 2) cross: the middle of a square that is seen at a slant."""
    (a, b, c, d) = corners
    way = np.column_stack([c - a, b - d])
    middle: Array = a + (c - a) * np.linalg.solve(way, b - a)[0]
    return middle


def _slope(path: deque[tuple[float, Array]]) -> float:
    """Return the speed along a path by least squares, cm/s; NaN for one place."""
    if len(path) < 2:
        return np.nan
    times = np.array([time_s for time_s, _ in path])
    times = times - times.mean()
    spread = float(times @ times)
    if spread == 0:
        return np.nan
    return float(np.linalg.norm(times @ np.array([place for _, place in path])) / spread)
