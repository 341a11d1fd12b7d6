"""What is found out about the tracks of a frame: the camera's motion, places on the table, relations and events."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hybridtrack.relation_runner import RelationRunner
from hybridtrack.relations.table_plane import TablePlane, with_distance_cm
from hybridtrack.tracking.camera_motion import CameraMotion
from hybridtrack.types import Array, ClassInfo, Event, Frame, Relations, Scene, Tracks


class SceneRunner:
    """Looks at frames in order. classes: the run's list, which may grow. table: where it is, if that is known."""

    def __init__(self, relations: RelationRunner, table: TablePlane | None, classes: Sequence[ClassInfo]) -> None:
        self._relations = relations
        self._table = table
        self._classes = classes
        self._camera = CameraMotion()

    def reset(self) -> None:
        """Begin a new source. Raises RelationError."""
        self._camera.reset()
        if self._table:
            self._table.reset()
        self._relations.reset()

    def step(self, frame: Frame, tracks: Tracks) -> tuple[Tracks, Relations, tuple[Event, ...], Array | None]:
        """Return the tracks with their places, what they have to do with each other, and the camera where measured."""
        if not self._relations and not self._table:
            return tracks, Relations.empty(), (), None
        is_needed = (
            self._table
            or self._relations.need_camera
            or any(self._classes[row].role == "object" for row in tracks.class_id.tolist())
        )
        camera = self._camera.step(frame, tracks.xyxy) if is_needed else None
        scene = Scene(
            frame_index=frame.index,
            time_s=frame.time_s,
            tracks=tracks,
            classes=self._classes,
            camera=np.eye(3) if camera is None else camera,
        )
        if self._table:
            scene = self._table.place(scene, frame.size_px)
        relations, events = self._relations.step(scene)
        return scene.tracks, with_distance_cm(relations, scene.tracks), events, camera
