"""Frames of a track file by hand: what relations and events stand on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hybridtrack.ledger.interactions import Interaction, Ledger
from hybridtrack.wire import EventRow, FrameLine, RelationRow, TrackRow

CLASSES = {1: "hand", 2: "hand", 3: "mug", 4: "book"}


def frame(
    time_s: float,
    states: Mapping[tuple[int, int], str] | None = None,
    events: Sequence[EventRow] = (),
    classes: Mapping[int, str] = CLASSES,
) -> FrameLine:
    """Return the line of a frame with tracks of these classes by id, pairs in these states, and these events."""
    relations = [
        RelationRow(
            subject=subject,
            object=object_,
            state=state,
            distance=0.0,
            overlap=None,
            coverage=None,
            offset=(None, None),
            closing=None,
        )
        for (subject, object_), state in (states or {}).items()
    ]
    tracks = [
        TrackRow(
            track_id=track_id,
            class_name=name,
            xyxy=(0.0, 0.0, 10.0, 10.0),
            score=1.0,
            confidence=1.0,
            origin="detected",
            state="confirmed",
            unseen_s=0.0,
            velocity=(0.0, 0.0),
            detector="hand",
        )
        for track_id, name in classes.items()
    ]
    index = round(time_s * 10)
    return FrameLine(frame_index=index, time_s=time_s, runs=[], tracks=tracks, relations=relations, events=list(events))


def event(kind: str, time_s: float, subject: int = 1, **rest: int | str) -> EventRow:
    return EventRow(kind=kind, time_s=time_s, subject=subject, **rest)  # type: ignore[arg-type]


def held(pair: tuple[int, int], times_s: Iterable[float]) -> list[FrameLine]:
    """Return frames on which a hand holds an object."""
    return [frame(time_s, {pair: "holding"}) for time_s in times_s]


def ledger_of(frames: Iterable[FrameLine]) -> tuple[Ledger, list[Interaction]]:
    """Return the ledger of frames, and the interactions in the order of their beginnings."""
    ledger = Ledger()
    found = [one for line in frames for one in ledger.add(line)] + ledger.finish()
    return ledger, sorted(found, key=lambda one: (one.start_s, one.end_s, one.text))


def spans(interactions: Iterable[Interaction]) -> list[tuple[str, float, float]]:
    return [(one.text, round(one.start_s, 6), round(one.end_s, 6)) for one in interactions]
