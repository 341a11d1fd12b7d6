"""What a timeline shows of a run: when each track was there and how its boxes are known, who held what, what happened.

Rows number the lines of frames from 0, whatever number a frame has itself. A stretch is a range of rows, ``start``
to ``end``, the latter not included, in which one thing holds.
"""

from __future__ import annotations

from array import array
from typing import Any, Final

import msgspec
import numpy as np
from msgspec import UNSET

from hybridtrack.types import Array
from hybridtrack.view.columns import pack
from hybridtrack.wire import ORIGIN_NAMES, STATE_NAMES, FrameLine, SummaryLine

_ORIGINS: Final = {name: code for code, name in enumerate(ORIGIN_NAMES)}
_STATES: Final = {name: code << 2 for code, name in enumerate(STATE_NAMES)}
_FIELDS: Final = 3  #: numbers of a stretch: start, end, kind


class Lane:
    """The stretches of one track, or of one pair, in order; ``kind`` is a small number for what holds in it."""

    __slots__ = ("stretches", "thing")

    def __init__(self) -> None:
        self.thing = 0  #: number of its class
        self.stretches = array("i")

    def add(self, row: int, kind: int) -> None:
        """Say that ``kind`` holds on ``row``, which is later than all before."""
        stretches = self.stretches
        if stretches and stretches[-2] == row and stretches[-1] == kind:
            stretches[-2] = row + 1
        else:
            stretches.extend((row, row + 1, kind))

    def since(self, row: int) -> Array:
        """Return the stretches that reach beyond ``row``, int32 (N, 3)."""
        table: Array = np.array(self.stretches, np.int32).reshape(-1, _FIELDS)
        return table[np.searchsorted(table[:, 1], row, side="right") :]

    def reaches(self, row: int) -> bool:
        return self.stretches[-2] > row


class _Names:
    """Numbers for names, in the order in which they come."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, name: str) -> int:
        return self._numbers.setdefault(name, len(self._numbers))

    @property
    def known(self) -> list[str]:
        return list(self._numbers)


class TrackIndex:
    """Grows frame by frame; ``overview`` is all of it, or what came since a row, for a page."""

    def __init__(self) -> None:
        self.times_s = array("d")
        self.summary: SummaryLine | None = None
        self._frames = array("i")
        self._tracks: dict[int, Lane] = {}
        self._pairs: dict[tuple[int, int], Lane] = {}
        self._runs = {name: array("i") for name in ("row", "detector", "trigger", "status")}
        self._events: list[tuple[int, dict[str, Any]]] = []
        self._classes, self._relations = _Names(), _Names()
        self._detectors, self._triggers, self._statuses = _Names(), _Names(), _Names()
        self._has_detections = False

    @property
    def row_count(self) -> int:
        return len(self.times_s)

    def add(self, line: FrameLine) -> None:
        """Take in the next frame."""
        row = self.row_count
        self.times_s.append(line.time_s)
        self._frames.append(line.frame_index)
        for track in line.tracks:
            lane = self._tracks.get(track.track_id)
            if lane is None:
                lane = self._tracks[track.track_id] = Lane()
            lane.thing = self._classes.number(track.class_name)
            lane.add(row, _ORIGINS[track.origin] | _STATES[track.state])
        for relation in line.relations:
            pair = self._pairs.setdefault((relation.subject, relation.object), Lane())
            pair.add(row, self._relations.number(relation.state))
        for run in line.runs:
            self._runs["row"].append(row)
            self._runs["detector"].append(self._detectors.number(run.detector))
            self._runs["trigger"].append(self._triggers.number(run.trigger))
            self._runs["status"].append(self._statuses.number(run.status))
        self._events += [(row, msgspec.to_builtins(event)) for event in line.events]
        self._has_detections |= line.detections is not UNSET

    def overview(self, since: int = 0, **said: Any) -> bytes:
        """Return what a page needs that knows the rows before ``since``, packed, with what else is to be ``said``."""
        first_event = next((n for n, (row, _) in enumerate(self._events) if row >= since), len(self._events))
        first_run = int(np.searchsorted(np.array(self._runs["row"], np.int32), since))
        return pack(
            {
                **said,
                "since": since,
                "rows": self.row_count,
                "summary": self.summary,
                "has_detections": self._has_detections,
                "names": {
                    "classes": self._classes.known,
                    "relations": self._relations.known,
                    "detectors": self._detectors.known,
                    "triggers": self._triggers.known,
                    "statuses": self._statuses.known,
                },
                "events": [{**event, "row": row} for row, event in self._events[first_event:]],
            },
            {
                "time": np.array(self.times_s[since:], np.float64),
                "frame": np.array(self._frames[since:], np.int32),
                **{f"run_{name}": np.array(column[first_run:], np.int32) for name, column in self._runs.items()},
                **self._track_columns(since),
                **self._pair_columns(since),
            },
        )

    def _track_columns(self, since: int) -> dict[str, Array]:
        lanes = [(number, lane) for number, lane in self._tracks.items() if lane.reaches(since)]
        tables = [lane.since(since) for _, lane in lanes]
        return {
            "track_id": np.array([number for number, _ in lanes], np.int32),
            "track_class": np.array([lane.thing for _, lane in lanes], np.int32),
            "track_count": np.array([len(table) for table in tables], np.int32),
            "track_stretches": _joined(tables),
        }

    def _pair_columns(self, since: int) -> dict[str, Array]:
        lanes = [(pair, lane) for pair, lane in self._pairs.items() if lane.reaches(since)]
        tables = [lane.since(since) for _, lane in lanes]
        return {
            "pair_subject": np.array([subject for (subject, _), _ in lanes], np.int32),
            "pair_object": np.array([object_ for (_, object_), _ in lanes], np.int32),
            "pair_count": np.array([len(table) for table in tables], np.int32),
            "pair_stretches": _joined(tables),
        }


def _joined(tables: list[Array]) -> Array:
    """Return the numbers of all tables one after the other, int32 (N,)."""
    return np.concatenate([table.ravel() for table in tables]) if tables else np.zeros(0, np.int32)
