from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hybridtrack.tracking.motion import create_kalman
from hybridtrack.tracking.rejoining import Numbers
from hybridtrack.tracking.tracker import Tracker
from hybridtrack.types import ClassInfo, Origin, Tracks, TrackState
from tests.tracking.test_tracker import HAND, box, found, frame

MUG = ClassInfo(name="mug", role="object")
CARD = ClassInfo(name="card", role="object", key="number")
CLASSES = [HAND, MUG, CARD]


def tracks_of(
    *tracks: tuple[int, float], origin: Origin = Origin.DETECTED, class_id: int = 0, state: int = TrackState.CONFIRMED
) -> Tracks:
    """Return tracks of boxes of 80 px, by id and left edge."""
    subject = Tracker(create_kalman({}), CLASSES)
    boxes = [box(x) for _, x in tracks]
    begun = subject.step(frame(0), {"hand": found(*boxes, class_id=class_id)})
    order = np.argsort(begun.xyxy[:, 0], kind="stable")
    ids = np.array([track_id for track_id, _ in sorted(tracks, key=lambda one: one[1])])
    return replace(
        begun[order],
        track_id=ids,
        origin=np.full(len(tracks), origin),
        state=np.full(len(tracks), state),
    )


def given(
    numbers: Numbers, tracks: Tracks, time_s: float, ran: tuple[str, ...] = ("hand",)
) -> tuple[list[int], list[float]]:
    shown, before_s = numbers.give(tracks, time_s, ran)
    return shown.track_id.tolist(), before_s.tolist()


def test_numbers_count_up_and_stay_with_their_tracks() -> None:
    numbers = Numbers(CLASSES, looks=True)
    assert given(numbers, tracks_of((5, 0), (9, 300)), 0.0) == ([1, 2], [-np.inf, -np.inf])
    assert given(numbers, tracks_of((5, 0), (9, 300)), 0.1) == ([1, 2], [0.0, 0.0])
    assert given(numbers, tracks_of((9, 300), origin=Origin.TRACKED), 0.2, ()) == ([2], [-np.inf])
    assert numbers.sights(np.array([1, 2, 3])).tolist() == [2, 2, 0]


@pytest.mark.parametrize(
    ("away_s", "x", "class_id", "looks", "ran", "number"),
    [
        (0.2, 100, 0, True, ("hand",), 1),  # 1.25 box sizes off, within 1 + 4 * .2
        (0.2, 160, 0, True, ("hand",), 2),  # 2 box sizes off
        (0.4, 160, 0, True, ("hand",), 1),
        (2.5, 0, 0, True, ("hand",), 2),  # too long ago
        (0.2, 0, 0, True, (), 2),  # nobody has missed it
        (0.2, 0, 1, True, ("hand",), 1),
        (0.2, 0, 1, False, ("hand",), 2),  # things that stay do not turn up elsewhere
        (0.2, 0, 0, False, ("hand",), 1),
        (0.2, 0, 2, True, ("hand",), 2),  # a key says who it is
    ],
)
def test_what_begins_within_reach_of_a_lost_one_takes_its_number_up(
    away_s: float, x: float, class_id: int, looks: bool, ran: tuple[str, ...], number: int
) -> None:
    numbers = Numbers(CLASSES, looks=looks)
    given(numbers, tracks_of((1, 0), class_id=class_id), 0.0)
    shown, before_s = given(numbers, tracks_of((2, x), class_id=class_id), away_s, ran)
    assert shown == [number]
    assert before_s == [0.0 if number == 1 else -np.inf]


def test_one_class_does_not_take_up_the_number_of_another() -> None:
    numbers = Numbers(CLASSES, looks=True)
    given(numbers, tracks_of((1, 0)), 0.0)
    assert given(numbers, tracks_of((2, 0), class_id=1), 0.2)[0] == [2]


def test_the_nearer_of_two_takes_a_number_up() -> None:
    numbers = Numbers(CLASSES, looks=True)
    given(numbers, tracks_of((1, 100)), 0.0)
    tracks = tracks_of((2, 0), (3, 120))  # shown by number
    shown, _ = numbers.give(tracks, 0.2, ("hand",))
    assert dict(zip(shown.track_id.tolist(), shown.xyxy[:, 0].tolist(), strict=True)) == {1: 120.0, 2: 0.0}


def test_track_whose_number_was_taken_up_is_left_out_until_it_is_seen_again() -> None:
    numbers = Numbers(CLASSES, looks=True)
    given(numbers, tracks_of((1, 0)), 0.0)
    lost = tracks_of((1, 200), origin=Origin.PREDICTED, state=TrackState.LOST)
    assert given(numbers, lost, 0.1, ())[0] == [1]
    both = Tracks.joined([lost, tracks_of((2, 40))])
    assert given(numbers, both, 0.2)[0] == [1]
    assert given(numbers, Tracks.joined([lost, tracks_of((2, 40), origin=Origin.TRACKED)]), 0.3, ())[0] == [1]
    assert given(numbers, tracks_of((2, 40), (1, 300)), 0.4)[0] == [1, 2]


def test_what_hides_a_track_is_told_by_its_number() -> None:
    numbers = Numbers(CLASSES, looks=True)
    tracks = tracks_of((7, 0), (8, 300))
    shown, _ = numbers.give(replace(tracks, occluded_by=np.array([8, 0])), 0.0, ("hand",))
    assert shown.occluded_by.tolist() == [2, 0]


def test_numbers_go_on_after_a_source() -> None:
    numbers = Numbers(CLASSES, looks=True)
    given(numbers, tracks_of((1, 0)), 0.0)
    numbers.reset()
    assert given(numbers, tracks_of((1, 0)), 0.0) == ([2], [-np.inf])
