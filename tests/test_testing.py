"""Every rule of the contract is broken here once by a detector that keeps all others."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import numpy as np
import pytest

from hybridtrack.detectors.function import FunctionDetector
from hybridtrack.testing import check_detector, generated_pictures
from hybridtrack.types import Box, ClassInfo, Detections, Frame


def whole(frame: Frame) -> Detections:
    """Return a box around the whole picture."""
    return Detections(xyxy=[[0, 0, *frame.size_px]], score=[0.5], class_id=[0])


class Whole:
    """A detector that keeps every rule."""

    classes: object = (ClassInfo(name="picture"),)
    supports_region: object = False

    def detect(self, frame: Frame, region_xyxy: Box | None = None) -> object:
        return whole(frame)

    def reset(self) -> None:
        pass

    def close(self) -> None:
        pass


def gives(**parts: object) -> Callable[[Whole, Frame], object]:
    def detect(self: Whole, frame: Frame) -> object:
        found = whole(frame)
        return Detections(
            **{"xyxy": found.xyxy, "score": found.score, "class_id": found.class_id} | parts  # type: ignore[arg-type]
        )

    return detect


def too_wide(self: Whole, frame: Frame) -> object:
    width, height = frame.size_px
    return Detections(xyxy=[[0, 0, width + 1, height]], score=[0.5], class_id=[0])


def restless(self: Whole, frame: Frame) -> object:
    self.calls = getattr(self, "calls", 0) + 1  # type: ignore[attr-defined]
    return gives(score=[1 / self.calls])(self, frame)  # type: ignore[attr-defined]


def painting(self: Whole, frame: Frame) -> object:
    array = frame._picture._array  # type: ignore[attr-defined]
    array[0, 0] = 255 - array[0, 0]
    return whole(frame)


def printing(self: Whole, frame: Frame) -> object:
    print("looking")
    return whole(frame)


def printing_natively(self: Whole, frame: Frame) -> object:
    os.write(1, b"looking\n")
    return whole(frame)


def leaving(self: Whole, frame: Frame) -> object:
    raise SystemExit("bye")


def colours_alone(self: Whole, frame: Frame) -> object:
    if (frame.rgb() == frame.rgb()[:, :, :1]).all():
        raise ValueError("no colours")
    return whole(frame)


def failing(self: Whole) -> None:
    raise RuntimeError("no")


EVERYWHERE = f" (on {', '.join(generated_pictures())})"
BROKEN = {
    "nothing": ({}, []),
    "none in place of empty": (
        {"detect": lambda self, frame: None},
        ["gave NoneType, expected Detections (empty when nothing was found) (on 320x240, 1x1"],
    ),
    "not finite": ({"detect": gives(xyxy=[[0, 0, np.nan, 1]])}, ["gave a box that is not finite (on 320x240"]),
    "no area": ({"detect": gives(xyxy=[[0, 0, 0, 1]])}, ["gave a box without area: expected x2 > x1 and y2 > y1 (on"]),
    "shape": ({"detect": gives(xyxy=[[0, 0, 1]])}, ["ValueError: xyxy has shape (1, 3)"]),
    "score": ({"detect": gives(score=[1.5])}, ["gave a score outside 0..1 (on"]),
    "class": ({"detect": gives(class_id=[1])}, ["gave a class_id outside its 1 classes (on"]),
    "outside": ({"detect": too_wide}, [f"gave a box that reaches out of the picture{EVERYWHERE}"]),
    "another answer": ({"detect": restless}, ["gives another answer for the same picture after reset"]),
    "writing": ({"detect": painting}, [f"writes to the frame{EVERYWHERE}"]),
    "printing": ({"detect": printing}, ["prints to standard output"]),
    "native printing": ({"detect": printing_natively}, ["prints to standard output"]),
    "exit": ({"detect": leaving}, ["SystemExit: bye (on 320x240"]),
    "some pictures": (
        {"detect": colours_alone},
        ["ValueError: no colours (on grey, black, mid-grey, white)"],
    ),
    "reset": ({"reset": failing}, ["cannot reset: RuntimeError: no"]),
    "close": ({"close": failing}, ["cannot close: RuntimeError: no"]),
    "no classes": ({"classes": ()}, ["offers no class", "gave a class_id outside its 0 classes"]),
    "names": ({"classes": ("picture",)}, ["classes is ('picture',), expected a tuple of ClassInfo"]),
    "twice": ({"classes": (ClassInfo(name="a"), ClassInfo(name="a"))}, ["two classes have one name"]),
    "region": ({"supports_region": 1}, ["supports_region is 1, expected True or False"]),
}


@pytest.mark.parametrize(("parts", "rules"), BROKEN.values(), ids=BROKEN)
def test_each_broken_rule_is_told_and_no_other(
    parts: dict[str, object], rules: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    found = check_detector(type("Broken", (Whole,), parts)())  # type: ignore[arg-type]
    assert len(found) == len(rules), found
    for line, rule in zip(found, rules, strict=True):
        assert line.startswith(rule)
        assert "\n" not in line
    assert capfd.readouterr() == ("", "")


def test_detector_that_hangs_is_told_and_not_asked_again() -> None:
    release = threading.Event()
    asked = []

    def hang(frame: Frame) -> list[object]:
        asked.append(frame.index)
        release.wait()
        return []

    found = check_detector(FunctionDetector(hang), hang_limit_s=0.05)
    release.set()
    assert len(found) == 1
    assert found[0].startswith("no answer within 0.05 s")
    assert asked == [0]


def test_detector_with_open_classes_may_begin_without_any() -> None:
    detector = FunctionDetector(lambda frame: [])
    detector.classes = ()
    detector.open_classes = True  # type: ignore[attr-defined]
    assert check_detector(detector) == []
