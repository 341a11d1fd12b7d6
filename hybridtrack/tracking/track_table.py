"""The tracks that are alive, as arrays: row i of every column is track i."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from hybridtrack.association import assign
from hybridtrack.boxes import cxcywh_to_xyxy, iou
from hybridtrack.tracking.box_filter import BoxFilter
from hybridtrack.types import Array

_SAME_IOU = 0.3  #: of a track that was begun anew and the one that was shown in its place


@dataclass(slots=True, eq=False)
class TrackTable:
    """N tracks in the order of their birth."""

    filter: BoxFilter
    track_id: Array  #: int64 (N,)
    class_id: Array  #: int32 (N,), into the run's classes
    identity: Array  #: object (N,), names of identity classes
    role: Array  #: object (N,), of the classes
    detector: Array  #: object (N,), names
    score: Array  #: float64 (N,), of the last detection
    belief: Array  #: float64 (N,), 0..1: the score, less what missed runs and empty pixels have taken away
    state: Array  #: uint8 (N,), of TrackState
    origin: Array  #: uint8 (N,), of Origin
    born_s: Array  #: float64 (N,)
    seen_s: Array  #: float64 (N,), when a detector saw it last
    seen_xyxy: Array  #: float64 (N, 4), px, where it saw it then
    doubted_s: Array  #: float64 (N,), since when it has been doubted; infinite while it is not
    attributes: Array  #: object (N,), dicts: what the detector said beyond the box
    occluded_by: Array  #: int64 (N,), id of the hand under which the object vanished, 0: none
    hidden_s: Array  #: float64 (N,), when a hand hid it last
    carrier: Array  #: int64 (N,), id of the hand that the object was last seen to move with, 0: none
    offset: Array  #: float64 (N, 2), px, from that hand's centre to the object's when both were last seen

    @classmethod
    def empty(cls) -> TrackTable:
        """Return a table without tracks."""
        none = np.empty(0)
        return cls(
            filter=BoxFilter.at(np.empty((0, 4)), np.empty((0, 4)), np.empty((0, 4))),
            track_id=none.astype(np.int64),
            class_id=none.astype(np.int32),
            identity=none.astype(object),
            role=none.astype(object),
            detector=none.astype(object),
            score=none,
            belief=none,
            state=none.astype(np.uint8),
            origin=none.astype(np.uint8),
            born_s=none,
            seen_s=none,
            seen_xyxy=np.empty((0, 4)),
            doubted_s=none,
            attributes=none.astype(object),
            occluded_by=none.astype(np.int64),
            hidden_s=none,
            carrier=none.astype(np.int64),
            offset=np.empty((0, 2)),
        )

    def __len__(self) -> int:
        return len(self.track_id)

    def __getitem__(self, rows: Array) -> TrackTable:
        """Return copies of the rows that a mask or an index array selects."""
        return TrackTable(*(getattr(self, column.name)[rows] for column in fields(self)))

    def joined(self, other: TrackTable) -> TrackTable:
        """Return these tracks followed by ``other``."""
        columns = [column.name for column in fields(self) if column.name != "filter"]
        return TrackTable(
            self.filter.joined(other.filter),
            *(np.concatenate([getattr(self, name), getattr(other, name)]) for name in columns),
        )


def renumbered(new: TrackTable, shown: TrackTable, first_id: int, end_id: int) -> Array:
    """Return the number that takes the place of each: int64 (end_id,), by the old one.

    Those in ``first_id`` .. ``end_id`` - 1 are of tracks that were begun once more. They take that of the one of their
    kind that was ``shown`` where they lie in ``new``, if no other track has it; else those from ``first_id``.
    """
    numbers = np.arange(end_id)
    begun, gone = new[new.track_id >= first_id], shown[~np.isin(shown.track_id, new.track_id)]
    overlap = iou(cxcywh_to_xyxy(begun.filter.position), cxcywh_to_xyxy(gone.filter.position))
    rows, columns = assign(1 - overlap, (begun.identity[:, None] == gone.identity) & (overlap >= _SAME_IOU))
    numbers[first_id:] = 0
    numbers[begun.track_id[rows]] = gone.track_id[columns]
    others = np.flatnonzero(numbers[first_id:] == 0) + first_id
    numbers[others] = first_id + np.arange(len(others))
    return numbers
