"""Times of frames: frame rates, and the timestamps of a stream, which may be missing, repeated or run backward."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from hybridtrack.errors import UsageError

DEFAULT_FPS = Fraction(30)  #: where a recording does not say how fast it runs
JUMP_S = 1  #: a timestamp further back than this begins a new count; less is a slip of single frames

_FINEST_RATE: Final = 100_000  #: greatest denominator of a frame rate: libav counts in 32 bits
_MIN_FPS: Final = 1 / _FINEST_RATE  #: about one frame a day
_MAX_FPS: Final = 20_000


def check_rate(fps: float | Fraction) -> Fraction:
    """Return a frame rate as a fraction that libav can count with. Raises UsageError for one that cannot be had."""
    if not _MIN_FPS <= fps <= _MAX_FPS:
        asked = f"{float(fps):g}" if isinstance(fps, Fraction) else repr(fps)
        raise UsageError(
            f"{asked} frames a second is no frame rate that can be had; give one from {_MIN_FPS:f} to {_MAX_FPS}"
        )
    return Fraction(str(fps)).limit_denominator(_FINEST_RATE)


class Timeline:
    """Turns timestamps into times, s, that start at 0 and grow strictly.

    A missing timestamp is one frame interval after the frame before. One that is not later than the frame before is
    moved half an interval behind it, so that the next sound one is met again; a jump back by more than ``JUMP_S``
    (clips joined end to end, a counter that ran over) goes on from there. Exact fractions: no drift over hours.
    """

    def __init__(self, fps: Fraction | None = None, origin_s: Fraction | None = None) -> None:
        """Begin with frames at ``fps`` where timestamps are missing; ``origin_s``: the timestamp of time 0."""
        self.missing = 0
        self.repaired = 0
        self._step_s = 1 / (fps or DEFAULT_FPS)
        self._sound_origin_s = self._origin_s = origin_s
        self._last_s: Fraction | None = None

    def place(self, stamp_s: Fraction | None) -> Fraction:
        """Return the time of the next frame, s, later than every time before it."""
        time_s = self._time_of(stamp_s)
        self._last_s = time_s
        return time_s

    def _time_of(self, stamp_s: Fraction | None) -> Fraction:
        last_s = self._last_s
        following_s = Fraction(0) if last_s is None else last_s + self._step_s
        if stamp_s is None:
            self.missing += 1
            return following_s
        if self._origin_s is None or self._sound_origin_s is None:
            self._sound_origin_s = self._origin_s = stamp_s - following_s
        if last_s is None:
            return max(stamp_s - self._origin_s, following_s)
        if stamp_s - self._sound_origin_s > last_s:
            self._origin_s = self._sound_origin_s  # one frame had slipped far back, and the count goes on as before
        time_s = stamp_s - self._origin_s
        if time_s > last_s:
            return time_s
        self.repaired += 1
        if time_s > last_s - JUMP_S:
            return last_s + self._step_s / 2
        self._origin_s = stamp_s - following_s
        return following_s

    def notes(self) -> list[str]:
        """Return what the user should know of the timestamps, one line each."""
        counts = (
            (self.missing, "without a timestamp: frame intervals counted instead"),
            (self.repaired, "with a timestamp not later than the frame before: moved behind it"),
        )
        return [f"timestamps: {count} {'frame' if count == 1 else 'frames'} {what}" for count, what in counts if count]
