from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.frames import event, frame, held, ledger_of, spans


def test_hold_lasts_from_its_pick_up_to_its_put_down_whatever_states_stand_between() -> None:
    frames = [
        frame(1.0, {(1, 3): "holding"}, [event("pick_up", 0.4, object=3)]),
        *held((1, 3), (1.1, 1.2)),
        frame(1.3, {(1, 3): "overlapping"}),
        *held((1, 3), (2.1, 2.2)),
        frame(2.3, {(1, 3): "overlapping"}),
        frame(3.0, {(1, 3): "near"}, [event("put_down", 2.15, object=3)]),
        frame(3.1),
    ]
    assert spans(ledger_of(frames)[1]) == [("hand 1 holds mug 3", 0.4, 2.15)]


def test_state_without_a_pick_up_is_no_hold() -> None:
    assert ledger_of([frame(0.9, {(1, 3): "overlapping"}), *held((1, 3), (1.0, 1.1, 1.2)), frame(1.3)])[1] == []


def test_hold_that_goes_on_when_the_file_is_cut_ends_where_it_was_seen_last() -> None:
    frames = [
        frame(1.0, {(1, 3): "holding"}, [event("pick_up", 0.4, object=3)]),
        *held((1, 3), (1.1, 1.2)),
        frame(1.3, {(1, 3): "overlapping"}),
    ]
    assert spans(ledger_of(frames)[1]) == [("hand 1 holds mug 3", 0.4, 1.2)]


def test_put_down_of_a_time_before_the_hold_ends_nothing() -> None:
    frames = [
        frame(1.0, {(1, 3): "holding"}, [event("pick_up", 0.9, object=3), event("put_down", 0.8, object=3)]),
        *held((1, 3), (1.1, 1.2)),
    ]
    assert spans(ledger_of(frames)[1]) == [("hand 1 holds mug 3", 0.9, 1.2)]


def test_hand_over_ends_the_giver_s_hold_and_begins_the_receiver_s() -> None:
    over = event("hand_over", 1.3, 2, object=3, from_id=1, to_id=2)
    frames = [
        frame(1.0, {(1, 3): "holding"}, [event("pick_up", 1.0, object=3)]),
        *held((1, 3), (1.1, 1.2, 1.3, 1.4)),
        frame(1.5, {(1, 3): "overlapping", (2, 3): "holding"}, [over]),
        *held((2, 3), (1.6, 1.7)),
    ]
    assert spans(ledger_of(frames)[1]) == [("hand 1 holds mug 3", 1.0, 1.3), ("hand 2 holds mug 3", 1.3, 1.7)]


def test_holds_of_a_pair_do_not_overlap_whatever_their_events_say() -> None:
    frames = [
        frame(1.0, {(1, 3): "holding"}, [event("pick_up", 1.0, object=3)]),
        frame(1.2, {(1, 3): "overlapping"}, [event("put_down", 1.2, object=3)]),
        frame(2.0, {(1, 3): "holding"}, [event("pick_up", 0.5, object=3)]),
    ]
    ledger, found = ledger_of(frames)
    assert spans(found) == [("hand 1 holds mug 3", 1.0, 1.2), ("hand 1 holds mug 3", 1.2, 2.0)]
    assert ledger.totals[0].seconds["hold"] == pytest.approx(1.0)


def test_touch_lasts_between_its_events() -> None:
    frames = [
        frame(1.0, {(1, 4): "overlapping"}, [event("touch_start", 0.8, object=4)]),
        frame(1.1, {(1, 4): "overlapping"}),
        frame(1.2, {(1, 4): "overlapping"}, [event("touch_end", 1.15, object=4)]),
        frame(1.3, {(1, 4): "overlapping"}),
    ]
    assert spans(ledger_of(frames)[1]) == [("hand 1 touches book 4", 0.8, 1.15)]


def test_boxes_that_overlap_are_no_touch() -> None:
    assert ledger_of([frame(t / 10, {(1, 4): "overlapping", (1, 3): "near"}) for t in range(9)])[1] == []


def test_touch_that_goes_on_when_the_file_is_cut_ends_where_the_boxes_overlapped_last() -> None:
    frames = [
        frame(1.0, {(1, 4): "overlapping"}, [event("touch_start", 0.8, object=4)]),
        frame(1.1, {(1, 4): "holding"}),
        frame(1.2, {(1, 4): "near"}),
    ]
    assert ("hand 1 touches book 4", 0.8, 1.1) in spans(ledger_of(frames)[1])


def test_end_without_a_beginning_is_nothing() -> None:
    ends = [event("touch_end", 0.1, object=3), event("put_down", 0.1, object=3), event("leave", 0.1, zone="tray")]
    assert ledger_of([frame(0.1, events=ends)])[1] == []


def test_visits_of_zones_are_counted_and_one_under_way_ends_with_its_track() -> None:
    frames = [
        frame(1.0, events=[event("enter", 1.0, zone="tray"), event("enter", 1.0, 3, zone="tray")]),
        frame(2.0, events=[event("leave", 1.5, zone="tray")]),
        frame(3.0, events=[event("enter", 3.0, zone="tray")]),
        frame(4.0, classes={1: "hand"}),
        frame(5.0, classes={}),
    ]
    ledger, found = ledger_of(frames)
    assert spans(found) == [
        ("hand 1 is in tray", 1.0, 1.5),
        ("mug 3 is in tray", 1.0, 3.0),
        ("hand 1 is in tray", 3.0, 4.0),
    ]
    assert [(one.pair.zone, one.count, one.seconds) for one in ledger.totals] == [
        ("tray", {"visit": 2}, {"visit": 1.5}),
        ("tray", {"visit": 1}, {"visit": 2.0}),
    ]


@pytest.mark.parametrize(("again_s", "seconds"), [(0.3, [(0.0, 0.3)]), (0.31, [(0.0, 0.1), (0.31, 0.31)])])
def test_state_of_a_plugin_lasts_while_it_stands_there_and_a_fifth_of_a_second_does_not_part_it(
    again_s: float, seconds: list[tuple[float, float]]
) -> None:
    stands = {(3, 4): "on_top_of"}
    ledger, found = ledger_of([frame(0.0, stands), frame(0.1, stands), frame(0.2), frame(again_s, stands), frame(0.6)])
    assert spans(found) == [("mug 3 on top of book 4", start, end) for start, end in seconds]
    assert ledger.totals[0].count == {"on_top_of": len(seconds)}


def test_totals_are_those_of_all_interactions_of_a_pair() -> None:
    frames = [
        frame(1.0, {(1, 3): "holding"}, [event("touch_start", 0.5, object=3), event("pick_up", 0.75, object=3)]),
        frame(
            2.0,
            {(1, 3): "overlapping", (2, 4): "holding"},
            [event("put_down", 1.75, object=3), event("touch_end", 2.0, object=3), event("pick_up", 2.0, 2, object=4)],
        ),
        frame(4.0, {(1, 3): "overlapping"}, [event("touch_start", 3.5, object=3)]),
        frame(5.0, {}, [event("touch_end", 4.5, object=3)]),
    ]
    mug, book = ledger_of(frames)[0].totals
    assert (mug.subject_class, mug.object_class, mug.pair.subject_id, mug.pair.object_id) == ("hand", "mug", 1, 3)
    assert (mug.count, mug.seconds) == ({"hold": 1, "touch": 2}, {"hold": 1.0, "touch": 2.5})
    assert (mug.first_s, mug.last_s) == (0.5, 4.5)
    assert (book.count, book.seconds, book.first_s) == ({"hold": 1}, {"hold": 0.0}, 2.0)


EVENT_KINDS = ("pick_up", "put_down", "touch_start", "touch_end", "hand_over", "enter", "leave")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["near", "overlapping", "holding"]),
            st.lists(st.tuples(st.sampled_from(EVENT_KINDS), st.floats(0, 9)), max_size=2),
        ),
        max_size=30,
    )
)
def test_intervals_are_in_order_and_do_not_overlap_whatever_comes(
    script: list[tuple[str, list[tuple[str, float]]]],
) -> None:
    frames = []
    for index, (state, kinds) in enumerate(script):
        happened = [
            event(kind, time_s, object=3, from_id=1, to_id=2)
            if kind == "hand_over"
            else event(kind, time_s, zone="tray")
            if kind in ("enter", "leave")
            else event(kind, time_s, object=3)
            for kind, time_s in kinds
        ]
        frames.append(frame(index / 10, {(1, 3): state}, happened))
    ledger, found = ledger_of(frames)
    for totals in ledger.totals:
        for kind, count in totals.count.items():
            own = [one for one in found if (one.pair, one.kind) == (totals.pair, kind)]
            assert len(own) == count
            assert sum(one.end_s - one.start_s for one in own) == pytest.approx(totals.seconds[kind])
            assert all(one.end_s >= one.start_s for one in own)
            assert all(a.end_s <= b.start_s for a, b in pairwise(own))
