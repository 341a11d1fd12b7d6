"""A thing that goes into a tray and out of it again, ten frames a second."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridtrack.ground import ZoneSetting
from hybridtrack.relations.zones import Zones, depth_in, dwell
from hybridtrack.types import ClassInfo, Event, Origin, Scene, Tracks, TrackState

CLASSES = [ClassInfo(name="hand", role="hand"), ClassInfo(name="mug"), ClassInfo(name="book")]
HAND, MUG, BOOK = range(3)
SQUARE = ((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0))
TRAY = ZoneSetting(name="tray", polygon=SQUARE)


def scene(index: int, rows: Sequence[tuple[int, Any, int, TrackState, int]], camera: Any = None) -> Scene:
    """Return frame ``index`` of rows (track id, place in cm or box in px, class, state, occluded by)."""
    n = len(rows)
    places = [np.array(row[1], float) for row in rows]
    tracks = Tracks(
        track_id=np.array([row[0] for row in rows]),
        xyxy=np.array([place if len(place) == 4 else [0, 0, 1, 1] for place in places]),
        velocity=np.zeros((n, 2)),
        score=np.ones(n),
        confidence=np.ones(n),
        class_id=np.array([row[2] for row in rows]),
        origin=np.full(n, Origin.TRACKED),
        state=np.array([row[3] for row in rows]),
        last_detected_s=np.zeros(n),
        detector=("made",) * n,
        occluded_by=np.array([row[4] for row in rows]),
        position_cm=np.array([place if len(place) == 2 else [np.nan, np.nan] for place in places]).reshape(n, 2),
    )
    camera = np.eye(3) if camera is None else np.array(camera)
    return Scene(frame_index=index, time_s=index / 10, tracks=tracks, classes=CLASSES, camera=camera)


def row(place: Any, *, id: int = 1, class_id: int = MUG, state: TrackState = TrackState.CONFIRMED, by: int = 0) -> Any:
    return id, place, class_id, state, by


def told(zones: Zones, frames: Sequence[Sequence[Any]]) -> list[tuple[str, float, int, str | None]]:
    """Return kind, time, subject and zone of the events of frames of rows."""
    events = [event for index, rows in enumerate(frames) for event in zones.step(scene(index, rows))[1]]
    return [(event.kind, round(event.time_s, 3), event.subject, event.zone) for event in events]


def along(xs: Sequence[float]) -> list[list[Any]]:
    return [[row((x, 5))] for x in xs]


def test_thing_enters_and_leaves_when_it_crosses_the_border() -> None:
    path = [-3, -1, 1, 3, 5, 5, 8, 11, 13, 15, 15]
    assert told(Zones([TRAY]), along(path)) == [("enter", 0.2, 1, "tray"), ("leave", 0.7, 1, "tray")]


def test_event_is_told_once_it_has_stayed_for_a_fifth_of_a_second() -> None:
    zones = Zones([TRAY])
    decided = [index for index, rows in enumerate(along([-1, 1, 2, 3, 4])) if zones.step(scene(index, rows))[1]]
    assert decided == [3]


def test_thing_that_is_in_a_zone_from_the_beginning_has_entered_then() -> None:
    assert told(Zones([TRAY]), along([5] * 5)) == [("enter", 0.0, 1, "tray")]


def test_box_that_shakes_on_the_border_does_not_chatter() -> None:
    assert told(Zones([TRAY]), along([-0.4, 0.4, 0.3, 0.4, -0.3, 0.4, 0.4, 0.4] * 5)) == []
    inside_first = told(Zones([TRAY]), along([2, 2, 2, *([-0.4, 0.3, -0.4, -0.4, -0.4] * 5)]))
    assert inside_first == [("enter", 0.0, 1, "tray")]


def test_short_dash_through_a_zone_does_not_count() -> None:
    assert told(Zones([TRAY]), along([-5, 5, 5, 15, 15, 15])) == []


def test_track_that_ends_inside_leaves_when_it_was_there_last() -> None:
    assert told(Zones([TRAY]), [*along([5, 5, 5]), [], []]) == [("enter", 0.0, 1, "tray"), ("leave", 0.2, 1, "tray")]


def test_lost_track_leaves_when_it_was_seen_last_and_a_hidden_one_stays() -> None:
    seen = [row((5, 5)), row((6, 5), id=2)]
    hidden = [row((5, 5), state=TrackState.LOST), row((6, 5), id=2, state=TrackState.LOST, by=9)]
    events = told(Zones([TRAY]), [*[seen] * 3, *[hidden] * 8])
    assert events == [("enter", 0.0, 1, "tray"), ("enter", 0.0, 2, "tray"), ("leave", 0.2, 1, "tray")]


def test_track_that_is_lost_for_a_moment_has_not_left() -> None:
    lost = [row((5, 5), state=TrackState.LOST)]
    assert told(Zones([TRAY]), [*along([5] * 3), lost, lost, lost, *along([5] * 3)]) == [("enter", 0.0, 1, "tray")]


def test_zone_lets_in_the_roles_and_classes_that_it_names() -> None:
    zones = [
        ZoneSetting(name="hands", polygon=SQUARE, roles=("hand",)),
        ZoneSetting(name="books", polygon=SQUARE, classes=("book",)),
    ]
    rows = [row((5, 5), id=1, class_id=HAND), row((5, 5), id=2), row((5, 5), id=3, class_id=BOOK)]
    assert told(Zones(zones), [rows] * 4) == [("enter", 0.0, 1, "hands"), ("enter", 0.0, 3, "books")]


def test_place_that_is_not_known_is_in_no_zone() -> None:
    assert told(Zones([TRAY]), [[row((np.nan, np.nan))]] * 5) == []
    assert told(Zones([TRAY]), [[]] * 3) == []


def test_zone_in_pixels_goes_with_the_camera_and_by_the_foot_of_a_thing() -> None:
    shelf = Zones([ZoneSetting(name="shelf", polygon=((0, 0), (100, 0), (100, 100), (0, 100)), unit="px")])
    assert shelf.needs_camera
    # 200 px to the right: (250, 80) was (50, 80) on the first frame; feet at y 80 and 180, hands at 100 and 120
    camera = [[1.0, 0, 200], [0, 1, 0], [0, 0, 1]]
    rows = [
        row((240, 20, 260, 80), id=1),
        row((240, 20, 260, 180), id=2),
        row((240, 20, 260, 180), id=3, class_id=HAND),
        row((240, 60, 260, 181), id=4, class_id=HAND),
        row((40, 20, 60, 80), id=5),
    ]
    events = [event for index in range(4) for event in shelf.step(scene(index, rows, camera))[1]]
    assert [event.subject for event in events] == [1]


def test_hand_in_a_zone_of_pixels_goes_by_its_middle() -> None:
    shelf = Zones([ZoneSetting(name="shelf", polygon=((0, 0), (100, 0), (100, 100), (0, 100)), unit="px")])
    rows = [row((40, 20, 60, 120), id=1), row((40, 20, 60, 120), id=2, class_id=HAND)]
    assert told(shelf, [rows] * 4) == [("enter", 0.0, 2, "shelf")]


def test_zone_narrower_than_the_margin_can_be_entered() -> None:
    strip = ZoneSetting(name="strip", polygon=((0, 0), (10, 0), (10, 0.6), (0, 0.6)))
    assert told(Zones([strip]), [[row((5, 0.3))]] * 4) == [("enter", 0.0, 1, "strip")]


def test_reset_forgets_who_was_inside() -> None:
    zones = Zones([TRAY])
    assert told(zones, along([5] * 4)) == [("enter", 0.0, 1, "tray")]
    zones.reset()
    assert told(zones, along([5] * 4)) == [("enter", 0.0, 1, "tray")]


def test_dwell_adds_up_visits_and_counts_who_stays_until_the_end() -> None:
    def event(kind: str, time_s: float, subject: int, zone: str | None = "tray") -> Event:
        return Event(kind=kind, time_s=time_s, subject=subject, zone=zone)

    events = [
        event("enter", 1, 1),
        event("pick_up", 2, 1, None),
        event("leave", 3, 1),
        event("enter", 4, 2),
        event("enter", 5, 1),
        event("leave", 5.5, 1),
        event("leave", 6, 7),
    ]
    assert dwell(events, 10) == {(1, "tray"): 2.5, (2, "tray"): 6}
    assert dwell([], 10) == {}


def test_depth_is_the_distance_from_the_nearest_border() -> None:
    points = np.array([[5.0, 5], [1, 5], [-2, 5], [13, 14], [5, 9.5]])
    assert depth_in(np.array(SQUARE), points) == pytest.approx([5, 1, -2, -5, 0.5])
    assert depth_in(np.array(SQUARE), np.empty((0, 2))).shape == (0,)


def test_notch_of_a_polygon_is_outside() -> None:
    notched = np.array([[0.0, 0], [10, 0], [10, 10], [5, 4], [0, 10]])
    assert depth_in(notched, np.array([[5.0, 3], [5, 8], [1, 8]]))[[0, 2]].min() > 0
    assert depth_in(notched, np.array([[5.0, 8]]))[0] < 0


@given(st.floats(-20, 30), st.floats(-20, 30), st.integers(0, 3))
def test_depth_does_not_depend_on_where_a_polygon_begins_or_which_way_it_goes(x: float, y: float, first: int) -> None:
    square, point = np.array(SQUARE), np.array([[x, y]])
    depth = depth_in(square, point)
    turned = depth_in(np.roll(square, first, axis=0)[::-1], point)
    assert np.abs(turned) == pytest.approx(np.abs(depth))
    assert depth[0] == pytest.approx(turned[0]) or abs(depth[0]) < 1e-9
