"""How much less a run did than one that detects on every frame, as the times of its stages tell."""

from __future__ import annotations

from collections.abc import Mapping

_OF_RUNS = ("detect", "convert")  #: what a detector run takes
_OF_FOLLOWING = ("track",)  #: what detecting on every frame has no need of


def estimated_speed_up(
    frames: int, detector_runs: Mapping[str, int], stage_ms: Mapping[str, float | None]
) -> float | None:
    """Return how many times as long the stages would have taken with a detector run on each frame, and no following.

    stage_ms: means a frame. None when it cannot be told: where detectors ran unequally often (nobody keeps the time of
    each), ran on every frame or never, or took no measurable time.

    It is work that is compared, stage by stage; stages run side by side, and a detector run takes longer beside others,
    so that the clock may tell less. ``hybridtrack bench`` measures it.

    >>> estimated_speed_up(300, {"hand": 100}, {"detect": 4.0, "track": 1.0, "write": 1.0})
    2.1666666666666665
    """
    counts = set(detector_runs.values())
    if len(counts) != 1 or not frames:
        return None
    (runs,) = counts
    now = sum(ms or 0.0 for ms in stage_ms.values())
    of_runs = sum(stage_ms.get(name) or 0.0 for name in _OF_RUNS)
    if not 0 < runs < frames or not stage_ms.get("detect") or now <= 0:
        return None
    saved = sum(stage_ms.get(name) or 0.0 for name in _OF_FOLLOWING)
    return (now - of_runs - saved + of_runs * frames / runs) / now
