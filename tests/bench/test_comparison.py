from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hybridtrack.bench.comparison import HOPELESS, costs_of, is_hopeless, rows_of, take_turns
from hybridtrack.bench.frame_cost import Job, frame_cost
from hybridtrack.bench.measurement import Run, Shown, Times
from hybridtrack.bench.mode import DETECT_ONLY, Conditions, Mode
from hybridtrack.bench.own_process import measure
from hybridtrack.cadence import Cadence
from hybridtrack.errors import TrackFileError, UsageError
from tests.bench.conftest import BLANK, COUNT

HOLD = Mode(name="hold", tracker="hold", detect_every=Cadence(frames=3))
KALMAN = Mode(name="kalman", tracker="kalman", detect_every=Cadence(frames=3))
MODES = [DETECT_ONLY, HOLD, KALMAN, replace(HOLD, detect_every=Cadence(frames=8))]


def told_of(runs: list[str]) -> list[str]:
    return [text.removeprefix(f"{BLANK}: ") for text in runs]


def test_modes_take_turns_with_the_reference_before_and_after(conditions: Conditions, tmp_path: Path) -> None:
    told: list[str] = []
    runs = take_turns(BLANK, MODES, conditions, folder=tmp_path / "0", tell=told.append)
    # a round that goes on after a hopeless mode has one turn less, and on a busy machine that may be any of them
    assert told_of(told)[:6] == [
        "round 1 of 2, decoding alone",
        "round 1 of 2, none every frame",
        "round 1 of 2, hold every 3 frames",
        "round 1 of 2, kalman every 3 frames",
        "round 1 of 2, hold every 8 frames",
        "round 1 of 2, none every frame",
    ]
    assert told_of(told)[6:8] == ["round 2 of 2, decoding alone", "round 2 of 2, none every frame"]
    assert told_of(told)[-1] == "round 2 of 2, none every frame"
    assert len(runs.rounds) == 2
    assert set(runs.rounds[0].runs) == set(runs.rounds[0].beside) == {0, 1, 2, 3}


def test_rows_are_held_to_the_truth(conditions: Conditions, boxes: Path, tmp_path: Path) -> None:
    runs = take_turns(BLANK, MODES, replace(conditions, rounds=1), folder=tmp_path / "0", truth=str(boxes))
    none, hold, kalman, hold_8 = rows_of(MODES, [runs], conditions, name="blank")
    assert (none.scores.hota, none.scores.id_switches, none.scores.filled_f1) == (1.0, 0, None)
    assert none.scores.frames == hold.scores.frames == COUNT
    assert hold_8.scores.hota < hold.scores.hota < kalman.scores.hota <= 1  # it goes on evenly
    assert (none.detector_runs, hold.detector_runs, hold_8.detector_runs) == (24, 8, 3)
    assert (none.f1, hold.f1) == (1.0, 1.0)  # 12 of 60 px: IoU 2/3
    assert none.speed_up.median == 1.0


def test_truth_counts_up_to_the_last_frame_that_was_run(conditions: Conditions, boxes: Path, tmp_path: Path) -> None:
    short = replace(conditions, rounds=1, max_frames=10)
    runs = take_turns(BLANK, [DETECT_ONLY], short, folder=tmp_path / "0", truth=str(boxes))
    (row,) = rows_of([DETECT_ONLY], [runs], short, name="blank")
    assert (row.scores.hota, row.scores.frames) == (1.0, 10)


def test_without_truth_modes_are_held_to_the_reference(conditions: Conditions, tmp_path: Path) -> None:
    runs = take_turns(BLANK, MODES[:2], replace(conditions, rounds=1), folder=tmp_path / "0")
    none, hold = rows_of(MODES[:2], [runs], conditions, name="blank")
    assert none.scores.hota == 1.0
    assert 0.5 < hold.scores.hota < 1


def test_truth_that_does_not_fit_is_refused_after_one_run(conditions: Conditions, boxes: Path, tmp_path: Path) -> None:
    told: list[str] = []
    (boxes / "seqinfo.ini").write_text("[Sequence]\nseqLength=24\nimWidth=640\nimHeight=640\n")
    square = tmp_path / "gt.txt"
    square.write_text((boxes / "gt/gt.txt").read_text())
    unsized = replace(
        conditions, detectors=(replace(conditions.detectors[0], options={"path": str(square), "class": "hand"}),)
    )
    with pytest.raises(TrackFileError, match="640x640"):
        take_turns(BLANK, MODES, unsized, folder=tmp_path / "0", truth=str(boxes), tell=told.append)
    assert told_of(told) == ["none every frame, against the truth"]


@pytest.mark.parametrize(("wall_s", "expected"), [(1 / HOPELESS - 0.01, False), (1 / HOPELESS + 0.01, True)])
def test_mode_is_hopeless_that_takes_much_longer_than_the_reference(wall_s: float, expected: bool) -> None:
    run = Run(times=Times(frames=100, wall_s=wall_s, cpu_s=1), stage_ms={}, shown=Shown())
    assert is_hopeless(run, Times(frames=100, wall_s=1.0, cpu_s=1)) is expected


def test_costs_are_those_of_frames_with_and_without_a_detector_run(conditions: Conditions) -> None:
    cost = measure(Job(uri=BLANK, mode=HOLD, conditions=conditions))
    assert cost.mode == "hold"
    assert cost.detected_ms is not None
    assert cost.tracked_ms is not None
    assert min(cost.reference_ms, cost.detected_ms, cost.tracked_ms) > 0
    only = measure(Job(uri=BLANK, mode=DETECT_ONLY, conditions=conditions))
    assert (only.tracked_ms, only.share, only.speed_up(3)) == (None, None, None)


def test_each_kind_of_mode_has_one_process(conditions: Conditions) -> None:
    told: list[str] = []
    costs = costs_of(BLANK, [DETECT_ONLY, HOLD, MODES[3]], conditions, tell=told.append)
    assert [cost.mode for cost in costs] == ["none", "hold"]
    assert told_of(told) == ["what frames cost, none every frame", "what frames cost, hold every 3 frames"]
    assert all(cost.peak_mb is None or cost.peak_mb > 20 for cost in costs)


def test_process_that_cannot_measure_says_why_in_one_line(conditions: Conditions) -> None:
    with pytest.raises(UsageError) as refusal:
        frame_cost("none.mp4", HOLD, conditions)
    assert "in a process of its own: no such file 'none.mp4'" in str(refusal.value)
    assert "\n" not in str(refusal.value)
