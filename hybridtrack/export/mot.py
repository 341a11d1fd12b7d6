"""MOTChallenge text, and the folder with the truth of a sequence: gt/gt.txt, classes.txt, seqinfo.ini."""

from __future__ import annotations

import configparser
import io
from collections.abc import Iterator
from pathlib import Path

from hybridtrack.export.class_numbers import ClassNumbers
from hybridtrack.export.format import ExportFormat, Imported, ImportedBox, ImportFormat, Recording
from hybridtrack.mot_file import read_sequence, scores_of
from hybridtrack.wire import FrameLine, TrackRow


def write_mot(recording: Recording, path: Path) -> None:
    """Write ``frame,id,left,top,width,height,confidence,-1,-1,-1`` a row, frames from 1."""
    with path.open("w", encoding="ascii", newline="\n") as file:
        for line, row in _rows(recording):
            file.write(f"{_place(line, row)},{1 if row.confidence is None else row.confidence},-1,-1,-1\n")


def write_mot_folder(recording: Recording, path: Path) -> None:
    """Write a folder as MOTChallenge lays it out: rows with a class and visibility, and what they mean beside them."""
    numbers = ClassNumbers(recording.header)
    (path / "gt").mkdir(parents=True)
    length = 0
    with (path / "gt" / "gt.txt").open("w", encoding="ascii", newline="\n") as file:
        for line in recording.frames:
            length = max(length, line.frame_index + 1)
            for row in line.tracks:
                file.write(f"{_place(line, row)},1,{numbers.of(row.class_name)},1\n")
    names = "".join(f"{number} {' '.join(name.split())}\n" for number, name in numbers.items())
    (path / "classes.txt").write_text(names, encoding="utf-8")
    labels = "".join(f"{' '.join(name.split())}\n" for _, name in numbers.items())
    (path / "gt" / "labels.txt").write_text(labels, encoding="utf-8")  # where CVAT looks for them
    (path / "seqinfo.ini").write_text(_settings(recording, length), encoding="utf-8")


def _rows(recording: Recording) -> Iterator[tuple[FrameLine, TrackRow]]:
    return ((line, row) for line in recording.frames for row in line.tracks)


def _place(line: FrameLine, row: TrackRow) -> str:
    x1, y1, x2, y2 = row.xyxy
    return f"{line.frame_index + 1},{row.track_id},{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f}"


def _settings(recording: Recording, length: int) -> str:
    source = recording.header.source
    settings = configparser.ConfigParser(interpolation=None)
    settings.optionxform = str  # type: ignore[assignment,method-assign]  # keys keep their capitals
    settings["Sequence"] = {
        "name": Path(source.uri).stem or "sequence",
        "imDir": "img1",
        "seqLength": str(length),
        "imWidth": str(source.width_px),
        "imHeight": str(source.height_px),
        "imExt": ".jpg",
        **({"frameRate": f"{source.fps:g}"} if source.fps else {}),
    }
    text = io.StringIO()
    settings.write(text, space_around_delimiters=False)
    return text.getvalue()


def read_mot(path: Path) -> Imported:
    """Return the boxes of a text or a folder; those of confidence 0 are there to be ignored, and are left out.

    Boxes whose id is below 0 have no identity. Raises TrackFileError.
    """
    sequence = read_sequence(path)
    score = scores_of(sequence.rows.confidence)
    has_area = (sequence.rows.xyxy[:, 2:] > sequence.rows.xyxy[:, :2]).all(axis=1)
    is_box = has_area & (sequence.rows.confidence != 0)
    rows, score = sequence.rows[is_box], score[is_box]
    names = [sequence.class_names.get(number, _named(number)) for number in rows.class_id.tolist()]
    columns = (rows.frame_index, rows.track_id, rows.xyxy.round(2), score)
    boxes = [
        ImportedBox(
            frame_index=frame_index,
            track_id=track_id if track_id >= 0 else None,
            class_name=name,
            xyxy=tuple(xyxy),
            score=score,
        )
        for frame_index, track_id, xyxy, score, name in zip(
            *(column.tolist() for column in columns), names, strict=True
        )
    ]
    has_classes = sequence.columns in (8, 9)
    known = sequence.class_names.values() if has_classes else ()
    return Imported(
        boxes=boxes,
        class_names=list(dict.fromkeys([*known, *names])),
        has_classes=has_classes,
        size_px=sequence.size_px,
        fps=sequence.fps,
        frame_count=sequence.frame_count,
    )


def _named(number: int) -> str:
    return "" if number < 0 else f"class {number}"


MOT = ExportFormat(
    name="mot",
    suffix=".mot.txt",
    summary="MOTChallenge text, as results are handed in",
    holds=frozenset({"boxes", "numbers of tracks", "confidences"}),
    write=write_mot,
)
MOT_FOLDER = ExportFormat(
    name="mot-folder",
    suffix=".mot",
    summary="folder with gt/gt.txt, classes.txt and seqinfo.ini, as truth is laid out",
    holds=frozenset({"boxes", "numbers of tracks", "classes"}),
    write=write_mot_folder,
    is_folder=True,
)
MOT_IMPORT = ImportFormat(name="mot", summary="MOTChallenge text, or a folder with gt/gt.txt", read=read_mot)
