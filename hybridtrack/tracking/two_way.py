"""Two-way fill: tracks wait for the next look of their detectors, and are corrected by what it says.

A forward tracker carries boxes from the last detector run. When the next run has seen them, they are carried back from
it through the same pictures, and the two ways are blended, each the more the nearer its detection is. A track that
begins is carried back to where it comes into sight; one that the run has missed ends where its pixels were lost, and
one that was seen only once, and that the run has ended, was a false alarm and is not shown. What has been settled so is
smoothed and given out frame by frame.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hybridtrack.boxes import area, clip, paired_iou
from hybridtrack.hookspecs import BoxTracker
from hybridtrack.tracking.backward import carried_back
from hybridtrack.tracking.rejoining import Numbers
from hybridtrack.tracking.track_smoother import TrackSmoother
from hybridtrack.types import Array, ClassInfo, Frame, Origin, Size, Tracks, TrackState

MAX_DELAY_S = 1.0  #: a frame waits no longer than this for the next look of a detector

_APART_IOU = 0.3  #: of the two ways, below which one of them has gone astray: the nearer detection's is taken
_FADE_HALF_LIFE_S = 1.0  #: of the confidence, by the time to the nearer detection


@dataclass(slots=True, eq=False)
class _Waiting:
    """A frame whose tracks are not settled yet."""

    frame: Frame
    tracks: Tracks


class TwoWayFill:
    """Holds frames back until their tracks are settled.

    box_tracker: carries boxes backward; another one than carries them forward. classes: the run's list, which may grow.
    """

    def __init__(self, box_tracker: BoxTracker, classes: Sequence[ClassInfo]) -> None:
        self._box_tracker = box_tracker
        self._looks = getattr(box_tracker, "looks", True)
        self._classes = classes
        self._numbers = Numbers(classes, looks=self._looks)
        self._smoother = TrackSmoother(classes, looks=self._looks) if box_tracker.filters else None
        self.reset()

    def reset(self) -> None:
        """Begin a new source; what waits is forgotten."""
        self._numbers.reset()
        if self._smoother:
            self._smoother.reset()
        self._waiting: list[_Waiting] = []
        self._run_s: dict[str, float] = {}

    def step(self, frame: Frame, tracks: Tracks, ran: Collection[str]) -> list[Tracks]:
        """Take the tracks of the next frame, and return those of the frames that are settled now, in order.

        tracks: what a forward tracker says, ``as_detected``. ran: the detectors that ran on this frame. A frame of
        another size than the one before begins anew, as it does for the forward tracker.
        """
        settled: list[Tracks] = []
        if self._waiting and self._waiting[-1].frame.size_px != frame.size_px:
            settled = self.rest()
            self._numbers.reset()
        tracks, before_s = self._numbers.give(tracks, frame.time_s, ran)
        if ran and self._waiting:
            self._miss(tracks, ran)
        self._waiting.append(_Waiting(frame, tracks))
        rows = np.flatnonzero(tracks.origin == Origin.DETECTED)
        if len(rows):
            self._fill(tracks[rows], before_s[rows])
        self._run_s.update(dict.fromkeys(ran, frame.time_s))
        return settled + self._settle(self._due())

    def rest(self) -> list[Tracks]:
        """Return the tracks of all frames that still wait, as far as they are known: no frame comes after them."""
        return self._settle(len(self._waiting))

    def _due(self) -> int:
        """Return how many frames are settled: every detector has looked after them, or they have waited for too long.

        Then half of what waits is given out, so that not every frame from then on brings one.
        """
        due_s, now_s = min(self._run_s.values(), default=-np.inf), self._waiting[-1].frame.time_s
        if now_s - self._waiting[0].frame.time_s >= MAX_DELAY_S:
            due_s = max(due_s, now_s - MAX_DELAY_S / 2)
        return sum(one.frame.time_s < due_s for one in self._waiting)

    def _miss(self, tracks: Tracks, ran: Collection[str]) -> None:
        """Take back what the waiting frames show of tracks that detectors looked for on this frame and did not see."""
        before = self._waiting[-1].tracks
        is_missed = np.isin(before.detector, [*ran]) & (before.state == TrackState.CONFIRMED)
        is_missed &= ~np.isin(before.track_id, tracks.track_id[tracks.origin == Origin.DETECTED])
        if not is_missed.any():
            return
        missed = before.track_id[is_missed]
        ended = missed[~np.isin(missed, tracks.track_id)]
        false_alarms = ended[self._numbers.sights(ended) == 1]
        gone = np.empty(0, np.int64)
        for one in self._waiting:
            one.tracks = one.tracks[~np.isin(one.tracks.track_id, false_alarms)]
            if not self._looks:
                continue
            number, origin = one.tracks.track_id, one.tracks.origin
            is_gone = np.isin(number, missed) & (origin == Origin.PREDICTED) & (one.tracks.occluded_by == 0)
            gone = np.union1d(np.setdiff1d(gone, number[origin == Origin.DETECTED]), number[is_gone])
            state = np.where(np.isin(number, gone), TrackState.LOST, one.tracks.state)
            one.tracks = replace(one.tracks, state=state)

    def _fill(self, seen: Tracks, before_s: Array) -> None:
        """Correct the tracks of the waiting frames by those that a detector has ``seen`` on the last one.

        before_s: (M,), when one saw them before; minus infinity: never.
        """
        time_s, is_new = self._waiting[-1].frame.time_s, np.isinf(before_s)
        # new ones go back to the run before, which did not see them
        from_s = np.where(is_new, [self._run_s.get(name, -np.inf) for name in seen.detector], before_s)
        ways_back = self._ways_back(seen, is_new)
        for one in reversed(self._waiting[:-1]):
            at_s = one.frame.time_s
            if not (from_s < at_s).any():
                break
            xyxy, is_known = next(ways_back)
            rows = np.flatnonzero((from_s < at_s) & is_known)
            since_s = np.where(is_new[rows], time_s, at_s - from_s[rows])  # new ones have come all the way from here
            until_s = time_s - at_s
            share = since_s / np.where(is_new[rows], time_s, since_s + until_s)
            one.tracks = _blended(one.tracks, seen[rows], xyxy[rows], share, at_s, np.minimum(since_s, until_s))

    def _ways_back(self, seen: Tracks, is_new: Array) -> Iterator[tuple[Array, Array]]:
        """Yield where ``seen`` tracks of the last frame were on the frames before it, the latest first, and which are
        known (M,). Where no pixels tell, boxes stay, and nobody knows where a new one comes from.
        """
        if self._looks:
            frames = [(one.frame, one.tracks) for one in self._waiting]
            yield from carried_back(self._box_tracker, frames, seen, self._classes)
            return
        for one in reversed(self._waiting[:-1]):
            yield seen.xyxy.astype(np.float64), ~is_new & np.isin(seen.track_id, one.tracks.track_id)

    def _settle(self, count: int) -> list[Tracks]:
        """Return the tracks of the first ``count`` waiting frames, which wait no longer."""
        if not count:
            return []
        tracks, size_px = [one.tracks for one in self._waiting], self._waiting[0].frame.size_px
        if self._smoother:
            tracks = self._smoother.step([one.frame.time_s for one in self._waiting], tracks, count)
        del self._waiting[:count]
        return [_inside(one, size_px) for one in tracks[:count]]


def _blended(tracks: Tracks, seen: Tracks, xyxy: Array, share: Array, time_s: float, near_s: Array) -> Tracks:
    """Return the tracks of the frame at ``time_s`` after those ``seen`` later were carried back to it.

    xyxy: (M, 4), where they were carried to. share: (M,), what they weigh against where the tracks were carried forward
    to. near_s: (M,), time from the frame to the nearer detection.
    """
    if not len(seen):
        return tracks
    i, j = np.nonzero(seen.track_id[:, None] == tracks.track_id)
    forward = xyxy.copy()
    forward[i] = tracks.xyxy[j]
    share = np.where(paired_iou(forward, xyxy) < _APART_IOU, np.round(share), share)[:, None]
    filled = replace(
        seen,
        xyxy=(1 - share) * forward + share * xyxy,
        origin=np.full(len(seen), Origin.INTERPOLATED),
        state=np.full(len(seen), TrackState.CONFIRMED),
        confidence=seen.score * 0.5 ** (near_s / _FADE_HALF_LIFE_S),
        last_detected_s=time_s - near_s,
    )
    joined = Tracks.joined([tracks[~np.isin(tracks.track_id, seen.track_id)], filled])
    return joined[np.argsort(joined.track_id, kind="stable")]


def _inside(tracks: Tracks, size_px: Size) -> Tracks:
    """Return the tracks with their boxes cut at the picture's edges, without those outside it."""
    xyxy = clip(tracks.xyxy, size_px)
    is_inside = area(xyxy) > 0
    if is_inside.all() and np.array_equal(xyxy, tracks.xyxy):
        return tracks
    return replace(tracks, xyxy=xyxy)[is_inside]
