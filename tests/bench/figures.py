"""Rows and costs made by hand, of which a test names only what it is about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hybridtrack.bench.frame_cost import FrameCost
from hybridtrack.bench.row import Row
from hybridtrack.bench.spread import Spread
from hybridtrack.evaluate import Scores

SCORES = Scores(
    hota=0.6,
    det_a=0.6,
    ass_a=0.6,
    loc_a=0.8,
    mota=0.7,
    idf1=0.8,
    id_switches=2,
    fragmentations=3,
    mostly_tracked=1,
    mostly_lost=0,
    objects=2,
    never_seen=0,
    filled_f1=None,
    ap50=None,
    ap75=None,
    jitter=12.34,
    truth_jitter=10.0,
    delay_s=0.1,
    frames=100,
    frames_with_run=100,
)


def row(
    mode: str,
    detect_every: int | str,
    speed_up: float,
    *,
    slowest: float | None = None,
    hota: float = 0.6,
    f1: float | None = 1.0,
    filled_f1: float | None = None,
    **others: Any,
) -> Row:
    """Return a row whose reference runs at 100 frames a second; ``slowest``: the speed-up of its worst round."""
    made = Row(
        source="clips/table.mp4",
        mode=mode,
        detect_every=detect_every,
        tracker=mode,
        fill="forward",
        shrink=1,
        does_less=detect_every != 1,
        frames=100,
        detector_runs=10,
        rounds=3,
        fps=Spread.of([100 * speed_up]),
        speed_up=Spread(median=speed_up, least=slowest or speed_up, most=speed_up),
        cpu_ms=Spread(median=2.0, least=1.5, most=2.5),
        stage_ms={"decode": 1.0, "track": 0.25},
        f1=f1,
        filled_f1=filled_f1,
        scores=replace(SCORES, hota=hota, filled_f1=filled_f1),
    )
    return replace(made, **others)


def cost(mode: str, detected_ms: float | None, tracked_ms: float | None, *, reference_ms: float = 10.0) -> FrameCost:
    return FrameCost(
        mode=mode, reference_ms=reference_ms, detected_ms=detected_ms, tracked_ms=tracked_ms, peak_mb=180.4
    )
