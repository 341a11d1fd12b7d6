"""The synthetic crowd on which trackers without pictures are measured."""

from __future__ import annotations

import numpy as np

from tests.benchmarks.crowd import MISSED, SIZE_PX, crowd


def test_same_seed_is_the_same_crowd_and_another_seed_another() -> None:
    one, again, other = crowd(20, 5, seed=1), crowd(20, 5, seed=1), crowd(20, 5, seed=2)
    assert all(np.array_equal(a.xyxy, b.xyxy) for a, b in zip(one, again, strict=True))
    assert not np.array_equal(one[0].xyxy[:10], other[0].xyxy[:10])


def test_two_in_a_hundred_boxes_are_missed() -> None:
    seen = sum(len(frame.xyxy) for frame in crowd(200, 100, seed=0))
    assert abs(1 - seen / 20_000 - MISSED) < 4 * np.sqrt(MISSED / 20_000)  # four standard deviations


def test_boxes_cross_and_stay_in_the_picture() -> None:
    frames = crowd(50, 60, seed=0)
    centre = np.concatenate([(frame.xyxy[:, :2] + frame.xyxy[:, 2:]) / 2 for frame in frames])
    assert (centre > 0).all()
    assert (centre < SIZE_PX).all()
    first = frames[0].xyxy
    overlaps = (first[:, None, :2] < first[None, :, 2:]).all(axis=2) & (first[:, None, 2:] > first[None, :, :2]).all(
        axis=2
    )
    assert overlaps.sum() > len(first)  # more than each with itself
