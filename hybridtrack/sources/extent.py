"""Which part of a recording is played, and how often."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from hybridtrack.errors import SourceError, UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """From ``start_s`` up to, not including, ``end_s`` in the recording's own seconds, ``loop`` times."""

    start_s: float = 0.0
    end_s: float = math.inf
    loop: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.start_s < math.inf:
            raise UsageError(f"start {self.start_s!r} is no time in a recording; give seconds from 0")
        if not self.end_s > self.start_s:
            raise UsageError(f"end {self.end_s!r} is not after start {self.start_s!r}; give a later end")
        if self.loop < 1:
            raise UsageError(f"loop {self.loop!r} plays nothing; give 1 or more")

    def expected_frames(self, frame_count: int | None, fps: Fraction | None) -> int | None:
        """Return about how many frames of a recording of ``frame_count`` it plays; None when nothing tells."""
        if frame_count is None or fps is None:
            return None
        begin, end = (min(time_s * float(fps), frame_count) for time_s in (self.start_s, self.end_s))
        return self.loop * (math.ceil(end) - math.ceil(begin))

    def frames(self, count: int, fps: Fraction, *, uri: str) -> range:
        """Return the numbers of the frames that are played, of ``count`` of which number i is at i / ``fps`` s.

        Raises SourceError, naming ``uri``, when there are none.
        """
        chosen = range(count)[_first_at(self.start_s, fps) : _first_at(self.end_s, fps)]
        if not chosen:
            raise SourceError(
                f"cannot play {uri!r} from {self.start_s:g} s: its {count} frames at {float(fps):g} a second end at "
                f"{float((count - 1) / fps):g} s; give an earlier start or a later end"
            )
        return chosen


def _first_at(time_s: float, fps: Fraction) -> int | None:
    """Return the number of the first frame that is not before ``time_s``; None when that is never."""
    return None if math.isinf(time_s) else math.ceil(round(time_s * fps, 6))
