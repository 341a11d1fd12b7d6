"""One detector at work: its thread, the check of its results, and what happens when it fails."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent import futures
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from hybridtrack.errors import DetectorError, one_line
from hybridtrack.hookspecs import Detector
from hybridtrack.sources.source import WAIT_SLICE_S
from hybridtrack.types import Array, ClassInfo, Detections, Frame

HANG_LIMIT_S = 30.0  #: how long a run may take before the detector counts as hung
CLOSE_LIMIT_S = 5.0  #: how long a detector may take to end what it does and to close; then it is left behind
MAX_FAILURES = 5  #: runs that may fail in a row; after that the detector is not asked any more


def check_detections(found: object, class_count: int) -> Detections:
    """Return ``found`` when it keeps the contract of ``Detections``. Raises DetectorError naming the rule it broke."""
    if not isinstance(found, Detections):
        raise DetectorError(f"gave {type(found).__name__}, expected Detections (empty when nothing was found)")
    if not np.isfinite(found.xyxy).all():
        raise DetectorError("gave a box that is not finite")
    if not (found.xyxy[:, 2:] > found.xyxy[:, :2]).all():
        raise DetectorError("gave a box without area: expected x2 > x1 and y2 > y1")
    if not ((found.score >= 0) & (found.score <= 1)).all():
        raise DetectorError("gave a score outside 0..1")
    if not ((found.class_id >= 0) & (found.class_id < class_count)).all():
        raise DetectorError(f"gave a class_id outside its {class_count} classes")
    return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """What became of one run: ``detections`` is None when it failed, and ``error`` says why.

    classes: those that the detector had by then, which ``detections.class_id`` counts into.
    """

    detections: Detections | None
    classes: tuple[ClassInfo, ...] = ()
    error: str = ""
    ms: float = 0.0


class DetectorRunner:
    """Runs one detector, always in the same thread, and guards the run against it.

    origin: the distribution that it comes from, for messages. is_strict: what a run raises goes on from ``wait``.

    A detector that raises, or whose result breaks the contract, counts as not run. After ``MAX_FAILURES`` in a row, or
    once it hangs, it is left out for the rest of the run: ``is_out``. A hung thread is a daemon and left behind; where
    there is none (``in_thread=False``), a detector that hangs is waited for.
    """

    def __init__(
        self,
        name: str,
        detector: Detector,
        *,
        origin: str = "",
        in_thread: bool = True,
        hang_limit_s: float = HANG_LIMIT_S,
        close_limit_s: float = CLOSE_LIMIT_S,
        is_strict: bool = False,
    ) -> None:
        self.name = name
        self.detector = detector
        self.failures = 0
        self.is_out = False
        self._origin = origin
        self._is_strict = is_strict
        self._is_hung = False
        self._hang_limit_s = hang_limit_s
        self._close_limit_s = close_limit_s
        self._last_error = ""
        self._in_a_row = 0
        self._calls: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._users_own = () if in_thread else (KeyboardInterrupt,)  # in a thread, a Ctrl-C can only be the detector's
        if in_thread:
            self._thread = threading.Thread(target=self._work, name=f"hybridtrack-detector {name}", daemon=True)
            self._thread.start()

    def __str__(self) -> str:
        return f"detector {self.name!r}" + (f" ({self._origin})" if self._origin else "")

    def reset(self) -> None:
        """Tell the detector that a new source begins, and forget its failures. Raises DetectorError when that fails."""
        if self._is_hung:
            return
        self.failures = self._in_a_row = 0
        self.is_out = False
        done = self._call(self.detector.reset)
        if not self._comes(done):
            self._is_hung = self.is_out = True
            raise DetectorError(f"{self} hangs: its reset took over {self._hang_limit_s:g} s; mend it")
        self._raise_error_of(done, "reset")

    def submit(self, frame: Frame) -> Future[Outcome]:
        """Return the outcome to come of a run on ``frame``."""
        return self._call(partial(self._run, frame))

    def poll(self, future: Future[Outcome], begun_s: float) -> Outcome | None:
        """Return the outcome when it is there or the limit has passed, None before.

        begun_s: when the run was submitted, by ``time.monotonic()``.
        """
        if future.done() or time.monotonic() - begun_s >= self._hang_limit_s:
            return self.wait(future, begun_s=begun_s)
        return None

    def wait(self, future: Future[Outcome], *, begun_s: float | None = None) -> Outcome:
        """Return the outcome when it is there, or a failed one when it takes longer than the limit.

        That counts from ``begun_s``, by ``time.monotonic()``, or from now on. In strict mode it raises what the
        detector raised, or DetectorError for a result that breaks the contract.
        """
        if self._comes(future, begun_s):
            outcome = future.result()
        else:
            self._is_hung = self.is_out = True
            error = f"no answer within {self._hang_limit_s:g} s; how fast it is decides, so this run is not repeatable"
            outcome = Outcome(detections=None, error=error)
        if outcome.error:
            self.failures += 1
            self._in_a_row += 1
            self._last_error = outcome.error
            self.is_out |= self._in_a_row >= MAX_FAILURES
        else:
            self._in_a_row = 0
        return outcome

    def _comes(self, future: Future[Any], begun_s: float | None = None) -> bool:
        """Return whether the result is there within the limit, which counts from now on unless ``begun_s`` says."""
        end_s = (time.monotonic() if begun_s is None else begun_s) + self._hang_limit_s
        while not future.done() and (left_s := end_s - time.monotonic()) > 0:
            futures.wait((future,), min(left_s, WAIT_SLICE_S))
        return future.done()

    @property
    def note(self) -> str | None:
        """What the user should know of failures, one line, or None."""
        if not self.failures:
            return None
        end = " and was left out from then on" if self.is_out else ""
        frames = "1 frame" if self.failures == 1 else f"{self.failures} frames"
        return f"{self} failed on {frames}{end}: {self._last_error}"

    def close(self) -> None:
        """Close the detector and end its thread, unless it hangs. Raises DetectorError when closing fails or hangs."""
        closed = self._call(self.detector.close)
        if self._thread is not None:
            self._calls.put(None)
            self._thread.join(0 if self._is_hung else self._close_limit_s)
        if closed.done():
            self._raise_error_of(closed, "close")
        elif closed.running():
            raise DetectorError(f"{self} hangs: its close took over {self._close_limit_s:g} s; mend it")

    def _raise_error_of(self, done: Future[Any], what: str) -> None:
        error = done.exception()
        if error is not None:
            raise DetectorError(f"{self} cannot {what}: {one_line(error)}; mend it") from error

    def _call(self, function: Callable[[], Any]) -> Future[Any]:
        future: Future[Any] = Future()
        if self._thread is None:
            _settle(future, function, self._users_own)
        else:
            self._calls.put((function, future))
        return future

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            _settle(call[1], call[0], self._users_own)
            del call  # it would keep a frame's pixels until the next one comes

    def _run(self, frame: Frame) -> Outcome:
        start = time.perf_counter()
        try:
            found = self.detector.detect(frame)
            classes = tuple(self.detector.classes)  # after detecting: open classes may have grown
            if not all(isinstance(info, ClassInfo) for info in classes):
                raise DetectorError(f"classes is {classes!r}, expected a tuple of ClassInfo")
            kept = check_detections(found, len(classes)).copy()
        except self._users_own:
            raise
        except BaseException as error:  # the guard against a foreign detector; panics of Rust are no Exception
            if self._is_strict and isinstance(error, DetectorError):
                raise DetectorError(f"{self}, frame {frame.index}: {error}; mend it") from error
            if self._is_strict:
                raise
            return Outcome(detections=None, error=f"frame {frame.index}: {one_line(error)}")
        return Outcome(detections=kept, classes=classes, ms=(time.perf_counter() - start) * 1000)


def _settle(
    future: Future[Any], function: Callable[[], Any], lets_through: tuple[type[BaseException], ...] = ()
) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(function())
    except lets_through:
        raise
    except BaseException as error:  # noqa: BLE001 (raised again where the result is asked for)
        future.set_exception(error)


def run_class_ids(classes: Sequence[ClassInfo], run_classes: list[ClassInfo]) -> Array:
    """Return for each of a detector's ``classes`` its number in the run's list, which grows by those it lacks."""
    numbers = []
    for info in classes:
        if info not in run_classes:
            run_classes.append(info)
        numbers.append(run_classes.index(info))
    return np.array(numbers, np.int32)
