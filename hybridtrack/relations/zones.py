"""Zones on the table: who enters and leaves them when, and how long each was in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from hybridtrack.ground import ZoneSetting
from hybridtrack.relations.footprint import apply
from hybridtrack.types import Array, Event, Relations, Scene, Tracks, TrackState

_MARGIN_CM = 0.5  #: on both sides of a border, where nothing is decided: boxes shake
_MARGIN_SHARE = 0.05  #: ... and of zones in pixels, of the box's size
_STAY_S = 0.2  #: that somebody must be on the other side of a border before it counts
_GONE_S = 0.5  #: for which a track may be lost before it has left


@dataclass(slots=True)
class _Visit:
    """What is remembered of a track and a zone."""

    is_inside: bool = False
    crossed_s: float | None = None  #: when it came to the side on which it does not count as being yet
    last_s: float = 0.0  #: when it was seen last


class Zones:
    """Tells when tracks enter and leave zones. Events are dated back to the crossing; no pairs are related.

    A zone in centimetres goes by ``Tracks.position_cm``; one in pixels of the first frame by the middle of a hand's box
    and of the lower edge of any other, moved back with the camera.
    """

    def __init__(self, zones: Sequence[ZoneSetting]) -> None:
        self._zones = [(zone, np.array(zone.polygon)) for zone in zones]
        self.needs_camera = any(zone.unit == "px" for zone in zones)
        self.reset()

    def reset(self) -> None:
        """Begin a new source."""
        self._visits: dict[tuple[str, int], _Visit] = {}

    def step(self, scene: Scene) -> tuple[Relations, Sequence[Event]]:
        """Return no pairs, and who has entered and left, as far as it is decided on this frame."""
        events: list[Event] = []
        tracks = scene.tracks
        is_seen = (tracks.state != TrackState.LOST) | (tracks.occluded_by > 0)
        for zone, polygon in self._zones:
            places, margins = _places(scene, zone)
            rows = np.flatnonzero(is_seen & _may_enter(scene, zone) & ~np.isnan(places).any(axis=1))
            depths = depth_in(polygon, places[rows])
            margins = np.minimum(margins[rows], _half_inradius(polygon))
            for track_id, depth, margin in zip(tracks.track_id[rows].tolist(), depths, margins, strict=True):
                visit = self._visits.setdefault((zone.name, track_id), _Visit())
                visit.last_s = scene.time_s
                crossed_s = _crossed(visit, float(depth), float(margin), scene.time_s)
                if crossed_s is not None:
                    kind = "enter" if visit.is_inside else "leave"
                    events.append(Event(kind=kind, time_s=crossed_s, subject=track_id, zone=zone.name))
        return Relations.empty(), [*events, *self._departures(scene)]

    def _departures(self, scene: Scene) -> list[Event]:
        """Return that those have left who have ended or are lost, and forget them."""
        alive = set(scene.tracks.track_id.tolist())
        gone = [
            (key, visit)
            for key, visit in self._visits.items()
            if key[1] not in alive or round(scene.time_s - visit.last_s, 6) >= _GONE_S
        ]
        for key, _ in gone:
            del self._visits[key]
        return [
            Event(kind="leave", time_s=visit.last_s, subject=track_id, zone=name)
            for (name, track_id), visit in gone
            if visit.is_inside
        ]


class Happening(Protocol):
    """What dwelling is computed from: an ``Event``, or an event's row of a track file."""

    @property
    def kind(self) -> str: ...
    @property
    def time_s(self) -> float: ...
    @property
    def subject(self) -> int: ...
    @property
    def zone(self) -> Any: ...


def dwell(events: Iterable[Happening], end_s: float) -> dict[tuple[int, str], float]:
    """Return how long tracks were in zones, seconds, by track id and zone, in the order of their first entry.

    ``events`` in the order in which they were decided; who has not left is taken to have been inside until ``end_s``.
    """
    seconds: dict[tuple[int, str], float] = {}
    entered: dict[tuple[int, str], float] = {}
    for event in events:
        key = event.subject, event.zone
        if event.kind == "enter" and isinstance(event.zone, str):
            seconds.setdefault(key, 0.0)
            entered[key] = event.time_s
        elif event.kind == "leave" and key in entered:
            seconds[key] += event.time_s - entered.pop(key)
    for key, since_s in entered.items():
        seconds[key] += max(0.0, end_s - since_s)
    return seconds


def depth_in(polygon: Array, points: Array) -> Array:
    """Return how deep points (M, 2) lie in a polygon (K, 2), in its unit: above 0 inside, below 0 outside, (M,)."""
    start, end = polygon[None], np.roll(polygon, -1, axis=0)[None]
    way, to_point = end - start, points[:, None] - start
    along = np.clip((to_point * way).sum(axis=2) / (way**2).sum(axis=2), 0, 1)
    distance: Array = np.linalg.norm(to_point - along[..., None] * way, axis=2).min(axis=1)
    x, y = points[:, None, 0], points[:, None, 1]
    spans = (start[..., 1] > y) != (end[..., 1] > y)
    rise = np.where(way[..., 1] == 0, 1.0, way[..., 1])
    is_inside = (spans & (x < start[..., 0] + (y - start[..., 1]) * way[..., 0] / rise)).sum(axis=1) % 2 == 1
    return np.where(is_inside, distance, -distance)


def _crossed(visit: _Visit, depth: float, margin: float, time_s: float) -> float | None:
    """Take in how deep a track is; return when it crossed the border, once that is decided."""
    if (depth > 0) == visit.is_inside:
        visit.crossed_s = None
        return None
    if visit.crossed_s is None:
        visit.crossed_s = time_s
    if abs(depth) <= margin or round(time_s - visit.crossed_s, 6) < _STAY_S:
        return None
    crossed_s, visit.crossed_s, visit.is_inside = visit.crossed_s, None, not visit.is_inside
    return crossed_s


def _places(scene: Scene, zone: ZoneSetting) -> tuple[Array, Array]:
    """Return where the tracks are (N, 2) and how wide the undecided margin is (N,), both in the zone's unit."""
    tracks = scene.tracks
    if zone.unit == "cm":
        return tracks.position_cm, np.full(len(tracks), _MARGIN_CM)
    xyxy = tracks.xyxy.astype(np.float64)
    middle = (xyxy[:, :2] + xyxy[:, 2:]) / 2
    middle[:, 1] = np.where(_has_role(scene, ("hand",)), middle[:, 1], xyxy[:, 3])
    size = np.sqrt(np.prod(xyxy[:, 2:] - xyxy[:, :2], axis=1))
    return apply(np.linalg.inv(scene.camera), middle), _MARGIN_SHARE * size


def _may_enter(scene: Scene, zone: ZoneSetting) -> Array:
    """Return which tracks are of the zone's roles and classes, bool (N,)."""
    is_of_class = _class_mask(scene.tracks, [info.name in zone.classes for info in scene.classes])
    is_allowed: Array = (_has_role(scene, zone.roles) | (not zone.roles)) & (is_of_class | (not zone.classes))
    return is_allowed


def _has_role(scene: Scene, roles: Sequence[str]) -> Array:
    return _class_mask(scene.tracks, [info.role in roles for info in scene.classes])


def _class_mask(tracks: Tracks, is_wanted: list[bool]) -> Array:
    mask: Array = np.array(is_wanted, bool)[tracks.class_id]
    return mask


def _half_inradius(polygon: Array) -> float:
    """Return about half the radius of the largest circle in a polygon: a margin is never wider."""
    after = np.roll(polygon, -1, axis=0)
    area = abs(float((polygon[:, 0] * after[:, 1] - polygon[:, 1] * after[:, 0]).sum())) / 2
    return area / float(np.linalg.norm(after - polygon, axis=1).sum())
