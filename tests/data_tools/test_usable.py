from __future__ import annotations

from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_tools.annotation import Annotation, Picture
from data_tools.usable import usable, usable_box
from hybridtrack.types import Box

NUMBER = st.floats(-100, 200)


@pytest.mark.parametrize(
    ("box", "inside", "kind"),
    [
        ((0, 0, 80, 60), (0, 0, 80, 60), None),
        ((-1, 0, 81, 60.5), (0, 0, 80, 60), None),
        ((-1.5, 0, 10, 10), (0, 0, 10, 10), "box beyond the border, clipped"),
        ((70, 50, 90, 70), (70, 50, 80, 60), "box beyond the border, clipped"),
        ((80, 0, 90, 10), None, "box outside the picture"),
        ((10, -10, 20, 0), None, "box outside the picture"),
        ((10, 10, 10, 20), None, "box of no area"),
        ((20, 10, 10, 20), None, "box of no area"),
        ((nan, 10, 10, 20), None, "box that is none"),
    ],
)
def test_box_is_clipped_or_left_out(box: Box, inside: Box | None, kind: str | None) -> None:
    assert usable_box(box, (80, 60)) == (inside, kind)


@given(st.tuples(NUMBER, NUMBER, NUMBER, NUMBER))
def test_usable_box_lies_in_the_picture_and_stays_as_it_is(box: Box) -> None:
    inside, kind = usable_box(box, (80, 60))
    assert inside is not None or kind is not None
    if inside is not None:
        x1, y1, x2, y2 = inside
        assert 0 <= x1 < x2 <= 80
        assert 0 <= y1 < y2 <= 60
        assert usable_box(inside, (80, 60)) == (inside, None)


def test_problems_name_picture_and_box() -> None:
    rows = (
        Annotation(label="hand", xyxy=(1, 1, 5, 5)),
        Annotation(label="foot", xyxy=(1, 1, 5, 5)),
        Annotation(label="hand", xyxy=(1, 1, 1, 5)),
    )
    kept, problems = usable(Picture(name="a.jpg", size_px=(80, 60), annotations=rows), ["hand"])
    assert kept.annotations == rows[:1]
    assert [str(problem) for problem in problems] == [
        "unknown label: a.jpg, box 2: foot",
        "box of no area: a.jpg, box 3: 1, 1, 1, 5 of 80x60",
    ]
