"""Figures of track files against their truth: for each class, for each sequence, and for all of them."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from hybridtrack.errors import TrackFileError, UsageError, unknown_name
from hybridtrack.evaluate.precision import is_installed
from hybridtrack.evaluate.recorded import Recorded, read_recorded
from hybridtrack.evaluate.scores import Scores, Tally, scores_of, total
from hybridtrack.evaluate.sequence import tally_of
from hybridtrack.types import Size

UNNAMED = "object"  #: the class where neither file names one
_MAX_STRETCH = 1.02  #: ratio of width to height may differ by so much: sizes are whole pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The figures of all classes and sequences together, of each sequence, and of each class.

    notes: what was left out or assumed, a line each.
    """

    combined: Scores
    sequences: Mapping[str, Scores]
    classes: Mapping[str, Scores]
    notes: tuple[str, ...] = ()


def evaluate(
    pairs: Sequence[tuple[str | os.PathLike[str], str | os.PathLike[str]]], *, class_name: str | None = None
) -> Evaluation:
    """Return the figures of tracks against the truth, for one or more pairs of a file of each.

    Tracks are a track file or MOTChallenge text, the truth is a MOTChallenge folder or text or another track file.
    ``class_name``: the only class that counts, by its name or identity; None: all that both files of a pair know, each
    for itself. Raises TrackFileError when a file cannot be read or does not fit the other, UsageError for a class that
    is not there.
    """
    if not pairs:
        raise UsageError("nothing to evaluate: give tracks and their truth")
    cells: dict[str, dict[str, Tally]] = {}
    notes: list[str] = []
    for tracks_path, truth_path in pairs:
        tracks, truth = read_recorded(tracks_path), read_recorded(truth_path)
        _check_sizes(tracks, truth)
        frame_count = _frame_count(tracks, truth)
        labels = _labels(tracks, truth, class_name)
        name = _unused(_name_of(truth_path), cells)
        cells[name] = {
            label: tally_of(tracks, truth, name=name, class_name=label, frame_count=frame_count) for label in labels
        }
        notes += _notes(tracks, truth, name, frame_count, labels if class_name is None else None)
    every = [tally for row in cells.values() for tally in row.values()]
    notes += _precision_notes(every)
    classes = list(dict.fromkeys(label for row in cells.values() for label in row))
    return Evaluation(
        combined=scores_of(total(every)),
        sequences={name: scores_of(total(row.values())) for name, row in cells.items()},
        classes={label: scores_of(total(row[label] for row in cells.values() if label in row)) for label in classes},
        notes=tuple(dict.fromkeys(notes)),
    )


def _frame_count(tracks: Recorded, truth: Recorded) -> int:
    """Return how many frames the sequence has: as many as the truth says, else as there are boxes for."""
    last_true = int(truth.frame.max(initial=-1))
    if truth.frame_count is None:
        return max(last_true, int(tracks.frame.max(initial=-1))) + 1
    if last_true >= truth.frame_count:
        raise TrackFileError(
            f"{truth.path!r} has frame {last_true + 1}, but its sequence has {truth.frame_count} frames: one is wrong"
        )
    return truth.frame_count


def _notes(
    tracks: Recorded, truth: Recorded, name: str, frame_count: int, labels: Sequence[str] | None
) -> Iterator[str]:
    """Yield what the reader of a sequence's figures should know; ``labels``: the classes that both files have."""
    if tracks.frame_count is not None and tracks.frame_count < frame_count:
        yield (
            f"{name}: the tracks end after {tracks.frame_count} of {frame_count} frames; what is true on the rest "
            "counts as missed"
        )
    if tracks.frame.max(initial=-1) >= frame_count:
        yield f"{name}: tracks on frames after the last of {frame_count} true ones were left out"
    if tracks.size_px is None and truth.size_px is not None:
        yield "the tracks do not say the size of their picture: they were taken to be in the truth's pixels"
    left_out = [] if labels is None else [one for one in _identities(truth) if one not in labels]
    if left_out:
        yield f"{name}: left out, as the tracks have no such class: {', '.join(left_out)}"


def _precision_notes(tallies: Iterable[Tally]) -> Iterator[str]:
    """Yield how to get AP where there is none."""
    if not is_installed():
        yield "AP50 and AP75 need faster-coco-eval: pip install 'hybridtrack[evaluate]'"
    elif not any(tally.judged for tally in tallies):
        yield "AP50 and AP75 need raw detections: hybridtrack run --with-detections writes them"


def _labels(tracks: Recorded, truth: Recorded, class_name: str | None) -> list[str]:
    """Return the classes to evaluate. Raises UsageError."""
    if class_name is not None:
        for recorded in (truth, tracks):
            if recorded.identities and not recorded.class_names(class_name) and not recorded.has_open_classes:
                names = {*recorded.identities, *_identities(recorded)}
                raise UsageError(f"{recorded.path!r}: {unknown_name('class', class_name, names)}")
        return [class_name]
    if not (tracks.identities and truth.identities):
        known = _identities(truth) or _identities(tracks) or [UNNAMED]
        if len(known) > 1:
            nameless = tracks if truth.identities else truth
            raise UsageError(f"{nameless.path!r} does not say which class it has: name it, one of {', '.join(known)}")
        return known
    shared = [one for one in _identities(truth) if tracks.class_names(one) or tracks.has_open_classes]
    if not shared:
        raise UsageError(
            f"{truth.path!r} has {', '.join(_identities(truth))}, {tracks.path!r} has "
            f"{', '.join(_identities(tracks))}: no class in common"
        )
    return shared


def _identities(recorded: Recorded) -> list[str]:
    return list(dict.fromkeys(recorded.identities.values()))


def _check_sizes(tracks: Recorded, truth: Recorded) -> None:
    """Raise TrackFileError when the files cannot be about the same pictures."""
    if tracks.size_px is None or truth.size_px is None:
        return
    ratio = (tracks.size_px[0] * truth.size_px[1]) / (tracks.size_px[1] * truth.size_px[0])
    if not 1 / _MAX_STRETCH <= ratio <= _MAX_STRETCH:
        raise TrackFileError(
            f"{tracks.path!r} is of {_text(tracks.size_px)} pixels, {truth.path!r} of {_text(truth.size_px)}: not the "
            "same picture at another size; give the truth of this clip"
        )


def _text(size_px: Size) -> str:
    return "{}x{}".format(*size_px)


def _name_of(path: str | os.PathLike[str]) -> str:
    """Return the name of the sequence that a truth is of: that of its folder, or of a file that lies elsewhere."""
    place = Path(path).resolve()
    if place.suffix == ".txt" and place.parent.name in ("gt", "det"):
        place = place.parent.parent
    elif place.is_dir() and place.name in ("gt", "det"):
        place = place.parent
    return place.name if place.is_dir() else place.stem


def _unused(name: str, used: Container[str]) -> str:
    """Return the name, with a number behind it where it is taken."""
    numbered = (f"{name} {number}" for number in count(2))
    return next(one for one in chain([name], numbered) if one not in used)
