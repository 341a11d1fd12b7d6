"""Writing a track file in another format: which of its rows, to which place, and what got lost."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec.structs import replace

from hybridtrack.errors import HybridTrackError, SinkError, UsageError, unknown_name
from hybridtrack.export.facets import Contents
from hybridtrack.export.format import ExportFormat, Recording
from hybridtrack.export.formats import export_format
from hybridtrack.sinks.output import STDOUT, LineFile, ReplacedFile, cannot_write, check_not_source
from hybridtrack.track_file import TrackFile, read_tracks
from hybridtrack.wire import FrameLine

_COPIED_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written: where ("-": standard output), and the facets of the file that the format has no place for."""

    path: str
    lost: tuple[str, ...]
    is_cut: bool  #: the last line of the track file was not whole


def export_tracks(
    tracks: str,
    to: str,
    path: str | None = None,
    *,
    class_names: Collection[str] = (),
    has_all_states: bool = False,
    video: str | None = None,
    on_frame: Callable[[], None] = lambda: None,
) -> Exported:
    """Write the track file ``tracks`` in the format called ``to``.

    path: file or folder; "-" is standard output; None: the name of the track file with the format's suffix.
    class_names: only tracks of these. has_all_states: tentative and lost rows as well, not confirmed ones alone.
    video: where the pictures are now. Raises UsageError, TrackFileError, SinkError and MissingPackageError.
    """
    wanted = export_format(to)
    if wanted.is_of_interactions and (class_names or has_all_states):
        raise UsageError(f"{to!r} tells what all tracks did with each other: leave --class and --all-states out")
    if video is not None and not Path(video).is_file():
        raise UsageError(f"no video {video!r}: give the file, or leave --video out")
    target = str(Path(tracks).with_suffix(wanted.suffix)) if path is None else path
    with read_tracks(tracks) as file:
        _check_classes(file, class_names)
        contents = Contents()
        wanted_frames = file if wanted.is_of_interactions else _chosen(file, class_names, has_all_states)
        source = Path(file.header.source.uri)
        recording = Recording(
            path=Path(tracks),
            header=file.header,
            frames=_passing(wanted_frames, contents, on_frame),
            folder=Path(target).parent,
            video=Path(video) if video is not None else source if source.is_file() else None,
            has_video_inside=video is not None,
        )
        _place(wanted, recording, target)
        return Exported(path=target, lost=tuple(contents.without(wanted.holds)), is_cut=file.is_cut)


def _check_classes(file: TrackFile, class_names: Iterable[str]) -> None:
    known = [one.name for one in file.header.classes]
    for name in class_names:
        if name not in known and not file.header.open_classes:
            raise UsageError(f"{unknown_name('class', name, known)} in {file.path!r}")


def _passing(frames: Iterable[FrameLine], contents: Contents, on_frame: Callable[[], None]) -> Iterator[FrameLine]:
    for line in frames:
        contents.add(line)
        yield line
        on_frame()


def _chosen(frames: Iterable[FrameLine], class_names: Collection[str], has_all_states: bool) -> Iterator[FrameLine]:
    """Yield the frames with the rows that are wanted."""
    for line in frames:
        rows = [
            row
            for row in line.tracks
            if (has_all_states or row.state == "confirmed") and (not class_names or row.class_name in class_names)
        ]
        yield line if len(rows) == len(line.tracks) else replace(line, tracks=rows)


def _place(wanted: ExportFormat, recording: Recording, target: str) -> None:
    """Write a recording to its place: under a temporary name beside it, and renamed when it is whole."""
    uri = recording.header.source.uri
    if target == STDOUT:
        if wanted.is_folder:
            raise UsageError(f"{wanted.name!r} is a folder, which cannot go to standard output: give its name")
        _to_standard_output(wanted, recording)
        return
    if Path(target).resolve() == recording.path.resolve():
        raise UsageError(f"cannot write {target!r}: it is the track file that is read; give another name")
    if wanted.is_folder:
        _to_folder(wanted, recording, Path(target))
        return
    check_not_source(target, uri)
    file = ReplacedFile(target)
    file.open(uri)
    try:
        wanted.write(recording, file.temporary)
    except BaseException as error:
        file.discard()
        if isinstance(error, OSError) and not isinstance(error, HybridTrackError):
            raise cannot_write(target, error) from error
        raise
    file.keep()


def _to_standard_output(wanted: ExportFormat, recording: Recording) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"export{wanted.suffix}"
        wanted.write(recording, path)
        out = LineFile(STDOUT)
        out.open(recording.header.source.uri)
        with path.open("rb") as file:
            while part := file.read(_COPIED_BYTES):
                out.write(part)


def _to_folder(wanted: ExportFormat, recording: Recording, target: Path) -> None:
    asked = f"cannot write the folder {str(target)!r}"
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise SinkError(f"{asked}: there is something at its place; remove it, or give another name")
    temporary = target.with_name(f".hybridtrack-{secrets.token_hex(4)}")
    try:
        temporary.mkdir()
        wanted.write(recording, temporary)
        temporary.replace(target)
    except OSError as error:
        if isinstance(error, HybridTrackError):
            raise
        raise SinkError(f"{asked}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
