"""Tracks, relations and events of a track file as tables: what a row is, and what its columns are called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import msgspec
from msgspec import UNSET

from hybridtrack.errors import UsageError, unknown_name
from hybridtrack.wire import EventRow, FrameLine, RelationRow, TrackRow

Kind: TypeAlias = Literal["int", "float", "text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: its name, with the unit, what its values are, and how a row's is found; None where there is none."""

    name: str
    kind: Kind
    value: Callable[[FrameLine, Any], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Columns, and the rows of a frame."""

    columns: tuple[Column, ...]
    rows: Callable[[FrameLine], list[Any]]

    def values(self, line: FrameLine) -> Iterator[list[Any]]:
        """Yield the values of each row of a frame, in the order of the columns."""
        for row in self.rows(line):
            yield [column.value(line, row) for column in self.columns]


def _known(value: Any) -> Any:
    return None if value is UNSET else value


def _of_frame() -> tuple[Column, ...]:
    return (
        Column(name="frame", kind="int", value=lambda line, row: line.frame_index),
        Column(name="time_s", kind="float", value=lambda line, row: line.time_s),
    )


def _field(name: str, kind: Kind, attribute: str | None = None) -> Column:
    wanted = attribute or name
    return Column(name=name, kind=kind, value=lambda line, row: _known(getattr(row, wanted)))


def _part(name: str, attribute: str, place: int) -> Column:
    def value(line: FrameLine, row: Any) -> float | None:
        whole = _known(getattr(row, attribute))
        return None if whole is None else whole[place]

    return Column(name=name, kind="float", value=value)


def _attributes(line: FrameLine, row: TrackRow) -> str | None:
    return msgspec.json.encode(row.attributes).decode() if row.attributes else None


def _tracks_of(line: FrameLine) -> list[TrackRow]:
    return line.tracks


def _relations_of(line: FrameLine) -> list[RelationRow]:
    return line.relations


def _events_of(line: FrameLine) -> list[EventRow]:
    return line.events


TRACKS: Final = Table(
    rows=_tracks_of,
    columns=(
        *_of_frame(),
        _field("track_id", "int"),
        _field("class", "text", "class_name"),
        *(_part(f"{name}_px", "xyxy", place) for place, name in enumerate(("x1", "y1", "x2", "y2"))),
        _field("score", "float"),
        _field("confidence", "float"),
        _field("origin", "text"),
        _field("state", "text"),
        _field("unseen_s", "float"),
        _part("velocity_x_px_s", "velocity", 0),
        _part("velocity_y_px_s", "velocity", 1),
        _field("detector", "text"),
        _field("occluded_by", "int"),
        _part("position_x_cm", "position_cm", 0),
        _part("position_y_cm", "position_cm", 1),
        _field("speed_cm_s", "float"),
        Column(name="attributes", kind="text", value=_attributes),
    ),
)
RELATIONS: Final = Table(
    rows=_relations_of,
    columns=(
        *_of_frame(),
        _field("subject", "int"),
        _field("object", "int"),
        _field("state", "text"),
        *(_field(name, "float") for name in ("distance", "overlap", "coverage")),
        _part("offset_x", "offset", 0),
        _part("offset_y", "offset", 1),
        _field("closing", "float"),
        _field("distance_cm", "float"),
    ),
)
EVENTS: Final = Table(
    rows=_events_of,
    columns=(
        Column(name="decided_frame", kind="int", value=lambda line, row: line.frame_index),
        _field("time_s", "float"),
        _field("kind", "text"),
        _field("subject", "int"),
        _field("object", "int"),
        _field("from", "int", "from_id"),
        _field("to", "int", "to_id"),
        _field("zone", "text"),
    ),
)
TABLES: Final = {"tracks": TRACKS, "relations": RELATIONS, "events": EVENTS}
TRACK_FACETS: Final = frozenset(
    {
        *("boxes", "numbers of tracks", "classes", "times", "confidences", "scores", "origins", "states"),
        *("seconds unseen", "velocities", "occlusions", "places on the table", "attributes"),
    }
)  #: what the table of tracks holds


def table_called(name: str) -> Table:
    """Return a table. Raises UsageError when there is none of this name."""
    if name not in TABLES:
        raise UsageError(unknown_name("table", name, TABLES))
    return TABLES[name]
