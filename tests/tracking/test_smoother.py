from __future__ import annotations

import numpy as np
import pytest
from filterpy.kalman import KalmanFilter

from hybridtrack.tracking.box_filter import BoxFilter
from hybridtrack.tracking.smoother import Ways, filtered, smoothed
from tests.tracking.test_box_filter import N, oracle_at, predict

K = 30  #: frames


def ways_of(random: np.random.Generator) -> Ways:
    """Return random walks of N boxes, on a third of whose frames nothing is measured."""
    position = 300 + np.cumsum(random.normal(0, 4, (K, N, 4)), axis=0)
    std_px = random.uniform(1, 10, (K, N, 4))
    std_px[random.random((K, N)) < 1 / 3] = np.inf
    return Ways(
        position=position,
        std_px=std_px,
        is_there=np.ones((K, N), bool),
        dt_s=random.uniform(0.02, 0.3, K),
        acceleration=random.uniform(0.2, 2, (N, 4)),
        new_speed=np.ones(N),
    )


def oracle_ways(ways: Ways, start: np.ndarray, std_px: np.ndarray, std_px_s: np.ndarray) -> np.ndarray:
    """Return what filterpy's filter and its ``rts_smoother`` say, position and velocity: (K, N, 4, 2)."""
    told = np.empty((K, N, 4, 2))
    for n in range(N):
        filters = [oracle_at(start[n, c], std_px[n, c], std_px_s[n, c]) for c in range(4)]
        past: list[list[tuple[np.ndarray, ...]]] = [[] for _ in filters]
        for k, dt_s in enumerate(ways.dt_s):
            size = float(np.sqrt(filters[2].x[0, 0] * filters[3].x[0, 0]))
            for c, one in enumerate(filters):
                predict(one, float(dt_s), size * ways.acceleration[n, c])
                if np.isfinite(ways.std_px[k, n, c]):
                    one.update(ways.position[k, n, c], R=ways.std_px[k, n, c] ** 2)
                past[c].append((one.x.copy(), one.P.copy(), one.F.copy(), one.Q.copy()))
        for c, one in enumerate(past):
            xs, covariances, transitions, noises = (list(column) for column in zip(*one, strict=True))
            smooth = KalmanFilter(dim_x=2, dim_z=1).rts_smoother(
                np.array(xs), np.array(covariances), transitions, noises
            )
            told[:, n, c] = smooth[0][:, :, 0]
    return told


@pytest.mark.parametrize("seed", range(6))
def test_ways_are_those_of_filterpys_smoother(seed: int) -> None:
    random = np.random.default_rng(seed)
    ways = ways_of(random)
    start = random.uniform(250, 350, (N, 4))
    std_px, std_px_s = random.uniform(1, 20, (N, 4)), random.uniform(1, 200, (N, 4))
    expected, known = filtered(ways, BoxFilter.at(start, std_px, std_px_s), np.ones(N, bool))
    position, velocity = smoothed(expected, known, ways.is_there, ways.dt_s)
    oracle = oracle_ways(ways, start, std_px, std_px_s)
    np.testing.assert_allclose(position, oracle[..., 0], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(velocity, oracle[..., 1], rtol=1e-9, atol=1e-9)


def ramp(is_there: np.ndarray) -> Ways:
    """Return the way of one box, 60 px wide and high, that goes 3 px a frame at 30 frames a second."""
    count = len(is_there)
    position = np.full((count, 1, 4), 60.0)
    position[:, 0, 0] = 100 + 3 * np.arange(count)
    return Ways(
        position=position,
        std_px=np.full((count, 1, 4), 2.0),
        is_there=is_there[:, None],
        dt_s=np.full(count, 1 / 30),
        acceleration=np.full((1, 4), 2.0),
        new_speed=np.full(1, 2.0),
    )


def smooth(ways: Ways) -> tuple[np.ndarray, np.ndarray]:
    nothing = np.ones((1, 4))
    expected, known = filtered(ways, BoxFilter.at(nothing, nothing, nothing), np.zeros(1, bool))
    return smoothed(expected, known, ways.is_there, ways.dt_s)


def test_box_that_goes_at_one_speed_is_told_so_from_its_first_frame_on() -> None:
    position, velocity = smooth(ramp(np.ones(60, bool)))
    np.testing.assert_allclose(position[:, 0, 0], 100 + 3 * np.arange(60), atol=0.5)
    np.testing.assert_allclose(velocity[:, 0, 0], 90, atol=4)


def test_box_that_was_away_begins_anew_and_tells_nothing_of_before() -> None:
    is_there = np.ones(40, bool)
    is_there[15:20] = False
    whole, parts = ramp(is_there), ramp(is_there)
    parts.position[20:, 0, 0] += 500  # where it comes back does not matter for the way before
    first, second = smooth(whole), smooth(parts)
    np.testing.assert_array_equal(first[0][:15], second[0][:15])
    np.testing.assert_allclose(second[0][20:] - first[0][20:], [[[500, 0, 0, 0]]] * 20, atol=1e-9)
