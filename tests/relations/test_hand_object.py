from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from hybridtrack.errors import UsageError
from hybridtrack.relations.hand_object import HandObject, Rules, create_hand_object
from hybridtrack.types import Event, Origin, Scene, TrackState
from tests.relations.worlds import FPS, box_at, play, scene_of, smooth, states_of

HAND, OTHER, MUG, TABLE = 1, 2, 5, 9
ROLES = {HAND: "hand", OTHER: "hand", MUG: "object", TABLE: "other"}
MUG_PX = 60


def kinds(events: Sequence[Event]) -> list[str]:
    return [event.kind for event in events if event.kind not in ("approach", "touch_start", "touch_end")]


def frame_of(event: Event) -> int:
    return round(event.time_s * FPS)


def hand_and_mug(
    hand_x: Sequence[float], mug_x: Sequence[float], *, hand_y: Sequence[float] | None = None, every: int = 1
) -> list[Scene]:
    """Return the scenes of a hand over a row of places and of a mug; a detector runs every so many frames."""
    rows = hand_y or [200.0] * len(hand_x)
    return [
        scene_of(
            frame,
            {HAND: box_at(x, y), MUG: box_at(mug, 220, MUG_PX, MUG_PX)},
            roles=ROLES,
            detected=frame % every == 0,
        )
        for frame, (x, y, mug) in enumerate(zip(hand_x, rows, mug_x, strict=True))
    ]


def two_hands_and_mug(first: Sequence[float], second: Sequence[float], mug: Sequence[float]) -> list[Scene]:
    """Return the scenes of two hands and a mug over rows of places."""
    return [
        scene_of(
            frame,
            {HAND: box_at(a, 200), OTHER: box_at(b, 220), MUG: box_at(m, 220, MUG_PX, MUG_PX)},
            roles=ROLES,
        )
        for frame, (a, b, m) in enumerate(zip(first, second, mug, strict=True))
    ]


#: a hand comes, rests, carries the mug 300 px to the right, rests and leaves
REACH, CARRY, LEAVE = smooth(0, 300, 20), smooth(300, 600, 30), smooth(600, 1000, 20)
HAND_X = [*REACH, *[300.0] * 10, *CARRY, *[600.0] * 8, *LEAVE]
MUG_X = [300.0] * 30 + CARRY + [600.0] * 28


@pytest.mark.parametrize("every", [1, 3])
def test_carried_mug_is_held_from_its_first_motion_until_the_hand_has_left(every: int) -> None:
    told, events = play(hand_and_mug(HAND_X, MUG_X, every=every))
    assert kinds(events) == ["pick_up", "put_down"]
    picked, put = [event for event in events if event.kind in ("pick_up", "put_down")]
    assert (picked.subject, picked.object) == (put.subject, put.object) == (HAND, MUG)
    assert 20 <= frame_of(picked) <= 33  # the hand is there from frame 19, the mug moves from 30
    assert 58 <= frame_of(put) <= 68  # the mug is at rest from frame 59, the hand moves from 68
    states = states_of(told, HAND, MUG)
    first, last = states.index("holding"), len(states) - 1 - states[::-1].index("holding")
    assert 30 <= first <= 42
    assert 60 <= last <= 78
    assert set(states[first : last + 1]) == {"holding"}


def test_hand_that_passes_over_a_mug_never_holds_it() -> None:
    told, events = play(hand_and_mug(smooth(0, 800, 60), [400.0] * 60))
    assert kinds(events) == []
    states = states_of(told, HAND, MUG)
    assert "overlapping" in states
    assert "holding" not in states


def test_mug_whose_box_shrinks_under_a_passing_hand_has_not_moved() -> None:
    scenes = []
    for frame, x in enumerate(smooth(500, 340, 30)):  # from the right, over half of the mug, and it stays
        left = x - 50
        mug = (270.0, 190.0, min(330.0, max(left, 280.0)), 250.0)
        scenes.append(scene_of(frame, {HAND: box_at(x, 200), MUG: mug}, roles=ROLES))
    _, events = play(scenes)
    assert kinds(events) == []


def test_hand_that_rests_on_a_mug_touches_it_and_no_more() -> None:
    hand_x = [*smooth(0, 300, 20), *[300.0] * 30, *smooth(300, 0, 20)]
    told, events = play(hand_and_mug(hand_x, [300.0] * 70))
    assert [event.kind for event in events] == ["approach", "touch_start", "touch_end"]
    assert 15 <= frame_of(events[1]) <= 24
    assert 49 <= frame_of(events[2]) <= 62
    assert "holding" not in states_of(told, HAND, MUG)


def test_swaying_camera_is_no_motion() -> None:
    """All boxes sway by half a hand width, and the camera's motion says so: a hand at rest holds nothing."""
    scenes = []
    for frame in range(90):
        shift = 50 * np.sin(frame / 8)
        camera = np.array([[1.0, 0, shift], [0, 1, 0], [0, 0, 1]])
        boxes = {HAND: box_at(300 + shift, 200), MUG: box_at(300 + shift, 220, MUG_PX, MUG_PX)}
        scenes.append(scene_of(frame, boxes, roles=ROLES, camera=camera))
    assert kinds(play(scenes)[1]) == []
    still = [
        scene_of(s.frame_index, dict(zip((HAND, MUG), s.tracks.xyxy.tolist(), strict=True)), roles=ROLES)
        for s in scenes
    ]
    assert kinds(play(still)[1]) == ["pick_up"]  # the same boxes over a table that does not move


def test_mug_that_is_pushed_from_behind_is_not_held() -> None:
    hand_x = [*smooth(0, 220, 20), *[220.0] * 5, *smooth(220, 420, 30), *smooth(420, 100, 20)]
    mug_x = [*[297.0] * 25, *smooth(297, 497, 30), *[497.0] * 20]  # 3 px under the hand's box
    told, events = play(hand_and_mug(hand_x, mug_x))
    assert kinds(events) == ["push"]
    assert "holding" not in states_of(told, HAND, MUG)


def test_mug_is_handed_over_once_and_the_second_hand_does_not_steal_it() -> None:
    """The first hand brings the mug, the second one comes, the first one leaves, the second one carries it off."""
    bring, away = smooth(200, 400, 30), smooth(400, 700, 30)
    first = [*[200.0] * 10, *bring, *[400.0] * 30, *smooth(400, 0, 15), *[0.0] * 30]
    second = [*[900.0] * 40, *smooth(900, 430, 20), *[430.0] * 25, *[x + 30 for x in away]]
    mug = [*[200.0] * 10, *bring, *[400.0] * 45, *away]
    scenes = two_hands_and_mug(first, second, mug)
    told, events = play(scenes)
    assert kinds(events) == ["pick_up", "hand_over"]
    (given,) = [event for event in events if event.kind == "hand_over"]
    assert (given.subject, given.from_id, given.to_id, given.object) == (OTHER, HAND, OTHER, MUG)
    assert 60 <= frame_of(given) <= 76  # the second hand is there from frame 59, the first one leaves from 70
    holders = [
        {int(hand) for hand, state in zip(pairs.subject, pairs.state, strict=True) if state == "holding"}
        for pairs in told
    ]
    assert {HAND} in holders
    assert {OTHER} in holders
    assert holders.index({OTHER}) > max(frame for frame, one in enumerate(holders) if one == {HAND})


def test_hand_at_a_mug_that_another_one_puts_down_and_leaves_is_given_nothing() -> None:
    bring = smooth(200, 400, 30)
    first = [*[200.0] * 10, *bring, *[400.0] * 30, *smooth(400, 0, 15), *[0.0] * 40]
    second = [*[900.0] * 40, *smooth(900, 430, 20), *[430.0] * 35, *smooth(430, 900, 20), *[900.0] * 10]
    mug = [*[200.0] * 10, *bring, *[400.0] * 85]
    scenes = two_hands_and_mug(first, second, mug)
    _, events = play(scenes)
    assert kinds(events) == ["pick_up", "put_down"]
    assert [event.subject for event in events if event.kind == "put_down"] == [HAND]


def test_hand_holds_one_thing_at_a_time() -> None:
    """A tray of two mugs moves with the hand: one of them is held."""
    scenes = []
    for frame, x in enumerate([*[300.0] * 5, *smooth(300, 600, 30)]):
        boxes = {
            HAND: box_at(x, 200),
            MUG: box_at(x, 220, MUG_PX, MUG_PX),
            6: box_at(x + 20, 240, MUG_PX, MUG_PX),
        }
        scenes.append(scene_of(frame, boxes, roles=ROLES | {6: "object"}))
    told, events = play(scenes)
    assert kinds(events) == ["pick_up"]
    assert all(pairs.state.count("holding") <= 1 for pairs in told)


def test_mug_that_is_hidden_and_only_guessed_at_is_not_held() -> None:
    """All of it lies under the hand and no detector sees it: its pixels are the hand's."""
    scenes = []
    for frame, x in enumerate([*[300.0] * 10, *smooth(300, 600, 30)]):
        boxes = {HAND: box_at(x, 200), MUG: box_at(x, 200, 40, 40)}
        scenes.append(scene_of(frame, boxes, roles=ROLES, detected=frame < 10))
    assert kinds(play(scenes)[1]) == []


def test_hand_parts_from_a_held_mug_whose_place_is_only_guessed_at() -> None:
    scenes = hand_and_mug(HAND_X[:60], MUG_X[:60])
    gone = scene_of(60, {HAND: box_at(760, 200), MUG: box_at(600, 220, MUG_PX, MUG_PX)}, roles=ROLES)
    guessed = replace(gone.tracks, origin=np.array([Origin.TRACKED, Origin.PREDICTED]))
    told, events = play([*scenes, replace(gone, tracks=guessed)])
    assert states_of(told, HAND, MUG)[-2:] == ["holding", "near"]
    assert [frame_of(event) for event in events if event.kind == "touch_end"] == [60]


def test_hand_that_is_lost_while_it_holds_ends_the_hold_after_a_second_where_it_was_seen_last() -> None:
    scenes = hand_and_mug(HAND_X[:50], MUG_X[:50])
    for frame in range(50, 100):
        scenes.append(scene_of(frame, {MUG: box_at(MUG_X[49], 220, MUG_PX, MUG_PX)}, roles=ROLES))
    _, events = play(scenes)
    assert kinds(events) == ["pick_up", "put_down"]
    assert frame_of(events[-2 if events[-1].kind == "touch_end" else -1]) == 49


def test_lost_hands_and_things_of_other_roles_are_related_to_nothing() -> None:
    boxes = {HAND: box_at(300, 200), OTHER: box_at(310, 200), MUG: box_at(300, 220), TABLE: box_at(300, 200, 600, 300)}
    told, _ = play([scene_of(0, boxes, roles=ROLES, states={OTHER: TrackState.LOST})])
    assert (told[0].subject.tolist(), told[0].object.tolist()) == ([HAND], [MUG])


def test_pair_is_near_within_a_hand_width_and_a_little_longer_when_it_leaves() -> None:
    xs = [500.0, 480.0, 470.0, 490.0, 500.0, 520.0]  # of a mug with its left side 30 px nearer; the hand ends at 350
    scenes = hand_and_mug([300.0] * 6, xs)
    told, _ = play(scenes)
    assert states_of(told, HAND, MUG) == ["-", "near", "near", "near", "near", "-"]
    assert told[2].distance.tolist() == [0.9]
    assert told[2].closing.tolist() == pytest.approx([3.0])  # a tenth of a hand width in a thirtieth of a second
    assert told[2].offset.tolist() == [[1.7, 0.2]]


def test_new_source_forgets_the_old_one() -> None:
    relation = HandObject()
    play(hand_and_mug(HAND_X[:45], MUG_X[:45]), relation)
    relation.reset()
    told, events = play(hand_and_mug([300.0] * 5, [300.0] * 5), relation)
    assert states_of(told, HAND, MUG) == ["overlapping"] * 5
    assert events == []


def test_rules_decide_how_much_motion_is_enough() -> None:
    nudge = [*[300.0] * 15, *smooth(300, 315, 15), *[315.0] * 15]  # .15 hand widths
    scenes = hand_and_mug(nudge, nudge)
    assert kinds(play(scenes)[1]) == ["pick_up"]
    assert kinds(play(scenes, create_hand_object({"near": 1.0, "moved": 0.3, "split": 0.3}))[1]) == []


@pytest.mark.parametrize("name", ["near", "moved", "split"])
def test_rule_that_is_no_length_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=f"{name}=0 is no length: use a number above 0"):
        Rules(**{name: 0.0})


def test_scene_without_tracks_has_no_relations() -> None:
    told, events = play([scene_of(0, {}, roles={}), scene_of(1, {}, roles={})])
    assert [len(pairs) for pairs in told] == [0, 0]
    assert events == []
