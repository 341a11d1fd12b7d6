"""hybridtrack's own track files as annotations of the frames of their video."""

from __future__ import annotations

from pathlib import Path

from data_tools.annotation import Annotation, DataSet, Picture, used_labels
from data_tools.cvat import frame_name
from data_tools.errors import DataError
from hybridtrack.track_file import read_tracks
from hybridtrack.wire import FrameLine, HeaderLine


def read_track_file(path: Path, folder: Path | None = None) -> DataSet:
    """Return the confirmed boxes of a track file, a picture for each frame, named as when it is cut out of the video.

    Raises TrackFileError, and DataError when the size of the pictures is not known.
    """
    header, frames = _read(path)
    video = Path(header.source.uri).stem
    pictures = tuple(
        Picture(
            name=frame_name(video, frame.frame_index),
            size_px=(header.source.width_px, header.source.height_px),
            annotations=_annotations(frame),
            folder=folder or path.parent / "images",
            group=video,
            frame_number=frame.frame_index,
        )
        for frame in frames
    )
    return DataSet(labels=_labels(header, pictures), pictures=pictures)


def _read(path: Path) -> tuple[HeaderLine, list[FrameLine]]:
    with read_tracks(path) as tracks:
        if tracks.header.source.width_px <= 0 or tracks.header.source.height_px <= 0:
            raise DataError(f"{str(path)!r} does not tell the size of its video's pictures")
        return tracks.header, list(tracks)


def _annotations(frame: FrameLine) -> tuple[Annotation, ...]:
    return tuple(Annotation(label=row.class_name, xyxy=row.xyxy) for row in frame.tracks if row.state == "confirmed")


def _labels(header: HeaderLine, pictures: tuple[Picture, ...]) -> tuple[str, ...]:
    listed = tuple(dict.fromkeys(row.name for row in header.classes))
    return (*listed, *(label for label in used_labels(pictures) if label not in listed))
