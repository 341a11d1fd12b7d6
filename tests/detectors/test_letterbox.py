from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridtrack.detectors.letterbox import Letterbox
from hybridtrack.types import Frame, Size

sides = st.integers(1, 4000)


@pytest.mark.parametrize(
    ("source_px", "inner_px", "left_top_px"),
    [
        ((640, 360), (416, 234), (0, 91)),
        ((360, 640), (234, 416), (91, 0)),
        ((208, 208), (416, 416), (0, 0)),
        ((1000, 3), (416, 1), (0, 207)),  # 1.2 rows
        ((3, 1000), (1, 416), (207, 0)),
        ((1, 1), (416, 416), (0, 0)),
    ],
)
def test_picture_lies_in_the_middle_as_large_as_fits(source_px: Size, inner_px: Size, left_top_px: Size) -> None:
    letterbox = Letterbox.fit(source_px, (416, 416))
    assert letterbox.inner_px == inner_px
    assert (letterbox.left_px, letterbox.top_px) == left_top_px


def test_boxes_go_to_the_input_and_back() -> None:
    letterbox = Letterbox.fit((640, 360), (416, 416))  # 0.65 as large, 91 rows of black above
    source = np.array([[0, 0, 640, 360], [100, 200, 200, 300]], np.float32)
    inside = letterbox.to_input(source)
    np.testing.assert_allclose(inside, [[0, 91, 416, 325], [65, 221, 130, 286]], atol=1e-4)
    np.testing.assert_allclose(letterbox.to_source(inside), source, atol=1e-3)


@given(width=sides, height=sides)
def test_whole_picture_stays_inside_the_input(width: int, height: int) -> None:
    letterbox = Letterbox.fit((width, height), (416, 320))
    ((left, top, right, bottom),) = letterbox.to_input(np.array([[0.0, 0.0, width, height]]))
    assert 0 <= left < right <= 416 + 1e-9
    assert 0 <= top < bottom <= 320 + 1e-9


def test_around_the_picture_it_is_black() -> None:
    frame = Frame.from_array(np.full((100, 200, 3), (10, 20, 30), np.uint8), channels="rgb")
    rgb = Letterbox.fit(frame.size_px, (40, 40)).rgb(frame)
    assert (rgb.shape, rgb.dtype) == ((40, 40, 3), np.uint8)
    assert (rgb[10:30] == (10, 20, 30)).all()
    assert not rgb[:10].any()
    assert not rgb[30:].any()
