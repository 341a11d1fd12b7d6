"""Small worlds of hands and objects: boxes over time, as scenes that relations are computed from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from hybridtrack.relations.hand_object import HandObject
from hybridtrack.types import Array, Box, ClassInfo, Event, Origin, Relations, Scene, Tracks, TrackState

CLASSES = (
    ClassInfo(name="hand", role="hand"),
    ClassInfo(name="mug", role="object"),
    ClassInfo(name="table", role="other"),
)
FPS = 30


def scene_of(
    frame_index: int,
    boxes: Mapping[int, Box],
    *,
    roles: Mapping[int, str],
    camera: Array | None = None,
    detected: bool = True,
    states: Mapping[int, TrackState] | None = None,
) -> Scene:
    """Return the scene of one frame: a track id's box, and its role (hand, object, other)."""
    n = len(boxes)
    numbers = {"hand": 0, "object": 1, "other": 2}
    tracks = Tracks(
        track_id=np.array(list(boxes)),
        xyxy=np.array(list(boxes.values())),
        velocity=np.zeros((n, 2)),
        score=np.ones(n),
        confidence=np.ones(n),
        class_id=np.array([numbers[roles[one]] for one in boxes]),
        origin=np.full(n, Origin.DETECTED if detected else Origin.TRACKED),
        state=np.array([(states or {}).get(one, TrackState.CONFIRMED) for one in boxes]),
        last_detected_s=np.full(n, frame_index / FPS),
        detector=("all",) * n,
    )
    return Scene(
        frame_index=frame_index,
        time_s=frame_index / FPS,
        tracks=tracks,
        classes=CLASSES,
        camera=np.eye(3) if camera is None else camera,
    )


def box_at(x: float, y: float, width: float = 100, height: float = 100) -> Box:
    """Return a box by its centre."""
    return (x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def smooth(start: float, end: float, frames: int) -> list[float]:
    """Return positions of a movement that begins and ends at rest (minimum jerk)."""
    t = np.linspace(0, 1, frames)
    way: list[float] = (start + (end - start) * (10 * t**3 - 15 * t**4 + 6 * t**5)).tolist()
    return way


def play(scenes: Iterable[Scene], relation: HandObject | None = None) -> tuple[list[Relations], list[Event]]:
    """Return what a relation says of each scene, and all events."""
    relation = relation or HandObject()
    told = [relation.step(scene) for scene in scenes]
    return [pairs for pairs, _ in told], [event for _, events in told for event in events]


def states_of(told: Sequence[Relations], hand: int, thing: int) -> list[str]:
    """Return the state of one pair, frame by frame; "-" where it is not near."""
    found = []
    for pairs in told:
        rows = np.flatnonzero((pairs.subject == hand) & (pairs.object == thing))
        found.append(pairs.state[rows[0]] if len(rows) else "-")
    return found
