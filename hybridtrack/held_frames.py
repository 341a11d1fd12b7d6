"""Frames that two-way fill keeps back until their tracks are settled."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace

from hybridtrack.frame_job import TrackedFrame
from hybridtrack.hookspecs import BoxTracker
from hybridtrack.laps import Laps
from hybridtrack.timed_tracker import TimedTracker
from hybridtrack.tracking.two_way import TwoWayFill
from hybridtrack.types import ClassInfo, Tracks


class HeldFrames:
    """Gives frames out in order. backward: carries boxes back. classes: the run's list, which may grow."""

    def __init__(self, backward: BoxTracker, classes: Sequence[ClassInfo]) -> None:
        self._backward = TimedTracker(backward)
        self._two_way = TwoWayFill(self._backward, classes)
        self._held: deque[TrackedFrame] = deque()

    def reset(self) -> None:
        """Begin a new source; what is held back is forgotten."""
        self._two_way.reset()
        self._held.clear()

    def step(self, tracked: TrackedFrame) -> list[TrackedFrame]:
        """Take the next frame, and return those that it settles, with the tracks that are theirs now."""
        laps = Laps(*(one.seen for one in self._held), tracked.seen)
        ran = [run.detector for run in tracked.runs if run.status == "ok"]
        tracks = self._two_way.step(tracked.seen, tracked.tracks, ran)
        fill_ms, follow_ms = laps.take_ms(), self._backward.take_ms()
        self._held.append(tracked.took(track=follow_ms, associate=fill_ms - follow_ms))
        return self._settled(tracks)

    def rest(self) -> list[TrackedFrame]:
        """Return all that is held back: no frame comes after it."""
        return self._settled(self._two_way.rest())

    def _settled(self, tracks: Iterable[Tracks]) -> list[TrackedFrame]:
        return [replace(self._held.popleft(), tracks=one) for one in tracks]
