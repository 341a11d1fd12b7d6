"""One class of one sequence: the boxes that count, side by side with the truth, and what is counted of them."""

from __future__ import annotations

import numpy as np

from hybridtrack import boxes
from hybridtrack.errors import TrackFileError
from hybridtrack.evaluate.precision import Judged
from hybridtrack.evaluate.recorded import Recorded
from hybridtrack.evaluate.scores import Tally
from hybridtrack.metrics.clear import count_clear, match_clear
from hybridtrack.metrics.delay import count_never_seen, delays_s
from hybridtrack.metrics.hits import count_hits
from hybridtrack.metrics.hota import count_hota, match_hota
from hybridtrack.metrics.identity import count_identity
from hybridtrack.metrics.jitter import track_accelerations, truth_accelerations
from hybridtrack.metrics.overlaps import overlaps, touching
from hybridtrack.types import Array

MIN_VISIBILITY = 0.25  #: share of an object that is in sight, from which on it is there to be seen
_MAX_IGNORED = 0.5  #: share of a box in an ignored region above which it has to match something to count
_MIN_MATCH = 0.5  #: IoU with a true box at which it matches


def tally_of(tracks: Recorded, truth: Recorded, *, name: str, class_name: str, frame_count: int) -> Tally:
    """Return what is counted of one class in the sequence called ``name``, of its first ``frame_count`` frames.

    Tracked boxes are scaled to the truth's pixels. Raises TrackFileError when an id stands on one frame twice.
    """
    is_of_class = _is_of(truth, truth.class_id, class_name)
    is_true = is_of_class & ~truth.is_ignored
    counts = np.flatnonzero(_is_of(tracks, tracks.class_id, class_name) & (tracks.frame < frame_count))
    xyxy = _in_pixels_of(truth, tracks, tracks.xyxy[counts])
    is_kept = ~_is_excused(tracks.frame[counts], xyxy, truth, is_of_class)
    counts, xyxy = counts[is_kept], xyxy[is_kept]
    _check_ids(truth, is_true)
    _check_ids(tracks, counts)
    pairs = overlaps(
        truth.frame[is_true],
        truth.track_id[is_true],
        truth.xyxy[is_true],
        tracks.frame[counts],
        tracks.track_id[counts],
        xyxy,
    )
    matches = match_hota(pairs)
    has_run = _has_run(tracks, class_name, frame_count)
    time_s = times_of(tracks, truth, frame_count)
    is_visible = truth.visibility[is_true] >= MIN_VISIBILITY
    return Tally(
        hota=count_hota(pairs, matches),
        clear=count_clear(pairs, match_clear(pairs)),
        identity=count_identity(pairs),
        filled=None if has_run is None else count_hits(pairs, ~has_run),
        never_seen=count_never_seen(pairs),
        accelerations=None if time_s is None else track_accelerations(pairs, matches, time_s),
        truth_accelerations=None if time_s is None else truth_accelerations(pairs, time_s),
        delays_s=None if time_s is None else delays_s(pairs, is_visible, time_s),
        judged=_judged(tracks, truth, is_of_class, class_name=class_name, has_run=has_run),
        frames={name: frame_count},
        has_run={} if has_run is None else {name: has_run},
    )


def times_of(tracks: Recorded, truth: Recorded, frame_count: int) -> Array | None:
    """Return the times of all frames (F,), s: as one of the files has them, else by a frame rate; None without either.

    Frames without a time of their own, which a live run dropped, get theirs from those around them.
    """
    fps = tracks.fps or truth.fps
    known = tracks.times_s or truth.times_s
    frame = np.arange(frame_count, dtype=np.float64)
    if len(known) < 2:
        return None if fps is None else frame / fps
    at, time_s = np.array(sorted(known.items()), np.float64).T
    step_s = (time_s[-1] - time_s[0]) / (at[-1] - at[0])
    times: Array = np.interp(frame, at, time_s)
    times += np.minimum(frame - at[0], 0) * step_s + np.maximum(frame - at[-1], 0) * step_s
    return times


def _is_of(recorded: Recorded, class_id: Array, class_name: str) -> Array:
    """Return which boxes, of these classes (N,), are of the class: all of them where the file knows no classes."""
    if not recorded.identities:
        return np.ones(len(class_id), bool)
    return np.isin(class_id, recorded.class_ids(class_name))


def _in_pixels_of(truth: Recorded, tracks: Recorded, xyxy: Array) -> Array:
    """Return the boxes of tracks (N, 4) in the truth's pixels; as they are when one of the sizes is not known."""
    if truth.size_px is None or tracks.size_px is None:
        return xyxy
    return boxes.rescale(xyxy, tracks.size_px, truth.size_px)


def _is_excused(frame: Array, xyxy: Array, truth: Recorded, is_of_class: Array) -> Array:
    """Return which tracked boxes (N,) lie in an ignored region and match no true box: they may be right."""
    if not truth.excuses:
        return np.zeros(len(frame), bool)
    region = is_of_class & truth.is_ignored
    true = is_of_class & ~truth.is_ignored
    row, box = touching(truth.frame[region], truth.xyxy[region], frame, xyxy)
    share = boxes.paired_intersection(truth.xyxy[region][row], xyxy[box]) / boxes.area(xyxy[box])
    inside = _greatest(share, box, len(frame))
    row, box = touching(truth.frame[true], truth.xyxy[true], frame, xyxy)
    overlap = _greatest(boxes.paired_iou(truth.xyxy[true][row], xyxy[box]), box, len(frame))
    excused: Array = (inside > _MAX_IGNORED) & (overlap < _MIN_MATCH)
    return excused


def _greatest(values: Array, row: Array, count: int) -> Array:
    """Return the greatest of the values (P,) of each row (count,), 0 where it has none."""
    greatest = np.zeros(count)
    np.maximum.at(greatest, row, values)
    return greatest


def _has_run(tracks: Recorded, class_name: str, frame_count: int) -> Array | None:
    """Return on which frames (F,) a detector of the class ran; None when the file does not say."""
    if tracks.runs is None:
        return None
    names = {class_name, *tracks.class_names(class_name)}
    has_run = np.zeros(frame_count, bool)
    for detector, frames in tracks.runs.items():
        detects = tracks.detects.get(detector, ())
        if not detects or names & {*detects}:
            has_run[[frame for frame in frames if frame < frame_count]] = True
    return has_run


def _judged(
    tracks: Recorded, truth: Recorded, is_of_class: Array, *, class_name: str, has_run: Array | None
) -> tuple[Judged, ...]:
    """Return the raw detections of the class beside the truth, none when the file has no raw detections."""
    looks = tracks.looks
    if looks is None or has_run is None:
        return ()
    frames = [frame for frame in np.flatnonzero(has_run).tolist() if frame in looks.on_frame]
    if not frames:
        return ()
    there = is_of_class & np.isin(truth.frame, frames)
    found = _is_of(tracks, looks.class_id, class_name) & np.isin(looks.frame, frames)
    return (
        Judged(
            class_name=class_name,
            frames=frames,
            truth_frame=truth.frame[there],
            truth_xyxy=truth.xyxy[there],
            is_ignored=truth.is_ignored[there],
            found_frame=looks.frame[found],
            found_xyxy=_in_pixels_of(truth, tracks, looks.xyxy[found]),
            score=looks.score[found],
        ),
    )


def _check_ids(recorded: Recorded, rows: Array) -> None:
    """Raise TrackFileError when two of these boxes are one object on one frame, or have no id."""
    frame, track_id = recorded.frame[rows], recorded.track_id[rows]
    if (track_id < 0).any():
        raise TrackFileError(
            f"{recorded.path!r} has boxes without an id ({track_id.min()}): it has detections, no tracks"
        )
    order = np.lexsort((track_id, frame))
    same = (np.diff(frame[order]) == 0) & (np.diff(track_id[order]) == 0)
    if same.any():
        first = order[np.argmax(same)]
        raise TrackFileError(
            f"{recorded.path!r} has id {track_id[first]} twice on frame {frame[first] + 1}: an object is there once"
        )
