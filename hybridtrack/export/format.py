"""What a format is to the rest of hybridtrack: a name, what it can hold, and a function that writes or reads it.

A new format is a module beside this one with an ``ExportFormat``, an ``ImportFormat`` or both, and a line in
``formats``; the contract tests then run over it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hybridtrack.errors import UsageError
from hybridtrack.export.facets import FACETS
from hybridtrack.types import Box, Size
from hybridtrack.wire import FrameLine, HeaderLine, OriginName


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A track file as a format gets it.

    path: the file. frames: its frames in order, once, each with those of its tracks that are wanted. folder: where the
    result will be, for ways from there to other files. video: the file with its pictures, None where there is none;
    has_video_inside: whether somebody asked for it to be put in.
    """

    path: Path
    header: HeaderLine
    frames: Iterable[FrameLine]
    folder: Path
    video: Path | None = None
    has_video_inside: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFormat:
    """A format to write.

    name: as given to ``--to``. suffix: what file names end in; of a folder, what its name ends in. summary: who reads
    it, in some words. holds: the ``FACETS`` that it has a place for. write: puts a recording at a path where nothing
    is, or an empty file: as a file, or as a folder where ``is_folder``; raises MissingPackageError without its extra.
    is_of_interactions: it tells what all tracks did with each other, so that tracks cannot be chosen.
    """

    name: str
    suffix: str
    summary: str
    holds: frozenset[str]
    write: Callable[[Recording, Path], None]
    is_folder: bool = False
    is_of_interactions: bool = False

    def __post_init__(self) -> None:
        if unknown := self.holds - set(FACETS):
            raise UsageError(
                f"the format {self.name!r} holds {', '.join(sorted(unknown))}: known are {', '.join(FACETS)}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedBox:
    """A box that a file has on a frame; ``track_id``, from 0, is None where the file tells no identity."""

    frame_index: int
    track_id: int | None
    class_name: str
    xyxy: Box
    score: float | None = None
    origin: OriginName = "detected"
    occluded_by: int | None = None
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What a file says: its boxes in any order, and of the video what it tells, None where it does not.

    has_classes: False where it has none, and boxes have an empty name. times_s: times of frames, by index, where it
    tells them. looked_at: the frames that somebody looked at, None: all; on one of them without a box there is nothing.
    """

    boxes: Sequence[ImportedBox]
    class_names: Sequence[str]
    has_classes: bool = True
    size_px: Size | None = None
    fps: float | None = None
    frame_count: int | None = None
    looked_at: frozenset[int] | None = None
    times_s: dict[int, float] = field(default_factory=dict)
    uri: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportFormat:
    """A format to read; ``read`` raises TrackFileError, naming the file and where in it."""

    name: str
    summary: str
    read: Callable[[Path], Imported]
