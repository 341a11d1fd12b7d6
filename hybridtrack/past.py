"""Frames that are done, kept small while somebody may want to go back to them, and what was known before each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from hybridtrack.tracking.flow import flow_size
from hybridtrack.tracking.tracker import Moment, Tracker
from hybridtrack.types import Array, ArrayPicture, Detections, Frame, Size, Tracks

_MAX_STEPS = 12  #: frames that are lived through once more at most: each takes about a millisecond
_HASTY_STEPS = 3  #: ... while a frame waits, beside those with detections
_MAX_KEPT = 48  #: frames about which are kept, however long nobody tells: of the older ones some are left out


class _SmallPicture:
    """Luma that is kept at the size at which flow is measured, of a picture of another size."""

    __slots__ = ("_luma", "_size_px")

    def __init__(self, luma: Array, size_px: Size) -> None:
        self._luma = ArrayPicture(luma)
        self._size_px = size_px

    @property
    def size_px(self) -> Size:
        return self._size_px

    def gray(self, size: Size) -> Array:
        return self._luma.gray(size)

    def rgb(self, size: Size) -> Array:
        return self._luma.rgb(size)


class _KeptFrame(Frame):
    """A frame of which there is no more than the luma that flow wants; ``size_px`` and boxes are as before."""

    __slots__ = ("_detail_px",)

    def __init__(self, frame: Frame) -> None:
        luma = frame.gray(flow_size(frame.detail_px))
        super().__init__(_SmallPicture(luma, frame.size_px), index=frame.index, time_s=frame.time_s)
        self._detail_px = frame.detail_px

    @property
    def detail_px(self) -> Size:
        return self._detail_px


@dataclass(frozen=True, slots=True)
class PastFrame:
    """A frame that is done: small, with what was found on it, its tracks, and what the tracker knew before it."""

    frame: Frame
    detections: Mapping[str, Detections]
    tracks: Tracks
    before: Moment | None


class Past:
    """The frames since the oldest one that somebody may want to go back to, in order."""

    def __init__(self) -> None:
        self._frames: list[PastFrame] = []

    def clear(self) -> None:
        self._frames.clear()

    def keep(
        self,
        frame: Frame,
        detections: Mapping[str, Detections],
        tracks: Tracks,
        before: Moment | None,
        *,
        wanted: Collection[int],
    ) -> None:
        """Keep what may be needed of a frame that is done, and forget what is older than all that is ``wanted``.

        There is no way back beyond a frame of another size. When there are many, one of those that are too old to be
        lived through once more goes, but none that is wanted.
        """
        self._frames = self.since(min(wanted), frame.size_px)
        if len(self._frames) >= _MAX_KEPT:
            self._leave_one_out(wanted)
        self._frames.append(PastFrame(_KeptFrame(frame), detections, tracks, before))

    def _leave_one_out(self, wanted: Collection[int]) -> None:
        """Forget the old frame that leaves the smallest gap."""
        old = [row for row, one in enumerate(self._frames[:-_MAX_STEPS]) if row > 0 and one.frame.index not in wanted]
        if old:
            times_s = [one.frame.time_s for one in self._frames]
            del self._frames[min(old, key=lambda row: times_s[row + 1] - times_s[row - 1])]

    def since(self, index: int, size_px: Size | None = None) -> list[PastFrame]:
        """Return the frames from ``index`` on (those of a size, where one is given)."""
        return [
            one
            for one in self._frames
            if one.frame.index >= index and (size_px is None or one.frame.size_px == size_px)
        ]

    def tell(self, told: Mapping[int, Mapping[str, Detections]]) -> bool:
        """Put what was told late of frames, by their number, where it belongs; False, where it can no more."""
        steps = self.since(min(told))
        can_go_back = bool(steps) and steps[0].before is not None and len(steps) <= _MAX_STEPS
        if not can_go_back or not told.keys() <= {one.frame.index for one in steps}:
            return False
        self._frames = [
            replace(one, detections={**one.detections, **told.get(one.frame.index, {})}) for one in self._frames
        ]
        return True

    def hurry(self, tracker: Tracker, first: int) -> None:
        """Go back to the frame ``first`` and track from there once more, in large steps."""
        frames = self.since(first)
        stops = {*np.linspace(0, len(frames) - 1, _HASTY_STEPS).round().astype(int).tolist()}
        steps = [(one.frame, one.detections) for row, one in enumerate(frames) if row in stops or one.detections]
        assert frames[0].before is not None
        tracker.relive(frames[0].before, steps)

    def relive(self, tracker: Tracker, first: int) -> None:
        """Go back to the frame ``first`` and track from there once more, frame by frame; nowhere, if it is gone."""
        frames = self.since(first)
        if frames[0].frame.index != first:  # the pictures have changed their size since
            return
        assert frames[0].before is not None
        lived = tracker.relive(frames[0].before, [(one.frame, one.detections) for one in frames])
        self._frames[-len(frames) :] = [
            replace(one, before=before, tracks=tracks) for one, (before, tracks) in zip(frames, lived, strict=True)
        ]
