"""What becomes of results that frames did not wait for. Runs end when a test says so: no detector, no thread."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing

import cv2
import numpy as np
import pytest

from hybridtrack.boxes import iou
from hybridtrack.detector_runner import MAX_FAILURES, DetectorRunner, Outcome
from hybridtrack.detectors.function import FunctionDetector
from hybridtrack.late_results import LateResults, LateRun
from hybridtrack.types import ClassInfo, Detections, DetectorRun, Frame, Origin, Size, Tracks, TrackState

SIZE = (320, 240)
SIDE = 60
CLASSES = [ClassInfo(name="hand", role="hand"), ClassInfo(name="mug")]
HAND, MUG = 0, 1


def box_at(index: int) -> tuple[float, float, float, float]:
    """Return where the square is on a frame: 6 pixels a frame to the right."""
    return 20 + 6 * index, 80, 20 + 6 * index + SIDE, 80 + SIDE


def picture(index: int, *, size: Size = SIZE, shows: bool = True) -> Frame:
    random = np.random.default_rng(0)
    patch = cv2.GaussianBlur(random.integers(0, 256, (SIDE, SIDE), np.uint8), (0, 0), 1.5)
    ground = np.full((size[1], size[0]), 90, np.uint8)
    if shows:
        left, top = int(box_at(index)[0]), 80
        ground[top : top + SIDE, left : left + SIDE] = patch
    return Frame.from_array(ground, index=index, time_s=index / 30)


def tracks(*rows: tuple[int, int, tuple[float, float, float, float]]) -> Tracks:
    """Return tracks of (id, class, box)."""
    n = len(rows)
    return Tracks(
        track_id=np.array([row[0] for row in rows]),
        xyxy=np.array([row[2] for row in rows]).reshape(-1, 4),
        velocity=np.zeros((n, 2)),
        score=np.ones(n),
        confidence=np.ones(n),
        class_id=np.array([row[1] for row in rows]),
        origin=np.full(n, Origin.TRACKED),
        state=np.full(n, TrackState.CONFIRMED),
        last_detected_s=np.zeros(n),
        detector=("fast",) * n,
    )


def found(*boxes: tuple[float, float, float, float], class_id: int = HAND) -> Detections:
    n = len(boxes)
    return Detections(xyxy=np.array(boxes).reshape(-1, 4), score=np.full(n, 0.9), class_id=np.full(n, class_id))


def ended(outcome: Outcome) -> Future[Outcome]:
    future: Future[Outcome] = Future()
    future.set_result(outcome)
    return future


def of(index: int) -> LateRun:
    outcome = Outcome(detections=Detections.empty())
    return LateRun(trigger="interval", frame_index=index, time_s=index / 30, outcome=outcome)


@pytest.fixture
def runner() -> Iterator[DetectorRunner]:
    with closing(DetectorRunner("slow", FunctionDetector(lambda frame: None), hang_limit_s=1e6)) as made:
        yield made


# --- what is waited for


def test_result_that_is_there_at_once_is_not_late() -> None:
    late, outcomes = LateResults(), {"fast": ended(Outcome(detections=found()))}
    late.leave(picture(0), {"fast": "interval"}, outcomes)
    assert list(outcomes) == ["fast"]
    assert late.busy == set()


def test_result_that_comes_later_is_told_with_the_frame_that_was_looked_at(runner: DetectorRunner) -> None:
    late, coming = LateResults(), Future[Outcome]()
    outcomes = {"slow": coming}
    late.leave(picture(4), {"slow": "hand_near"}, outcomes)
    assert outcomes == {}
    assert late.busy == {"slow"}
    assert late.take({"slow": runner}) == {}
    coming.set_result(Outcome(detections=found(box_at(4)), ms=500))
    run = late.take({"slow": runner})["slow"]
    assert run.told_of("slow") == DetectorRun(detector="slow", trigger="hand_near", status="late", frame_index=4)
    assert run.time_s == pytest.approx(4 / 30)
    assert late.busy == set()
    assert late.take({"slow": runner}) == {}
    assert late.note.startswith("live: 1 result of a detector came late")


def test_detector_that_was_slow_is_not_waited_for_until_it_has_been_fast(runner: DetectorRunner) -> None:
    late = LateResults()
    coming: Future[Outcome] = Future()
    late.leave(picture(0), {"slow": "interval"}, {"slow": coming})
    coming.set_result(Outcome(detections=found(), ms=500))
    late.take({"slow": runner})
    late.leave(picture(1), {"slow": "interval"}, {"slow": ended(Outcome(detections=found(), ms=5))})
    assert late.busy == {"slow"}  # though it is there: nobody looked
    assert late.take({"slow": runner})["slow"].frame_index == 1
    outcomes = {"slow": ended(Outcome(detections=found(), ms=5))}
    late.leave(picture(2), {"slow": "interval"}, outcomes)
    assert list(outcomes) == ["slow"]


def test_detector_has_its_say_once_a_frame() -> None:
    late, outcomes = (
        LateResults(),
        {"one": ended(Outcome(detections=found())), "two": ended(Outcome(detections=found()))},
    )
    late.leave(picture(3), dict.fromkeys(outcomes, "interval"), outcomes, has_told=["one"])
    assert list(outcomes) == ["two"]
    assert late.busy == {"one"}


def test_late_failures_count_and_take_a_detector_out(runner: DetectorRunner) -> None:
    late = LateResults()
    for index in range(MAX_FAILURES):
        coming: Future[Outcome] = Future()
        late.leave(picture(index), {"slow": "interval"}, {"slow": coming})
        coming.set_result(Outcome(detections=None, error=f"frame {index}: lens is dirty"))
        run = late.take({"slow": runner})["slow"]
        assert run.told_of("slow") == DetectorRun(detector="slow", trigger="interval", status="failed")
    assert (runner.failures, runner.is_out) == (MAX_FAILURES, True)
    assert late.note.startswith("live: 0 results of detectors came late")


def test_run_that_takes_longer_than_the_limit_has_failed() -> None:
    runner, late = (
        DetectorRunner("stuck", FunctionDetector(lambda frame: None), in_thread=False, hang_limit_s=0),
        LateResults(),
    )
    late.leave(picture(0), {"stuck": "interval"}, {"stuck": Future()})
    run = late.take({"stuck": runner})["stuck"]
    assert run.outcome.error.startswith("no answer within 0 s")
    assert (runner.is_out, runner.failures, late.busy) == (True, 1, set())


def test_reset_forgets_what_is_under_way() -> None:
    late, coming = LateResults(), Future[Outcome]()
    late.leave(picture(0), {"slow": "interval"}, {"slow": coming})
    late.reset()
    assert coming.cancelled()
    assert late.busy == set()


# --- how boxes are carried


def remembered(frames: list[Frame], shown: list[Tracks]) -> LateResults:
    """Return late results of a run that was begun on the first of ``frames`` and is under way on all of them."""
    late = LateResults()
    late.leave(frames[0], {"slow": "interval"}, {"slow": Future()})
    for frame, one in zip(frames, shown, strict=True):
        late.remember(frame, {}, one)
    return late


def carried_box(late: LateResults, run: LateRun, detections: Detections) -> tuple[np.ndarray, float]:
    carried = late.carried(run, detections, CLASSES)
    assert carried is not None
    return carried[1].xyxy[0], float(carried[1].score[0])


def test_box_that_was_a_tracks_goes_where_the_track_has_gone_and_grows_with_it() -> None:
    frames = [picture(index, shows=False) for index in range(3, 6)]
    shown = [tracks((7, HAND, (100, 50, 140, 90))), tracks(), tracks((7, HAND, (200, 40, 280, 120)))]
    box, score = carried_box(remembered(frames, shown), of(3), found((102, 52, 138, 90)))
    # twice the size: 2 px from the track's corner become 4, 36 x 38 become 72 x 76
    assert box.tolist() == [204, 44, 276, 120]
    assert score == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("then", "now"),
    [
        (tracks(), tracks()),  # nobody knew of it
        (tracks((7, HAND, (100, 80, 160, 140))), tracks((7, HAND, (0, 0, 60, 60)))),  # a track of something else
        (tracks((7, MUG, box_at(0))), tracks((7, MUG, (0, 0, 60, 60)))),  # of another class
        (tracks((7, HAND, box_at(0))), tracks((8, HAND, (0, 0, 60, 60)))),  # one that has ended
    ],
)
@pytest.mark.parametrize("count", [2, 9, 30])
def test_box_of_no_track_is_followed_through_the_pictures(then: Tracks, now: Tracks, count: int) -> None:
    frames = [picture(index) for index in range(count)]
    late = remembered(frames, [then, *[tracks()] * (count - 2), now])
    box, score = carried_box(late, of(0), found(box_at(0)))
    assert iou(np.array([box_at(count - 1)]), box[None].astype(float))[0, 0] > 0.8
    assert score == pytest.approx(0.9)


def test_box_that_nothing_shows_the_way_of_stays_and_is_less_sure() -> None:
    frames = [picture(index, shows=False) for index in range(16)]  # an even ground
    box, score = carried_box(remembered(frames, [tracks()] * 16), of(0), found(box_at(0)))
    np.testing.assert_allclose(box, box_at(0))
    assert score == pytest.approx(0.45)  # half a second old


def test_result_that_comes_on_the_next_frame_needs_no_way() -> None:
    late = remembered([picture(4, shows=False)], [tracks()])
    box, score = carried_box(late, of(4), found(box_at(4)))
    np.testing.assert_allclose(box, box_at(4))
    assert score == pytest.approx(0.9)


def test_nothing_that_was_found_late_is_nothing_now() -> None:
    carried = remembered([picture(index) for index in range(3)], [tracks()] * 3).carried(of(0), found(), CLASSES)
    assert carried is not None
    assert len(carried[1]) == 0


def test_there_is_no_way_to_pictures_of_another_size() -> None:
    frames = [picture(0), picture(1), picture(2, size=(400, 240)), picture(3, size=(400, 240))]
    assert remembered(frames, [tracks()] * 4).carried(of(0), found(box_at(0)), CLASSES) is None


def test_only_frames_since_the_oldest_run_under_way_are_kept() -> None:
    late, old, new = LateResults(), Future[Outcome](), Future[Outcome]()
    with closing(DetectorRunner("any", FunctionDetector(lambda frame: None))) as runner:
        late.leave(picture(0), {"old": "interval"}, {"old": old})
        late.remember(picture(0), {}, tracks())
        late.leave(picture(1), {"new": "interval"}, {"new": new})
        late.remember(picture(1), {}, tracks())
        old.set_result(Outcome(detections=found()))
        late.take({"old": runner, "new": runner})
        late.remember(picture(2), {}, tracks())
        assert late.carried(of(0), found(box_at(0)), CLASSES) is None
        assert late.carried(of(1), found(box_at(1)), CLASSES) is not None
        new.set_result(Outcome(detections=found()))
        late.take({"old": runner, "new": runner})
        late.remember(picture(3), {}, tracks())
    assert late.carried(of(1), found(box_at(1)), CLASSES) is None
