"""What every detector does that can be selected by name, and what a plain function becomes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hybridtrack import builtin
from hybridtrack.detector_runner import check_detections
from hybridtrack.detectors.function import FunctionDetector
from hybridtrack.hookspecs import Detector
from hybridtrack.plugin_host import PluginHost
from hybridtrack.testing import check_detector
from hybridtrack.types import ClassInfo, Detections, Frame, Size


def middle(frame: Frame) -> np.ndarray:
    """Return a box over the middle half of the picture."""
    width, height = frame.size_px
    return np.array([[width / 4, height / 4, width * 3 / 4, height * 3 / 4]])


def built(name: str, **texts: str) -> Callable[[], Detector]:
    def build() -> Detector:
        offer = PluginHost.load({}).detector(name)
        detector: Detector = offer.build(offer.read_options(texts))
        return detector

    return build


TABLE = Path(__file__).parents[2] / "examples/data/table"

DETECTORS: dict[str, Callable[[], Detector]] = {
    "hand": built("hand"),
    "hand fp16": built("hand", precision="fp16"),
    "ssd": built("ssd", bundle="hand-ssdlite-mobilenetv2", precision="fp16", classes="hand"),
    "replay": built("replay", path=str(TABLE)),
    "replay of a text alone": built("replay", path=str(TABLE / "gt/gt.txt"), min_visibility="0.5"),
    "a function": lambda: FunctionDetector(middle),
    "a function that finds nothing": lambda: FunctionDetector(lambda frame: []),
    "a function with classes": lambda: FunctionDetector(
        lambda frame: Detections(xyxy=middle(frame), score=[0.5], class_id=[1]),
        (ClassInfo(name="mug"), ClassInfo(name="book")),
    ),
}


@pytest.fixture(scope="module")
def all_built() -> dict[str, Detector]:
    """Each detector once: loading a network takes its time, and what they are asked leaves nothing behind."""
    return {name: build() for name, build in DETECTORS.items()}


@pytest.fixture(params=DETECTORS)
def detector(request: pytest.FixtureRequest, all_built: dict[str, Detector]) -> Detector:
    one = all_built[request.param]
    one.reset()
    return one


def noise(size: Size, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)


def found_on(detector: Detector, picture: np.ndarray) -> Detections:
    """Return detections that were checked to be what the runtime asks for, inside the picture."""
    found = check_detections(detector.detect(Frame.from_array(picture)), len(detector.classes))
    height, width = picture.shape[:2]
    assert (found.xyxy >= 0).all()
    assert (found.xyxy <= (width, height, width, height)).all()
    return found


def test_contract_covers_every_built_in_detector() -> None:
    assert {spec.name for spec in builtin.hybridtrack_detectors()} <= set(DETECTORS)


def test_classes_have_names_roles_and_identities(detector: Detector) -> None:
    assert detector.classes
    assert len({info.name for info in detector.classes}) == len(detector.classes)
    for info in detector.classes:
        assert info.name
        assert info.role in ("hand", "object", "other")
        assert info.identity
    assert detector.supports_region in (True, False)


@pytest.mark.parametrize("build", DETECTORS.values(), ids=DETECTORS)
def test_detector_keeps_the_contract_that_plugins_are_held_to(build: Callable[[], Detector]) -> None:
    assert check_detector(build()) == []


@pytest.mark.parametrize("size", [(1, 1), (3, 1000), (1000, 3), (300, 300), (321, 179), (4096, 2160)])
def test_pictures_of_any_size_are_looked_at(detector: Detector, size: Size) -> None:
    found_on(detector, noise(size))


@pytest.mark.parametrize("level", [0, 128, 255])
def test_blank_pictures_are_looked_at(detector: Detector, level: int) -> None:
    found_on(detector, np.full((240, 320, 3), level, np.uint8))


def test_grey_pictures_are_looked_at(detector: Detector) -> None:
    found_on(detector, noise((320, 240))[:, :, 0])


def test_one_picture_gives_the_same_answer_again(detector: Detector) -> None:
    picture = noise((320, 240))
    first = found_on(detector, picture)
    found_on(detector, noise((320, 240), seed=1))
    detector.reset()
    second = found_on(detector, picture)
    for part in ("xyxy", "score", "class_id"):
        assert np.array_equal(getattr(first, part), getattr(second, part))


def test_answer_is_kept_when_another_picture_is_looked_at(detector: Detector) -> None:
    first = found_on(detector, noise((320, 240)))
    before = first.xyxy.copy()
    found_on(detector, noise((64, 48), seed=1))
    assert np.array_equal(first.xyxy, before)


def test_frame_is_not_written_to(detector: Detector) -> None:
    picture = noise((300, 300))
    before = picture.copy()
    found_on(detector, picture)
    assert np.array_equal(picture, before)


def test_detector_works_in_a_thread_that_did_not_build_it(detector: Detector) -> None:
    picture, answers = noise((320, 240)), []
    thread = threading.Thread(target=lambda: answers.append(found_on(detector, picture)))
    thread.start()
    thread.join()
    assert np.array_equal(answers[0].xyxy, found_on(detector, picture).xyxy)


@pytest.mark.parametrize("build", DETECTORS.values(), ids=DETECTORS)
def test_detector_is_closed_twice_without_harm(build: Callable[[], Detector]) -> None:
    detector = build()
    detector.close()
    detector.close()


def test_two_detectors_of_one_kind_do_not_share_their_answers() -> None:
    first, second = DETECTORS["hand"](), DETECTORS["hand"]()
    pictures = [noise((320, 240), seed) for seed in range(2)]
    alone = [found_on(first, picture).xyxy for picture in pictures]
    answers: dict[int, np.ndarray] = {}

    def work(number: int, detector: Detector) -> None:
        for _ in range(5):
            answers[number] = found_on(detector, pictures[number]).xyxy

    threads = [threading.Thread(target=work, args=(n, one)) for n, one in enumerate((first, second))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(answers[n], alone[n]) for n in range(2))


def test_function_gives_boxes_of_score_1_and_of_the_class_with_its_name() -> None:
    detector = FunctionDetector(middle)
    found = found_on(detector, noise((80, 40)))
    assert found.xyxy.tolist() == [[20, 10, 60, 30]]
    assert (found.score.tolist(), found.class_id.tolist()) == ([1.0], [0])
    assert detector.classes == (ClassInfo(name="middle", role="object"),)
