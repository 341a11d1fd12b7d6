from __future__ import annotations

import numpy as np
import pytest

from hybridtrack.bench.agreement import agreement, count_shared
from hybridtrack.types import Array


def at(*lefts: float) -> Array:
    """Return boxes of 10 by 10 pixels whose left edges lie here."""
    return np.array([[left, 0, left + 10, 10] for left in lefts], np.float32).reshape(-1, 4)


@pytest.mark.parametrize(
    ("a", "b", "shared"),
    [
        (at(), at(), 0),
        (at(), at(0), 0),
        (at(0), at(0), 1),
        (at(0), at(3), 1),  # IoU 7/13
        (at(0), at(4), 0),  # IoU 6/14
        (at(0), at(0, 1), 1),  # one box is the other's partner once
        (at(0, 3), at(3, 6), 2),  # 0-3 and 3-6; the greedy pair 3-3 would leave 0 and 6 alone
    ],
)
def test_boxes_are_paired_one_to_one_at_half_iou(a: Array, b: Array, shared: int) -> None:
    assert count_shared(a, b) == shared
    assert count_shared(b, a) == shared


@pytest.mark.parametrize(
    ("found", "wanted", "f1"),
    [
        ([], [], None),
        ([at(), at()], [at(), at()], None),
        ([at(0), at(5)], [at(0), at(5)], 1.0),
        ([at(0), at()], [at(0), at(5)], 2 / 3),  # 1 shared, 1 found, 2 wanted
        ([at(0), at(90, 50)], [at(0), at(50)], 4 / 5),  # 2 shared, 3 found, 2 wanted
        ([at(0), at(50)], [at(50), at(0)], 0.0),  # the right box on the wrong frame
    ],
)
def test_agreement_is_the_f1_of_boxes_frame_by_frame(found: list[Array], wanted: list[Array], f1: float | None) -> None:
    assert agreement(found, wanted) == (None if f1 is None else pytest.approx(f1))
