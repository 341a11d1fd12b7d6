"""Relations and events of a track file once more: by other rules, without the video."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import UNSET
from msgspec.structs import replace

from hybridtrack.relation_runner import RelationRunner
from hybridtrack.relations.table_plane import with_distance_cm
from hybridtrack.types import ClassInfo
from hybridtrack.wire import FrameLine, HeaderLine, SummaryLine, scene_of, with_relations


def related_again(frames: Iterable[FrameLine], header: HeaderLine, relations: RelationRunner) -> Iterator[FrameLine]:
    """Yield the frames with what ``relations`` say of their tracks in place of what the file says.

    Raises RelationError when a relation cannot be reset; one that fails later is left out, and its notes say so.
    """
    classes = [
        ClassInfo(name=one.name, role=one.role, identity=one.identity, key=one.key or "") for one in header.classes
    ]
    relations.reset()
    for line in frames:
        scene = scene_of(line, classes)
        pairs, events = relations.step(scene)
        yield with_relations(line, with_distance_cm(pairs, scene.tracks), events)


def header_again(header: HeaderLine, choices: Sequence[str], path: str) -> HeaderLine:
    """Return the header of a run whose relations were computed again by ``choices`` from the track file ``path``."""
    settings = {"relations": True, "relation": list(choices), "relations_from": path}
    return replace(header, settings=header.settings | settings)


def summary_again(summary: SummaryLine, header: HeaderLine, relations: RelationRunner) -> SummaryLine:
    """Return the summary of a run with failures and notes of ``relations`` in place of those that it had."""
    detectors = {one.name for one in header.detectors}
    failures = {name: count for name, count in summary.failures.items() if name in detectors}
    notes = [note for note in summary.notes or () if not note.startswith("relation ")]
    return replace(summary, failures=failures | relations.failures, notes=[*notes, *relations.notes] or UNSET)
