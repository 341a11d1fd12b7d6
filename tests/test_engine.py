from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from hybridtrack.boxes import iou
from hybridtrack.detector_runner import MAX_FAILURES
from hybridtrack.detectors.function import FunctionDetector
from hybridtrack.engine import LOOK_AHEAD, Engine
from hybridtrack.errors import DetectorError, SinkError, SourceError, StopRun, UsageError
from hybridtrack.run import write_run
from hybridtrack.sinks.jsonl import JsonLinesSink
from hybridtrack.sources import open_source
from hybridtrack.sources.live import LiveSource
from hybridtrack.sources.source import RecordedSource
from hybridtrack.types import (
    ArrayPicture,
    ClassInfo,
    Detections,
    DetectorRun,
    Frame,
    FrameResult,
    RunInfo,
    RunSummary,
    Size,
    TrackState,
    VideoInfo,
)

SIZE = (160, 120)
SIDE = 40


def square_at(index: int) -> np.ndarray:
    """Return where the square is on a frame, float32 (1, 4), px: two pixels a frame to the right."""
    left = 10 + 2 * index
    return np.array([[left, 30, left + SIDE, 30 + SIDE]], np.float32)


def pictures(count: int, *, sizes: Sequence[Size] = (SIZE,), shows: bool = True) -> Generator[Frame, None, None]:
    """Yield frames on which a rough square moves over a smooth ground; ``sizes`` are taken in turn by halves."""
    random = np.random.default_rng(0)
    patch = cv2.GaussianBlur(random.integers(0, 256, (SIDE, SIDE, 3), np.uint8), (0, 0), 1)
    for index in range(count):
        width, height = sizes[index * len(sizes) // count]
        picture = np.full((height, width, 3), 90, np.uint8)
        if shows:
            left, top = square_at(index)[0, :2].astype(int)
            picture[top : top + SIDE, left : left + SIDE] = patch
        yield Frame.from_array(picture, index=index, time_s=index / 30)


def generated(count: int = 20, **options: Any) -> RecordedSource:
    frames = pictures(count, **options)
    info = VideoInfo(width_px=SIZE[0], height_px=SIZE[1], fps=Fraction(30), frame_count=count)
    return RecordedSource("generated", info, next(frames), frames)


def square(frame: Frame) -> np.ndarray:
    """A detector that knows where the square is."""
    return square_at(frame.index)


def results_of(engine: Engine, source: RecordedSource, **options: Any) -> list[FrameResult]:
    with closing(engine.run(source, **options)) as results:
        return [result for _, result in results]


def confirmed(result: FrameResult) -> Any:
    return result.tracks[result.tracks.state == TrackState.CONFIRMED]


class Collected:
    """A sink that keeps what it is told."""

    def __init__(self) -> None:
        self.info: RunInfo | None = None
        self.names: list[str] = []
        self.frames: list[int] = []
        self.summary: RunSummary | None = None
        self.closed = 0

    def open(self, info: RunInfo) -> None:
        self.info = info

    def write(self, frame: Frame, result: FrameResult) -> None:
        assert self.info is not None
        self.names += [self.info.classes[class_id].name for class_id in result.tracks.class_id.tolist()]
        self.frames.append(frame.index)

    def close(self, summary: RunSummary | None) -> None:
        self.summary = summary
        self.closed += 1


# --- one frame's way


def test_square_is_followed_on_every_frame_with_one_id() -> None:
    with Engine(detectors=[square], detect_every=3) as engine:
        results = results_of(engine, generated())
    assert [result.frame_index for result in results] == list(range(20))
    assert {tuple(confirmed(result).track_id.tolist()) for result in results} == {(1,)}
    for result in results:
        assert iou(square_at(result.frame_index), confirmed(result).xyxy)[0, 0] > 0.8


def test_detector_that_did_not_run_is_none_and_one_that_found_nothing_is_empty() -> None:
    def nothing(frame: Frame) -> list[Any]:
        return []

    with Engine(detectors=[nothing], detect_every=2) as engine:
        results = results_of(engine, generated(4))
    found = [result.detections["nothing"] for result in results]
    assert [None if one is None else len(one) for one in found] == [0, None, 0, None]
    assert [[run.status for run in result.runs] for result in results] == [["ok"], [], ["ok"], []]


def test_detectors_whose_classes_are_joined_share_their_tracks() -> None:
    def block(frame: Frame) -> Any:
        return square(frame)

    with Engine(detectors=[square, block], identity={"thing": ("square", "block")}, detect_every=2) as engine:
        results = results_of(engine, generated(10))
        assert [(info.name, info.identity) for info in engine.classes] == [("square", "thing"), ("block", "thing")]
    assert {tuple(result.tracks.track_id.tolist()) for result in results} == {(1,)}


def test_identity_of_an_unknown_class_is_refused_and_closes_the_detectors() -> None:
    class Closing:
        classes = (ClassInfo(name="mug"),)
        supports_region = False
        is_closed = False

        def detect(self, frame: Frame, region_xyxy: Any = None) -> Detections:
            return Detections.empty()

        def reset(self) -> None:
            pass

        def close(self) -> None:
            self.is_closed = True

    detector = Closing()
    with pytest.raises(UsageError, match="unknown class 'mgu'; known: mug; did you mean 'mug'"):
        Engine(detectors=[detector], identity={"cup": ("mgu",)})
    assert detector.is_closed


def test_table_of_markers_is_refused_where_no_detector_finds_markers() -> None:
    table = "markers=0,1,2,3:44x32cm"
    with pytest.raises(UsageError, match=r"goes by markers, but what is found is mug: add one of markers"):
        Engine(detectors=[FunctionDetector(lambda _: [], (ClassInfo(name="mug"),))], table=table)
    Engine(detectors=[FunctionDetector(lambda _: [], (ClassInfo(name="marker"),))], table=table).close()


def test_time_cadence_is_counted_in_the_times_of_the_source() -> None:
    with Engine(detectors=[square], detect_every="100ms") as engine:
        results = results_of(engine, generated(10))
    assert [result.frame_index for result in results if result.runs] == [0, 3, 6, 9]


def test_max_frames_ends_a_run_early() -> None:
    with Engine(detectors=[square]) as engine:
        assert len(results_of(engine, generated(), max_frames=7)) == 7
        assert len(results_of(engine, generated(5), max_frames=7)) == 5


def test_ids_begin_at_one_and_are_not_used_again_for_another_source() -> None:
    with Engine(detectors=[square], tracker="hold") as engine:
        first, second = (results_of(engine, generated(6)) for _ in range(2))
    first_ids, second_ids = ({i for result in one for i in result.tracks.track_id.tolist()} for one in (first, second))
    assert min(first_ids) == 1
    assert first_ids.isdisjoint(second_ids)
    with Engine(detectors=[square], tracker="hold") as another:
        assert results_of(another, generated(1))[0].tracks.track_id.tolist() == [1]


@pytest.mark.parametrize("tracker", ["flow", "kalman", "medianflow", "hold"])
def test_stream_that_changes_size_goes_on_with_new_ids(tracker: str) -> None:
    with Engine(detectors=[square], tracker=tracker, detect_every=3) as engine:
        results = results_of(engine, generated(12, sizes=[SIZE, (200, 100)]))
    ids = [set(confirmed(result).track_id.tolist()) for result in results]
    assert all(len(one) == 1 for one in ids)
    assert set.union(*ids[:6]).isdisjoint(set.union(*ids[6:]))
    assert [result.frame_index for result in results] == list(range(12))


def test_reduced_size_leaves_boxes_in_source_pixels() -> None:
    seen: list[tuple[Size, tuple[int, ...]]] = []

    def sees(frame: Frame) -> np.ndarray:
        seen.append((frame.size_px, frame.rgb((80, 60)).shape))
        return square_at(frame.index)

    with Engine(detectors=[sees], size=(80, 60), detect_every=3) as engine:
        results = results_of(engine, generated())
    assert seen[0] == (SIZE, (60, 80, 3))
    for result in results:
        assert iou(square_at(result.frame_index), confirmed(result).xyxy)[0, 0] > 0.7


def test_reduced_size_hides_what_is_smaller_than_its_pixels() -> None:
    board = np.indices((64, 64)).sum(0) % 2 * 255
    frame = Frame.from_array(board.astype(np.uint8)).reduced((8, 8))
    assert np.ptp(frame.gray()) <= 1
    assert frame.size_px == (64, 64)


@pytest.mark.parametrize("is_overlapped", [True, False])
def test_two_detectors_share_the_classes_of_the_run(is_overlapped: bool) -> None:
    hand, mug = ClassInfo(name="hand", role="hand"), ClassInfo(name="mug")

    class Second(FunctionDetector):
        pass

    def one_hand(frame: Frame) -> Detections:
        return Detections(xyxy=square_at(frame.index), score=[0.9], class_id=[1])

    first = FunctionDetector(lambda frame: square_at(frame.index) + 60, (hand,))
    second = Second(one_hand, (mug, hand))
    with Engine(detectors=[first, second], detect_every=1, overlap=is_overlapped) as engine:
        result = results_of(engine, generated(3))[-1]
        assert [info.name for info in engine.classes] == ["hand", "mug"]
    assert {engine.classes[i].name for i in result.tracks.class_id.tolist()} == {"hand"}
    assert [found.class_id.tolist() for found in result.detections.values() if found is not None] == [[0], [0]]
    assert len(confirmed(result)) == 2


class Growing(FunctionDetector):
    """Names a new class on every frame."""

    open_classes = True

    def __init__(self) -> None:
        super().__init__(lambda frame: None, (ClassInfo(name="class 0"),))

    def detect(self, frame: Frame, region_xyxy: Any = None) -> Detections:
        while len(self.classes) <= frame.index:
            self.classes += (ClassInfo(name=f"class {len(self.classes)}"),)
        return Detections(xyxy=square_at(frame.index), score=[0.9], class_id=[frame.index])


@pytest.mark.parametrize("is_overlapped", [True, False])
def test_classes_that_come_up_during_the_run_have_their_names_in_every_sink(
    tmp_path: Path, is_overlapped: bool
) -> None:
    path, collected = tmp_path / "tracks.jsonl", Collected()
    with Engine(detectors=[Growing()], tracker="none", detect_every=1, overlap=is_overlapped) as engine:
        write_run(engine, generated(6), [JsonLinesSink(path, with_detections=True), collected])
    header, *frames, _ = map(json.loads, path.read_text().splitlines())
    assert header["open_classes"] is True
    assert [row["name"] for row in header["classes"]] == ["class 0"]
    names = [f"class {index}" for index in range(6)]
    assert [frame["detections"]["Growing"][0]["class"] for frame in frames] == names
    assert [frame["tracks"][0]["class"] for frame in frames] == collected.names == names


# --- overlap


def lines_without_timings(path: Path) -> list[bytes | dict[str, Any]]:
    """Return all lines as they are; of the summary what is not a measured time."""
    *lines, last = path.read_bytes().splitlines(keepends=True)
    summary = json.loads(last)
    for key in ("seconds", "fps", "stage_ms"):
        del summary[key]
    return [*lines, summary]


@pytest.mark.parametrize("detect_every", [1, 3, 10, "100ms", "auto", "auto/5:max=500ms"])
@pytest.mark.parametrize("tracker", ["flow", "kalman", "hold"])
def test_threads_change_no_byte_of_the_result(
    tmp_path: Path, table_clip: Path, tracker: str, detect_every: int | str
) -> None:
    written = []
    for is_overlapped in (False, True):
        path = tmp_path / "tracks.jsonl"
        with (
            open_source(str(table_clip), start_s=1) as source,
            Engine(tracker=tracker, detect_every=detect_every, overlap=is_overlapped) as engine,
        ):
            write_run(engine, source, [JsonLinesSink(path, with_detections=True)], max_frames=21)
        written.append(lines_without_timings(path))
    assert len(written[0]) == 23
    assert any(b'"id":1' in line for line in written[0] if isinstance(line, bytes))
    assert written[0] == written[1]


def test_threads_change_no_byte_of_two_detectors_of_which_one_looks_as_needed(tmp_path: Path, table_clip: Path) -> None:
    detectors = ["hand,every=3", f"replay,path={table_clip.with_suffix('')},every=auto"]
    written = []
    for is_overlapped in (False, True):
        path = tmp_path / "tracks.jsonl"
        with open_source(str(table_clip)) as source, Engine(detectors=detectors, overlap=is_overlapped) as engine:
            write_run(engine, source, [JsonLinesSink(path, with_detections=True)], max_frames=60)
        written.append(lines_without_timings(path))
    triggers = {run["trigger"] for line in written[0][1:-1] for run in json.loads(line)["runs"]}  # type: ignore[arg-type]
    assert len(triggers) > 1
    assert written[0] == written[1]


@pytest.mark.parametrize("detect_every", [1, "auto"])
def test_detectors_look_at_a_frame_side_by_side(detect_every: int | str) -> None:
    meeting = threading.Barrier(2)

    def first(frame: Frame) -> np.ndarray:
        meeting.wait(30)  # goes on once the other one looks too, and raises when it never does
        return square_at(frame.index)

    def second(frame: Frame) -> list[Any]:
        meeting.wait(30)
        return []

    with Engine(detectors=[first, second], detect_every=detect_every) as engine:
        results = results_of(engine, generated(3))
        assert engine.failures == {}
    assert [run.detector for run in results[0].runs] == ["first", "second"]


def test_automatic_detector_goes_by_the_tracks_of_the_frame_before() -> None:
    hand = ClassInfo(name="hand", role="hand")

    def hand_from_5_on(frame: Frame) -> np.ndarray:
        return square_at(frame.index) if frame.index >= 5 else np.empty((0, 4))

    with Engine(detectors=[FunctionDetector(hand_from_5_on, (hand,))], detect_every="auto") as engine:
        results = results_of(engine, generated(20))
    assert {result.frame_index: result.runs[0].trigger for result in results if result.runs} == {
        0: "entry",
        4: "motion",  # the square has gone far enough to be seen; the detector does not know it yet
        8: "motion",  # in vain, so it was let be; now the hand is found, and well
    }


@pytest.mark.parametrize("is_overlapped", [True, False])
def test_detector_that_keeps_failing_is_left_out_at_the_same_frame_with_and_without_threads(
    is_overlapped: bool,
) -> None:
    def fails_from_4_on(frame: Frame) -> np.ndarray:
        if frame.index >= 4:
            raise RuntimeError("lens is dirty")
        return square_at(frame.index)

    collected = Collected()
    with Engine(detectors=[fails_from_4_on], detect_every=2, overlap=is_overlapped) as engine:
        results = results_of(engine, generated(40))
        summary = write_run(engine, generated(40), [collected])
    statuses = {result.frame_index: result.runs[0].status for result in results if result.runs}
    assert statuses == {0: "ok", 2: "ok"} | {4 + 2 * failure: "failed" for failure in range(MAX_FAILURES)}
    assert all(result.detections["fails_from_4_on"] is None for result in results[3:])
    assert summary.failures == {"fails_from_4_on": MAX_FAILURES}  # of this run, not of the one before
    assert summary.detector_runs == {"fails_from_4_on": 2}
    assert summary.complete
    assert summary.notes == (
        "detector 'fails_from_4_on' failed on 5 frames and was left out from then on: "
        "frame 12: RuntimeError: lens is dirty",
    )
    assert collected.summary == summary


# --- live


class Slow:
    """A detector that knows where the square is, and tells it only when it may."""

    def __init__(self) -> None:
        self.may_tell = threading.Event()
        self.looked_at: list[int] = []

    def __call__(self, frame: Frame) -> np.ndarray:
        self.looked_at.append(frame.index)
        assert self.may_tell.wait(60)
        return square_at(min(frame.index, LAST_MOVE))


LAST_MOVE = 40  #: frame from which the square rests, so that a test can wait for what comes


def endless() -> RecordedSource:
    """Return frames without end: waiting for a thread is taking frames until it has done its work."""

    def frames() -> Generator[Frame, None, None]:
        moving = list(pictures(LAST_MOVE + 1))
        yield from moving
        for index in count(LAST_MOVE + 1):
            yield Frame.from_array(moving[-1].bgr(), index=index, time_s=index / 30)

    made = frames()
    return RecordedSource("endless", VideoInfo(width_px=SIZE[0], height_px=SIZE[1]), next(made), made)


def named(function: Callable[[Frame], Any], name: str) -> FunctionDetector:
    """Return a detector of squares that is called ``name`` in the run."""
    kind = type(name, (FunctionDetector,), {})
    made: FunctionDetector = kind(function, (ClassInfo(name="square"),))
    return made


@pytest.mark.parametrize("is_overlapped", [True, False])
@pytest.mark.parametrize("arrival", [6, 25])
def test_late_result_joins_the_track_that_is_there_at_the_place_of_the_present_frame(
    arrival: int, is_overlapped: bool
) -> None:
    slow = Slow()
    detectors = [named(square, "fast"), named(slow, "slow")]
    late = []
    with Engine(detectors=detectors, detect_every=1000, live=True, overlap=is_overlapped) as engine:
        with closing(engine.run(endless())) as results:
            for _, result in results:
                if result.frame_index == arrival:
                    slow.may_tell.set()
                late = [run for run in result.runs if run.detector == "slow"]
                if late:
                    break
        assert engine.notes[-1].startswith("live: ")
    assert slow.looked_at == [0]
    assert [(run.status, run.frame_index, run.trigger) for run in late] == [("late", 0, "interval")]
    assert result.frame_index > arrival
    (found,) = [one for name, one in result.detections.items() if name == "slow"]
    assert found is not None
    np.testing.assert_allclose(found.xyxy, square_at(0))  # as it was found
    assert confirmed(result).track_id.tolist() == [1]
    assert iou(square_at(min(result.frame_index, LAST_MOVE)), confirmed(result).xyxy)[0, 0] > 0.7


def test_late_result_of_something_new_begins_a_track_at_the_place_of_the_present_frame() -> None:
    slow = Slow()
    with Engine(detectors=[slow], detect_every=1000, live=True) as engine, closing(engine.run(endless())) as results:
        for _, result in results:
            if result.frame_index == 20:
                slow.may_tell.set()
            if result.runs:
                break
            assert len(result.tracks) == 0
    assert result.frame_index > 20
    assert confirmed(result).track_id.tolist() == [1]
    assert iou(square_at(min(result.frame_index, LAST_MOVE)), confirmed(result).xyxy)[0, 0] > 0.7


def test_slow_detector_does_not_stall_the_others_and_is_not_asked_again_before_it_has_told() -> None:
    slow = Slow()
    detectors = [named(square, "fast"), named(slow, "slow")]
    seen: list[DetectorRun] = []
    with Engine(detectors=detectors, detect_every=3, live=True) as engine, closing(engine.run(endless())) as results:
        for _, result in results:
            seen += result.runs
            if len(seen) == 10:
                break
        assert {run.detector for run in seen} == {"fast"}
        assert {run.status for run in seen} <= {"ok", "late"}  # a machine may be too busy to be in time
        assert slow.looked_at == [0]
        slow.may_tell.set()
        while len(slow.looked_at) == 1:
            next(results)
    assert slow.looked_at[1] > 20


@pytest.mark.usefixtures("no_thread_is_left")
def test_closing_does_not_wait_for_what_is_under_way() -> None:
    slow = Slow()
    with Engine(detectors=[slow], detect_every=1, live=True) as engine:
        results = engine.run(endless())
        for _ in range(5):
            next(results)
        results.close()
        assert not slow.may_tell.is_set()  # though it has not told yet
        slow.may_tell.set()
    assert slow.looked_at == [0]


def test_live_run_counts_late_results_and_says_that_it_is_not_repeatable() -> None:
    slow, collected = Slow(), Collected()

    def release(result: FrameResult) -> None:
        slow.may_tell.set()
        if result.runs:
            raise StopRun("it has told")

    with Engine(detectors=[slow], detect_every=1000, live=True) as engine:
        summary = write_run(engine, endless(), [collected], on_frame=release)
    assert summary.detector_runs == {"Slow": 1}
    assert [note.startswith("live: 1 result of a detector came late") for note in summary.notes] == [True, False]
    assert "not repeatable" in summary.notes[0]


def test_late_failure_is_told_as_one_and_leaves_the_tracks_alone() -> None:
    may_fail = threading.Event()

    def fails(frame: Frame) -> Any:
        assert may_fail.wait(60)
        raise RuntimeError("lens is dirty")

    with Engine(detectors=[named(square, "fast"), fails], detect_every=1000, live=True) as engine:
        with closing(engine.run(endless())) as results:
            for _, result in results:
                if result.frame_index == 4:
                    may_fail.set()
                if [run for run in result.runs if run.detector == "fails"]:
                    break
        assert engine.failures == {"fails": 1}
    assert [(run.status, run.frame_index) for run in result.runs] == [("failed", None)]
    assert confirmed(result).track_id.tolist() == [1]


@pytest.mark.usefixtures("no_thread_is_left")
def test_camera_is_read_live() -> None:
    with LiveSource("camera", pictures(30)) as source, Engine(detectors=[square], live=True) as engine:
        summary = write_run(engine, source, [])
    assert summary.complete
    assert summary.frames + summary.dropped == 30


# --- ends, in order and not


@pytest.fixture
def no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = [thread.name for thread in threading.enumerate() if thread not in before]
    assert [name for name in left if name.startswith("hybridtrack")] == []


@pytest.mark.usefixtures("no_thread_is_left")
@pytest.mark.parametrize("after", [*range(1, 8), 2 * LOOK_AHEAD])
def test_breaking_out_of_the_loop_ends_all_threads(table_clip: Path, after: int) -> None:
    with Engine(detectors=[square], tracker="hold") as engine:
        for _ in range(3):
            with open_source(str(table_clip)) as source, closing(engine.run(source)) as results:
                for number, _ in enumerate(results, 1):
                    if number == after:
                        break


@pytest.mark.usefixtures("no_thread_is_left")
def test_closing_early_does_not_wait_for_detections_that_were_not_begun() -> None:
    goes_on, begun = threading.Event(), []

    def waits(frame: Frame) -> np.ndarray:
        begun.append(frame.index)
        if frame.index == 1:
            goes_on.wait()
        return square_at(frame.index)

    with Engine(detectors=[waits], detect_every=1) as engine:
        results = engine.run(generated(30))
        next(results)  # by then the frames of the look-ahead are under way
        results.close()
        goes_on.set()
    assert begun == [0, 1]


class Fails:
    """A sink that fails in one of its calls."""

    def __init__(self, call: str, error: Exception) -> None:
        self._call, self._error = call, error

    def _maybe(self, call: str) -> None:
        if call == self._call:
            raise self._error

    def open(self, info: RunInfo) -> None:
        self._maybe("open")

    def write(self, frame: Frame, result: FrameResult) -> None:
        if frame.index == 5:
            self._maybe("write")

    def close(self, summary: RunSummary | None) -> None:
        self._maybe("close")


@pytest.mark.usefixtures("no_thread_is_left")
@pytest.mark.parametrize("error", [SinkError("disk is full"), ZeroDivisionError("a bug")])
@pytest.mark.parametrize(("call", "is_told"), [("open", False), ("write", True), ("close", True)])
@pytest.mark.parametrize("is_overlapped", [True, False])
def test_sink_that_fails_does_not_keep_others_from_closing(
    error: Exception, call: str, is_told: bool, is_overlapped: bool
) -> None:
    before, after = Collected(), Collected()
    with Engine(detectors=[square], overlap=is_overlapped) as engine, pytest.raises(type(error)):
        write_run(engine, generated(), [before, Fails(call, error), after])
    assert before.closed == 1
    assert (before.summary is not None) is is_told
    assert after.closed == (call != "open")
    if before.summary is not None:
        assert before.summary.complete is (call == "close")
    if before.summary is not None and isinstance(error, SinkError):
        assert before.frames == after.frames == list(range(before.summary.frames))


def test_sink_that_fails_is_heard_before_one_that_asks_to_stop() -> None:
    sinks = [Fails("write", StopRun("window closed")), Fails("write", SinkError("disk is full"))]
    with Engine(detectors=[square]) as engine, pytest.raises(SinkError, match=r"^disk is full$"):
        write_run(engine, generated(), sinks)


def test_sink_may_stop_the_run_once_all_have_the_frame() -> None:
    before, after = Collected(), Collected()
    with Engine(detectors=[square]) as engine:
        summary = write_run(engine, generated(), [before, Fails("write", StopRun("window closed")), after])
    assert (summary.complete, summary.notes, summary.frames) == (False, ("stopped: window closed",), 6)
    assert before.frames == after.frames == list(range(6))


@pytest.mark.parametrize("is_overlapped", [True, False])
def test_run_that_ends_early_has_the_notes_of_what_it_read(
    table_clip: Path, tmp_path: Path, is_overlapped: bool
) -> None:
    raw = tmp_path / "raw.h264"  # a format without timestamps
    with av.open(str(table_clip)) as clip, av.open(str(raw), "w") as container:
        stream = container.add_stream_from_template(clip.streams.video[0])
        for packet in clip.demux(clip.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                container.mux(packet)
    with open_source(str(raw)) as source, Engine(detectors=[square], overlap=is_overlapped) as engine:
        summary = write_run(engine, source, [], max_frames=3)
    assert (summary.frames, summary.complete) == (3, True)
    assert summary.notes == ("timestamps: 3 frames without a timestamp: frame intervals counted instead",)


def test_camera_that_fails_leaves_a_run_that_is_not_complete() -> None:
    taken = threading.Event()

    def breaks() -> Generator[Frame, None, None]:
        yield from pictures(1)
        taken.wait()
        raise SourceError("the cable is out")

    class Takes(Collected):
        def write(self, frame: Frame, result: FrameResult) -> None:
            super().write(frame, result)
            taken.set()

    collected = Takes()
    with (
        LiveSource("camera", breaks()) as source,
        Engine(detectors=[square]) as engine,
        pytest.raises(SourceError, match=r"^the cable is out$"),
    ):
        write_run(engine, source, [collected])
    assert collected.frames == [0]
    assert collected.summary is not None
    assert (collected.summary.frames, collected.summary.complete) == (1, False)
    assert collected.summary.notes == ("the cable is out",)


def test_wait_for_a_camera_is_no_time_of_decoding() -> None:
    with LiveSource("camera", pictures(3)) as source, Engine(detectors=[square]) as engine:
        stages = write_run(engine, source, []).stage_ms
    assert set(stages) == {"convert", "detect", "track", "associate", "relate", "write"}


class SelfTimed(ArrayPicture):
    """Knows how long making its pixels took, in all."""

    made_s = 0.0

    def rgb(self, size: Size) -> np.ndarray:
        start_s = time.perf_counter()
        pixels = super().rgb(size)
        self.made_s += time.perf_counter() - start_s
        return pixels


@pytest.mark.parametrize("is_overlapped", [True, False])
@pytest.mark.parametrize("size", [None, (32, 24)])
def test_pixels_for_a_detector_are_time_of_converting(size: Size | None, is_overlapped: bool) -> None:
    picture = SelfTimed(np.zeros((480, 640, 3), np.uint8))

    def look(frame: Frame) -> np.ndarray:
        frame.rgb((300, 300))
        return np.empty((0, 4))

    source = RecordedSource(
        "one", VideoInfo(width_px=640, height_px=480), Frame(picture), (one for one in list[Frame]())
    )
    with Engine(detectors=[look], size=size, relations=(), overlap=is_overlapped) as engine:
        ((_, result),) = engine.run(source)
    assert [run.status for run in result.runs] == ["ok"]
    assert picture.made_s > 0
    assert result.stage_ms["convert"] >= picture.made_s * 1000
    assert min(result.stage_ms.values()) >= 0


@pytest.mark.usefixtures("no_thread_is_left")
@pytest.mark.parametrize("is_overlapped", [True, False])
def test_source_that_breaks_off_gives_the_frames_before_it(is_overlapped: bool) -> None:
    def breaks() -> Iterator[Frame]:
        yield from pictures(6)
        raise SourceError("the cable is out")

    frames = breaks()
    source = RecordedSource("breaks", VideoInfo(width_px=160, height_px=120), next(frames), frames)  # type: ignore[arg-type]
    collected = Collected()
    with Engine(detectors=[square], overlap=is_overlapped) as engine, pytest.raises(SourceError, match="cable"):
        write_run(engine, source, [collected])
    assert collected.frames == list(range(6))
    assert collected.summary is not None
    assert (collected.summary.frames, collected.summary.complete) == (6, False)


def interrupts(frame: int, how: Callable[[], None]) -> Any:
    class Interrupts(Collected):
        def write(self, picture: Frame, result: FrameResult) -> None:
            super().write(picture, result)
            if picture.index == frame:
                how()

    return Interrupts()


@pytest.mark.usefixtures("no_thread_is_left")
def test_interrupt_between_two_sinks_lets_both_have_the_frame() -> None:
    import signal

    first, last = interrupts(4, lambda: signal.raise_signal(signal.SIGINT)), Collected()
    with Engine(detectors=[square]) as engine, pytest.raises(KeyboardInterrupt):
        write_run(engine, generated(), [first, last])
    assert first.frames == last.frames == list(range(5))
    assert first.summary is not None
    assert first.summary is last.summary
    assert (first.summary.frames, first.summary.complete) == (5, False)


@pytest.mark.usefixtures("no_thread_is_left")
def test_interrupt_while_sinks_are_opened_leaves_each_with_a_summary() -> None:
    import signal

    class Interrupts(Collected):
        def open(self, info: RunInfo) -> None:
            super().open(info)
            signal.raise_signal(signal.SIGINT)

    first, last = Interrupts(), Collected()
    with Engine(detectors=[square]) as engine, pytest.raises(KeyboardInterrupt):
        write_run(engine, generated(), [first, last])
    assert last.info is not None
    assert first.summary is not None
    assert first.summary is last.summary
    assert (first.summary.frames, first.summary.complete) == (0, False)


@pytest.mark.usefixtures("no_thread_is_left")
def test_second_interrupt_breaks_into_a_sink() -> None:
    import signal

    def twice() -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    first, last = interrupts(4, twice), Collected()
    with Engine(detectors=[square]) as engine, pytest.raises(KeyboardInterrupt):
        write_run(engine, generated(), [first, last])
    assert (first.frames, last.frames) == ([0, 1, 2, 3, 4], [0, 1, 2, 3])
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.usefixtures("no_thread_is_left")
def test_run_in_a_thread_of_its_own_is_written_whole() -> None:
    collected = Collected()

    def run() -> None:
        with Engine(detectors=[square]) as engine:
            write_run(engine, generated(), [collected])

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert collected.summary is not None
    assert (collected.summary.frames, collected.summary.complete) == (20, True)


def test_detector_that_cannot_be_closed_is_named_when_all_are_closed() -> None:
    closed = []

    class Odd(FunctionDetector):
        def close(self) -> None:
            raise OSError("stuck")

    class Tidy(FunctionDetector):
        def close(self) -> None:
            closed.append(self)

    with pytest.raises(DetectorError, match=r"^detector 'Odd' cannot close: OSError: stuck; mend it$"):  # noqa: SIM117
        with Engine(detectors=[Odd(square), Tidy(square)]) as engine:
            results_of(engine, generated(3))
    assert len(closed) == 1


def test_engine_is_closed_twice_without_harm() -> None:
    engine = Engine(detectors=[square])
    engine.close()
    engine.close()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"detect_every": 0}, "cadence 0 is no cadence"),
        ({"detect_every": "often"}, "cadence 'often' is no cadence"),
        ({"detect_every": 1.5}, "cadence 1.5 is no cadence"),
        ({"tracker": "flwo"}, "unknown tracker 'flwo'"),
        ({"detectors": ["hnad"]}, "unknown detector 'hnad'"),
    ],
)
def test_engine_refuses_what_it_cannot_do(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Engine(**options)
