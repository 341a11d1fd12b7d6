from __future__ import annotations

import numpy as np
import pytest
from filterpy.common import Q_discrete_white_noise
from filterpy.kalman import KalmanFilter
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridtrack.tracking.box_filter import BoxFilter

N = 3  #: boxes at once
PARTS = ("position", "velocity", "var_position", "cov", "var_velocity")


def oracle_at(position: float, std_px: float, std_px_s: float) -> KalmanFilter:
    """Return filterpy's filter of one coordinate at rest."""
    oracle = KalmanFilter(dim_x=2, dim_z=1)
    oracle.x = np.array([[position], [0.0]])
    oracle.P = np.diag([std_px**2, std_px_s**2])
    oracle.H = np.array([[1.0, 0.0]])
    return oracle


def predict(oracle: KalmanFilter, dt_s: float, std_px_s2: float) -> None:
    oracle.F = np.array([[1.0, dt_s], [0.0, 1.0]])
    oracle.Q = Q_discrete_white_noise(dim=2, dt=dt_s, var=std_px_s2**2)
    oracle.predict()


def belief_of(oracle: KalmanFilter) -> list[float]:
    """Return what ``PARTS`` names."""
    return [*oracle.x[:2, 0], oracle.P[0, 0], oracle.P[0, 1], oracle.P[1, 1]]


def beliefs(filters: BoxFilter) -> np.ndarray:
    """Return the parts of every coordinate, (N, 4, 5)."""
    return np.stack([getattr(filters, part) for part in PARTS], axis=-1)


@pytest.mark.parametrize("seed", range(8))
def test_every_coordinate_is_the_filter_of_filterpy(seed: int) -> None:
    random = np.random.default_rng(seed)
    start = random.uniform(0, 1000, (N, 4))
    std_px, std_px_s = random.uniform(0.5, 20, (2, N, 4))
    filters = BoxFilter.at(start, std_px, std_px_s)
    oracles = [[oracle_at(start[n, k], std_px[n, k], std_px_s[n, k]) for k in range(4)] for n in range(N)]
    for step in range(40):
        dt_s, std_px_s2 = random.uniform(0.01, 0.5), random.uniform(1, 500, (N, 4))
        filters = filters.predicted(dt_s, std_px_s2)
        measured, measured_std = random.uniform(0, 1000, (N, 4)), random.uniform(0.1, 30, (N, 4))
        is_measured = random.random() < 0.6
        if is_measured:
            filters = filters.corrected(measured, measured_std)
        for n in range(N):
            for k in range(4):
                predict(oracles[n][k], dt_s, std_px_s2[n, k])
                if is_measured:
                    oracles[n][k].update(measured[n, k], R=measured_std[n, k] ** 2)
        expected = np.array([[belief_of(oracle) for oracle in row] for row in oracles])
        np.testing.assert_allclose(beliefs(filters), expected, rtol=1e-9, atol=1e-9, err_msg=f"step {step}")


@pytest.mark.parametrize("seed", range(8))
def test_shift_is_an_update_of_the_filter_that_keeps_the_former_position_as_well(seed: int) -> None:
    random = np.random.default_rng(seed)
    start = random.uniform(0, 1000, (N, 4))
    before = BoxFilter.at(start, random.uniform(0.5, 20, (N, 4)), random.uniform(1, 200, (N, 4)))
    for _ in range(20):
        dt_s, std_px_s2 = random.uniform(0.01, 0.5), random.uniform(1, 500, (N, 4))
        change, change_std = random.uniform(-30, 30, (N, 4)), random.uniform(0.1, 10, (N, 4))
        after = before.predicted(dt_s, std_px_s2).shifted(before, dt_s, change, change_std)
        expected = np.empty((N, 4, 5))
        for n, k in np.ndindex(N, 4):
            position, velocity, *_ = beliefs(before)[n, k]
            var_position, cov, var_velocity = beliefs(before)[n, k, 2:]
            cloned = KalmanFilter(dim_x=3, dim_z=1)  # position, velocity, former position
            cloned.x = np.array([[position], [velocity], [position]])
            cloned.P = np.array(
                [[var_position, cov, var_position], [cov, var_velocity, cov], [var_position, cov, var_position]]
            )
            cloned.F = np.array([[1, dt_s, 0], [0, 1, 0], [0, 0, 1]])
            cloned.Q = np.zeros((3, 3))
            cloned.Q[:2, :2] = Q_discrete_white_noise(dim=2, dt=dt_s, var=std_px_s2[n, k] ** 2)
            cloned.H = np.array([[1.0, 0.0, -1.0]])
            cloned.predict()
            cloned.update(change[n, k], R=change_std[n, k] ** 2)
            expected[n, k] = belief_of(cloned)
        np.testing.assert_allclose(beliefs(after), expected, rtol=1e-9, atol=1e-9)
        before = after


px = st.floats(-1e4, 1e4)
std = st.floats(0.01, 1e3)


@settings(deadline=None)
@given(
    n=st.integers(0, 4),
    position=px,
    measured=px,
    std_px=std,
    std_px_s=std,
    std_px_s2=std,
    measured_std=std,
    dts_s=st.lists(st.floats(1e-3, 5), min_size=1, max_size=8),
)
def test_variances_stay_positive_and_every_update_makes_surer(
    n: int,
    position: float,
    measured: float,
    std_px: float,
    std_px_s: float,
    std_px_s2: float,
    measured_std: float,
    dts_s: list[float],
) -> None:
    filters = BoxFilter.at(np.full((n, 4), position), np.full((n, 4), std_px), np.full((n, 4), std_px_s))
    for dt_s in dts_s:
        predicted = filters.predicted(dt_s, np.full((n, 4), std_px_s2))
        corrected = predicted.corrected(np.full((n, 4), measured), np.full((n, 4), measured_std))
        shifted = predicted.shifted(filters, dt_s, np.full((n, 4), measured), np.full((n, 4), measured_std))
        for updated in (corrected, shifted):
            assert {getattr(updated, part).shape for part in PARTS} == {(n, 4)}
            assert np.isfinite(beliefs(updated)).all()
            assert (updated.var_position > 0).all()
            assert (updated.var_velocity > 0).all()
            assert (updated.var_position <= predicted.var_position).all()
            assert (updated.var_velocity <= predicted.var_velocity * (1 + 1e-12)).all()
        low, high = sorted((position, measured))
        if len(dts_s) == 1:  # at rest: what is believed lies between what was and what is measured
            assert ((corrected.position >= low - 1e-6) & (corrected.position <= high + 1e-6)).all()
        filters = corrected


def test_rows_are_selected_replaced_and_joined_as_copies() -> None:
    filters = BoxFilter.at(np.arange(12.0).reshape(3, 4), np.ones((3, 4)), np.ones((3, 4)))
    last = filters[np.array([2])]
    last.position += 100
    assert filters.position[2].tolist() == [8, 9, 10, 11]
    filters[np.array([True, False, False])] = last
    assert filters.position[0].tolist() == [108, 109, 110, 111]
    assert len(filters.joined(last)) == 4
    assert filters.joined(last).position[3].tolist() == [108, 109, 110, 111]
    assert len(filters[np.zeros(3, bool)]) == 0


def test_perfect_measurements_of_a_steady_motion_teach_the_velocity() -> None:
    filters = BoxFilter.at(np.zeros((1, 4)), np.full((1, 4), 5.0), np.full((1, 4), 100.0))
    for frame in range(1, 31):
        filters = filters.predicted(1 / 30, np.full((1, 4), 1.0))
        filters = filters.corrected(np.full((1, 4), 2.0 * frame), np.full((1, 4), 0.01))
    np.testing.assert_allclose(filters.velocity, 60, rtol=1e-3)
    np.testing.assert_allclose(filters.predicted(1.0, np.ones((1, 4))).position, 120, rtol=1e-3)
