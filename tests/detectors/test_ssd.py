from __future__ import annotations

from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from hybridtrack.boxes import iou
from hybridtrack.detectors.bundle import Bundle, load_bundle
from hybridtrack.detectors.runtime import FLOAT32
from hybridtrack.detectors.ssd import SsdDetector, create_hand, create_ssd, log_odds
from hybridtrack.errors import DetectorError, UsageError
from hybridtrack.sources import open_source
from hybridtrack.types import Array, Frame

GOLDEN = Path(__file__).parents[1] / "golden/hand_ssd"
FRAMES = sorted(GOLDEN.glob("frame_*.npz"))


@pytest.fixture(scope="module")
def detector(bundle: Bundle) -> SsdDetector:
    return SsdDetector(bundle)


@pytest.fixture(scope="module")
def rgb() -> Array:
    """A small picture with two hands."""
    with np.load(FRAMES[0]) as golden:
        picture: Array = golden["rgb"]
    return picture


def by_hand(encodings: Array, logits: Array, anchors: Array) -> list[tuple[float, list[float]]]:
    """Return (score, xyxy in 0..1) of one class, decoded and suppressed box by box: slow, plain, float64."""
    found: list[tuple[float, list[float]]] = []
    for row in np.argsort(-logits[:, 1], kind="stable"):
        score = 1 / (1 + np.exp(-float(logits[row, 1])))
        if score < 0.05:
            break
        (dy, dx, dh, dw), (cx, cy, w, h) = encodings[row].astype(float), anchors[row].astype(float)
        cx, cy, w, h = cx + dx / 10 * w, cy + dy / 10 * h, w * np.exp(dw / 5), h * np.exp(dh / 5)
        box = np.clip([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 0, 1)
        if all(iou(box[None], np.array([other]))[0, 0] <= 0.45 for _, other in found):
            found.append((score, box.tolist()))
    return found


@pytest.mark.parametrize("path", FRAMES, ids=lambda path: path.stem)
@pytest.mark.parametrize(
    ("precision", "largest_px", "largest_score"),
    # weights of 11 bits move scores of this network by .015; weights, activations and logits of 8 bits (a logit's
    # step is .12, .03 in score) by .1 where two fingers cross
    [("fp16", 1.0, 0.03), ("int8", 4.0, 0.12)],
)
def test_hands_are_those_that_the_published_graph_sees(
    bundle: Bundle, path: Path, precision: str, largest_px: float, largest_score: float
) -> None:
    with np.load(path) as golden:
        expected = by_hand(golden["encodings"], golden["logits"], bundle.manifest.anchors.boxes())
        found = SsdDetector(bundle, precision=precision).detect(Frame.from_array(golden["rgb"], channels="rgb"))
    certain = [(score, box) for score, box in expected if score >= 0.2]
    assert 2 <= len(certain) == np.count_nonzero(found.score >= 0.2)
    for (score, box), xyxy, found_score in zip(certain, found.xyxy, found.score, strict=False):
        np.testing.assert_allclose(xyxy, np.array(box) * 300, atol=largest_px)
        assert found_score == pytest.approx(score, abs=largest_score)


def test_boxes_are_in_source_pixels(detector: SsdDetector, rgb: Array) -> None:
    small = detector.detect(Frame.from_array(rgb, channels="rgb"))
    large = detector.detect(Frame.from_array(cv2.resize(rgb, (1200, 600)), channels="rgb"))
    assert len(small) >= 2
    ious = iou(small.xyxy[:2] * [4, 2, 4, 2], large.xyxy[:2])
    assert np.diag(ious).min() > 0.9


def test_boxes_lie_inside_the_picture_best_first_and_have_an_area(detector: SsdDetector, rgb: Array) -> None:
    for cut in (rgb, rgb[:, 90:], rgb[100:, :150]):  # hands cut by the edges
        found = detector.detect(Frame.from_array(np.ascontiguousarray(cut), channels="rgb"))
        height, width = cut.shape[:2]
        assert (found.xyxy >= 0).all()
        assert (found.xyxy <= [width, height, width, height]).all()
        assert (found.xyxy[:, 2:] > found.xyxy[:, :2]).all()
        assert (np.diff(found.score) <= 0).all()
        assert (found.score >= 0.05).all()


def test_red_and_blue_are_not_exchanged(detector: SsdDetector, rgb: Array) -> None:
    right = detector.detect(Frame.from_array(rgb, channels="rgb"))
    as_bgr = detector.detect(Frame.from_array(np.ascontiguousarray(rgb[..., ::-1])))
    np.testing.assert_array_equal(right.xyxy, as_bgr.xyxy)
    np.testing.assert_array_equal(right.score, as_bgr.score)


def test_picture_without_hands_gives_empty_detections(detector: SsdDetector) -> None:
    found = detector.detect(Frame.from_array(np.zeros((480, 640), np.uint8)))
    assert len(found) == 0
    assert found.xyxy.shape == (0, 4)


@pytest.mark.parametrize("size", [(1, 1), (3, 1000), (4096, 2160)])
def test_any_size_is_taken(detector: SsdDetector, size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    found = detector.detect(Frame.from_array(noise))
    assert np.isfinite(found.xyxy).all()


def test_same_frame_gives_the_same_boxes_whatever_came_before(detector: SsdDetector, rgb: Array) -> None:
    first = detector.detect(Frame.from_array(rgb, channels="rgb"))
    detector.detect(Frame.from_array(np.ascontiguousarray(rgb[::-1]), channels="rgb"))
    again = detector.detect(Frame.from_array(rgb, channels="rgb"))
    np.testing.assert_array_equal(first.xyxy, again.xyxy)


def test_region_is_refused(detector: SsdDetector, rgb: Array) -> None:
    assert not detector.supports_region
    with pytest.raises(DetectorError, match="whole frames only"):
        detector.detect(Frame.from_array(rgb, channels="rgb"), (0, 0, 100, 100))


def test_options_choose_precision_and_are_named_in_the_detector(bundle: Bundle) -> None:
    default, half = create_hand({}), create_hand({"precision": "fp16", "threads": 2, "runtime": "litert"})
    assert default.bundle_name == half.bundle_name == "hand-ssdlite-mobilenetv2"
    assert default.model_sha256 == bundle.manifest.sha256["model_int8.tflite"]
    assert half.model_sha256 == bundle.manifest.sha256["model_fp16.tflite"]


def test_least_score_is_the_one_asked_for(bundle: Bundle, rgb: Array) -> None:
    frame = Frame.from_array(rgb, channels="rgb")
    all_found = SsdDetector(bundle).detect(frame)
    sure = SsdDetector(bundle, min_score=0.7).detect(frame)
    assert all_found.score.min() < 0.7 <= all_found.score.max()
    np.testing.assert_array_equal(sure.xyxy, all_found[all_found.score >= 0.7].xyxy)


@pytest.mark.parametrize("score", [0.0, 1.0, 1.5, -0.1, float("nan")])
def test_least_score_that_is_none_is_refused(bundle: Bundle, score: float) -> None:
    with pytest.raises(UsageError, match=r"min_score is .*, expected a number between 0 and 1"):
        SsdDetector(bundle, min_score=score)


def test_classes_that_count_are_those_asked_for(root: Path, table_clip: Path) -> None:
    bundle = load_bundle(root / "plugins/hybridtrack-tabletop/src/hybridtrack_tabletop/bundle")
    with open_source(str(table_clip)) as source:
        frame = next(iter(source))
    every, bottles = SsdDetector(bundle, min_score=0.3), SsdDetector(bundle, min_score=0.3, classes=["bottle"])
    assert [info.name for info in bottles.classes] == ["bottle"]
    names = np.array([info.name for info in every.classes])
    found, expected = bottles.detect(frame), every.detect(frame)
    np.testing.assert_array_equal(found.xyxy, expected.xyxy[names[expected.class_id] == "bottle"])
    assert len(found) >= 1
    assert set(found.class_id.tolist()) == {0}


def test_classes_of_one_identity_do_not_both_claim_a_thing_and_others_do(root: Path, table_clip: Path) -> None:
    detector = SsdDetector(load_bundle(root / "plugins/hybridtrack-tabletop/src/hybridtrack_tabletop/bundle"))
    with open_source(str(table_clip)) as source:
        found = detector.detect(next(iter(source)))
    identity = np.array([detector.classes[class_id].identity for class_id in found.class_id])
    is_one = identity[:, None] == identity[None, :]
    overlaps = np.triu(iou(found.xyxy, found.xyxy), 1) > 0.45
    assert (identity == "mug").any()
    assert not (overlaps & is_one).any()
    assert (overlaps & ~is_one).any()


def test_sigmoid_of_log_odds_is_softmax() -> None:
    logits = np.log(np.array([[1, 2, 1], [8, 1, 1]], np.float32)) + 5  # shares 1/4 1/2 1/4 and .8 .1 .1
    np.testing.assert_allclose(1 / (1 + np.exp(-log_odds(logits))), [[0.25, 0.5, 0.25], [0.8, 0.1, 0.1]], atol=1e-6)
    assert np.isfinite(log_odds(np.array([[1e4, -1e4]], np.float32))).all()


class SoftmaxNetwork:
    """Says of every picture: a hand at the first anchor, with the share of 3 of 4."""

    encodings = logits = FLOAT32

    def run(self, rgb: Array) -> tuple[Array, Array]:
        logits = np.tile(np.float32([[9, 0]]), (1917, 1))
        logits[0] = np.log([1, 3])
        return np.zeros((1917, 4), np.float32), logits


def test_softmax_of_a_row_is_the_score_where_the_bundle_says_so(bundle: Bundle, rgb: Array) -> None:
    outputs = msgspec.structs.replace(bundle.manifest.outputs, score="softmax")
    manifest = msgspec.structs.replace(bundle.manifest, outputs=outputs)
    detector = SsdDetector(msgspec.structs.replace(bundle, manifest=manifest), network=SoftmaxNetwork())
    found = detector.detect(Frame.from_array(rgb, channels="rgb"))
    assert found.score.tolist() == pytest.approx([0.75], abs=1e-5)


def test_detector_of_any_bundle_finds_what_that_of_hands_does(bundle: Bundle, rgb: Array) -> None:
    hands = create_hand({}).detect(Frame.from_array(rgb, channels="rgb"))
    found = create_ssd({"bundle": str(bundle.folder), "classes": "hand"}).detect(Frame.from_array(rgb, channels="rgb"))
    assert found.xyxy.tolist() == hands.xyxy.tolist()
    sure = create_ssd({"bundle": str(bundle.folder), "min_score": 0.6}).detect(Frame.from_array(rgb, channels="rgb"))
    assert sure.score.tolist() == hands.score[hands.score >= 0.6].tolist() != hands.score.tolist()


def test_detector_of_any_bundle_needs_one() -> None:
    with pytest.raises(UsageError, match="detector 'ssd' needs a model bundle: give bundle=FOLDER"):
        create_ssd({})
