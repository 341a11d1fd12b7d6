from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridtrack.sinks.drawing import Drawing
from hybridtrack.sinks.ink import PALETTE
from hybridtrack.types import Array, ClassInfo, Event, Frame, FrameResult, Origin, Relations, Tracks, TrackState
from tests.sinks.results import CLASSES, tracks_at

GREY = np.full((480, 640, 3), 90, np.uint8)
BOX = (100, 100, 400, 300)
CLOCK = (slice(0, 22), slice(0, 140))  #: the corner with the clock in it


def draw_tracks(bgr: Array, tracks: Tracks, classes: Sequence[ClassInfo] = CLASSES, **said: Any) -> Array:
    """Return the picture of a frame that is the first one; ``said``: more of its ``FrameResult``."""
    result = FrameResult(frame_index=0, time_s=0.0, runs=(), detections={}, tracks=tracks, **said)
    drawing = Drawing(classes)
    drawing.follow(result)
    return drawing.draw(Frame.from_array(bgr), result)


def drawn(origin: Origin = Origin.DETECTED, state: TrackState = TrackState.CONFIRMED) -> Array:
    return draw_tracks(GREY, tracks_at([BOX], origin=origin, state=state))


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
    assert np.array_equal(drawn(state=state), draw_tracks(GREY, Tracks.empty()))


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
    picture = draw_tracks(GREY, tracks)
    assert tuple(picture[150, 100]) == PALETTE[0]
    assert tuple(picture[150, 300]) == PALETTE[1]


def test_label_of_a_box_in_the_corner_lies_inside_the_picture() -> None:
    whole = draw_tracks(GREY, tracks_at([(600, 2, 640, 60)]))
    tag = (whole == PALETTE[0]).all(axis=-1)[:20]
    assert 570 < np.flatnonzero(tag.any(axis=0))[0] < 590  # moved to the left to have room
    assert tag[10, 590:638].any()


def test_clock_stands_in_the_corner() -> None:
    picture = draw_tracks(GREY, Tracks.empty())
    assert (picture[CLOCK] > 200).all(axis=-1).sum() > 30
    picture[CLOCK] = 90
    assert np.array_equal(picture, GREY)


def middle_line(state: str) -> Array:
    """Return row 200 between the boxes of a hand and a mug, 100 px apart, of a picture with this relation."""
    tracks = Tracks(
        track_id=[1, 2],
        xyxy=[(100, 100, 200, 300), (300, 100, 400, 300)],
        velocity=np.zeros((2, 2)),
        score=[1, 1],
        confidence=[1, 1],
        class_id=[0, 1],
        origin=[0, 0],
        state=[1, 1],
        last_detected_s=[0, 0],
        detector=("hand", "hand"),
    )
    picture = draw_tracks(GREY, tracks, relations=Relations(subject=[1], object=[2], state=(state,)))
    row: Array = picture[200, 210:290]
    return row


def test_line_between_hand_and_object_says_how_they_are_related() -> None:
    near, overlapping, holding, others = map(middle_line, ("near", "overlapping", "holding", "plugged"))
    assert (holding == PALETTE[0]).all()
    assert (others == 255).all()
    dots, strokes = ((row == 255).all(axis=1).astype(int) for row in (near, overlapping))
    assert 0.15 < dots.mean() < strokes.mean() < 0.9
    assert (np.diff(dots) == 1).sum() == 11  # 80 px, one begins every 7
    assert (np.diff(strokes) == 1).sum() == 6  # ... every 14, the first at the hand's middle


def test_relation_to_what_is_not_in_the_picture_is_left_out() -> None:
    relations = Relations(subject=[1], object=[7], state=("holding",))
    assert np.array_equal(draw_tracks(GREY, tracks_at([BOX]), relations=relations), drawn())


def hand_that_moved(x: float, *, camera: Array | None = None) -> Array:
    """Return the picture of a hand at x after it was at 100 for a frame; the table has moved by ``camera``."""
    drawing = Drawing(CLASSES)
    frame = Frame.from_array(GREY, index=1, time_s=0.04)
    first, second = (
        FrameResult(
            frame_index=index,
            time_s=index / 25,
            runs=(),
            detections={},
            tracks=tracks_at([(at, 200, at + 60, 260)]),
            camera=moved,
        )
        for index, (at, moved) in enumerate([(100.0, np.eye(3)), (x, camera)])
    )
    drawing.follow(first)
    drawing.follow(second)
    return drawing.draw(frame, second)


def yellow_columns(picture: Array) -> list[int]:
    """Return the first and last column of row 230, left of the hand, that a trail has tinted."""
    tinted = np.flatnonzero(picture[230, :, 2].astype(int) - picture[230, :, 0] > 40)
    return [int(tinted.min()), int(tinted.max())]


def test_trail_leads_from_where_a_hand_was() -> None:
    first, _ = yellow_columns(hand_that_moved(300.0))
    assert abs(first - 130) <= 2


def test_trail_lies_on_the_table_when_the_camera_moves() -> None:
    moved_right = np.array([[1.0, 0, 50], [0, 1, 0], [0, 0, 1]])
    first, _ = yellow_columns(hand_that_moved(300.0, camera=moved_right))
    assert abs(first - 180) <= 2


def test_hand_that_hardly_moves_leaves_no_trail() -> None:
    picture = hand_that_moved(102.0)
    assert (picture[210:250, 110:155] == 90).all()


def test_event_is_shown_for_two_seconds() -> None:
    event = Event(kind="approach", time_s=0.0, subject=1)
    drawing = Drawing(CLASSES)
    shown = []
    for index, time_s in enumerate((0.0, 1.9, 2.1)):
        frame = Frame.from_array(GREY, index=index, time_s=time_s)
        events = (event,) if index == 0 else ()
        result = FrameResult(
            frame_index=index, time_s=time_s, runs=(), detections={}, tracks=Tracks.empty(), events=events
        )
        drawing.follow(result)
        shown.append(bool((drawing.draw(frame, result)[440:, :200] > 200).any()))
    assert shown == [True, True, False]


def test_label_stays_on_its_side_while_another_passes() -> None:
    """A box comes to lie under the label: it covers less of it than moving the label would be worth."""
    drawing = Drawing(CLASSES)
    rows = []
    for index, other in enumerate([(400, 100, 460, 160), (135, 60, 230, 92), (400, 100, 460, 160)]):
        result = FrameResult(
            frame_index=index,
            time_s=index / 25,
            runs=(),
            detections={},
            tracks=tracks_at([(100, 100, 160, 160), other]),
        )
        drawing.follow(result)
        picture = drawing.draw(Frame.from_array(GREY, index=index, time_s=index / 25), result)
        tag = (picture[60:200, 102:110] == PALETTE[0]).all(axis=-1).all(axis=1)
        rows.append(60 + int(np.flatnonzero(tag)[0]))
    assert len(set(rows)) == 1


@pytest.mark.parametrize("size", [(1, 1), (3, 1000), (1000, 3), (2, 2), (4096, 2160)])
def test_picture_of_any_size_is_drawn_on(size: tuple[int, int]) -> None:
    width, height = size
    bgr = np.zeros((height, width, 3), np.uint8)
    picture = draw_tracks(bgr, tracks_at([(0, 0, width, height)]))
    assert picture.shape == bgr.shape
    assert picture.dtype == np.uint8


def test_class_name_in_any_script_is_drawn() -> None:
    classes = [ClassInfo(name="手・кисть‑🖐\n")]
    assert not np.array_equal(draw_tracks(GREY, tracks_at([BOX]), classes), GREY)


edge = st.floats(width=32)


@given(xyxy=st.lists(st.tuples(edge, edge, edge, edge), max_size=5), origin=st.sampled_from(Origin))
def test_no_box_is_too_wild_to_draw(xyxy: list[tuple[float, ...]], origin: Origin) -> None:
    picture = draw_tracks(GREY[:48, :64], tracks_at(xyxy, origin=origin))
    assert picture.shape == (48, 64, 3)
