"""The process in which a mode is measured on its own: ``python -m hybridtrack.bench.own_process``."""

from __future__ import annotations

import statistics
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from hybridtrack.bench.frame_cost import FrameCost, Job
from hybridtrack.bench.measurement import track
from hybridtrack.bench.mode import DETECT_ONLY, Conditions, Mode
from hybridtrack.errors import HybridTrackError
from hybridtrack.sinks.standard_output import reserved_for_results, results
from hybridtrack.types import FrameResult

MEMORY_FRAMES = 120  #: of the run whose memory is looked at: all queues are full by then, and it does not grow
REFERENCE_FRAMES = 90  #: of detecting on every frame, right before
TIMED_FRAMES = 300  #: of the run in one thread


def measure(job: Job) -> FrameCost:
    """Return what frames cost, measured in this process. Raises as ``track`` does."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "tracks.jsonl"
        track(job.uri, job.mode, _limited(job.conditions, MEMORY_FRAMES), file)
        peak_mb = _peak_mb()
        reference = _frame_ms(job, DETECT_ONLY, REFERENCE_FRAMES, file)
        own = _frame_ms(job, job.mode, TIMED_FRAMES, file)
    return FrameCost(
        mode=job.mode.name,
        reference_ms=statistics.median(reference[True]),
        detected_ms=statistics.median(own[True]) if own[True] else None,
        tracked_ms=statistics.median(own[False]) if own[False] else None,
        peak_mb=peak_mb,
    )


def _frame_ms(job: Job, mode: Mode, frames: int, file: Path) -> dict[bool, list[float]]:
    """Return what frames with (True) and without (False) a detector run took in one thread, ms."""
    taken: dict[bool, list[float]] = {True: [], False: []}

    def add(result: FrameResult) -> None:
        taken[bool(result.runs)].append(sum(result.stage_ms.values()))

    run = track(job.uri, mode, _limited(job.conditions, frames), file, overlap=False, on_frame=add)
    write_ms = run.stage_ms["write"]  # about the same on all frames
    return {has_run: [ms + write_ms for ms in every] for has_run, every in taken.items()}


def _limited(conditions: Conditions, frames: int) -> Conditions:
    limit = conditions.max_frames
    return replace(conditions, max_frames=frames if limit is None else min(limit, frames))


def _peak_mb() -> float | None:
    """Return the most memory, 10^6 bytes, that was resident in this process; None where the system does not tell."""
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
    except OSError:  # not Linux
        return _peak_mb_of_usage()
    lines = [line.split() for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(lines[0][1]) * 1024 / 1e6 if lines else None


def _peak_mb_of_usage() -> float | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def main() -> int:
    """Read a job from standard input and write the cost to standard output, both as JSON."""
    with reserved_for_results():
        job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
        try:
            cost = measure(job)
        except HybridTrackError as error:
            print(error, file=sys.stderr)
            return 2
        results().write(msgspec.json.encode(cost).decode())
        return 0


if __name__ == "__main__":
    sys.exit(main())
