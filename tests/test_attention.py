"""When a detector of automatic cadence looks, on tracks that are written down: 30 frames a second, 640 x 360."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from hybridtrack.attention import Attention, Outlook
from hybridtrack.cadence import Cadence, parse_cadence
from hybridtrack.types import ClassInfo, Origin, Tracks, TrackState

CLASSES = [ClassInfo(name="hand", role="hand"), ClassInfo(name="mug")]
SIZE = (640, 360)
HAND, MUG = 0, 1
SIDE = 60  #: of a hand's and a mug's box, px: one hand width

Row = dict[str, Any]


def hand(x: float = 300, *, detector: str = "hand", **values: Any) -> Row:
    return {"class_id": HAND, "track_id": 1, "x": x, "detector": detector, **values}


def mug(x: float = 300, *, detector: str = "table", **values: Any) -> Row:
    return {"class_id": MUG, "track_id": 2, "x": x, "detector": detector, **values}


def tracks_of(rows: Sequence[Row]) -> Tracks:
    def column(name: str, default: Any) -> np.ndarray:
        return np.array([row.get(name, default) for row in rows])

    x = column("x", 0.0)
    return Tracks(
        track_id=column("track_id", 0),
        xyxy=np.stack([x, x * 0 + 150, x + SIDE, x * 0 + 150 + SIDE], axis=1),
        velocity=np.stack([column("speed", 0.0), x * 0], axis=1),
        score=column("score", 0.9),
        confidence=column("confidence", 0.9),
        class_id=column("class_id", 0),
        origin=column("origin", Origin.TRACKED),
        state=column("state", TrackState.CONFIRMED),
        last_detected_s=column("last_detected_s", 0.0),
        detector=tuple(row["detector"] for row in rows),
        occluded_by=column("occluded_by", 0),
    )


def outlook(time_s: float, tracks: Tracks, stirs: Sequence[Sequence[float]] = ()) -> Outlook:
    return Outlook(
        frame_index=round(time_s * 30),
        time_s=time_s,
        tracks=tracks,
        classes=CLASSES,
        size_px=SIZE,
        stirs=np.array(stirs, float).reshape(-1, 4),
    )


def decided(attention: Attention, scene: Callable[[int], Sequence[Row]], frames: int) -> dict[int, str]:
    """Return the frames on which the detector looks, with why; ``scene`` has the tracks on a frame."""
    reasons = {}
    for index in range(frames):
        before = tracks_of(scene(index - 1) if index else [])
        reason = attention.decide(outlook(index / 30, before))
        if reason:
            reasons[index] = reason
    return reasons


AUTO = Cadence(is_auto=True)


def of_table() -> Attention:
    return Attention("table", finds_hands=False, finds_objects=True, cadence=AUTO)


def of_hands(cadence: str = "auto") -> Attention:
    return Attention("hand", finds_hands=True, finds_objects=False, cadence=parse_cadence(cadence))


def test_things_that_lie_still_are_looked_at_every_second() -> None:
    seen = decided(of_table(), lambda index: [mug(last_detected_s=index / 30)], 65)
    assert seen == {0: "interval", 30: "interval", 60: "interval"}


def test_hand_that_rests_in_the_middle_of_the_picture_is_looked_at_every_second() -> None:
    seen = decided(of_hands(), lambda index: [hand(last_detected_s=index / 30)], 65)
    assert seen == {0: "entry", 30: "interval", 60: "interval"}


def test_things_are_looked_at_when_a_hand_comes_near_and_when_it_leaves() -> None:
    def scene(index: int) -> list[Row]:
        is_near = 10 <= index < 40
        return [mug(300, last_detected_s=index / 30), hand(370 if is_near else 500)]

    # the hand is there on frame 10, so frame 11 is the first that can be decided by it; likewise frame 41
    assert decided(of_table(), scene, 60) == {0: "interval", 11: "hand_near", 41: "hand_left"}


def test_hand_that_lies_beside_a_thing_needs_no_looks_and_one_that_moves_does() -> None:
    def lies(speed: float) -> Callable[[int], list[Row]]:
        return lambda index: [mug(300, last_detected_s=index / 30), hand(370, speed=speed)]

    assert decided(of_table(), lies(20), 40) == {0: "interval", 3: "hand_near", 33: "interval"}
    assert decided(of_table(), lies(60), 25) == {0: "interval", 3: "hand_near", 12: "hand_near", 21: "hand_near"}


def test_hand_at_the_limit_does_not_come_and_leave_again_and_again() -> None:
    def trembles(index: int) -> list[Row]:  # gaps of 57 and 63 px, around one hand width
        return [mug(300, last_detected_s=index / 30), hand(417 if index % 2 else 423)]

    assert decided(of_table(), trembles, 30) == {0: "interval", 3: "hand_near"}


def test_hand_near_a_thing_of_another_detector_is_not_its_business() -> None:
    def scene(index: int) -> list[Row]:
        return [mug(300, detector="another", confidence=0.1), hand(370, speed=100)]

    assert decided(of_table(), scene, 29) == {0: "interval"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"confidence": 0.3},  # a third of the score is left
        {"state": TrackState.LOST},
        {"origin": Origin.PREDICTED},  # nothing measures it, and no detector has seen it for 0.2 s
    ],
)
def test_bad_track_is_looked_for_at_once_and_less_often_the_longer_it_is_missing(wrong: Row) -> None:
    def scene(index: int) -> list[Row]:
        return [hand(500, detector="another"), mug(last_detected_s=0.0, **(wrong if index >= 11 else {}))]

    # waits of a third of the time that it has been missing: 12 / 3 = 4 frames have long passed on frame 12; 18 - 12 = 6
    # = 18 / 3; 27 - 18 = 9 = 27 / 3; 41 - 27 = 14 > 41 / 3
    seen = {0: "interval", 12: "track_bad", 18: "track_bad", 27: "track_bad", 41: "track_bad"}
    assert decided(of_table(), scene, 45) == seen


@pytest.mark.parametrize(
    "fine",
    [
        {"confidence": 0.41},
        {"origin": Origin.PREDICTED, "last_detected_s": 9.9},
        {"state": TrackState.LOST, "occluded_by": 1},  # a hand hides it: there is nothing to see
    ],
)
def test_track_that_is_well_or_hidden_is_not_looked_for(fine: Row) -> None:
    attention = of_table()
    assert attention.decide(outlook(9.5, Tracks.empty())) == "interval"
    assert attention.decide(outlook(10.0, tracks_of([mug(**{"last_detected_s": 9.5, **fine})]))) is None


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], "entry"),
        ([hand(0, speed=30.0)], "entry"),  # half a hand width a second
        ([hand(0, speed=29.0)], None),
        ([hand(575, speed=30.0)], "entry"),  # its right edge is 5 px from that of the picture, 2 % are 12.8
        ([hand(565, speed=30.0)], None),
        ([mug(300)], "entry"),  # no hand
        ([hand(300), hand(370, track_id=3)], "hands_near"),  # 10 px apart, a quarter of a hand width is 15
        ([hand(300), hand(380, track_id=3)], None),
        ([hand(300), mug(300)], None),
        ([hand(300, confidence=0.2)], "track_bad"),
        ([hand(300), hand(500, track_id=3, state=TrackState.LOST)], "track_bad"),
    ],
)
def test_hands_are_looked_at_sooner_for_a_reason(rows: list[Row], reason: str | None) -> None:
    attention = of_hands()
    assert attention.decide(outlook(0.0, Tracks.empty())) == "entry"
    assert attention.decide(outlook(0.2, tracks_of(rows))) == reason


def test_no_reason_makes_two_runs_follow_each_other_in_less_than_a_tenth_of_a_second() -> None:
    for attention in (of_hands(), of_table()):
        attention.decide(outlook(0.0, Tracks.empty()))
        bad = tracks_of([hand(300, confidence=0.1, speed=900), mug(300, confidence=0.1)])
        assert attention.decide(outlook(0.0999, bad)) is None
        assert attention.decide(outlook(0.0999995, bad)) is not None  # times are rounded to microseconds


def test_detector_of_both_is_needed_for_hands_and_for_things() -> None:
    def scene(index: int) -> list[Row]:
        return [mug(300, detector="both"), hand(370 if index >= 3 else 500)]

    both = Attention("both", finds_hands=True, finds_objects=True, cadence=AUTO)
    assert decided(both, scene, 12) == {0: "entry", 4: "hand_near"}


def test_detector_of_neither_is_treated_like_one_of_things() -> None:
    faces = Attention("face", finds_hands=False, finds_objects=False, cadence=AUTO)
    assert decided(faces, lambda index: [hand()], 35) == {0: "interval", 30: "interval"}


def test_what_happens_while_a_detector_is_busy_counts_afterwards() -> None:
    attention = of_table()
    beside, away = tracks_of([mug(300), hand(370)]), tracks_of([mug(300), hand(500)])
    assert attention.decide(outlook(0.0, Tracks.empty())) == "interval"
    assert attention.decide(outlook(0.3, beside), is_busy=True) is None
    assert attention.decide(outlook(0.4, away), is_busy=True) is None
    assert attention.decide(outlook(0.5, away)) == "hand_left"
    assert attention.decide(outlook(0.9, away)) is None


def test_first_frame_may_come_at_any_time_and_reset_begins_anew() -> None:
    attention = of_table()
    assert attention.decide(outlook(100.0, Tracks.empty())) == "interval"
    assert attention.decide(outlook(100.5, Tracks.empty())) is None
    attention.reset()
    assert attention.decide(outlook(0.0, Tracks.empty())) == "interval"


@pytest.mark.parametrize(("speed_px", "first"), [(0.0, 30), (2.0, 17), (6.0, 8), (12.0, 5)])
def test_hand_is_looked_at_the_sooner_the_faster_it_goes(speed_px: float, first: int) -> None:
    # hand widths a frame: 0.1 * way / 60 + 0.05 / 30, from frame 1 on; they have to be seen from 0.08 on
    seen = decided(of_hands(), lambda index: [hand(100 + speed_px * index, last_detected_s=0.0)], 40)
    assert list(seen.items())[:2] == [(0, "entry"), (first, "drift" if speed_px else "interval")]


def test_motion_outside_every_track_is_looked_at_soon_and_not_again_and_again_where_nothing_is_found() -> None:
    attention, reasons = of_hands(), {}
    for index in range(90):
        moves = [[100, 100, 140, 150]] if index >= 10 else []
        reason = attention.decide(outlook(index / 30, tracks_of([hand(500, last_detected_s=index / 30)]), moves))
        if reason:
            reasons[index] = reason
    # it waits 0.1 s after the first look in vain, then three times as long each time
    assert reasons == {0: "interval", 10: "motion", 13: "motion", 22: "motion", 49: "motion", 79: "interval"}


def test_motion_is_no_matter_for_a_detector_of_things() -> None:
    attention = of_table()
    assert attention.decide(outlook(0.0, Tracks.empty())) == "interval"
    assert attention.decide(outlook(0.5, Tracks.empty(), [[100, 100, 140, 150]])) is None


def test_motion_that_became_a_track_is_new_when_it_comes_back() -> None:
    attention, moves = of_hands(), [[100, 100, 140, 150]]
    rests = hand(500, last_detected_s=0.5)
    assert attention.decide(outlook(0.0, Tracks.empty())) == "entry"
    assert attention.decide(outlook(0.5, tracks_of([rests]), moves)) == "motion"
    found = hand(100, track_id=3, last_detected_s=0.5)
    found_too = tracks_of([rests, {**found, "x": 100}])
    assert attention.decide(outlook(0.55, found_too)) is None
    assert attention.decide(outlook(0.61, tracks_of([rests]), [[100, 150, 140, 200]])) == "motion"


def test_longest_time_between_runs_is_kept_and_says_so() -> None:
    seen = decided(of_hands("auto:max=200ms"), lambda index: [hand(last_detected_s=index / 30)], 20)
    assert seen == {0: "entry", 6: "age", 12: "age", 18: "age"}


def test_least_time_between_runs_is_kept_whatever_happens() -> None:
    seen = decided(of_hands("auto:min=300ms"), lambda index: [hand(confidence=0.1)], 20)
    assert list(seen) == [0, 9, 18]
    seen = decided(of_hands("auto:min=1ms"), lambda index: [hand(confidence=0.1, last_detected_s=index / 30)], 20)
    assert list(seen) == [0, 3, 6, 9, 12, 15, 18]  # a bad track waits a tenth of a second


def test_reasons_have_to_be_the_stronger_the_less_is_left_of_the_budget() -> None:
    def scene(index: int) -> list[Row]:
        return [hand(confidence=0.1, last_detected_s=index / 30)]  # bad on every frame

    free, bound = decided(of_hands(), scene, 300), decided(of_hands("auto/10"), scene, 300)
    assert len(free) == 100
    assert 28 <= len(bound) <= 34
    waits = [after - before for before, after in pairwise(list(bound))]
    assert waits[0] < waits[1] < max(waits) <= 11
    assert set(waits[-10:]) <= {9, 10, 11}


def test_longest_time_wins_over_the_budget() -> None:
    seen = decided(of_hands("auto/10s:max=1s"), lambda index: [hand(last_detected_s=index / 30)], 301)
    assert len(seen) == 11
