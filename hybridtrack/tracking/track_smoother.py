"""Smooths tracks that come in pieces: frames whose tracks are settled, and those after them that are known already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hybridtrack.boxes import cxcywh_to_xyxy, xyxy_to_cxcywh
from hybridtrack.tracking.box_filter import BoxFilter
from hybridtrack.tracking.kinematics import accelerations, detection_std, new_speed
from hybridtrack.tracking.smoother import Ways, filtered, smoothed
from hybridtrack.types import Array, ClassInfo, Origin, Tracks, TrackState

_LOOSENESS = 3.0  #: times the accelerations of forward tracking, which has to foretell: here the next sight is known


class TrackSmoother:
    """Keeps what is believed of tracks from piece to piece.

    looks: pixels are followed, so that boxes were measured on frames without a detector run, too.
    """

    def __init__(self, classes: Sequence[ClassInfo], *, looks: bool) -> None:
        self._classes = classes
        self._looks = looks
        self.reset()

    def reset(self) -> None:
        """Begin a new source."""
        self._number = np.empty(0, np.int64)
        self._beliefs = _nothing(0)
        self._time_s = 0.0

    def step(self, times_s: Sequence[float], frames: Sequence[Tracks], count: int) -> list[Tracks]:
        """Return the tracks of the first ``count`` frames (at least one), smoothed by what is known of all of them.

        Frames that are not among the first ``count`` come again the next time. Tracks that are lost stay as they are,
        and so do boxes after the last one that was measured. That of a detection stays within its standard deviation.
        """
        shown = [np.flatnonzero(tracks.state == TrackState.CONFIRMED) for tracks in frames]
        seen = [tracks[rows] for tracks, rows in zip(frames, shown, strict=True)]
        number = np.unique(np.concatenate([tracks.track_id for tracks in seen]))
        ways, is_detected = self._ways(seen, number, np.diff([self._time_s, *times_s]))
        expected, known = filtered(ways, *self._start(number))
        position, velocity = smoothed(expected, known, ways.is_there, ways.dt_s)
        std = np.where(is_detected[..., None], ways.std_px, np.inf)
        position = np.clip(position, ways.position - std, ways.position + std)
        is_measured: Array = np.isfinite(ways.std_px[..., 0])
        is_told = np.maximum.accumulate(is_measured[::-1])[::-1]  # by this measurement or one still to come
        stays = ways.is_there[count - 1]
        self._number, self._beliefs, self._time_s = number[stays], known[count - 1][stays], times_s[count - 1]
        smooth = []
        for k in range(count):
            rows = shown[k][is_told[k, np.searchsorted(number, seen[k].track_id)]]
            place = np.searchsorted(number, frames[k].track_id[rows])
            smooth.append(_put(frames[k], rows, position[k, place], velocity[k, place]))
        return smooth

    def _ways(self, frames: Sequence[Tracks], number: Array, dt_s: Array) -> tuple[Ways, Array]:
        """Return what was measured of the tracks ``number``, and which of their boxes a detector saw, bool (K, N)."""
        shape = len(frames), len(number)
        position, std = np.ones((*shape, 4)), np.full((*shape, 4), np.inf)
        is_there, is_detected, is_agile = np.zeros(shape, bool), np.zeros(shape, bool), np.zeros(len(number), bool)
        for k, tracks in enumerate(frames):
            place, boxes = np.searchsorted(number, tracks.track_id), xyxy_to_cxcywh(tracks.xyxy.astype(np.float64))
            detected = tracks.origin == Origin.DETECTED
            agile = self._looks | np.array([self._classes[i].role == "hand" for i in tracks.class_id.tolist()], bool)
            deviation = detection_std(boxes, np.where(detected, tracks.score, 1.0), agile)
            is_measured = (tracks.origin != Origin.PREDICTED) & self._looks | detected
            position[k, place], std[k, place[is_measured]] = boxes, deviation[is_measured]
            is_there[k, place], is_detected[k, place], is_agile[place] = True, detected, agile
        ways = Ways(
            position=position,
            std_px=std,
            is_there=is_there,
            dt_s=dt_s,
            acceleration=_LOOSENESS * accelerations(is_agile),
            new_speed=new_speed(is_agile),
        )
        return ways, is_detected

    def _start(self, number: Array) -> tuple[BoxFilter, Array]:
        """Return what is believed of the tracks with these numbers, and of which of them anything is (N,)."""
        start, was_there = _nothing(len(number)), np.isin(number, self._number)
        start[was_there] = self._beliefs[np.searchsorted(self._number, number[was_there])]
        return start, was_there


def _nothing(count: int) -> BoxFilter:
    """Return beliefs that say nothing, about boxes with an area."""
    ones = np.ones((count, 4))
    return BoxFilter.at(ones, ones, ones)


def _put(tracks: Tracks, rows: Array, position: Array, velocity: Array) -> Tracks:
    """Return the tracks with these boxes (M, 4), cx, cy, w, h, and velocities (M, 4) in M of their rows."""
    xyxy, speed = tracks.xyxy.copy(), tracks.velocity.copy()
    xyxy[rows], speed[rows] = cxcywh_to_xyxy(position), velocity[:, :2]
    return replace(tracks, xyxy=xyxy, velocity=speed)
