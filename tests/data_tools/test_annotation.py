from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_tools.annotation import (
    Annotation,
    DataSet,
    Picture,
    Polygon,
    Problem,
    count_problems,
    group_by_name,
    polygon_area,
    polygon_box,
    used_labels,
)
from data_tools.errors import DataError

NUMBER = st.floats(-1000, 1000)
SQUARE: Polygon = ((0, 0), (4, 0), (4, 4), (0, 4))


@pytest.mark.parametrize(
    ("polygon", "area"),
    [((), 0), (((1, 1),), 0), (((0, 0), (4, 0)), 0), (((0, 0), (4, 0), (0, 3)), 6), (SQUARE, 16), (SQUARE[::-1], 16)],
    ids=["empty", "point", "line", "triangle", "square", "the other way round"],
)
def test_area_of_polygon_is_as_worked_out_by_hand(polygon: Polygon, area: float) -> None:
    assert polygon_area(polygon) == area


@given(st.lists(st.tuples(NUMBER, NUMBER), min_size=1, max_size=8))
def test_polygon_lies_in_its_box_and_is_no_larger(corners: list[tuple[float, float]]) -> None:
    x1, y1, x2, y2 = polygon_box([tuple(corners)])
    assert all(x1 <= x <= x2 and y1 <= y <= y2 for x, y in corners)
    triangle = tuple(corners[:3])
    assert polygon_area(triangle) <= (x2 - x1) * (y2 - y1) + 1e-6


@pytest.mark.parametrize(
    ("annotation", "area"),
    [
        (Annotation(label="hand", xyxy=(0, 0, 4, 5)), 20),
        (Annotation(label="hand", xyxy=(0, 0, 4, 4), polygons=(((0, 0), (4, 0), (0, 3)), SQUARE)), 22),
        (Annotation(label="hand", xyxy=(4, 4, 0, 0)), 0),
    ],
    ids=["box", "polygons", "inside out"],
)
def test_area_of_annotation_is_that_of_its_polygons_or_of_its_box(annotation: Annotation, area: float) -> None:
    assert annotation.area_px == area


def test_a_name_stands_once_in_a_data_set() -> None:
    picture = Picture(name="a.jpg", size_px=(8, 6))
    with pytest.raises(DataError, match=r"the picture 'a\.jpg' stands in a data set more than once"):
        DataSet(labels=(), pictures=(picture, picture))
    with pytest.raises(DataError, match="the label 'hand'"):
        DataSet(labels=("hand", "hand"), pictures=())


def test_used_labels_are_sorted(small: DataSet) -> None:
    assert used_labels(reversed(small.pictures)) == ("hand", "mug")


def test_subset_keeps_labels_and_leaves_problems_to_the_whole(small: DataSet) -> None:
    some = DataSet(labels=small.labels, pictures=small.pictures, problems=(Problem(kind="odd", where="a"),))
    part = some.subset(lambda picture: picture.group == "b")
    assert ([picture.name for picture in part.pictures], part.labels, part.problems) == (
        ["b/1.png"],
        ("hand", "mug"),
        (),
    )


def test_groups_are_found_in_names() -> None:
    names = ("CARDS_OFFICE_B_T_frame_0011.jpg", "CARDS_OFFICE_B_T_frame_0031.jpg", "other.jpg")
    data = DataSet(labels=(), pictures=tuple(Picture(name=name, size_px=(8, 6), group="x") for name in names))
    grouped = group_by_name(data, r"(.+)_frame_\d+")
    assert [picture.group for picture in grouped.pictures] == ["CARDS_OFFICE_B_T", "CARDS_OFFICE_B_T", None]
    assert [str(problem) for problem in grouped.problems] == ["picture whose name tells no group: other.jpg"]
    with pytest.raises(DataError, match="has no group in parentheses"):
        group_by_name(data, "frame")
    with pytest.raises(DataError, match="is no regular expression"):
        group_by_name(data, "(")


def test_problems_are_counted_the_most_frequent_first() -> None:
    problems = [Problem(kind=kind, where=str(number)) for number, kind in enumerate(("odd", "even", "even"))]
    assert list(count_problems(problems).items()) == [("even", 2), ("odd", 1)]
