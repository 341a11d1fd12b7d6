"""Detection graphs of TensorFlow 1 and TensorFlow.js, cut to the network that lies within: picture in, raw outputs out.

What comes before the first convolution (decoding, a resize in a loop, the range of the input) and after the raw outputs
(anchors, decoding, suppression) is left to the runtime.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

from hybridtrack.errors import BundleError
from hybridtrack.types import Array

CONVOLUTIONS = ("Conv2D", "DepthwiseConv2dNative", "_FusedConv2D", "FusedDepthwiseConv2dNative")
FUSED = {"_FusedConv2D": "Conv2D", "FusedDepthwiseConv2dNative": "DepthwiseConv2dNative"}
KEPT_ATTRIBUTES = ("T", "strides", "padding", "dilations", "data_format", "explicit_paddings", "use_cudnn_on_gpu")
THROUGH = ("Identity", "Pad")  #: on the way back from the first convolution to the picture
#: raw encodings and logits in versions of the Object Detection API; the first pair that fits is it
OUTPUT_NAMES = (
    ("Squeeze", "concat"),
    ("Squeeze", "concat_1"),
    ("concat", "concat_1"),
    ("StatefulPartitionedCall/concat", "StatefulPartitionedCall/concat_1"),
)
INPUT_PLACE = "hybridtrack_picture"

RawOutputs = Callable[[Array], tuple[Array, Array]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LegacyNetwork:
    """A network cut out of a graph: float32 (1, size, size, 3) -> encodings (1, A, 4) and logits (1, A, 1 + C).

    ``anchors``: those that stand in the graph, (A, 4) as centre x, centre y, width, height in 0..1; None: none do.
    """

    function: Any
    size_px: int
    anchor_count: int
    column_count: int
    anchors: Array | None

    def run(self, picture: Array) -> tuple[Array, Array]:
        """Return encodings (A, 4) and logits (A, 1 + C) of one picture in the range of the input."""
        encodings, logits = self.function(tf.constant(picture, tf.float32))
        return np.asarray(encodings).reshape(-1, 4), np.asarray(logits).reshape(-1, self.column_count)

    def save(self, folder: Path) -> None:
        """Write a SavedModel with the outputs ``encodings`` and ``logits``."""
        module = tf.Module()
        module.network = self.function
        shape = (1, self.size_px, self.size_px, 3)

        @tf.function(input_signature=[tf.TensorSpec(shape, tf.float32, name="rgb")])
        def serve(rgb: tf.Tensor) -> dict[str, tf.Tensor]:
            encodings, logits = self.function(rgb)
            return {
                "encodings": tf.reshape(encodings, (1, self.anchor_count, 4)),
                "logits": tf.reshape(logits, (1, self.anchor_count, self.column_count)),
            }

        tf.saved_model.save(module, str(folder), signatures={"serving_default": serve})


def read_frozen_graph(path: Path) -> Any:
    """Return the GraphDef of a ``frozen_inference_graph.pb``. Raises BundleError."""
    try:
        graph = tf.compat.v1.GraphDef.FromString(path.read_bytes())
    except OSError as error:
        raise BundleError(f"cannot read the graph {str(path)!r}: {error.strerror}") from error
    except DecodeError as error:
        raise BundleError(f"{str(path)!r} is no frozen graph (.pb) of TensorFlow") from error
    if any(node.op in ("VariableV2", "VarHandleOp") for node in graph.node):
        raise BundleError(f"{str(path)!r} has variables: freeze it first, or give frozen_inference_graph.pb")
    return graph


def fill_constants(graph: Any, constants: Mapping[str, Array]) -> None:
    """Put a TensorFlow.js package's constants into its graph, whose int64 it keeps as int32. Raises BundleError."""
    for node in graph.node:
        if node.op == "Const":
            if node.name not in constants:
                raise BundleError(f"the package has no values of the constant {node.name!r}; fetch it again")
            values = constants[node.name].astype(tf.as_dtype(node.attr["dtype"].type).as_numpy_dtype)
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(values, shape=values.shape))


def split_fused(graph: Any) -> Any:
    """Return the graph with the operations that TensorFlow.js fuses taken apart: convolution, bias, activation."""
    plain = tf.compat.v1.GraphDef(versions=graph.versions)
    for node in graph.node:
        if node.op not in FUSED:
            plain.node.add().CopyFrom(node)
            continue
        steps = [one.decode() for one in node.attr["fused_ops"].list.s]
        inputs = list(node.input)
        names = [f"{node.name}/{FUSED[node.op]}", *(f"{node.name}/{step}" for step in steps)]
        names[-1] = node.name
        first = plain.node.add(name=names[0], op=FUSED[node.op], input=inputs[:2])
        for key in KEPT_ATTRIBUTES:
            if key in node.attr:
                first.attr[key].CopyFrom(node.attr[key])
        rest = inputs[2:]
        for before, name, step in zip(names, names[1:], steps, strict=False):
            added = plain.node.add(name=name, op=step, input=[before])
            added.attr["T"].CopyFrom(node.attr["T"])
            if step in ("BiasAdd", "Prelu"):
                added.input.append(rest.pop(0))
    return plain


def cut(graph: Any, *, size_px: int, columns: int, outputs: tuple[str, str] | None = None) -> LegacyNetwork:
    """Return the network of a graph without fused operations.

    ``columns``: of the logits, the background's included. ``outputs``: nodes of encodings and logits; None: by the
    usual names. Raises BundleError when it is not found.
    """
    nodes = {node.name: node for node in graph.node}
    taken = picture_node(graph)
    candidates = [outputs] if outputs else [pair for pair in OUTPUT_NAMES if nodes.keys() >= {*pair}]
    missing = [name for name in outputs or () if name not in nodes]
    if missing or not candidates:
        raise BundleError(
            f"the graph has no node {missing[0]!r}"
            if missing
            else "the graph has none of the usual raw outputs; name them with --outputs ENCODINGS,LOGITS"
        )
    found = []
    for pair in candidates:
        function = _function(graph, taken, pair)
        encodings, logits = (np.asarray(x) for x in function(tf.zeros((1, size_px, size_px, 3))))
        count = encodings.size // 4
        if encodings.shape[-1] == 4 and logits.shape[-1] == columns and logits.size == count * columns:
            return LegacyNetwork(
                function=function,
                size_px=size_px,
                anchor_count=count,
                column_count=columns,
                anchors=anchors_in(graph, count),
            )
        found.append(f"{pair[0]} {encodings.shape} and {pair[1]} {logits.shape}")
    raise BundleError(
        f"expected encodings (…, A, 4) and logits (…, A, {columns}), found {'; '.join(found)}: name all "
        "labels, without the background, or the outputs with --outputs"
    )


def picture_node(graph: Any) -> str:
    """Return the node that the first convolution looks at: the picture, in the range of the input."""
    nodes = {node.name: node for node in graph.node}
    behind: dict[str, bool] = {}

    def has_convolution_before(name: str) -> bool:
        """Return whether what a node is computed from went through a convolution; loops are not entered twice."""
        todo, seen = list(nodes[name].input[:1]), {name}
        while todo:
            one = _plain_name(todo.pop())
            if one in seen or one not in nodes:
                continue
            if behind.get(one) or nodes[one].op in CONVOLUTIONS:
                return True
            seen.add(one)
            todo += nodes[one].input
        return False

    for node in graph.node:
        if node.op in CONVOLUTIONS:
            if not has_convolution_before(node.name):
                name = _plain_name(node.input[0])
                while nodes[name].op in THROUGH:
                    name = _plain_name(nodes[name].input[0])
                return name
            behind[node.name] = True
    raise BundleError("the graph has no convolution: it is no detector's")


def _plain_name(name: str) -> str:
    return name.removeprefix("^").split(":")[0]


def _function(graph: Any, taken: str, given: tuple[str, str]) -> Any:
    """Return a function of the picture to two tensors; the node that made the picture becomes its place."""
    wanted = _needed(graph, taken, given)
    small = tf.compat.v1.GraphDef(versions=graph.versions)
    for node in graph.node:
        if node.name == taken:
            place = small.node.add(name=taken, op="Placeholder")
            place.attr["dtype"].type = tf.float32.as_datatype_enum
        elif node.name in wanted:
            copied = small.node.add()
            copied.CopyFrom(node)
            kept = [name for name in copied.input if not name.startswith("^")]
            del copied.input[:]
            copied.input.extend(kept)
    function = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(small, name=""), [])
    return function.prune(f"{taken}:0", [f"{name}:0" for name in given])


def _needed(graph: Any, taken: str, given: Sequence[str]) -> set[str]:
    """Return the names of the nodes that outputs need, without what is before the picture."""
    nodes = {node.name: node for node in graph.node}
    todo, needed = list(given), {taken}
    while todo:
        name = todo.pop()
        if name not in needed:
            needed.add(name)
            todo += [_plain_name(one) for one in nodes[name].input if not one.startswith("^")]
    return needed


def anchors_in(graph: Any, count: int) -> Array | None:
    """Return the anchors (A, 4) that stand in a graph as constants of its decoding; None where they are computed."""
    parts: dict[str, Array] = {}
    for node in graph.node:
        scope, _, last = node.name.rpartition("/")
        if node.op == "Const" and scope.endswith("get_center_coordinates_and_sizes"):
            values = tf.make_ndarray(node.attr["value"].tensor)
            if values.shape == (count,):
                parts[last] = values
    if not parts.keys() >= {"add", "add_1", "sub", "sub_1"}:
        return None
    # of boxes as y1, x1, y2, x2: width = sub, height = sub_1, centre y = add, centre x = add_1
    return np.stack([parts["add_1"], parts["add"], parts["sub"], parts["sub_1"]], axis=1)
