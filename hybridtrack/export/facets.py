"""What a track file says, facet by facet: what one format holds and another has no place for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from msgspec import UNSET

from hybridtrack.wire import FrameLine, TrackRow


def _in_any(says: Callable[[TrackRow], bool]) -> Callable[[FrameLine], bool]:
    return lambda line: any(map(says, line.tracks))


#: whether a frame says something of a facet
FACETS: Final[Mapping[str, Callable[[FrameLine], bool]]] = {
    "boxes": _in_any(lambda row: True),
    "numbers of tracks": _in_any(lambda row: True),
    "classes": _in_any(lambda row: True),
    "times": _in_any(lambda row: True),
    "confidences": _in_any(lambda row: row.confidence is not None),
    "scores": _in_any(lambda row: row.score is not None),
    "origins": _in_any(lambda row: True),
    "states": _in_any(lambda row: row.state != "confirmed"),
    "seconds unseen": _in_any(lambda row: row.unseen_s is not None),
    "velocities": _in_any(lambda row: None not in row.velocity),
    "occlusions": _in_any(lambda row: row.occluded_by is not UNSET),
    "places on the table": _in_any(lambda row: row.position_cm is not UNSET),
    "attributes": _in_any(lambda row: bool(row.attributes)),
    "relations": lambda line: bool(line.relations),
    "events": lambda line: bool(line.events),
    "raw detections": lambda line: line.detections is not UNSET and any(line.detections.values()),
    "camera motion": lambda line: line.camera is not UNSET,
}


class Contents:
    """Notes which facets occur in the frames that pass by."""

    def __init__(self) -> None:
        self._unseen = dict(FACETS)

    def add(self, line: FrameLine) -> None:
        """Look at a frame."""
        for name in [name for name, is_in in self._unseen.items() if is_in(line)]:
            del self._unseen[name]

    def without(self, held: Iterable[str]) -> list[str]:
        """Return the facets that occurred and are not among ``held``, in the order of ``FACETS``."""
        return [name for name in FACETS if name not in self._unseen and name not in set(held)]
