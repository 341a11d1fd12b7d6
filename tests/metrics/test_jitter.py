from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridtrack.metrics.hota import match_hota
from hybridtrack.metrics.jitter import median, track_accelerations, truth_accelerations
from hybridtrack.metrics.overlaps import Overlaps
from tests.metrics.rows import Row, paired, still

TIME_S = np.arange(20) / 10


def jitter(pairs: Overlaps, time_s: np.ndarray = TIME_S) -> float | None:
    return median(track_accelerations(pairs, match_hota(pairs), time_s))


def moving(number: int, lefts: list[float], side: float = 10.0) -> list[Row]:
    return [(frame, number, left, 0.0, side, side) for frame, left in enumerate(lefts)]


def test_jitter_is_the_change_of_velocity_in_box_sizes() -> None:
    """0, 2, 0, 2 px at 10 frames/s: velocity goes from 20 to -20 px/s within .1 s, 400 px/s², 40 sizes of 10 px."""
    pairs = paired(still(1, range(4)), moving(1, [0, 2, 0, 2]))
    assert track_accelerations(pairs, match_hota(pairs), TIME_S) == pytest.approx([40, 40])


def test_jitter_does_not_depend_on_size_of_picture_or_kind_of_tracks() -> None:
    small = jitter(paired(still(1, range(6)), moving(1, [0, 1, 0, 2, 0, 1])))
    large = jitter(paired(still(1, range(6), side=40), moving(9, [0, 4, 0, 8, 0, 4], side=40)))
    assert small == pytest.approx(large)


def test_even_motion_has_no_jitter_at_uneven_times() -> None:
    time_s = np.array([0, 0.1, 0.3, 0.4, 0.8])
    boxes = moving(1, (50 * time_s).tolist())
    assert jitter(paired(boxes, boxes), time_s) == pytest.approx(0)


def test_truth_has_a_jitter_of_its_own() -> None:
    pairs = paired(moving(1, [0, 2, 0]), still(1, range(3)))
    assert truth_accelerations(pairs, TIME_S) == pytest.approx([40])
    assert track_accelerations(pairs, match_hota(pairs), TIME_S) == pytest.approx([0])


@given(st.sets(st.integers(0, 19)), st.sets(st.integers(0, 19)))
def test_a_track_that_breaks_up_gains_nothing(new_ids: set[int], missing: set[int]) -> None:
    """Boxes under other ids are the same boxes; boxes left out make no value smaller, and the median no less."""
    lefts = np.random.default_rng(0).normal(0, 1, 20).tolist()
    whole = moving(1, lefts)
    broken, number = [], 1
    for row in whole:
        number += row[0] in new_ids
        broken.append((row[0], number, *row[2:]))
    truth = still(1, range(20))
    assert jitter(paired(truth, broken)) == jitter(paired(truth, whole))
    with_gaps = jitter(paired(truth, [row for row in broken if row[0] not in missing]))
    assert with_gaps is None or with_gaps >= jitter(paired(truth, whole))


def test_boxes_on_every_third_frame_have_no_jitter_to_speak_of() -> None:
    assert jitter(paired(still(1, range(9)), still(1, [0, 3, 6]))) is None


def test_boxes_elsewhere_do_not_count() -> None:
    stray = [(frame, 2, 200.0 + 50 * (frame % 2), 0.0, 10.0, 10.0) for frame in range(5)]
    assert jitter(paired(still(1, range(5)), sorted([*still(1, range(5)), *stray]))) == 0


def test_frames_of_one_time_have_no_value() -> None:
    boxes = still(1, range(4))
    assert truth_accelerations(paired(boxes, boxes), np.array([0, 0.1, 0.1, 0.2])).tolist() == []


def test_objects_on_fewer_than_three_frames_in_a_row_have_no_value() -> None:
    boxes = still(1, [0, 1, 3, 4])
    assert truth_accelerations(paired(boxes, boxes), TIME_S).tolist() == []
    assert jitter(paired([], [])) is None
