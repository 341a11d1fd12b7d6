"""The truth of the first frames of a recording: what is true on frames that were not run was not missed."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from hybridtrack.detectors.recording import kind_of
from hybridtrack.errors import TrackFileError
from hybridtrack.evaluate import Evaluation
from hybridtrack.mot_file import MotSequence, read_sequence


def first_frames(truth: str | os.PathLike[str], frames: int, folder: Path) -> Path:
    """Return a truth of no more than ``frames`` frames: ``truth`` itself, or what is written of it into ``folder``.

    truth: a MOTChallenge folder or text, or a track file. Raises TrackFileError when it cannot be read or is neither.
    """
    path = Path(truth)
    match kind_of(os.fspath(path)):
        case "mot":
            return _of_mot(path, frames, folder)
        case "jsonl":
            return _of_track_file(path, frames, folder)
    raise TrackFileError(f"{os.fspath(path)!r} is no truth: give a MOTChallenge folder or text, or a track file")


def notes_of(evaluation: Evaluation) -> tuple[str, ...]:
    """Return what the user should know of how tracks and truth fit; raw detections are not what is compared."""
    return tuple(note for note in evaluation.notes if not note.startswith("AP50"))


def _of_mot(path: Path, frames: int, folder: Path) -> Path:
    sequence = read_sequence(path)
    count = sequence.frame_count
    if count is None:
        count = int(sequence.rows.frame_index.max(initial=-1)) + 1
    if count <= frames:
        return path
    lines = sequence.path.read_text(encoding="utf-8-sig").splitlines()
    kept = sequence.rows.line[sequence.rows.frame_index < frames]
    (folder / "gt").mkdir(parents=True)
    (folder / "gt/gt.txt").write_text("".join(f"{lines[number - 1]}\n" for number in kept), encoding="utf-8")
    (folder / "seqinfo.ini").write_text(_settings(sequence, frames), encoding="utf-8")
    if sequence.class_names:
        names = "".join(f"{number} {name}\n" for number, name in sequence.class_names.items())
        (folder / "classes.txt").write_text(names, encoding="utf-8")
    return folder


def _settings(sequence: MotSequence, frames: int) -> str:
    size = "" if sequence.size_px is None else "imWidth={}\nimHeight={}\n".format(*sequence.size_px)
    rate = "" if sequence.fps is None else f"frameRate={sequence.fps:g}\n"
    return f"[Sequence]\nseqLength={frames}\n{size}{rate}"


def _of_track_file(path: Path, frames: int, folder: Path) -> Path:
    with path.open("rb") as file:
        lines = [line for line in file if line.endswith(b"\n")]
    told = [msgspec.json.decode(line) for line in lines]
    kept = [line for line, one in zip(lines, told, strict=True) if one.get("frame", -1) < frames]
    if len(kept) == len(lines):
        return path
    folder.mkdir(parents=True)
    cut = folder / path.name
    cut.write_bytes(b"".join(line for line in kept if b'"summary"' not in line[:30]))
    return cut
