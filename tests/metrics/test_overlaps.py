from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridtrack.boxes import iou
from hybridtrack.metrics.overlaps import match_frames, overlaps, pair_up
from tests.metrics.rows import columns, still

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
    (block,) = pairs.blocks()
    assert (block.frame, block.pairs, block.shape) == (2, slice(0, 2), (2, 3))
    assert [rows.tolist() for rows in block.cells] == [[0, 1], [0, 1]]
    assert pairs.iou.tolist() == [1, pytest.approx(1 / 3)]
    assert (pairs.truth_row.tolist(), pairs.track_row.tolist()) == ([1, 2], [1, 2])
    assert (pairs.truth_id.tolist(), pairs.track_id.tolist()) == ([0, 0, 1], [0, 0, 2, 1])
    assert (pairs.truth_count.tolist(), pairs.track_count.tolist()) == ([2, 1], [2, 1, 1])


@given(st.integers(0, 2**32 - 1))
def test_pairs_of_a_crowd_are_those_that_overlap(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth, tracks = (
        columns([(0, i, *rng.integers(0, 60, 2), *rng.integers(1, 20, 2)) for i in range(count)])
        for count in rng.integers(0, 20, 2)
    )
    pairs = overlaps(*truth, *tracks)
    table = np.zeros((len(truth[0]), len(tracks[0])))
    table[pairs.truth_row, pairs.track_row] = pairs.iou
    assert (table == iou(truth[2], tracks[2])).all()
    assert (pairs.iou > 0).all()


def test_more_boxes_than_are_looked_at_at_once_are_paired_like_few(monkeypatch: pytest.MonkeyPatch) -> None:
    truth, tracks = columns([(i // 3, i, i % 3, 0, 2, 2) for i in range(50)]), columns(still(1, range(20), side=2.0))
    whole = overlaps(*truth, *tracks)
    monkeypatch.setattr("hybridtrack.metrics.overlaps._AT_ONCE", 7)
    parts = overlaps(*truth, *tracks)
    assert (parts.truth_row.tolist(), parts.track_row.tolist()) == (whole.truth_row.tolist(), whole.track_row.tolist())
    assert len(whole.iou) == 34  # 17 frames, of which the third box of each only touches the track's edge


def test_best_pairs_of_a_frame_do_not_depend_on_other_frames() -> None:
    truth = columns([(0, 1, 0, 0, 10, 10), (0, 2, 4, 0, 10, 10), (1, 1, 0, 0, 10, 10)])
    tracks = columns([(0, 1, 3, 0, 10, 10), (0, 2, 8, 0, 10, 10), (1, 1, 0, 0, 10, 10)])
    pairs = overlaps(*truth, *tracks)
    matches = match_frames(pairs, pairs.iou)
    assert list(zip(pairs.truth_row[matches], pairs.track_row[matches], strict=True)) == [(0, 0), (1, 1), (2, 2)]


def test_without_boxes_there_is_nothing() -> None:
    none, some = columns([]), columns([(0, 1, 0, 0, 10, 10)])
    for pairs in (overlaps(*none, *some), overlaps(*some, *none), overlaps(*none, *none)):
        assert list(pairs.blocks()) == []
        assert match_frames(pairs, pairs.iou).tolist() == []
