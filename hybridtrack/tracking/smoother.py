"""Smooths the ways of many boxes at once: a Kalman filter over some frames, and then the way back.

Rauch, Tung & Striebel, "Maximum likelihood estimates of linear dynamic systems" (1965). The filter is ``BoxFilter``,
four independent ones of two states for each box; the numbers are those of ``filterpy.kalman.KalmanFilter`` and its
``rts_smoother``, without a loop over boxes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hybridtrack.tracking.box_filter import BoxFilter
from hybridtrack.types import Array

_MIN_SIDE_PX = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ways:
    """What is known of the boxes of N tracks on K frames.

    position: float64 (K, N, 4), centre x, centre y, width, height, px; any numbers where a track is not there. std_px:
    (K, N, 4), their standard deviations, infinite where nothing was measured. is_there: bool (K, N). dt_s: (K,), time
    since the frame before. acceleration: (N, 4), its standard deviation in box sizes per second squared. new_speed:
    (N,), standard deviation of the speed of a box that appears, in box sizes per second.
    """

    position: Array
    std_px: Array
    is_there: Array
    dt_s: Array
    acceleration: Array
    new_speed: Array


def filtered(ways: Ways, start: BoxFilter, was_there: Array) -> tuple[list[BoxFilter], list[BoxFilter]]:
    """Return what was expected on each of the K frames, and what is believed after its measurements.

    start: beliefs about the N boxes on the frame before the first one, where they ``was_there`` (N,). A box that was
    not there on the frame before begins anew, at rest.
    """
    beliefs, goes_on = start, was_there
    expected, known = [], []
    for position, std, is_there, dt_s in zip(ways.position, ways.std_px, ways.is_there, ways.dt_s, strict=True):
        size = np.sqrt(beliefs.position[:, 2:3] * beliefs.position[:, 3:])
        beliefs = beliefs.predicted(float(dt_s), size * ways.acceleration)
        expected.append(beliefs)
        new = is_there & ~goes_on
        is_measured = is_there[:, None] & np.isfinite(std)
        after = beliefs.corrected(np.where(is_measured, position, beliefs.position), np.where(is_measured, std, np.inf))
        if new.any():
            own_size = np.sqrt(position[new, 2:3] * position[new, 3:])
            first_std = np.where(np.isfinite(std[new]), std[new], own_size)
            after[new] = BoxFilter.at(position[new], first_std, ways.new_speed[new, None] * own_size)
        after.position[:, 2:] = np.maximum(after.position[:, 2:], _MIN_SIDE_PX)
        known.append(after)
        beliefs, goes_on = after, is_there
    return expected, known


def smoothed(expected: list[BoxFilter], known: list[BoxFilter], is_there: Array, dt_s: Array) -> tuple[Array, Array]:
    """Return positions and velocities (K, N, 4) given all the K frames, from what ``filtered`` returned.

    A box that is not there on the next frame is left as the filter has it.
    """
    position = np.array([one.position for one in known])
    velocity = np.array([one.velocity for one in known])
    for k in range(len(known) - 2, -1, -1):
        here, there, dt = known[k], expected[k + 1], float(dt_s[k + 1])
        # the gain is cov(here, expected there) / cov(expected there): two by two for each coordinate
        cov_pp, cov_pv = here.var_position + dt * here.cov, here.cov
        cov_vp, cov_vv = here.cov + dt * here.var_velocity, here.var_velocity
        determinant = there.var_position * there.var_velocity - there.cov**2
        off_p, off_v = position[k + 1] - there.position, velocity[k + 1] - there.velocity
        weight_p = (there.var_velocity * off_p - there.cov * off_v) / determinant
        weight_v = (there.var_position * off_v - there.cov * off_p) / determinant
        goes_on = (is_there[k] & is_there[k + 1])[:, None]
        position[k] += np.where(goes_on, cov_pp * weight_p + cov_pv * weight_v, 0.0)
        velocity[k] += np.where(goes_on, cov_vp * weight_p + cov_vv * weight_v, 0.0)
    position[..., 2:] = np.maximum(position[..., 2:], _MIN_SIDE_PX)
    return position, velocity
