from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridtrack.boxes import iou
from hybridtrack.metrics.overlaps import match_frames, overlaps, pair_up
from tests.metrics.rows import columns

frames = st.lists(st.integers(0, 6), max_size=12).map(sorted).map(np.array)


@given(frames, frames)
def test_pairs_are_all_rows_of_one_frame_and_no_others(frame: np.ndarray, other: np.ndarray) -> None:
    rows, others = pair_up(frame.astype(int), other.astype(int))
    wanted = [(i, j) for i, a in enumerate(frame) for j, b in enumerate(other) if a == b]
    assert list(zip(rows.tolist(), others.tolist(), strict=True)) == wanted


def test_pairs_of_a_frame_stand_together_with_their_iou() -> None:
    truth = columns([(0, 5, 0, 0, 10, 10), (2, 5, 0, 0, 10, 10), (2, 6, 20, 0, 10, 10)])
    tracks = columns([(1, 1, 0, 0, 10, 10), (2, 1, 0, 0, 10, 10), (2, 9, 20, 5, 10, 10), (2, 3, 50, 50, 1, 1)])
    pairs = overlaps(*truth, *tracks)
    assert list(pairs.frames()) == [(slice(0, 6), (2, 3))]
    assert pairs.iou.reshape(2, 3).tolist() == [[1, 0, 0], [0, pytest.approx(1 / 3), 0]]
    assert (pairs.truth_id.tolist(), pairs.track_id.tolist()) == ([0, 0, 1], [0, 0, 2, 1])
    assert (pairs.truth_count.tolist(), pairs.track_count.tolist()) == ([2, 1], [2, 1, 1])
    assert np.allclose(pairs.iou.reshape(2, 3), iou(truth[2][1:], tracks[2][1:]))


def test_best_pairs_of_a_frame_do_not_depend_on_other_frames() -> None:
    truth = columns([(0, 1, 0, 0, 10, 10), (0, 2, 4, 0, 10, 10), (1, 1, 0, 0, 10, 10)])
    tracks = columns([(0, 1, 3, 0, 10, 10), (0, 2, 8, 0, 10, 10), (1, 1, 0, 0, 10, 10)])
    pairs = overlaps(*truth, *tracks)
    matches = match_frames(pairs, pairs.iou)
    assert list(zip(pairs.truth_row[matches], pairs.track_row[matches], strict=True)) == [(0, 0), (1, 1), (2, 2)]


def test_without_boxes_there_is_nothing() -> None:
    none, some = columns([]), columns([(0, 1, 0, 0, 10, 10)])
    for pairs in (overlaps(*none, *some), overlaps(*some, *none), overlaps(*none, *none)):
        assert list(pairs.frames()) == []
        assert match_frames(pairs, pairs.iou).tolist() == []
