"""Assignment and the passes of association, on pairs worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import linear_sum_assignment

from hybridtrack.association import Expected, Seen, assign, associate
from hybridtrack.types import TrackState


def boxes(*left: float, size: float = 100) -> np.ndarray:
    """Return square boxes side by side, their left edges at ``left``."""
    return np.array([[x, 0, x + size, size] for x in left], float).reshape(-1, 4)


def pairs_of(
    tracks: np.ndarray,
    detections: np.ndarray,
    *,
    score: tuple[float, ...] = (),
    state: tuple[TrackState, ...] = (),
    unseen_s: tuple[float, ...] = (),
    tenure_s: tuple[float, ...] = (),
    is_agile: bool = True,
    std_px: float | None = None,
) -> set[tuple[int, int]]:
    n, m = len(tracks), len(detections)
    rows, columns = associate(
        Expected(
            xyxy=tracks,
            state=np.array(state or [TrackState.CONFIRMED] * n, np.uint8),
            unseen_s=np.array(unseen_s or [0.1] * n),
            tenure_s=np.array(tenure_s or [5.0] * n),
            is_agile=np.full(n, is_agile),
            var=None if std_px is None else np.full((n, 4), std_px**2),
        ),
        Seen(
            xyxy=detections,
            score=np.array(score or [0.9] * m),
            var=None if std_px is None else np.ones((m, 4)),
        ),
    )
    return set(zip(rows.tolist(), columns.tolist(), strict=True))


def test_cheapest_set_of_pairs_wins_over_the_cheapest_pair() -> None:
    rows, columns = assign(np.array([[1.0, 2.0], [1.5, 9.0]]), np.ones((2, 2), bool))
    assert list(zip(rows, columns, strict=True)) == [(0, 1), (1, 0)]


def test_more_pairs_win_over_cheaper_ones() -> None:
    allowed = np.array([[True, True], [True, False]])
    rows, columns = assign(np.array([[0.0, 100.0], [50.0, 0.0]]), allowed)
    assert list(zip(rows, columns, strict=True)) == [(0, 1), (1, 0)]


@given(st.data())
def test_pairs_are_allowed_and_none_is_in_two(data: st.DataObject) -> None:
    shape = data.draw(st.tuples(st.integers(0, 6), st.integers(0, 6)))
    cost = data.draw(arrays(float, shape, elements=st.floats(0, 10)))
    allowed = data.draw(arrays(bool, shape))
    rows, columns = assign(cost, allowed)
    assert len(set(rows.tolist())) == len(rows) == len(columns) == len(set(columns.tolist()))
    assert allowed[rows, columns].all()
    # nothing is left that could be joined
    rest = allowed.copy()
    rest[rows], rest[:, columns] = False, False
    assert not rest.any()


@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 3), (2, 0)])
def test_nothing_joins_nothing(n: int, m: int) -> None:
    assert pairs_of(boxes(*range(n)), boxes(*range(m))) == set()


def test_each_detection_goes_to_the_track_it_overlaps_most() -> None:
    assert pairs_of(boxes(0, 60), boxes(70, 10)) == {(0, 1), (1, 0)}


def test_sure_detection_far_off_joins_within_the_reach_that_time_gives() -> None:
    far = boxes(350)  # 3.5 box sizes away
    assert pairs_of(boxes(0), far, unseen_s=(0.1,)) == set()
    assert pairs_of(boxes(0), far, unseen_s=(0.7,)) == {(0, 0)}


def test_unsure_detection_joins_by_overlap_alone() -> None:
    assert pairs_of(boxes(0), boxes(20), score=(0.3,)) == {(0, 0)}
    assert pairs_of(boxes(0), boxes(90), score=(0.3,), unseen_s=(1.0,)) == set()


def test_lost_track_is_found_again_by_a_sure_detection_only() -> None:
    assert pairs_of(boxes(0), boxes(10), state=(TrackState.LOST,), score=(0.9,)) == {(0, 0)}
    assert pairs_of(boxes(0), boxes(10), state=(TrackState.LOST,), score=(0.3,)) == set()


def test_tentative_track_takes_no_detection_from_a_confirmed_one() -> None:
    states = (TrackState.TENTATIVE, TrackState.CONFIRMED)
    assert pairs_of(boxes(0, 40), boxes(0), state=states) == {(1, 0)}


def test_long_standing_track_wins_over_one_just_born_where_both_fit() -> None:
    assert pairs_of(boxes(0, 10), boxes(3), tenure_s=(0.0, 5.0)) == {(1, 0)}


def test_of_two_tracks_out_of_sight_the_one_seen_later_is_joined_at_equal_distance() -> None:
    assert pairs_of(boxes(0, 190), boxes(95), unseen_s=(1.5, 0.6)) == {(1, 0)}


def test_leap_is_believed_only_where_there_is_no_other_choice() -> None:
    assert pairs_of(boxes(0), boxes(300), unseen_s=(1.0,)) == {(0, 0)}
    assert pairs_of(boxes(0, 650), boxes(300), unseen_s=(1.0, 1.0)) == set()
    assert pairs_of(boxes(0), boxes(300, -320), unseen_s=(1.0,)) == set()


def test_smooth_track_takes_a_detection_that_is_likely_though_it_does_not_overlap() -> None:
    assert pairs_of(boxes(0), boxes(120), is_agile=False, std_px=50) == {(0, 0)}  # 120 px are 2.4 deviations


def test_smooth_track_takes_none_that_it_cannot_have_come_to() -> None:
    assert pairs_of(boxes(0), boxes(120), is_agile=False, std_px=10) == set()
    assert pairs_of(boxes(0), boxes(120), is_agile=True, std_px=10, unseen_s=(0.1,)) == {(0, 0)}  # it may have turned


def test_detection_as_high_as_the_track_is_preferred() -> None:
    track = np.array([[0.0, 0, 40, 100]])
    small, same = [12.0, 30, 32, 80], [14.0, 0, 54, 100]
    assert pairs_of(track, np.array([small, same]), is_agile=False, std_px=15) == {(0, 1)}


@given(st.integers(0, 8), st.integers(0, 8), st.integers(0, 2**16), st.booleans())
def test_no_track_and_no_detection_is_in_two_pairs(n: int, m: int, seed: int, is_agile: bool) -> None:
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 300, (n + m, 2))
    xyxy = np.concatenate([corners, corners + rng.uniform(20, 90, (n + m, 2))], axis=1)
    score = tuple(rng.uniform(0.3, 1, m).tolist()) if m else ()
    pairs = pairs_of(xyxy[:n], xyxy[n:], score=score, is_agile=is_agile, std_px=20)
    assert len({i for i, _ in pairs}) == len(pairs) == len({j for _, j in pairs})


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**16))
def test_pairs_alone_are_assigned_as_the_whole_matrix_would_be(n: int, m: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    allowed = rng.random((n, m)) < 2 / m
    cost = rng.random((n, m))
    rows, columns = assign(cost, allowed)
    i, j = linear_sum_assignment(np.where(allowed, cost, 1e6))
    kept = allowed[i, j]
    assert len(rows) == kept.sum()
    assert cost[rows, columns].sum() == pytest.approx(cost[i[kept], j[kept]].sum())
