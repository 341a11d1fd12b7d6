"""How trackers without pictures are compared with those of other libraries; the libraries themselves are not needed."""

from __future__ import annotations

import sys

from tests.benchmarks.peers import worker
from tests.benchmarks.peers.accuracy import mot_text
from tests.benchmarks.peers.environments import NAMES
from tests.benchmarks.peers.filling import hold, interpolate
from tests.benchmarks.peers.settings import ACCURACY, OURS, SPEED

AT = (10.0, 20.0, 50.0, 60.0)
LATER = (16.0, 20.0, 62.0, 66.0)


def test_held_box_stays_until_the_next_update_or_the_end() -> None:
    assert hold([(0, 1, *AT), (3, 1, *LATER)], every=3, frames=5) == [
        *((frame, 1, *AT) for frame in (0, 1, 2)),
        *((frame, 1, *LATER) for frame in (3, 4)),
    ]


def test_interpolated_box_goes_straight_from_one_update_to_the_next() -> None:
    assert interpolate([(0, 1, *AT), (3, 1, *LATER), (0, 2, *AT)], most=3) == [
        (0, 1, *AT),
        (0, 2, *AT),
        (1, 1, 12.0, 20.0, 54.0, 62.0),
        (2, 1, 14.0, 20.0, 58.0, 64.0),
        (3, 1, *LATER),
    ]


def test_gap_that_is_too_long_is_not_filled() -> None:
    rows = [(0, 1, *AT), (4, 1, *LATER)]
    assert interpolate(rows, most=3) == rows


def test_rows_become_text_with_frames_from_1_and_without_empty_boxes() -> None:
    assert mot_text([(0, 7, *AT), (1, 7, 50.0, 20.0, 50.0, 60.0)]) == "1,7,10.00,20.00,40.00,40.00,1,-1,-1,-1\n"


def test_every_library_has_an_environment() -> None:
    assert {one.peer for one in (*SPEED, *ACCURACY)} == {*NAMES, OURS}
    assert len({str(one) for one in ACCURACY}) == len(ACCURACY)


def test_worker_carries_a_box_over_frames_without_a_detector_run() -> None:
    frames = [[[10.0 + 4 * i, 20.0, 50.0 + 4 * i, 60.0, 0.9]] for i in range(7)]
    with worker.start(sys.executable) as process:
        job = {"tracker": OURS, "options": {}, "every": 3, "phase": 0, "fps": 30.0, "size_px": (640, 360)}
        own = process.ask(do="track", fill="own", frames=frames, **job)["rows"]
        line = process.ask(do="track", fill="linear", frames=frames, **job)["rows"]
    assert [row[:2] for row in own] == [[frame, 1] for frame in range(7)]
    assert [row[:2] for row in line] == [[frame, 1] for frame in range(7)]
    assert own[3][2] > own[2][2]
    assert abs((line[1][2] - line[0][2]) - (line[2][2] - line[1][2])) < 1e-6


def test_worker_tells_every_frame_of_a_tracker_that_waits_for_the_next_run() -> None:
    frames = [[[10.0 + 2 * i, 20.0, 50.0 + 2 * i, 60.0, 0.9]] for i in range(8)]  # the last one comes after all runs
    with worker.start(sys.executable) as process:
        job = {"options": {"two_way": True}, "every": 3, "phase": 0, "fps": 30.0, "size_px": (640, 360)}
        rows = process.ask(do="track", tracker=OURS, fill="own", frames=frames, **job)["rows"]
    assert [row[:2] for row in rows] == [[frame, 1] for frame in range(8)]
    assert abs(rows[1][2] - 12) < 1  # forward, a box that was seen once stays where it was


def test_worker_times_updates_after_the_warm_up() -> None:
    with worker.start(sys.executable) as process:
        told = process.ask(do="time", tracker=OURS, options={}, boxes=5, frames=worker.WARM_UP + 4, seed=0)
    assert len(told["ms"]) == 4
    assert min(told["ms"]) > 0
    assert told["ids"] >= 5
