"""Going back to frames that are done. Detections are written down; pictures show nothing."""

from __future__ import annotations

import numpy as np
import pytest

from hybridtrack.past import Past
from hybridtrack.tracking.flow import flow_size
from hybridtrack.tracking.motion import create_kalman
from hybridtrack.tracking.tracker import Tracker
from hybridtrack.types import ClassInfo, Detections, Frame, Size, Tracks

SIZE = (640, 360)


def frame(index: int, size: Size = SIZE) -> Frame:
    return Frame.from_array(np.full((size[1], size[0]), 90, np.uint8), index=index, time_s=index / 30)


def found(*boxes: tuple[float, float, float, float]) -> Detections:
    n = len(boxes)
    return Detections(xyxy=np.array(boxes).reshape(-1, 4), score=np.full(n, 0.9), class_id=np.zeros(n, np.int32))


BOX = (100, 100, 180, 180)


def played(count: int, size_changes_at: int | None = None) -> tuple[Past, Tracker]:
    past, tracker = Past(), Tracker(create_kalman({}), [ClassInfo(name="hand", role="hand")])
    for index in range(count):
        one = frame(index, SIZE if size_changes_at is None or index < size_changes_at else (320, 240))
        before = tracker.moment()
        past.keep(one, {}, tracker.step(one, {}), before, wanted=[0])
    return past, tracker


def tracks_after(tracker: Tracker, index: int) -> Tracks:
    return tracker.step(frame(index), {})


def test_result_that_is_told_late_is_tracked_from_its_own_frame_on() -> None:
    past, tracker = played(6)
    assert past.tell({2: {"slow": found(BOX)}})
    past.hurry(tracker, 2)
    (row,) = tracks_after(tracker, 6).last_detected_s
    assert row == pytest.approx(2 / 30)
    past.keep(frame(6), {}, Tracks.empty(), None, wanted=[2])
    past.relive(tracker, 2)
    assert [one.tracks.track_id.tolist() for one in past.since(0)] == [[1]] * 5
    assert tracks_after(tracker, 7).track_id.tolist() == [1]


def test_two_results_of_different_frames_are_both_where_they_belong() -> None:
    past, tracker = played(6)
    assert past.tell({1: {"one": found(BOX)}, 4: {"two": found((400, 100, 480, 180))}})
    past.relive(tracker, 1)
    assert [one.tracks.track_id.tolist() for one in past.since(0)] == [[], [1], [1], [1], [1, 2], [1, 2]]


def test_haste_leaves_out_no_frame_on_which_something_was_seen() -> None:
    past, tracker = played(9)
    assert past.tell({0: {"slow": found(BOX)}, 3: {"fast": found((400, 100, 480, 180))}})
    past.hurry(tracker, 0)
    assert tracks_after(tracker, 9).last_detected_s.tolist() == pytest.approx([0, 3 / 30])


@pytest.mark.parametrize(
    ("count", "size_changes_at", "asked"),
    [
        (14, None, 1),  # 13 frames ago: it would take too long
        (6, 3, 2),  # of another size
        (6, None, 9),  # not there yet
    ],
)
def test_there_is_not_always_a_way_back(count: int, size_changes_at: int | None, asked: int) -> None:
    past, _ = played(count, size_changes_at)
    assert not past.tell({asked: {"slow": found(BOX)}})
    assert all(not one.detections for one in past.since(0))


def test_kept_frame_is_small_and_lies_like_its_original() -> None:
    past = Past()
    past.keep(frame(3).reduced((200, 112)), {}, Tracks.empty(), None, wanted=[3])
    (kept,) = past.since(0)
    assert (kept.frame.index, kept.frame.time_s, kept.frame.size_px) == (3, 0.1, SIZE)
    assert kept.frame.detail_px == (200, 112)
    assert kept.frame.gray(flow_size(kept.frame.detail_px)).shape == (112, 200)
    assert kept.frame.rgb((20, 10)).shape == (10, 20, 3)


def test_frames_before_the_first_that_is_wanted_are_forgotten() -> None:
    past, _ = played(5)
    past.keep(frame(5), {}, Tracks.empty(), None, wanted=[3])
    assert [one.frame.index for one in past.since(0)] == [3, 4, 5]
    past.clear()
    assert past.since(0) == []


def test_however_long_nobody_tells_few_frames_are_kept_and_those_that_are_wanted() -> None:
    past = Past()
    for index in range(1000):
        past.keep(frame(index), {}, Tracks.empty(), None, wanted=[0, 301, 978])
        assert len(past.since(0)) <= 48  # no backlog
    kept = [one.frame.index for one in past.since(0)]
    assert {0, 301, 978} <= {*kept}
    assert kept[-12:] == [*range(988, 1000)]
    assert max(np.diff(kept)) <= 60  # 36 for 988 frames: about 27 each, and twice that where one has just gone


def test_frame_of_another_size_ends_what_was_to_be_done_with_more_care() -> None:
    past, tracker = played(6)
    assert past.tell({2: {"slow": found(BOX)}})
    past.hurry(tracker, 2)
    tracks = tracks_after(tracker, 6)
    past.keep(frame(6, (320, 240)), {}, tracks, None, wanted=[2])
    past.relive(tracker, 2)
    assert tracks_after(tracker, 7).track_id.tolist() == tracks.track_id.tolist() == [1]
