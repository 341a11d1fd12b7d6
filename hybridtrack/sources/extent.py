"""Which part of a recording is played, and how often."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from hybridtrack.errors import UsageError


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
