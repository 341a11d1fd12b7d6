"""A constant-velocity Kalman filter for many boxes at once.

Every coordinate of a box (centre x, centre y, width, height) is a filter of its own with the state (position p,
velocity v) and the discrete white-noise acceleration model (Bar-Shalom, Li & Kirubarajan 2001, eq. 6.3.2-4; the same
matrices as ``filterpy.common.Q_discrete_white_noise``). Four independent filters of two states instead of one of eight,
as arrays over all boxes: the same numbers as ``filterpy.kalman.KalmanFilter``, no loop over boxes, no matrix inverse.

A detector measures positions (``corrected``). Optical flow measures how far a box went since the frame before
(``shifted``), which is no measurement of the present state alone; it is applied exactly, by cloning the former position
(Roumeliotis & Burdick 2002).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hybridtrack.types import Array


@dataclass(slots=True, eq=False)
class BoxFilter:
    """Gaussian beliefs about N boxes. All arrays float64 (N, 4): centre x, centre y, width, height; px and seconds."""

    position: Array
    velocity: Array
    var_position: Array
    cov: Array  #: of position and velocity
    var_velocity: Array

    @classmethod
    def at(cls, cxcywh: Array, std_px: Array, std_px_s: Array) -> BoxFilter:
        """Return filters at rest at ``cxcywh`` (N, 4), with standard deviations of position and velocity (N, 4)."""
        position = np.array(cxcywh, np.float64).reshape(-1, 4)
        zeros = np.zeros_like(position)
        return cls(position, zeros, np.square(std_px) + zeros, zeros.copy(), np.square(std_px_s) + zeros)

    def __len__(self) -> int:
        return len(self.position)

    def __getitem__(self, rows: Array) -> BoxFilter:
        """Return copies of the rows that a mask or an index array selects."""
        return BoxFilter(
            self.position[rows], self.velocity[rows], self.var_position[rows], self.cov[rows], self.var_velocity[rows]
        )

    def __setitem__(self, rows: Array, other: BoxFilter) -> None:
        """Put the filters of ``other`` in place of the rows that a mask or an index array selects."""
        self.position[rows] = other.position
        self.velocity[rows] = other.velocity
        self.var_position[rows] = other.var_position
        self.cov[rows] = other.cov
        self.var_velocity[rows] = other.var_velocity

    def joined(self, other: BoxFilter) -> BoxFilter:
        """Return these filters followed by ``other``."""
        return BoxFilter(
            np.concatenate([self.position, other.position]),
            np.concatenate([self.velocity, other.velocity]),
            np.concatenate([self.var_position, other.var_position]),
            np.concatenate([self.cov, other.cov]),
            np.concatenate([self.var_velocity, other.var_velocity]),
        )

    def predicted(self, dt_s: float, std_px_s2: Array) -> BoxFilter:
        """Return the beliefs ``dt_s`` later under random accelerations of standard deviation ``std_px_s2`` (N, 4)."""
        q = np.square(std_px_s2)
        return BoxFilter(
            self.position + dt_s * self.velocity,
            self.velocity.copy(),
            self.var_position + 2 * dt_s * self.cov + dt_s**2 * self.var_velocity + q * (dt_s**4 / 4),
            self.cov + dt_s * self.var_velocity + q * (dt_s**3 / 2),
            self.var_velocity + q * dt_s**2,
        )

    def corrected(self, cxcywh: Array, std_px: Array) -> BoxFilter:
        """Return the beliefs after positions ``cxcywh`` (N, 4) were measured with standard deviation ``std_px``."""
        residual_var = self.var_position + np.square(std_px)
        return self._updated(cxcywh - self.position, residual_var, self.var_position, self.cov)

    def widened(self, factor: Array) -> BoxFilter:
        """Return the same beliefs, less sure of them: variances times ``factor`` (N, 4), at least 1."""
        return BoxFilter(
            self.position, self.velocity, factor * self.var_position, factor * self.cov, factor * self.var_velocity
        )

    def shifted(self, before: BoxFilter, dt_s: float, change: Array, std_px: Array) -> BoxFilter:
        """Return the beliefs after it was measured how far each coordinate went since ``before``.

        ``self`` must be ``before.predicted(dt_s, …)``. change: (N, 4), px; std_px: its standard deviation.
        """
        cov_position = self.var_position - before.var_position - dt_s * before.cov
        cov_velocity = self.cov - before.cov
        residual_var = cov_position - dt_s * before.cov + np.square(std_px)
        residual = change - (self.position - before.position)
        return self._updated(residual, residual_var, cov_position, cov_velocity)

    def _updated(self, residual: Array, residual_var: Array, cov_position: Array, cov_velocity: Array) -> BoxFilter:
        """Return the beliefs after a scalar measurement per coordinate whose covariances with the state are given."""
        gain_position = cov_position / residual_var
        gain_velocity = cov_velocity / residual_var
        return BoxFilter(
            self.position + gain_position * residual,
            self.velocity + gain_velocity * residual,
            self.var_position - gain_position * cov_position,
            self.cov - gain_position * cov_velocity,
            self.var_velocity - gain_velocity * cov_velocity,
        )
