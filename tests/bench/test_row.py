from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hybridtrack.bench.measurement import Run, Shown, Times
from hybridtrack.bench.mode import DETECT_ONLY, Mode
from hybridtrack.bench.row import Round, SourceRuns, row_of
from hybridtrack.bench.spread import Spread, turns
from hybridtrack.cadence import Cadence
from tests.bench.figures import SCORES

FLOW = Mode(name="flow", detect_every=Cadence(frames=2))
BOX = np.array([[0, 0, 10, 10]], np.float32)
NONE = np.empty((0, 4), np.float32)


def run(wall_s: float, cpu_s: float, *, track_ms: float = 1.0, shown: Shown | None = None) -> Run:
    """Return a run over 100 frames."""
    return Run(
        times=Times(frames=100, wall_s=wall_s, cpu_s=cpu_s), stage_ms={"track": track_ms}, shown=shown or Shown()
    )


def round_of(
    reference: Run, other: Run | None, *, beside_s: float = 1.0, decoding_s: float = 0.1, frames: int = 100
) -> Round:
    runs = {0: reference} if other is None else {0: reference, 1: other}
    beside = Times(frames=100, wall_s=beside_s, cpu_s=1.0)
    return Round(
        runs=runs,
        beside={0: reference.times, 1: beside},
        decoded=Times(frames=frames, wall_s=decoding_s, cpu_s=decoding_s),
    )


def source(*rounds: Round) -> SourceRuns:
    return SourceRuns(uri="a.mp4", rounds=rounds, files=[Path("0"), Path("1")], truth=Path("0"))


def test_ratios_are_taken_within_a_round() -> None:
    shown = Shown([BOX, BOX, NONE], [True, False, False])
    wanted = Shown([BOX, BOX, BOX], [True, True, True])
    one = round_of(run(1.0, 1.2, shown=wanted), run(0.5, 0.4, shown=shown), beside_s=1.0, decoding_s=0.1)
    other = round_of(run(2.0, 1.2), run(0.5, 0.6, track_ms=3.0), beside_s=2.0, decoding_s=0.2)
    row = row_of(FLOW, 1, [source(one, other)], SCORES, name="a.mp4")
    assert row.fps == Spread.of([200.0])
    assert row.speed_up == Spread.of([2.0, 4.0])  # 1.0 s / .5 s; 2.0 s / .5 s
    assert row.cpu_ms == Spread(median=pytest.approx(3.5), least=pytest.approx(3.0), most=pytest.approx(4.0))
    assert row.stage_ms == {"track": 2.0}
    assert (row.mode, row.detect_every, row.frames, row.detector_runs, row.rounds) == ("flow", 2, 3, 1, 2)
    assert row.f1 == pytest.approx(4 / 5)  # 2 shared, 2 shown, 3 wanted
    assert row.filled_f1 == pytest.approx(2 / 3)  # 1 shared, 1 shown, 2 wanted


def test_reference_is_as_fast_as_itself() -> None:
    wanted = Shown([BOX], [True])
    row = row_of(DETECT_ONLY, 0, [source(round_of(run(1.0, 1.2, shown=wanted), None))], SCORES, name="a.mp4")
    assert row.speed_up == Spread.of([1.0])
    assert (row.f1, row.filled_f1, row.detector_runs, row.does_less) == (1.0, None, 1, False)


def test_sources_together_count_the_rounds_in_which_the_mode_ran_on_all_of_them() -> None:
    shown = Shown([BOX], [True])
    first = source(
        round_of(run(1.0, 1.0, shown=shown), run(0.5, 0.5, shown=shown)), round_of(run(1.0, 1.0), run(9.0, 9.0))
    )
    second = source(round_of(run(1.0, 1.0, shown=shown), run(1.5, 1.5, shown=shown)), round_of(run(1.0, 1.0), None))
    row = row_of(FLOW, 1, [first, second], SCORES, name="all")
    assert row.rounds == 1
    assert row.fps == Spread.of([100.0])  # 200 frames in .5 + 1.5 s
    assert row.frames == 2


def test_every_mode_has_its_turn_and_each_round_begins_elsewhere() -> None:
    orders = [turns(7, number, 3) for number in range(3)]
    assert orders == [[0, 1, 2, 3, 4, 5, 6], [2, 3, 4, 5, 6, 0, 1], [4, 5, 6, 0, 1, 2, 3]]


def test_spread_is_the_median_between_least_and_greatest() -> None:
    assert Spread.of([3.0, 1.0, 8.0]) == Spread(median=3.0, least=1.0, most=8.0)


def test_mean_of_runs_is_one_run() -> None:
    parts = [Times(frames=10, wall_s=1.0, cpu_s=2.0), Times(frames=10, wall_s=3.0, cpu_s=6.0)]
    assert Times.mean(parts) == Times(frames=10, wall_s=2.0, cpu_s=4.0)
    assert Times.total(parts) == Times(frames=20, wall_s=4.0, cpu_s=8.0)
