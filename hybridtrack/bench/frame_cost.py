"""What a detected and a tracked frame cost, and the memory of a run: of each mode, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

import msgspec

from hybridtrack.bench.mode import Conditions, Mode
from hybridtrack.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What the process is to run."""

    uri: str
    mode: Mode
    conditions: Conditions


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameCost:
    """What frames of one mode cost in one thread: medians of the wall clock, ms, from decoding to writing.

    reference_ms: of detecting only, in the same process right before. detected_ms, tracked_ms: of frames with and
    without a detector run; None where there is no such frame. peak_mb: the most memory that a run with threads had,
    interpreter and libraries included; None where the system does not tell.
    """

    mode: str
    reference_ms: float
    detected_ms: float | None
    tracked_ms: float | None
    peak_mb: float | None

    @property
    def share(self) -> float | None:
        """What a tracked frame costs, as a share of one of detecting only."""
        return None if self.tracked_ms is None else self.tracked_ms / self.reference_ms

    def speed_up(self, n: int) -> float | None:
        """Return how much faster than detecting only it is in one thread to detect on every ``n``-th frame."""
        if self.detected_ms is None or self.tracked_ms is None:
            return None
        return self.reference_ms / (self.detected_ms / n + (1 - 1 / n) * self.tracked_ms)

    def is_losing(self, n: int) -> bool:
        """Return whether detecting on every ``n``-th frame is known not to be faster than detecting on all of them."""
        speed_up = self.speed_up(n)
        return speed_up is not None and speed_up <= 1


def frame_cost(uri: str, mode: Mode, conditions: Conditions) -> FrameCost:
    """Return what frames of ``mode`` cost, measured in a new process. Raises UsageError when that fails."""
    job = msgspec.json.encode(Job(uri=uri, mode=mode, conditions=conditions))
    command = [sys.executable, "-m", "hybridtrack.bench.own_process"]
    done = subprocess.run(command, input=job, capture_output=True, check=False)
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise UsageError(
            f"cannot measure {mode} on {uri!r} in a process of its own: {lines[-1] if lines else 'it died'}"
        )
    return msgspec.json.decode(done.stdout, type=FrameCost)
