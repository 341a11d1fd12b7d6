"""Whose detections belong together: across detectors, and by what tells objects of a class apart."""

import numpy as np
import pytest

from hybridtrack.tracking.motion import create_kalman
from hybridtrack.tracking.tracker import Tracker
from hybridtrack.types import ClassInfo, Detections, Frame, Origin, Tracks, TrackState

MUG = ClassInfo(name="mug")
MARKER = ClassInfo(name="marker", key="number")
PICTURE = np.zeros((360, 640), np.uint8)

Box = tuple[float, float, float, float]


def box(x: float, y: float = 100, size: float = 80) -> Box:
    return x, y, x + size, y + size


def found(*boxes: Box, score: float = 0.9, numbers: tuple[int, ...] = ()) -> Detections:
    n = len(boxes)
    said = {"number": np.array(numbers)} if numbers else {}
    return Detections(
        xyxy=np.array(boxes).reshape(-1, 4), score=np.full(n, score), class_id=np.zeros(n), attributes=said
    )


def run(info: ClassInfo, *steps: dict[str, Detections]) -> list[Tracks]:
    subject = Tracker(create_kalman({}), [info])
    return [
        subject.step(Frame.from_array(PICTURE, index=i, time_s=i / 30), detections)
        for i, detections in enumerate(steps)
    ]


def boxes_by_id(tracks: Tracks) -> dict[int, list[float]]:
    return dict(zip(tracks.track_id.tolist(), np.round(tracks.xyxy).tolist(), strict=True))


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_two_detectors_of_one_object_on_one_frame_make_one_track(order: tuple[str, str]) -> None:
    says = {"a": found(box(100), score=0.6), "b": found(box(110), score=0.8)}
    frames = run(MUG, *[{name: says[name] for name in order}] * 5)
    for tracks in frames:
        assert tracks.track_id.tolist() == [1]
        assert tracks.detector == ("b",)


@pytest.mark.parametrize("part", [box(120, 120, 30), box(60, 60, 200)])
def test_part_that_a_second_detector_sees_begins_no_track_of_its_own(part: Box) -> None:
    frames = run(MUG, *[{"a": found(box(100)), "b": found(part)}] * 5)
    assert [tracks.track_id.tolist() for tracks in frames] == [[1]] * 5


def test_object_beside_the_one_that_another_detector_has_just_seen_is_another() -> None:
    frames = run(MUG, *[{"a": found(box(100)), "b": found(box(185))}] * 5)
    for tracks in frames:
        assert boxes_by_id(tracks) == {1: [100, 100, 180, 180], 2: [185, 100, 265, 180]}


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_miss_of_one_detector_ends_nothing_that_another_sees_on_the_same_frame(order: tuple[str, str]) -> None:
    first = {"a": found(box(100), score=0.6), "b": found(box(100), score=0.8)}
    then = {"a": found(box(100), score=0.6), "b": found()}
    frames = run(MUG, first, *[{name: then[name] for name in order}] * 60)
    for tracks in frames:
        assert tracks.track_id.tolist() == [1]
        assert tracks.state.tolist() == [TrackState.CONFIRMED]
        assert tracks.origin.tolist() == [Origin.DETECTED]


def test_detector_that_runs_on_other_frames_and_never_sees_an_object_does_not_end_it() -> None:
    frames = run(MUG, *[{"a": found(box(100))}, {"b": found()}, {"b": found()}] * 30)
    for tracks in frames:
        assert tracks.track_id.tolist() == [1]
        assert tracks.state.tolist() == [TrackState.CONFIRMED]


def test_two_values_of_the_key_are_never_one_object_however_near_they_are() -> None:
    frames = run(
        MARKER,
        {"m": found(box(100), numbers=(7,))},
        {"m": found(box(100), numbers=(8,))},
        {"m": found(box(100), box(105), numbers=(8, 9))},
        {"m": found(box(100), box(105), box(110), numbers=(9, 7, 8))},
    )
    assert frames[0].track_id.tolist() == [1]
    assert 2 in frames[1].track_id.tolist()
    by_number = dict(zip(frames[2].attributes["number"].tolist(), frames[2].track_id.tolist(), strict=True))
    assert by_number[8] == 2
    assert by_number[9] == 3
    last = dict(zip(frames[3].attributes["number"].tolist(), frames[3].track_id.tolist(), strict=True))
    assert (last[8], last[9]) == (2, 3)
    np.testing.assert_allclose(boxes_by_id(frames[3])[3], box(100), atol=2)


def test_object_whose_key_is_seen_again_has_its_id_wherever_it_is() -> None:
    seen = {"m": found(box(20), box(300), numbers=(7, 8))}
    frames = run(MARKER, *[seen] * 30, *[{"m": found()}] * 10, {"m": found(box(550), box(20), numbers=(7, 8))})
    assert boxes_by_id(frames[-1]) == {1: [550, 100, 630, 180], 2: [20, 100, 100, 180]}


def test_detection_without_a_value_of_the_key_may_be_any_object() -> None:
    frames = run(MARKER, {"m": found(box(100), numbers=(7,))}, {"other": found(box(104))})
    assert frames[1].track_id.tolist() == [1]
