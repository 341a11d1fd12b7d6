"""Carries boxes from the frame on which a detector saw them back through the frames before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from hybridtrack.boxes import area, clip
from hybridtrack.hookspecs import BoxTracker
from hybridtrack.types import Array, ClassInfo, Frame, Tracks, TrackState

_GONE_QUALITY = 0.25  #: of a measurement, below which the pixels say that the object is not there yet
_MIN_INSIDE = 0.2  #: share of a box that has to be in the picture


def carried_back(
    tracker: BoxTracker, frames: Sequence[tuple[Frame, Tracks]], seen: Tracks, classes: Sequence[ClassInfo]
) -> Iterator[tuple[Array, Array]]:
    """Yield where ``seen`` tracks of the last frame were on the frames before it, the latest first.

    frames: in order, each with its tracks. Yields boxes, float64 (M, 4), and which are known (M,): one that is lost
    sight of stays where it was, and is not known from there on.
    """
    tracker.reset()
    xyxy, is_known = seen.xyxy.astype(np.float64), np.ones(len(seen), bool)
    is_object = np.array([classes[i].role == "object" for i in seen.class_id.tolist()], bool)
    expect = getattr(tracker, "expect", None) if is_object.any() else None
    detected = is_known
    for (frame, _), (after, tracks) in zip(frames[-2::-1], frames[:0:-1], strict=True):
        others = _hands_but(seen, tracks, classes) if expect else tracks[:0]
        number = np.concatenate([seen.track_id, others.track_id])
        boxes = np.concatenate([xyxy, others.xyxy])
        tracker.settle(after, number, boxes, np.concatenate([detected, np.zeros(len(others), bool)]))
        if expect:
            dt_s = after.time_s - frame.time_s
            expect(*_told(seen, others, is_object, tracks, dt_s))
        found = tracker.measure(frame, number, boxes)
        is_measured = found.is_measured[: len(seen)]
        xyxy = np.where(is_measured[:, None], found.xyxy[: len(seen)], xyxy)
        is_inside = area(clip(xyxy, frame.size_px)) >= _MIN_INSIDE * area(xyxy)
        is_known = is_known & is_measured & (found.quality[: len(seen)] >= _GONE_QUALITY) & is_inside
        detected = np.zeros(len(seen), bool)
        yield xyxy, is_known


def _hands_but(seen: Tracks, tracks: Tracks, classes: Sequence[ClassInfo]) -> Tracks:
    """Return the hands among ``tracks`` that are not ``seen``: they may lie over what is."""
    is_hand = np.array([classes[i].role == "hand" for i in tracks.class_id.tolist()], bool)
    return tracks[is_hand & (tracks.state == TrackState.CONFIRMED) & ~np.isin(tracks.track_id, seen.track_id)]


def _told(seen: Tracks, others: Tracks, is_object: Array, tracks: Tracks, dt_s: float) -> tuple[Array, ...]:
    """Return what ``BoxTracker.expect`` is told of ``seen`` tracks and of ``others``, hands, ``dt_s`` before."""
    i, j = np.nonzero(seen.track_id[:, None] == tracks.track_id)
    velocity = seen.velocity.copy()
    velocity[i] = tracks.velocity[j]
    change = -dt_s * np.concatenate([velocity, others.velocity]).astype(np.float64)
    is_solid = np.concatenate([is_object, np.zeros(len(others), bool)])
    may_hide = is_solid[:, None] & ~np.eye(len(is_solid), dtype=bool)
    return change, may_hide, is_solid, ~is_solid
