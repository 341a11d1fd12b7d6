from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridtrack.sinks.labels import ELSEWHERE, Label, Place, place_labels
from hybridtrack.types import Array

PICTURE = (60, 40)


def rectangle(label: Label, place: Place) -> tuple[int, int, int, int]:
    (x, y), (width, height) = place.corner, label.size_px
    return x, y, x + width, y + height


def shares_pixels(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return max(a[0], b[0]) < min(a[2], b[2]) and max(a[1], b[1]) < min(a[3], b[3])


def canvas(rectangles: list[tuple[int, ...]]) -> Array:
    """Return bool (H, W), True where a pixel is covered."""
    covered = np.zeros(PICTURE[::-1], bool)
    for x1, y1, x2, y2 in rectangles:
        covered[y1:y2, x1:x2] = True
    return covered


def has_room(covered: Array, width: int, height: int) -> bool:
    """Return whether a free rectangle of this size lies anywhere, by trying every place."""
    return any(
        not covered[y : y + height, x : x + width].any()
        for y in range(PICTURE[1] - height + 1)
        for x in range(PICTURE[0] - width + 1)
    )


@st.composite
def labels(draw: st.DrawFn) -> Label:
    x1, y1 = draw(st.integers(0, 58)), draw(st.integers(0, 38))
    x2, y2 = draw(st.integers(x1 + 1, 59)), draw(st.integers(y1 + 1, 39))
    size_px = draw(st.integers(1, 70)), draw(st.integers(1, 15))
    return Label((x1, y1, x2, y2), size_px, draw(st.sampled_from([None, ELSEWHERE, *range(10)])))


@st.composite
def rectangles(draw: st.DrawFn) -> tuple[int, int, int, int]:
    x1, y1 = draw(st.integers(0, 50)), draw(st.integers(0, 30))
    return x1, y1, x1 + draw(st.integers(1, 40)), y1 + draw(st.integers(1, 20))


@given(wanted=st.lists(labels(), max_size=8), taken=st.lists(rectangles(), max_size=3))
def test_labels_lie_apart_in_the_picture_and_none_is_left_out_while_there_is_room(
    wanted: list[Label], taken: list[tuple[int, int, int, int]]
) -> None:
    places = place_labels(wanted, PICTURE, np.array(taken).reshape(-1, 4))
    put: list[tuple[int, ...]] = [*taken]
    for label, place in zip(wanted, places, strict=True):
        if place is None:
            assert not has_room(canvas(put), *label.size_px)
            continue
        x1, y1, x2, y2 = found = rectangle(label, place)
        assert x1 >= 0
        assert y1 >= 0
        assert x2 <= PICTURE[0]
        assert y2 <= PICTURE[1]
        assert not any(shares_pixels(found, other) for other in put)
        put.append(found)


@pytest.mark.parametrize(
    ("xyxy", "corner"),
    [
        ((10, 20, 30, 30), (10, 15)),  # above its box
        ((10, 2, 30, 10), (10, 0)),  # no room above: moved down into the picture
        ((50, 20, 59, 30), (48, 15)),  # no room to the right: moved to the left
    ],
)
def test_label_stands_above_its_box_inside_the_picture(
    xyxy: tuple[int, int, int, int], corner: tuple[int, int]
) -> None:
    assert place_labels([Label(xyxy, (12, 5))], PICTURE) == [Place(corner, 0)]


def test_label_goes_below_where_it_would_cover_another_box() -> None:
    boxes = [(10, 15, 30, 30), (8, 5, 32, 14)]
    (first, _) = place_labels([Label(box, (12, 5)) for box in boxes], PICTURE)
    assert first == Place((10, 31), 1)


def test_label_stays_where_it_was_though_another_place_has_come_free() -> None:
    assert place_labels([Label((10, 15, 30, 30), (12, 5), spot=1)], PICTURE) == [Place((10, 31), 1)]


def test_label_without_room_at_its_box_takes_the_nearest_free_place() -> None:
    around = np.array([(0, 0, 40, 40)])
    assert place_labels([Label((10, 15, 20, 25), (12, 5))], PICTURE, around) == [Place((40, 15), ELSEWHERE)]


def test_forty_labels_of_boxes_at_one_place_lie_apart() -> None:
    wanted = [Label((300, 200, 340, 240), (60, 16)) for _ in range(40)]
    places = place_labels(wanted, (640, 480))
    found = [rectangle(label, place) for label, place in zip(wanted, places, strict=True) if place]
    assert len(found) == 40
    assert not any(shares_pixels(a, b) for a, b in combinations(found, 2))


def test_no_labels_need_no_places() -> None:
    assert place_labels([], PICTURE) == []
