from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridtrack.sinks.drawing import PALETTE, draw_tracks
from hybridtrack.types import Array, ClassInfo, Origin, Tracks, TrackState
from tests.sinks.results import CLASSES, tracks_at

GREY = np.full((480, 640, 3), 90, np.uint8)
BOX = (100, 100, 400, 300)


def drawn(origin: Origin = Origin.DETECTED, state: TrackState = TrackState.CONFIRMED) -> Array:
    return draw_tracks(GREY, tracks_at([BOX], origin=origin, state=state), CLASSES)


def share_of_bottom_side(picture: Array) -> float:
    """Return how much of the box's bottom side, which no label touches, has the colour of its class."""
    return float((picture[300, 110:390] == PALETTE[0]).all(axis=-1).mean())


def thickness_of_bottom_side(picture: Array) -> int:
    """Return how many rows of pixels the line is thick at its thickest."""
    return int((picture[280:320, 110:390] == PALETTE[0]).all(axis=-1).sum(axis=0).max())


def test_line_says_where_a_box_came_from() -> None:
    detected, tracked, predicted, interpolated = map(drawn, Origin)
    assert thickness_of_bottom_side(detected) > thickness_of_bottom_side(tracked) >= 2
    assert share_of_bottom_side(detected) == share_of_bottom_side(tracked) == 1
    assert 0.5 < share_of_bottom_side(predicted) < 0.9
    assert 0.15 < share_of_bottom_side(interpolated) < 0.5


@pytest.mark.parametrize("state", [TrackState.TENTATIVE, TrackState.LOST])
def test_only_confirmed_tracks_are_drawn(state: TrackState) -> None:
    assert np.array_equal(drawn(state=state), GREY)


def test_picture_that_is_drawn_on_is_a_copy() -> None:
    before = GREY.copy()
    assert not np.array_equal(drawn(), GREY)
    assert np.array_equal(GREY, before)


def test_classes_have_colours_of_their_own() -> None:
    tracks = Tracks(
        track_id=[1, 2],
        xyxy=[(100, 100, 200, 200), (300, 100, 400, 200)],
        velocity=np.zeros((2, 2)),
        score=[1, 1],
        confidence=[1, 1],
        class_id=[0, 1],
        origin=[0, 0],
        state=[1, 1],
        last_detected_s=[0, 0],
        detector=("hand", "hand"),
    )
    picture = draw_tracks(GREY, tracks, CLASSES)
    assert tuple(picture[150, 100]) == PALETTE[0]
    assert tuple(picture[150, 300]) == PALETTE[1]


def test_label_of_a_box_in_the_corner_lies_inside_the_picture() -> None:
    whole = draw_tracks(GREY, tracks_at([(600, 2, 640, 60)]), CLASSES)
    text = (whole[:60] == (0, 0, 0)).all(axis=-1)
    assert text[:, :638].sum() > 30
    tag = (whole[:60] == PALETTE[0]).all(axis=-1)
    assert np.flatnonzero(tag.any(axis=0))[0] < 590  # moved to the left to have room


def test_caption_stands_in_the_corner() -> None:
    picture = draw_tracks(GREY, Tracks.empty(), CLASSES, caption="31.5 FPS")
    assert (picture[:30, :120] > 200).all(axis=-1).sum() > 30
    assert np.array_equal(picture[40:], GREY[40:])


@pytest.mark.parametrize("size", [(1, 1), (3, 1000), (1000, 3), (2, 2), (4096, 2160)])
def test_picture_of_any_size_is_drawn_on(size: tuple[int, int]) -> None:
    width, height = size
    bgr = np.zeros((height, width, 3), np.uint8)
    picture = draw_tracks(bgr, tracks_at([(0, 0, width, height)]), CLASSES, caption="1.0 FPS")
    assert picture.shape == bgr.shape
    assert picture.dtype == np.uint8


def test_class_name_in_any_script_is_drawn() -> None:
    classes = [ClassInfo(name="手・кисть‑🖐\n")]
    assert not np.array_equal(draw_tracks(GREY, tracks_at([BOX]), classes), GREY)


edge = st.floats(width=32)


@given(xyxy=st.lists(st.tuples(edge, edge, edge, edge), max_size=5), origin=st.sampled_from(Origin))
def test_no_box_is_too_wild_to_draw(xyxy: list[tuple[float, ...]], origin: Origin) -> None:
    picture = draw_tracks(GREY[:48, :64], tracks_at(xyxy, origin=origin), CLASSES)
    assert picture.shape == (48, 64, 3)
