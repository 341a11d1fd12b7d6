from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hybridtrack.errors import BundleError
from hybridtrack.types import Array

pytestmark = pytest.mark.tensorflow
keras = pytest.importorskip("keras")

from models.import_nanodet import (  # noqa: E402
    LICENCE,
    LICENCE_FILE,
    MANIFEST,
    NAMES,
    OTHERS,
    OUT,
    copy_weights,
    largest_difference,
    main,
    manifest_text,
    model_file,
    weight_names,
)
from models.nanodet import build_nanodet  # noqa: E402
from models.original_graph import nanodet_outputs  # noqa: E402


@pytest.fixture(scope="module")
def network() -> keras.Model:
    return build_nanodet()


def published(network: keras.Model) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return a graph's convolutions and biases under names of the published kind, with random weights."""
    rng = np.random.default_rng(0)
    nodes: list[dict[str, Any]] = []
    constants: dict[str, Array] = {"shape": np.array([1, 80, -1], np.int32), "lowest": np.float32(-np.inf)[...]}
    for layer in (x for x in network.layers if x.weights):
        number = int(layer.name.removeprefix("convolution_"))
        suffix = f"_{number}" if number else ""
        kernel, bias = f"PartitionedCall/split{suffix}", f"unknown_{2 * number}"
        name = f"PartitionedCall/convolution{suffix}"
        nodes.append({"name": name, "op": "Conv2D", "input": ["above", kernel]})
        nodes.append({"name": f"PartitionedCall/Add{suffix}", "op": "Add", "input": [name, bias]})
        for constant, variable in zip((kernel, bias), layer.weights, strict=True):
            constants[constant] = rng.normal(size=variable.shape).astype(np.float32)
    nodes.append(
        {"name": "sum", "op": "Add", "input": ["PartitionedCall/transpose_82", "PartitionedCall/transpose_87"]}
    )
    return {"node": nodes[::-1]}, constants


def test_network_says_44_numbers_and_80_logits_for_each_of_3549_cells(network: keras.Model) -> None:
    assert network.input_shape == (None, 416, 416, 3)
    assert {name: x.shape for name, x in network.output.items()} == {
        "encodings": (None, 3549, 44),  # 52² + 26² + 13²
        "logits": (None, 3549, 80),
    }
    assert sum(isinstance(layer, keras.layers.Conv2D) for layer in network.layers) == 34


def test_every_weight_is_copied_once_and_the_first_kernel_takes_red_green_blue() -> None:
    network = build_nanodet()
    topology, constants = published(network)
    assert copy_weights(network, topology, constants) == 34
    assert weight_names(topology)["convolution_17"] == ("PartitionedCall/split_17", "unknown_34")
    for number, suffix in ((1, "_1"), (17, "_17"), (33, "_33")):
        kernel, bias = network.get_layer(f"convolution_{number}").get_weights()
        np.testing.assert_array_equal(kernel, constants[f"PartitionedCall/split{suffix}"])
        np.testing.assert_array_equal(bias, constants[f"unknown_{2 * number}"])
    first, _ = network.get_layer("convolution_0").get_weights()
    np.testing.assert_array_equal(first[:, :, 0], constants["PartitionedCall/split"][:, :, 2])


@pytest.mark.parametrize("spoil", ["left over", "missing", "shape"])
def test_weights_that_do_not_fit_are_refused(network: keras.Model, spoil: str) -> None:
    topology, constants = published(network)
    if spoil == "left over":
        constants["more"] = np.zeros(3, np.float32)
    elif spoil == "missing":
        topology["node"] = [x for x in topology["node"] if x["name"] != "PartitionedCall/Add_5"]
    else:
        constants["unknown_10"] = np.zeros(7, np.float32)
    with pytest.raises(BundleError, match=r"weights do not fit the network|'convolution_5' wants"):
        copy_weights(network, topology, constants)


def test_original_graph_takes_normalised_blue_green_red_and_int64_shapes_kept_as_int32() -> None:
    """A graph whose scores are the input's channels, and whose encodings are the same doubled."""
    shape = {"dtype": {"type": "DT_INT64"}, "value": {"tensor": {"dtype": "DT_INT64", "tensorShape": {}}}}
    two = {"dtype": {"type": "DT_FLOAT"}, "value": {"tensor": {"dtype": "DT_FLOAT", "tensorShape": {}}}}
    real, index = {"type": "DT_FLOAT"}, {"type": "DT_INT64"}
    nodes: list[dict[str, Any]] = [
        {"name": "input_1", "op": "Placeholder", "attr": {"dtype": real, "shape": {"shape": {"unknownRank": True}}}},
        {"name": "shape", "op": "Const", "attr": shape},
        {"name": "two", "op": "Const", "attr": two},
        {"name": "rows", "op": "Reshape", "input": ["input_1", "shape"], "attr": {"T": real, "Tshape": index}},
        {"name": "twice", "op": "Mul", "input": ["rows", "two"], "attr": {"T": real}},
    ]
    for number in range(6):
        name = f"Identity_{number}" if number else "Identity"
        nodes.append(
            {"name": name, "op": "Identity", "input": ["rows" if number < 3 else "twice"], "attr": {"T": real}}
        )
    constants = {"shape": np.array([1, 1, 3], np.int32), "two": np.array(2, np.float32)}
    encodings, scores = nanodet_outputs({"node": nodes}, constants)(np.array([[[[123.675, 116.28 + 57.12, 103.53]]]]))
    np.testing.assert_allclose(scores, [[0, 1, 0]] * 3, atol=1e-6)
    np.testing.assert_allclose(encodings, [[0, 2, 0]] * 3, atol=1e-6)
    red, _ = nanodet_outputs({"node": nodes}, constants)(np.array([[[[123.675 + 58.395, 116.28, 103.53]]]]))
    np.testing.assert_allclose(red, [[0, 0, 2]] * 3, atol=1e-6)


def test_largest_difference_is_over_all_pictures(network: keras.Model) -> None:
    def original(batch: Array) -> tuple[Array, Array]:
        ours = {name: np.asarray(values)[0] for name, values in network(batch, training=False).items()}
        encodings, scores = ours["encodings"].copy(), 1 / (1 + np.exp(-ours["logits"]))
        encodings[5, 6] += batch[0, 0, 0, 0]
        scores[7, 8] -= 0.25
        return encodings, scores

    pictures = [np.full((416, 416, 3), level, np.uint8) for level in (3, 2)]
    count, encodings, scores = largest_difference(network, original, iter(pictures))
    assert count == 2
    assert (encodings, scores) == pytest.approx((3, 0.25), abs=1e-5)


def test_committed_manifest_and_licence_are_what_the_import_writes(root: Path) -> None:
    files = {
        model_file("int8"): (root / OUT / model_file("int8")).read_bytes(),
        LICENCE_FILE: LICENCE.read_bytes(),
    }
    assert (root / OUT / MANIFEST).read_text(encoding="utf-8") == manifest_text("int8", files)
    assert (root / OUT / LICENCE_FILE).read_bytes() == LICENCE.read_bytes()


def test_there_are_80_classes_and_what_is_no_object_is_among_them() -> None:
    assert len(NAMES) == len(set(NAMES)) == 80
    assert (NAMES[0], NAMES[41], NAMES[79]) == ("person", "cup", "toothbrush")
    assert set(OTHERS.split(", ")) < set(NAMES)


def test_another_package_is_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package = tmp_path / "other.tgz"
    package.write_bytes(b"other")
    assert main([str(package), "--out", str(tmp_path / "out")]) == 2
    assert "has sha512" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
