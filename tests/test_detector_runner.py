from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import numpy as np
import pytest

from hybridtrack.detector_runner import MAX_FAILURES, DetectorRunner, Outcome, run_class_ids
from hybridtrack.detectors.function import FunctionDetector
from hybridtrack.errors import DetectorError
from hybridtrack.types import ClassInfo, Detections, Frame

HAND = ClassInfo(name="hand", role="hand")
MUG = ClassInfo(name="mug")
BOX = (10.0, 20.0, 30.0, 50.0)


def frame_of(index: int = 0) -> Frame:
    return Frame.from_array(np.zeros((60, 80, 3), np.uint8), index=index)


def found(xyxy: Any = (BOX,), score: Any = (0.9,), class_id: Any = (0,)) -> Detections:
    return Detections(xyxy=np.array(xyxy), score=np.array(score), class_id=np.array(class_id))


@pytest.fixture(params=[True, False], ids=["in a thread", "without a thread"])
def run_all(request: pytest.FixtureRequest) -> Iterator[Callable[..., list[Outcome]]]:
    """Run a function as a detector on ``count`` frames one after the other; leave the runner in ``run_all.runner``."""

    def run(function: Callable[[Frame], Any], count: int = 1) -> list[Outcome]:
        runner = DetectorRunner("mine", FunctionDetector(function, (HAND,)), in_thread=request.param)
        with closing(runner):
            outcomes = [runner.wait(runner.submit(frame_of(index))) for index in range(count)]
        run.runner = runner  # type: ignore[attr-defined]
        return outcomes

    return run


def test_detections_arrive_with_the_time_that_they_took(run_all: Callable[..., list[Outcome]]) -> None:
    (outcome,) = run_all(lambda frame: found())
    assert outcome.detections is not None
    assert outcome.detections.xyxy.tolist() == [list(BOX)]
    assert outcome.classes == (HAND,)
    assert outcome.error == ""
    assert outcome.ms > 0


def test_nothing_found_is_no_failure(run_all: Callable[..., list[Outcome]]) -> None:
    outcomes = run_all(lambda frame: Detections.empty(), MAX_FAILURES + 2)
    assert [len(outcome.detections) for outcome in outcomes if outcome.detections is not None] == [0] * 7
    assert (run_all.runner.failures, run_all.runner.note) == (0, None)  # type: ignore[attr-defined]


def raise_value_error(frame: Frame) -> Any:
    raise ValueError("two\nlines")


def leave_the_program(frame: Frame) -> Any:
    raise SystemExit(3)


class Panic(BaseException):
    """What a panic in a Rust extension arrives as: no Exception."""


def panic(frame: Frame) -> Any:
    raise Panic("in Rust")


@pytest.mark.parametrize(
    ("function", "rule"),
    [
        (raise_value_error, "frame 0: ValueError: two lines"),
        (leave_the_program, "frame 0: SystemExit: 3"),
        (panic, "frame 0: Panic: in Rust"),
        (lambda frame: found(xyxy=[(1, 2, np.nan, 4)]), "a box that is not finite"),
        (lambda frame: found(xyxy=[(1, 2, np.inf, 4)]), "a box that is not finite"),
        (lambda frame: found(xyxy=[(30, 20, 10, 50)]), "a box without area: expected x2 > x1 and y2 > y1"),
        (lambda frame: found(xyxy=[(10, 20, 10, 50)]), "a box without area"),
        (lambda frame: found(score=[1.5]), "a score outside 0..1"),
        (lambda frame: found(score=[-0.1]), "a score outside 0..1"),
        (lambda frame: found(score=[np.nan]), "a score outside 0..1"),
        (lambda frame: found(class_id=[1]), "a class_id outside its 1 classes"),
        (lambda frame: found(class_id=[-1]), "a class_id outside its 1 classes"),
        (lambda frame: found(xyxy=[(1, 2, 3)]), "ValueError: xyxy has shape (1, 3), expected (-1, 4)"),
        (lambda frame: found(score=[0.9, 0.8]), "ValueError: score has shape (2,), expected (1,)"),
        (lambda frame: "no boxes", "ValueError"),
        (lambda frame: [(1, 2, 3, 4, 5)], "ValueError"),
    ],
)
def test_run_that_breaks_the_contract_did_not_happen_and_says_why(
    run_all: Callable[..., list[Outcome]], function: Callable[[Frame], Any], rule: str
) -> None:
    (outcome,) = run_all(function)
    assert outcome.detections is None
    assert rule in outcome.error
    assert "\n" not in outcome.error
    assert run_all.runner.note.startswith("detector 'mine' failed on 1 frame: frame 0: ")  # type: ignore[attr-defined]


def test_detector_that_returns_no_detections_is_named_by_type() -> None:
    class Odd(FunctionDetector):
        def detect(self, frame: Frame, region_xyxy: Any = None) -> Any:
            return [BOX]

    with closing(DetectorRunner("odd", Odd(found))) as runner:
        outcome = runner.wait(runner.submit(frame_of()))
    assert outcome.error == ("frame 0: DetectorError: gave list, expected Detections (empty when nothing was found)")


def test_interruption_is_the_users_own_but_in_a_thread_of_the_detector() -> None:
    def interrupt(frame: Frame) -> Any:
        raise KeyboardInterrupt

    with closing(DetectorRunner("mine", FunctionDetector(interrupt))) as runner:
        assert runner.wait(runner.submit(frame_of())).error == "frame 0: KeyboardInterrupt"
    with (
        closing(DetectorRunner("mine", FunctionDetector(interrupt), in_thread=False)) as runner,
        pytest.raises(KeyboardInterrupt),
    ):
        runner.submit(frame_of())


def test_classes_that_are_none_are_named() -> None:
    detector = FunctionDetector(lambda frame: found(), (HAND,))
    with closing(DetectorRunner("mine", detector)) as runner:
        detector.classes = ("hand",)  # type: ignore[assignment]
        outcome = runner.wait(runner.submit(frame_of()))
    assert outcome.error == "frame 0: DetectorError: classes is ('hand',), expected a tuple of ClassInfo"


def test_note_names_the_distribution_that_a_detector_comes_from() -> None:
    with closing(DetectorRunner("mug", FunctionDetector(raise_value_error), origin="table-mugs 1.2")) as runner:
        runner.wait(runner.submit(frame_of()))
    assert runner.note == "detector 'mug' (table-mugs 1.2) failed on 1 frame: frame 0: ValueError: two lines"


@pytest.mark.parametrize("in_thread", [True, False])
@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (raise_value_error, ValueError, "^two\nlines$"),
        (leave_the_program, SystemExit, "^3$"),
        (
            lambda frame: found(score=[1.5]),
            DetectorError,
            r"^detector 'mug' \(table-mugs 1\.2\), frame 0: gave a score outside 0\.\.1; mend it$",
        ),
    ],
)
def test_strict_mode_raises_what_a_run_raised(
    in_thread: bool, function: Callable[[Frame], Any], error: type[BaseException], message: str
) -> None:
    detector = FunctionDetector(function, (HAND,))
    runner = DetectorRunner("mug", detector, origin="table-mugs 1.2", in_thread=in_thread, is_strict=True)
    with closing(runner), pytest.raises(error, match=message):
        runner.wait(runner.submit(frame_of()))


def test_failures_in_a_row_take_a_detector_out(run_all: Callable[..., list[Outcome]]) -> None:
    outcomes = run_all(raise_value_error, MAX_FAILURES)
    runner = run_all.runner  # type: ignore[attr-defined]
    assert [outcome.detections for outcome in outcomes] == [None] * MAX_FAILURES
    assert runner.is_out
    assert runner.note == (
        f"detector 'mine' failed on {MAX_FAILURES} frames and was left out from then on: "
        f"frame {MAX_FAILURES - 1}: ValueError: two lines"
    )


def test_a_run_that_succeeds_in_between_keeps_a_detector_in(run_all: Callable[..., list[Outcome]]) -> None:
    def mostly_fails(frame: Frame) -> Any:
        return found() if frame.index % MAX_FAILURES == MAX_FAILURES - 1 else raise_value_error(frame)

    outcomes = run_all(mostly_fails, 3 * MAX_FAILURES)
    runner = run_all.runner  # type: ignore[attr-defined]
    assert sum(outcome.detections is not None for outcome in outcomes) == 3
    assert (runner.failures, runner.is_out) == (3 * (MAX_FAILURES - 1), False)


def test_detector_is_called_from_one_thread_alone() -> None:
    threads = set()

    class Watched(FunctionDetector):
        def detect(self, frame: Frame, region_xyxy: Any = None) -> Detections:
            threads.add(threading.current_thread())
            return Detections.empty()

        def reset(self) -> None:
            threads.add(threading.current_thread())

        def close(self) -> None:
            threads.add(threading.current_thread())

    with closing(DetectorRunner("watched", Watched(found))) as runner:
        runner.reset()
        for outcome in [runner.submit(frame_of(index)) for index in range(5)]:
            runner.wait(outcome)
        runner.reset()
    assert len(threads) == 1
    assert threads.isdisjoint({threading.current_thread()})


def test_detector_that_hangs_is_left_behind_and_the_run_is_said_not_to_be_repeatable() -> None:
    answer, calls = threading.Event(), []

    def hang(frame: Frame) -> Detections:
        calls.append(frame.index)
        answer.wait()
        return found()

    runner = DetectorRunner("slow", FunctionDetector(hang), hang_limit_s=0.05)
    outcome = runner.wait(runner.submit(frame_of()))
    assert outcome.detections is None
    assert outcome.error.startswith("no answer within 0.05 s")
    assert runner.is_out
    assert runner.note is not None
    assert runner.note.startswith("detector 'slow' failed on 1 frame and was left out from then on: no answer within")
    assert "not repeatable" in runner.note
    runner.reset()  # another source does not make it answer
    assert runner.is_out
    runner.close()  # comes back although the thread is still waiting
    answer.set()
    assert calls == [0]


def test_detector_that_hangs_in_reset_is_refused() -> None:
    answer = threading.Event()

    class Stuck(FunctionDetector):
        def reset(self) -> None:
            answer.wait()

    runner = DetectorRunner("stuck", Stuck(found), hang_limit_s=0.05)
    with pytest.raises(DetectorError, match=r"^detector 'stuck' hangs: its reset took over 0.05 s; mend it$"):
        runner.reset()
    runner.close()
    answer.set()


def test_detector_that_hangs_in_close_is_left_behind_and_named() -> None:
    answer = threading.Event()

    class Stuck(FunctionDetector):
        def close(self) -> None:
            answer.wait()

    runner = DetectorRunner("stuck", Stuck(found), close_limit_s=1)
    with pytest.raises(DetectorError, match=r"^detector 'stuck' hangs: its close took over 1 s; mend it$"):
        runner.close()
    answer.set()


@pytest.mark.parametrize("in_thread", [True, False])
@pytest.mark.parametrize("method", ["reset", "close"])
def test_detector_that_fails_beside_its_runs_is_named(method: str, in_thread: bool) -> None:
    class Fails(FunctionDetector):
        pass

    def fail(self: object) -> None:
        raise OSError("no such device")

    setattr(Fails, method, fail)
    runner = DetectorRunner("odd", Fails(found), in_thread=in_thread)
    with pytest.raises(DetectorError, match=rf"^detector 'odd' cannot {method}: OSError: no such device; mend it$"):
        getattr(runner, method)()
    if method == "reset":
        runner.close()


def test_a_new_source_gives_a_detector_a_new_chance() -> None:
    fails = True

    def detect(frame: Frame) -> Detections:
        if fails:
            raise ValueError("not yet")
        return found()

    with closing(DetectorRunner("mine", FunctionDetector(detect))) as runner:
        for index in range(MAX_FAILURES):
            runner.wait(runner.submit(frame_of(index)))
        assert runner.is_out
        fails = False
        runner.reset()
        assert (runner.is_out, runner.failures, runner.note) == (False, 0, None)
        assert runner.wait(runner.submit(frame_of())).detections is not None


def test_run_that_nobody_waits_for_is_not_begun() -> None:
    answer, calls = threading.Event(), []

    def detect(frame: Frame) -> Detections:
        calls.append(frame.index)
        answer.wait()
        return found()

    with closing(DetectorRunner("mine", FunctionDetector(detect))) as runner:
        first, second, third = (runner.submit(frame_of(index)) for index in range(3))
        second.cancel()
        answer.set()
        assert runner.wait(first).detections is not None
        assert runner.wait(third).detections is not None
    assert calls == [0, 2]


def test_detector_may_write_to_its_arrays_again() -> None:
    buffer = np.zeros((1, 4), np.float32)

    def detect(frame: Frame) -> Detections:
        buffer[0] = (frame.index, 0, frame.index + 1, 1)
        return Detections(xyxy=buffer, score=np.ones(1, np.float32), class_id=np.zeros(1, np.int32))

    with closing(DetectorRunner("mine", FunctionDetector(detect))) as runner:
        under_way = [runner.submit(frame_of(index)) for index in range(4)]
        outcomes = [runner.wait(one) for one in under_way]
    assert [outcome.detections.xyxy[0, 0] for outcome in outcomes if outcome.detections] == [0, 1, 2, 3]


def test_no_thread_is_left_when_a_runner_is_closed() -> None:
    before = threading.active_count()
    with closing(DetectorRunner("mine", FunctionDetector(lambda frame: [BOX]))) as runner:
        runner.submit(frame_of())
        assert threading.active_count() == before + 1
    assert threading.active_count() == before


def test_class_numbers_are_shared_and_the_list_only_grows() -> None:
    run_classes: list[ClassInfo] = []
    assert run_class_ids((HAND, MUG), run_classes).tolist() == [0, 1]
    assert run_class_ids((MUG, ClassInfo(name="book"), HAND), run_classes).tolist() == [1, 2, 0]
    assert run_class_ids((), run_classes).tolist() == []
    assert [info.name for info in run_classes] == ["hand", "mug", "book"]
