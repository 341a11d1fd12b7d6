from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hybridtrack.detectors.function import FunctionDetector
from hybridtrack.types import Frame


@pytest.fixture
def frame() -> Frame:
    return Frame.from_array(np.zeros((48, 64, 3), np.uint8))


@pytest.mark.parametrize("found", [np.zeros((4, 5)), np.zeros((2, 2)), [1, 2, 3, 4], [[1, 2, 3]]])
def test_function_that_returns_no_boxes_of_four_numbers_is_refused(frame: Frame, found: Any) -> None:
    with pytest.raises(ValueError, match=r"returned boxes of shape .*: expected \(N, 4\)"):
        FunctionDetector(lambda _: found).detect(frame)


@pytest.mark.parametrize(("found", "count"), [([], 0), (np.empty((0, 4)), 0), ([[1, 2, 30, 40]], 1)])
def test_function_may_return_any_number_of_boxes(frame: Frame, found: Any, count: int) -> None:
    assert len(FunctionDetector(lambda _: found).detect(frame)) == count
