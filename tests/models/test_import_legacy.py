"""Graphs of old detectors become bundles that find the same."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hybridtrack.detectors.bundle import load_bundle, verify
from hybridtrack.detectors.runtime import open_network
from hybridtrack.errors import BundleError, UsageError
from hybridtrack.types import Array

pytestmark = pytest.mark.tensorflow
tf = pytest.importorskip("tensorflow")

from models.import_legacy import api_anchors, main, parse_label, read_label_map  # noqa: E402
from models.legacy_graph import anchors_in, cut, picture_node, split_fused  # noqa: E402

SIZE = 96
GRIDS = (6, 3, 2, 1, 1, 1)  #: of an SSD's six maps at 96 px
ANCHORS = 36 * 3 + (9 + 4 + 1 + 1 + 1) * 6
COLUMNS = 3  #: background, cup, hand


def old_graph(*, in_graph: bool = True) -> Any:
    """Return a frozen graph in the style of TensorFlow 1: a loop that resizes, a network, decoding and suppression.

    ``in_graph``: with pre-processing and post-processing; else from the picture in -1..1 to the raw outputs.
    """
    v1 = tf.compat.v1
    rng = np.random.default_rng(0)
    graph = tf.Graph()

    def convolution(x: Any, filters: int, stride: int, name: str) -> Any:
        kernel = rng.normal(0, np.sqrt(2 / (9 * x.shape[-1])), (3, 3, x.shape[-1], filters)).astype(np.float32)
        y = tf.nn.conv2d(x, v1.constant(kernel, name=f"{name}/weights"), stride, "SAME", name=f"{name}/Conv2D")
        bias = v1.constant(rng.normal(0, 0.1, filters).astype(np.float32), name=f"{name}/biases")
        return tf.nn.bias_add(y, bias, name=f"{name}/BiasAdd")

    with graph.as_default():
        if in_graph:
            taken = v1.placeholder(tf.uint8, (1, None, None, 3), name="image_tensor")
            floats = tf.cast(taken, tf.float32, name="ToFloat")
            # Switch, Merge, Enter, Exit: the loops of that time
            v1.disable_control_flow_v2()
            resized = v1.while_loop(
                lambda step, _: step < 1,
                lambda step, _: (step + 1, v1.image.resize_bilinear(floats, (SIZE, SIZE))),
                (tf.constant(0), tf.zeros((1, SIZE, SIZE, 3))),
                name="Preprocessor/map/while",
            )[1]
            x = tf.subtract(resized * (2 / 255), 1.0, name="Preprocessor/sub")
        else:
            x = v1.placeholder(tf.float32, (1, SIZE, SIZE, 3), name="Preprocessor/sub")
        for number in range(4):  # to stride 16
            x = tf.nn.relu6(convolution(x, 8, 2, f"FeatureExtractor/Conv2d_{number}"))
        boxes, classes = [], []
        for number, cells in enumerate(GRIDS):
            if number:
                x = tf.nn.relu6(
                    convolution(x, 8, 2 if cells < GRIDS[number - 1] else 1, f"FeatureExtractor/extra_{number}")
                )
            each = 3 if number == 0 else 6
            boxes.append(tf.reshape(convolution(x, each * 4, 1, f"BoxPredictor_{number}/Box"), (1, -1, 1, 4)))
            classes.append(
                tf.reshape(convolution(x, each * COLUMNS, 1, f"BoxPredictor_{number}/Class"), (1, -1, COLUMNS))
            )
        raw = tf.concat(boxes, 1, name="concat")
        logits = tf.concat(classes, 1, name="concat_1")
        encodings = tf.squeeze(raw, [2], name="Squeeze")
        if in_graph:
            scores = tf.sigmoid(logits, name="Postprocessor/convert_scores")
            kept = v1.image.non_max_suppression(encodings[0], tf.reduce_max(scores[0, :, 1:], axis=1), 10)
            tf.gather(encodings[0], kept, name="detection_boxes")
    v1.enable_control_flow_v2()
    return graph.as_graph_def()


@pytest.fixture(scope="module")
def graph() -> Any:
    return old_graph()


def original(graph: Any, picture: Array) -> list[Array]:
    """Return Squeeze and concat_1 of a whole graph, run in a session as it was then."""
    with tf.Graph().as_default() as own:
        tf.import_graph_def(graph, name="")
        with tf.compat.v1.Session(graph=own) as session:
            feed = {"image_tensor:0": picture[None]}
            found: list[Array] = session.run(["Squeeze:0", "concat_1:0"], feed)
    return found


def test_network_is_cut_out_between_loop_and_suppression(graph: Any) -> None:
    assert {"Enter", "Merge", "Exit"} <= {node.op for node in graph.node}
    assert picture_node(graph) == "Preprocessor/sub"
    network = cut(graph, size_px=SIZE, columns=COLUMNS)
    assert (network.anchor_count, network.column_count, network.anchors) == (ANCHORS, COLUMNS, None)
    picture = np.random.default_rng(1).integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    encodings, logits = network.run((picture.astype(np.float32) * (2 / 255) - 1)[None])
    wanted = original(graph, picture)
    np.testing.assert_allclose(encodings, wanted[0][0], atol=1e-4)
    np.testing.assert_allclose(logits, wanted[1][0], atol=1e-4)


@pytest.mark.parametrize("in_graph", [True, False], ids=["with pre-processing", "without"])
def test_frozen_graph_becomes_a_bundle_that_says_the_same(in_graph: bool, graph: Any, tmp_path: Path) -> None:
    path, out = tmp_path / "frozen_inference_graph.pb", tmp_path / "mine"
    path.write_bytes((graph if in_graph else old_graph(in_graph=False)).SerializeToString())
    precisions = ["--precision", "fp32"] + (["--precision", "int8"] if in_graph else [])
    arguments = [str(path), "--label", "cup", "--label", "hand=hand", "--size", str(SIZE), "--out", str(out)]
    assert main([*arguments, *precisions]) == 0
    bundle = load_bundle(out)
    verify(bundle)
    assert [(x.name, x.role) for x in bundle.classes] == [("cup", "object"), ("hand", "hand")]
    picture = np.random.default_rng(2).integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    encodings, logits = open_network(bundle, precision="fp32").run(picture)
    wanted = original(graph, picture)
    np.testing.assert_allclose(encodings, wanted[0][0], atol=1e-3)
    np.testing.assert_allclose(logits, wanted[1][0], atol=1e-3)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "name the classes"),
        (["--label", "cup"], r"found .*: name all labels"),
        (["--label", "cup", "--label", "hand", "--outputs", "Squeeze,logits"], "no node 'logits'"),
        (["--label", "cup=thing"], "expected NAME=ROLE"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(
    arguments: list[str], complaint: str, graph: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "graph.pb"
    path.write_bytes(graph.SerializeToString())
    assert main([str(path), "--size", str(SIZE), "--out", str(tmp_path / "out"), *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert re.search(complaint, line)
    assert not (tmp_path / "out").exists()


def test_files_that_are_no_graphs_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.pb").write_bytes(b"\xff\xff no graph")
    (tmp_path / "a.json").write_text("{}")
    for name in ("a.pb", "a.json", "none.pb"):
        assert main([str(tmp_path / name), "--label", "hand", "--out", str(tmp_path / "out")]) == 2
        assert capsys.readouterr().err.startswith("error: ")


def fused(op: str, kernel: Array, bias: Array) -> Any:
    """Return a graph of one fused operation, as TensorFlow.js has them."""
    graph = tf.compat.v1.GraphDef()
    place = graph.node.add(name="x", op="Placeholder")
    place.attr["dtype"].type = tf.float32.as_datatype_enum
    for name, values in (("w", kernel), ("b", bias)):
        node = graph.node.add(name=name, op="Const")
        node.attr["dtype"].type = tf.float32.as_datatype_enum
        node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(values))
    node = graph.node.add(name="y", op=op, input=["x", "w", "b"])
    node.attr["T"].type = tf.float32.as_datatype_enum
    node.attr["strides"].list.i.extend([1, 2, 2, 1])
    node.attr["padding"].s = b"SAME"
    node.attr["fused_ops"].list.s.extend([b"BiasAdd", b"Relu6"])
    return graph


@pytest.mark.parametrize("op", ["_FusedConv2D", "FusedDepthwiseConv2dNative"])
def test_fused_operation_is_a_convolution_a_bias_and_an_activation(op: str) -> None:
    rng = np.random.default_rng(0)
    x, bias = rng.normal(0, 3, (1, 9, 9, 4)).astype(np.float32), rng.normal(0, 1, 4).astype(np.float32)
    kernel = rng.normal(0, 1, (3, 3, 4, 4) if op == "_FusedConv2D" else (3, 3, 4, 1)).astype(np.float32)
    plain = split_fused(fused(op, kernel, bias))
    function = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(plain, name=""), []).prune("x:0", "y:0")
    if op == "_FusedConv2D":
        wanted = tf.nn.conv2d(x, kernel, 2, "SAME")
    else:
        wanted = tf.nn.depthwise_conv2d(x, kernel, [1, 2, 2, 1], "SAME")
    wanted = tf.clip_by_value(wanted + bias, 0, 6)
    np.testing.assert_allclose(function(tf.constant(x)), wanted, atol=1e-5)
    assert 0 < np.mean(np.asarray(wanted) == 6) < 1


def test_anchors_in_a_graph_are_found(graph: Any) -> None:
    graph = tf.compat.v1.GraphDef.FromString(graph.SerializeToString())
    scope = "Postprocessor/Decode/get_center_coordinates_and_sizes"
    for name, value in (("add", 0.1), ("add_1", 0.2), ("sub", 0.3), ("sub_1", 0.4)):
        node = graph.node.add(name=f"{scope}/{name}", op="Const")
        node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(np.full(5, value, np.float32)))
    assert anchors_in(graph, 4) is None
    found = anchors_in(graph, 5)
    assert found is not None
    np.testing.assert_allclose(found[0], [0.2, 0.1, 0.3, 0.4])  # centre x and y, width and height


def test_anchors_are_those_of_the_api_for_the_number_there_are() -> None:
    assert api_anchors(300, 1917).grids[0] == (19, 19)
    pyramid = api_anchors(320, 12804).boxes()
    np.testing.assert_allclose(
        pyramid[:3],
        [[0.0125, 0.0125, s * r, s / r] for s, r in ((0.1, 1), (0.1 * 2**0.5, 1), (0.1, 2**0.5))],
        atol=1e-6,
    )
    assert pyramid[-1, :2].tolist() == pytest.approx([0.8, 0.8])  # 128 does not divide 320: from the corner, 0, .4, .8
    with pytest.raises(BundleError, match=r"has 7 anchors; an SSD of 300 px has 1917 or, with a pyramid, "):
        api_anchors(300, 7)


def test_labels_are_read_from_text_and_from_label_maps(tmp_path: Path) -> None:
    label = parse_label("open=hand:hand")
    assert (label.name, label.role, label.identity) == ("open", "hand", "hand")
    assert parse_label("cup").role == "object"
    path = tmp_path / "label_map.pbtxt"
    path.write_text("item {\n  id: 2\n  name: 'cup'\n}\nitem { id: 1 name: \"hand\" }\n")
    assert [(x.name, x.role) for x in read_label_map(path)] == [("hand", "hand"), ("cup", "object")]
    path.write_text("item { id: 2 name: 'cup' }")
    with pytest.raises(UsageError, match=r"found \[2\]"):
        read_label_map(path)


def test_graph_model_of_tensorflow_js_is_read_with_its_shards(tmp_path: Path) -> None:
    from google.protobuf import json_format

    from models.import_legacy import read_graph

    kernel, bias = np.arange(36, dtype=np.float32).reshape(3, 3, 4, 1), np.ones(4, np.float32)
    graph = fused("FusedDepthwiseConv2dNative", kernel * 0, bias)
    for node in graph.node:
        if node.op == "Const":
            node.attr["value"].Clear()
    entries = [
        {"name": "w", "shape": [3, 3, 4, 1], "dtype": "float32"},
        {"name": "b", "shape": [4], "dtype": "float32"},
    ]
    content = {
        "modelTopology": json_format.MessageToDict(graph),
        "weightsManifest": [{"paths": ["one.bin", "two.bin"], "weights": entries}],
    }
    stored = kernel.astype("<f4").tobytes() + bias.astype("<f4").tobytes()
    (tmp_path / "one.bin").write_bytes(stored[:50])
    (tmp_path / "two.bin").write_bytes(stored[50:])
    (tmp_path / "model.json").write_text(json.dumps(content))
    read = {node.name: node for node in read_graph(tmp_path / "model.json").node}
    np.testing.assert_array_equal(tf.make_ndarray(read["w"].attr["value"].tensor), kernel)
    (tmp_path / "two.bin").unlink()
    with pytest.raises(BundleError, match=r"cannot read .*two\.bin"):
        read_graph(tmp_path / "model.json")
