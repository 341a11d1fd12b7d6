"""Hands and objects: near, overlapping, holding; and the events between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hybridtrack.relations import geometry
from hybridtrack.types import Event, Relations, Scene, TrackState

_NEAR = 1.0  #: hand widths between the boxes up to which a pair matters


class HandObject:
    """Relates the hands of a scene to its objects."""

    def reset(self) -> None:
        """Forget the past."""

    def step(self, scene: Scene) -> tuple[Relations, Sequence[Event]]:
        tracks = scene.tracks
        role = np.array([info.role for info in scene.classes], object)[tracks.class_id]
        is_real = tracks.state != TrackState.LOST
        hands, objects = np.flatnonzero((role == "hand") & is_real), np.flatnonzero(role == "object")
        xyxy = tracks.xyxy.astype(np.float64)
        width = geometry.hand_width(xyxy[hands])
        distance = geometry.gap(xyxy[hands], xyxy[objects]) / width[:, None]
        overlap, coverage = geometry.overlap(xyxy[hands], xyxy[objects])
        i, j = np.nonzero(distance <= _NEAR)
        return Relations(
            subject=tracks.track_id[hands[i]],
            object=tracks.track_id[objects[j]],
            state=tuple("overlapping" if shared > 0 else "near" for shared in overlap[i, j].tolist()),
            distance=distance[i, j],
            overlap=overlap[i, j],
            coverage=coverage[i, j],
            offset=(geometry.offset(xyxy[hands], xyxy[objects]) / width[:, None, None])[i, j],
        ), ()


def create_hand_object(options: Mapping[str, Any]) -> HandObject:
    """Return the relation of hands to objects."""
    return HandObject()
