from __future__ import annotations

import numpy as np
import pytest

from hybridtrack.sinks.captions import Captions, clock
from hybridtrack.types import Event, FrameResult, Tracks
from tests.sinks.results import CLASSES

MUG_AND_HANDS = Tracks(
    track_id=[2, 4, 5],
    xyxy=np.tile((0, 0, 9, 9), (3, 1)),
    velocity=np.zeros((3, 2)),
    score=np.ones(3),
    confidence=np.ones(3),
    class_id=[1, 0, 0],
    origin=np.zeros(3),
    state=np.ones(3),
    last_detected_s=np.zeros(3),
    detector=("hand",) * 3,
)


def result(time_s: float, *events: Event, tracks: Tracks = MUG_AND_HANDS) -> FrameResult:
    return FrameResult(frame_index=0, time_s=time_s, runs=(), detections={}, tracks=tracks, events=events)


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (Event(kind="pick_up", time_s=1.9667, subject=4, object=2), "0:01.97  hand 4 picks up mug 2"),
        (
            Event(kind="hand_over", time_s=2.0, subject=5, object=2, from_id=4, to_id=5),
            "0:02.00  hand 4 hands mug 2 to hand 5",
        ),
        (Event(kind="enter", time_s=2.0, subject=2, zone="left\ntray"), "0:02.00  mug 2 enters left tray"),
        (Event(kind="stir_up", time_s=2.0, subject=4, object=9), "0:02.00  hand 4 stir up 9"),
        (Event(kind="wave", time_s=2.0, subject=4), "0:02.00  hand 4 wave"),
    ],
)
def test_event_is_told_in_words(event: Event, text: str) -> None:
    captions = Captions(CLASSES)
    captions.follow(result(2.5, event))
    assert captions.lines() == [text]


def test_latest_four_events_are_shown_for_two_seconds_each() -> None:
    captions = Captions(CLASSES)
    shown = []
    for second in range(5):
        events = [Event(kind="touch_start", time_s=second, subject=4, object=2)] * (3 if second < 2 else 0)
        captions.follow(result(second, *events))
        shown.append([line[:7] for line in captions.lines()])
    assert shown == [["0:00.00"] * 3, ["0:00.00"] + ["0:01.00"] * 3, ["0:01.00"] * 3, [], []]


def test_track_that_has_ended_keeps_its_name() -> None:
    captions = Captions(CLASSES)
    captions.follow(result(0.0))
    captions.follow(
        result(2.0, Event(kind="put_down", time_s=1.0, subject=4, object=2), tracks=Tracks.empty()),
    )
    assert captions.lines() == ["0:01.00  hand 4 puts down mug 2"]


@pytest.mark.parametrize(
    ("time_s", "text"),
    [(0.0, "0:00.00"), (3.299, "0:03.30"), (59.999, "1:00.00"), (3599.99, "59:59.99"), (3600.0, "1:00:00.00")],
)
def test_clock_counts_hours_minutes_seconds_and_hundredths(time_s: float, text: str) -> None:
    assert clock(time_s) == text
