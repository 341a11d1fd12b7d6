"""What a file says of boxes, classes and detector runs, in one form: of track files and of MOTChallenge text."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hybridtrack.detectors.recording import kind_of
from hybridtrack.errors import TrackFileError
from hybridtrack.mot_file import read_sequence
from hybridtrack.track_file import read_tracks
from hybridtrack.types import Array, Size
from hybridtrack.wire import DetectionRow, FrameLine

_CHALLENGE_COLUMNS = 10  #: of the MOTChallenge of 2015, whose own evaluation excuses nothing
_FORMATS = "a track file (JSON Lines), or MOTChallenge text or a folder with one"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Looks:
    """What a detector saw, raw, on the frames that it ran on.

    frame: int (N,); xyxy: float64 (N, 4), px; score: (N,), 0..1; class_id: (N,), into the classes of the file.
    on_frame: the frames of which the file has raw boxes, those without any among them.
    """

    frame: Array
    xyxy: Array
    score: Array
    class_id: Array
    on_frame: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recorded:
    """The boxes of a file, row i = box i, frame by frame, and what it says of them.

    frame: int (N,), from 0. track_id: int (N,). xyxy: float64 (N, 4), px of ``size_px``, (width, height); None: of
    pictures whose size nobody says. class_id: int (N,), into ``identities``, which maps the names of classes to those
    under which identity is kept; empty when the file knows no classes. is_ignored: bool (N,), where nobody can tell
    what is there; excuses: tracked boxes in there need not be right. visibility: float64 (N,), 0..1. frame_count: None:
    not known. times_s: by frame, empty when the file has none. fps: None: not known. runs: the frames on which each
    detector ran; None: nobody says. detects: the classes that each detector knows, () for all. looks: raw detections,
    None: the file has none. has_open_classes: detectors may find classes that no list names.
    """

    path: str
    frame: Array
    track_id: Array
    xyxy: Array
    class_id: Array
    is_ignored: Array
    visibility: Array
    identities: Mapping[str, str]
    size_px: Size | None
    frame_count: int | None
    times_s: Mapping[int, float] = field(default_factory=dict)
    fps: float | None = None
    runs: Mapping[str, frozenset[int]] | None = None
    detects: Mapping[str, Sequence[str]] = field(default_factory=dict)
    looks: Looks | None = None
    excuses: bool = True
    has_open_classes: bool = False

    def class_names(self, name: str) -> set[str]:
        """Return the classes of the file that count as ``name``: the one called so, and those of its identity."""
        return {one for one, identity in self.identities.items() if name in (one, identity)}

    def class_ids(self, name: str | None) -> list[int]:
        """Return the numbers of the classes that count as ``name``; None: all."""
        names = set(self.identities) if name is None else self.class_names(name)
        return [number for number, one in enumerate(self.identities) if one in names]


def read_recorded(path: str | os.PathLike[str]) -> Recorded:
    """Return what a track file, or a MOTChallenge text or folder, says. Raises TrackFileError."""
    path = os.fspath(path)
    match kind_of(path):
        case "jsonl":
            return _read_track_file(path)
        case "mot":
            return _read_mot(path)
    raise TrackFileError(f"{path!r} has detections, no tracks: expected {_FORMATS}")


def _read_mot(path: str) -> Recorded:
    sequence = read_sequence(path)
    rows = sequence.rows[np.argsort(sequence.rows.frame_index, kind="stable")]
    names = sequence.class_names
    numbers = [*names, *sorted({*rows.class_id.tolist()} - {*names})]
    if not names and len(numbers) == 1:  # one class, and nobody says which
        numbers = []
    called = {number: names.get(number, str(number)) for number in numbers}
    offered = list(dict.fromkeys(called.values()))
    place = {number: offered.index(name) for number, name in called.items()}
    return Recorded(
        path=path,
        frame=rows.frame_index,
        track_id=rows.track_id,
        xyxy=rows.xyxy,
        class_id=np.array([place.get(number, 0) for number in rows.class_id.tolist()], np.int64),
        is_ignored=rows.confidence == 0,
        visibility=rows.visibility,
        identities={name: name for name in offered},
        size_px=sequence.size_px,
        frame_count=sequence.frame_count,
        fps=sequence.fps,
        excuses=sequence.columns != _CHALLENGE_COLUMNS,
    )


def _read_track_file(path: str) -> Recorded:
    with read_tracks(path) as file:
        lines = list(file)
    if file.is_cut:
        raise TrackFileError(
            f"{path!r} ends in the middle of a line: its run was cut off, and the frames that are missing would count "
            "as missed; run it again"
        )
    header = file.header
    tracks = [(line.frame_index, row) for line in lines for row in line.tracks if row.state == "confirmed"]
    identities = {one.name: one.identity for one in header.classes}
    seen = _seen(lines)
    for name in (*(row.class_name for _, row in tracks), *(row.class_name for _, row in seen)):
        identities.setdefault(name, name)
    number = {name: place for place, name in enumerate(identities)}
    count = len(tracks)
    return Recorded(
        path=path,
        frame=np.array([frame for frame, _ in tracks], np.int64),
        track_id=np.array([row.track_id for _, row in tracks], np.int64),
        xyxy=np.array([row.xyxy for _, row in tracks], np.float64).reshape(-1, 4),
        class_id=np.array([number[row.class_name] for _, row in tracks], np.int64),
        is_ignored=np.zeros(count, bool),
        visibility=np.ones(count),
        identities=identities,
        size_px=(header.source.width_px, header.source.height_px),
        frame_count=max((line.frame_index for line in lines), default=-1) + 1,
        times_s={line.frame_index: line.time_s for line in lines},
        fps=header.source.fps,
        runs=_runs(lines, [one.name for one in header.detectors]),
        detects={one.name: one.classes for one in header.detectors},
        looks=Looks(
            frame=np.array([frame for frame, _ in seen], np.int64),
            xyxy=np.array([row.xyxy for _, row in seen], np.float64).reshape(-1, 4),
            score=np.array([1.0 if row.score is None else row.score for _, row in seen], np.float64),
            class_id=np.array([number[row.class_name] for _, row in seen], np.int64),
            on_frame=frozenset(line.frame_index for line in lines if isinstance(line.detections, dict)),
        ),
        has_open_classes=header.open_classes,
    )


def _runs(lines: Sequence[FrameLine], detectors: Iterable[str]) -> dict[str, frozenset[int]]:
    """Return the frames on which each detector ran and gave its boxes in time."""
    ran: dict[str, set[int]] = {name: set() for name in detectors}
    for line in lines:
        for run in line.runs:
            if run.status == "ok":
                ran.setdefault(run.detector, set()).add(line.frame_index)
    return {name: frozenset(frames) for name, frames in ran.items()}


def _seen(lines: Sequence[FrameLine]) -> list[tuple[int, DetectionRow]]:
    """Return the raw boxes of all detectors, with their frames."""
    return [
        (line.frame_index, row)
        for line in lines
        if isinstance(line.detections, dict)
        for rows in line.detections.values()
        for row in rows
    ]
