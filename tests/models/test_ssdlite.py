from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from hybridtrack.boxes import iou
from hybridtrack.detectors.bundle import Bundle, load_bundle, verify
from hybridtrack.detectors.ssd import SsdDetector
from hybridtrack.errors import BundleError, UsageError
from hybridtrack.types import Array, Detections, Frame

pytestmark = pytest.mark.tensorflow
keras = pytest.importorskip("keras")

from models.conversion import convert, save_model  # noqa: E402
from models.export import at_size, resized, write_bundle  # noqa: E402
from models.import_handtrackjs import MANIFEST, copy_weights, weight_names  # noqa: E402
from models.network import TrainedNetwork  # noqa: E402
from models.ssdlite import build_ssdlite  # noqa: E402


@pytest.fixture(scope="module")
def network() -> keras.Model:
    """The network with random weights that let a picture through to the outputs: a few dozen boxes are found."""
    rng = np.random.default_rng(0)
    network = build_ssdlite()
    for layer in network.layers:
        for variable in layer.weights:
            if variable.name == "bias" and layer.name.startswith("classes_"):
                variable.assign(np.full(variable.shape, -8.0))
            if variable.name == "kernel":  # He et al. 2015: variance 2 / inputs
                inputs = 9 if isinstance(layer, keras.layers.DepthwiseConv2D) else np.prod(variable.shape[:-1])
                variable.assign(rng.normal(0, np.sqrt(2 / inputs), variable.shape))
    return network


def test_network_is_made_of_the_layers_of_the_paper(network: keras.Model) -> None:
    kinds = [type(layer).__name__ for layer in network.layers]
    # convolutions: 1 + 16 expansions + 17 projections + 1, 8 extra, 12 predictors
    assert kinds.count("Conv2D") == 55
    assert kinds.count("DepthwiseConv2D") == 17
    assert kinds.count("BatchNormalization") == 55 - 12 + 17
    assert kinds.count("Add") == 10
    assert kinds.count("ReLU") == 1 + 16 + 17 + 1 + 8
    assert network.count_params() == 4_648_582


def test_network_says_four_numbers_and_two_logits_for_each_anchor(network: keras.Model) -> None:
    assert network.input_shape == (None, 300, 300, 3)
    assert {name: x.shape for name, x in network.output.items()} == {
        "encodings": (None, 1917, 4),
        "logits": (None, 1917, 2),
    }


def test_predictors_see_maps_of_19_10_5_3_2_and_1_cells(network: keras.Model) -> None:
    shapes = [network.get_layer(f"boxes_{number}").input.shape[1:] for number in range(6)]
    assert shapes == [(19, 19, 576), (10, 10, 1280), (5, 5, 512), (3, 3, 256), (2, 2, 256), (1, 1, 128)]


def test_more_classes_have_more_logits_and_as_many_anchors() -> None:
    assert build_ssdlite(class_count=3).output["logits"].shape == (None, 1917, 4)


@pytest.mark.parametrize("size_px", [172, 204, 236, 300])
def test_network_of_another_size_has_the_same_weights_and_an_anchor_for_each_prediction(
    network: keras.Model, tmp_path: Path, size_px: int
) -> None:
    changed = resized(TrainedNetwork(network=network, manifest=MANIFEST), size_px)
    other = changed.network
    for mine, its in zip(network.get_weights(), other.get_weights(), strict=True):
        assert np.array_equal(mine, its)
    write_bundle(tmp_path, changed.manifest, {"int8": b""}, licence="")
    manifest = load_bundle(tmp_path).manifest
    assert (manifest.input.width_px, manifest.input.height_px) == (size_px, size_px)
    assert manifest.anchors is not None
    anchors = manifest.anchors.boxes()
    assert other.output["logits"].shape == (None, len(anchors), 2)
    # the smallest anchor covers 30 pixels of the input, as in the network that was trained
    assert anchors[0, 2] * size_px == pytest.approx(30)


@pytest.mark.parametrize(("size_px", "near"), [(192, 204), (224, 236), (0, 44), (310, 300)])
def test_size_at_which_layers_pad_otherwise_is_refused(network: keras.Model, size_px: int, near: int) -> None:
    with pytest.raises(UsageError, match=rf"--size {size_px}: .*; use {near}$"):
        at_size(network, size_px)


def test_backbone_has_the_layers_of_keras_applications(network: keras.Model) -> None:
    published = keras.applications.MobileNetV2((224, 224, 3), include_top=False, weights=None)
    ours = {layer.name: [x.shape for x in layer.weights] for layer in network.layers}
    theirs = {layer.name: [x.shape for x in layer.weights] for layer in published.layers if layer.weights}
    assert theirs.items() <= {name: shapes for name, shapes in ours.items() if shapes}.items()


def test_padding_at_stride_two_is_that_of_keras_applications() -> None:
    published = keras.applications.MobileNetV2((300, 300, 3), include_top=False, weights=None)
    ours = build_ssdlite()
    for layer in published.layers:
        if layer.weights:
            ours.get_layer(layer.name).set_weights(layer.get_weights())
    backbone = keras.Model(ours.input, ours.get_layer("out_relu").output)
    picture = np.random.default_rng(1).uniform(-1, 1, (1, 300, 300, 3)).astype(np.float32)
    np.testing.assert_allclose(backbone(picture), published(picture), atol=1e-5)


def constants(network: keras.Model) -> dict[str, Array]:
    """Return weights under the names of the published graph, with constants that are no weights among them."""
    names = weight_names(network)
    rng = np.random.default_rng(2)
    made = {names[x.path]: rng.normal(size=x.shape).astype(np.float32) for x in network.weights if x.path in names}
    return made | {"Preprocessor/mul/x": np.float32(1), "Postprocessor/ExpandDims": np.zeros((1, 1917, 4), np.float32)}


def test_every_weight_is_copied_once_by_name() -> None:
    network = build_ssdlite()
    published = constants(network)
    copy_weights(network, published)
    scope = "FeatureExtractor/MobilenetV2"
    for layer, row, name in (
        ("Conv1", 0, f"{scope}/Conv/Conv2D/merged_input"),
        ("bn_Conv1", 1, f"{scope}/Conv/BatchNorm/FusedBatchNorm/Offset"),
        ("expanded_conv_project", 0, f"{scope}/expanded_conv/project/Conv2D/merged_input"),
        ("block_16_depthwise", 0, f"{scope}/expanded_conv_16/depthwise/depthwise_weights"),
        ("block_16_depthwise_BN", 0, f"{scope}/expanded_conv_16/depthwise/BatchNorm/FusedBatchNorm/Scaled"),
        ("Conv_1_bn", 1, f"{scope}/Conv_1/BatchNorm/FusedBatchNorm/Offset"),
        ("extra_0_narrow", 0, f"{scope}/layer_19_1_Conv2d_2_1x1_256/Conv2D/merged_input"),
        ("extra_3_wide", 0, f"{scope}/layer_19_2_Conv2d_5_3x3_s2_128/Conv2D/merged_input"),
        ("boxes_0", 1, "BoxPredictor_0/BoxEncodingPredictor/biases"),
        ("classes_5", 0, "BoxPredictor_5/ClassPredictor/weights"),
    ):
        np.testing.assert_array_equal(network.get_layer(layer).get_weights()[row], published[name])
    gamma, _, mean, variance = network.get_layer("Conv_1_bn").get_weights()
    assert (gamma == 1).all()
    assert (mean == 0).all()
    np.testing.assert_allclose(variance + 1e-3, 1)


@pytest.mark.parametrize("change", ["left over", "missing", "shape"])
def test_weights_that_do_not_fit_are_refused(change: str) -> None:
    network = build_ssdlite()
    published = constants(network)
    biases = "BoxPredictor_0/ClassPredictor/biases"
    if change == "left over":
        published["BoxPredictor_6/ClassPredictor/biases"] = published[biases]
    elif change == "missing":
        del published[biases]
    else:
        published[biases] = published[biases][:-1]
    with pytest.raises(BundleError, match=change):
        copy_weights(network, published)


@pytest.fixture(scope="module")
def random_bundle(network: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle of the random network: fp32 .tflite and SavedModel."""
    folder = tmp_path_factory.mktemp("bundle")
    saved_model = tmp_path_factory.mktemp("saved_model")
    save_model(network, saved_model)
    models = {"fp32": convert(saved_model, "fp32")}
    write_bundle(folder, MANIFEST, models, licence="none", saved_model=saved_model)
    return load_bundle(folder)


@pytest.fixture(scope="module")
def picture() -> Frame:
    coarse = np.random.default_rng(3).integers(0, 256, (12, 16, 3), np.uint8)
    return Frame.from_array(np.kron(coarse, np.ones((40, 40, 1), np.uint8)))


@pytest.fixture(scope="module")
def expected(random_bundle: Bundle, picture: Frame) -> Detections:
    """What LiteRT finds, enough to compare."""
    found = SsdDetector(random_bundle).detect(picture)
    assert 10 < len(found) < 200
    return found


@pytest.mark.parametrize("precision", ["fp32", "saved_model"])
def test_tensorflow_gives_the_boxes_of_litert(
    random_bundle: Bundle, picture: Frame, expected: Detections, precision: str
) -> None:
    found = SsdDetector(random_bundle, precision=precision, runtime="tensorflow").detect(picture)
    np.testing.assert_allclose(found.xyxy, expected.xyxy, atol=1)
    np.testing.assert_allclose(found.score, expected.score, atol=0.01)


@pytest.mark.parametrize("precision", ["int8", "fp16"])
def test_tensorflow_finds_the_same_hands_in_the_shipped_files(bundle: Bundle, root: Path, precision: str) -> None:
    with np.load(root / "tests/golden/hand_ssd/frame_0099.npz") as golden:
        hands = Frame.from_array(golden["rgb"], channels="rgb")
    litert = SsdDetector(bundle, precision=precision).detect(hands)
    tensorflow = SsdDetector(bundle, precision=precision, runtime="tensorflow").detect(hands)
    assert len(litert) >= 2
    np.testing.assert_allclose(tensorflow.xyxy, litert.xyxy, atol=1)
    np.testing.assert_allclose(tensorflow.score, litert.score, atol=0.01)


def test_detector_reads_what_the_keras_network_says(
    network: keras.Model, picture: Frame, random_bundle: Bundle, expected: Detections
) -> None:
    batch = (picture.rgb((300, 300)).astype(np.float32) * (2 / 255) - 1)[None]
    logits = np.asarray(network(batch, training=False)["logits"])[0, :, 1]
    assert expected.score[0] == pytest.approx(1 / (1 + np.exp(-logits.max())), abs=1e-4)
    overlaps = iou(expected.xyxy, expected.xyxy)
    assert overlaps[~np.eye(len(expected), dtype=bool)].max() <= random_bundle.manifest.thresholds.nms_iou


def test_changed_byte_of_a_saved_model_is_refused(random_bundle: Bundle) -> None:
    path = random_bundle.folder / "saved_model/saved_model.pb"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    try:
        with pytest.raises(BundleError, match=r"saved_model\.pb.*altered"):
            SsdDetector(random_bundle, precision="saved_model", runtime="tensorflow")
    finally:
        path.write_bytes(content)
    assert verify(random_bundle)


def test_saved_model_needs_tensorflow(random_bundle: Bundle) -> None:
    with pytest.raises(UsageError, match="is a SavedModel; run it with the runtime 'tensorflow'"):
        SsdDetector(random_bundle, precision="saved_model", runtime="litert")


def test_manifest_is_that_of_the_bundle_that_ships(bundle: Bundle) -> None:
    ours, shipped = (msgspec.to_builtins(one) for one in (MANIFEST, bundle.manifest))
    for own in ("models", "default_precision", "sha256"):
        del ours[own], shipped[own]
    assert ours == shipped
