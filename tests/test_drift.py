from __future__ import annotations

import numpy as np
import pytest

from hybridtrack.drift import Drift
from hybridtrack.types import Origin, Tracks, TrackState


def track(x: float, *, origin: Origin = Origin.TRACKED, detected_s: float = 0.0, number: int = 1) -> Tracks:
    """Return one track of 40 x 90 px, the size of 60, whose left edge is at ``x``."""
    return Tracks(
        track_id=np.array([number]),
        xyxy=np.array([[x, 0, x + 40, 90]]),
        velocity=np.zeros((1, 2)),
        score=np.ones(1),
        confidence=np.ones(1),
        class_id=np.zeros(1),
        origin=np.array([origin]),
        state=np.array([TrackState.CONFIRMED]),
        last_detected_s=np.array([detected_s]),
        detector=("hand",),
    )


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (Origin.TRACKED, 0.1 * 0.5 + 0.05 * 0.2),  # half its size in 0.2 s
        (Origin.PREDICTED, 1.0 * 0.5 + 1.0 * 0.2),
    ],
)
def test_drift_grows_with_the_way_and_with_time(origin: Origin, expected: float) -> None:
    drift = Drift()
    assert drift.step(0.0, track(0.0)) == pytest.approx([0.0])
    assert drift.step(0.2, track(30.0, origin=origin)) == pytest.approx([expected])
    assert drift.step(0.4, track(60.0, origin=origin)) == pytest.approx([2 * expected])


def test_drift_ends_when_a_detector_sees_the_track_and_begins_with_each_track() -> None:
    drift = Drift()
    drift.step(0.0, track(0.0))
    assert drift.step(0.2, track(30.0))[0] > 0.05
    assert drift.step(0.4, track(90.0, detected_s=0.4)) == pytest.approx([0.0])
    assert drift.step(0.6, track(90.0, detected_s=0.4)) == pytest.approx([0.05 * 0.2])
    assert drift.step(0.8, track(90.0, number=2)) == pytest.approx([0.0])


def test_no_track_drifts_not() -> None:
    assert Drift().step(0.0, Tracks.empty()).shape == (0,)


def test_reset_forgets() -> None:
    drift = Drift()
    drift.step(0.0, track(0.0))
    drift.step(1.0, track(0.0))
    drift.reset()
    assert drift.step(0.0, track(500.0)) == pytest.approx([0.0])
