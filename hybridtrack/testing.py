"""The contract of detectors, for the tests of those who write one.

from hybridtrack.testing import check_detector

def test_detector_keeps_the_contract():
    assert check_detector(MyDetector()) == []
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from hybridtrack.detector_runner import HANG_LIMIT_S, DetectorRunner
from hybridtrack.errors import DetectorError
from hybridtrack.hookspecs import Detector
from hybridtrack.types import Array, ClassInfo, Detections, Frame, Size

TOLERANCE_PX = 0.01  #: how far a box may reach out of the picture: rounding of float32


def check_detector(detector: Detector, *, hang_limit_s: float = HANG_LIMIT_S) -> list[str]:
    """Return the rules that ``detector`` breaks on generated frames, one line each; closes it.

    The rules: it offers classes; on pictures of any size, grey or blank, it gives finite boxes with an area inside the
    picture, scores in 0..1, and classes that it has; empty, not None, when it finds nothing; the same again for one
    picture after ``reset``; in another thread than the one that built it, within ``hang_limit_s``; without writing to
    the frame or to standard output.
    """
    with _watched_stdout() as printed:
        broken = _Check(detector, hang_limit_s).broken_rules()
    if printed:
        broken.append("prints to standard output, where results go: use logging, or standard error")
    return broken


def generated_pictures() -> dict[str, Array]:
    """Return pictures of odd kinds by their names, uint8 (H, W, 3) BGR or (H, W) grey."""
    pictures = {f"{width}x{height}": _noise((width, height)) for width, height in SIZES}
    pictures["grey"] = _noise((320, 240))[:, :, 0]
    return pictures | {name: np.full((240, 320, 3), level, np.uint8) for name, level in BLANKS.items()}


SIZES = ((320, 240), (1, 1), (3, 1000), (1000, 3), (1920, 1080))  #: (width, height) of noise
BLANKS = {"black": 0, "mid-grey": 128, "white": 255}


def _noise(size: Size, seed: int = 0) -> Array:
    return np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)


@dataclass(slots=True)
class _Check:
    """One detector's examination: every rule with the names of the pictures on which it was broken."""

    detector: Detector
    hang_limit_s: float
    broken: dict[str, list[str]] = field(default_factory=dict)

    def broken_rules(self) -> list[str]:
        self._check_classes()
        runner = DetectorRunner("checked", self.detector, hang_limit_s=self.hang_limit_s)
        try:
            self._check_pictures(runner)
        except DetectorError as error:  # of reset
            self._note(str(error).removeprefix("detector 'checked' "))
        try:
            runner.close()
        except DetectorError as error:
            self._note(str(error).removeprefix("detector 'checked' "))
        return [f"{rule} (on {', '.join(names)})" if names else rule for rule, names in self.broken.items()]

    def _note(self, rule: str, picture: str = "") -> None:
        names = self.broken.setdefault(rule, [])
        if picture and picture not in names:
            names.append(picture)

    def _check_classes(self) -> None:
        classes = self.detector.classes
        if not isinstance(classes, tuple) or not all(isinstance(info, ClassInfo) for info in classes):
            self._note(f"classes is {classes!r}, expected a tuple of ClassInfo")
        elif not classes and not getattr(self.detector, "open_classes", False):
            self._note("offers no class: name one, or set open_classes = True")
        elif len({info.name for info in classes}) < len(classes) or not all(info.name for info in classes):
            self._note("two classes have one name, or one has none")
        if not isinstance(self.detector.supports_region, bool):
            self._note(f"supports_region is {self.detector.supports_region!r}, expected True or False")

    def _check_pictures(self, runner: DetectorRunner) -> None:
        runner.reset()
        first: Detections | None = None
        for index, (name, picture) in enumerate(generated_pictures().items()):
            found = self._found(runner, name, picture, index)
            first = found if index == 0 else first
            if runner.is_out:  # it hangs, or has failed so often that the rest would tell nothing new
                return
        runner.reset()
        name, picture = next(iter(generated_pictures().items()))
        again = self._found(runner, name, picture, 0)
        if first is not None and again is not None and not _are_equal(first, again):
            self._note("gives another answer for the same picture after reset")

    def _found(self, runner: DetectorRunner, name: str, picture: Array, index: int) -> Detections | None:
        """Return what the detector finds on a picture, None when that failed; note what is wrong with it."""
        frame = Frame.from_array(picture, index=index, time_s=index / 30)
        before = picture.copy()
        outcome = runner.wait(runner.submit(frame))
        if outcome.error:
            rule = outcome.error.removeprefix(f"frame {index}: ").removeprefix("DetectorError: ")
            self._note(rule, name)
        if not np.array_equal(picture, before):
            self._note("writes to the frame", name)
        found = outcome.detections
        if found is not None:
            limit = np.array(frame.size_px * 2) + TOLERANCE_PX
            if ((found.xyxy < -TOLERANCE_PX) | (found.xyxy > limit)).any():
                self._note("gave a box that reaches out of the picture", name)
        return found


def _are_equal(one: Detections, other: Detections) -> bool:
    return all(np.array_equal(getattr(one, part), getattr(other, part)) for part in ("xyxy", "score", "class_id"))


@contextlib.contextmanager
def _watched_stdout() -> Iterator[list[str]]:
    """Keep what Python or native code prints from standard output; afterwards the list tells what it was."""
    printed: list[str] = []
    text = io.StringIO()
    sys.stdout.flush()
    with tempfile.TemporaryFile() as file:
        with contextlib.ExitStack() as stack:
            stack.enter_context(contextlib.redirect_stdout(text))
            with contextlib.suppress(OSError):  # there is no standard output
                kept = os.dup(1)
                stack.callback(os.close, kept)
                stack.callback(os.dup2, kept, 1)
                os.dup2(file.fileno(), 1)
            yield printed
        file.seek(0)
        printed += filter(None, (text.getvalue(), file.read().decode(errors="replace")))
