"""The published TensorFlow graphs themselves, cut to the network: the oracles that the Keras networks are held to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import json_format

from hybridtrack.types import Array
from models.graph_weights import GraphPackage
from models.nanodet import MEAN_RGB, STD_RGB

INPUT = "Preprocessor/sub"  #: the normalised picture, -1..1
OUTPUTS = ("Squeeze", "concat")  #: box encodings and logits, before decoding and suppression
NANODET_INPUT = "input_1"  #: the picture as (1, 3, 416, 416) blue, green, red, less the mean and in standard deviations
NANODET_OUTPUTS = tuple(
    f"Identity{number}" for number in ("", "_1", "_2", "_3", "_4", "_5")
)  #: scores, encodings by stride

RawOutputs = Callable[[Array], tuple[Array, Array]]


def raw_outputs(package: GraphPackage) -> RawOutputs:
    """Return a function from float32 (1, 300, 300, 3), -1..1, to encodings (1917, 4) and logits (1917, 2), float32.

    What comes before (a resize in a loop over the batch) and after (decoding, suppression) is cut off.
    """
    graph = tf.compat.v1.GraphDef.FromString(package.graph_def)
    for node in graph.node:
        if node.name == INPUT:
            node.op = "Placeholder"
            del node.input[:]
            node.attr.clear()
            node.attr["dtype"].type = tf.float32.as_datatype_enum
    pruned = _function(graph, package.constants, INPUT, OUTPUTS)

    def run(picture: Array) -> tuple[Array, Array]:
        encodings, logits = pruned(tf.constant(picture, tf.float32))
        return np.asarray(encodings).reshape(-1, 4), np.asarray(logits)[0]

    return run


def nanodet_outputs(topology: Mapping[str, Any], constants: Mapping[str, Array]) -> RawOutputs:
    """Return a function from RGB (1, 416, 416, 3), 0..255, to encodings (3549, 44) and scores (3549, 80), float32.

    ``topology``: the GraphDef as JSON.
    """
    graph = json_format.ParseDict(topology, tf.compat.v1.GraphDef())
    function = _function(graph, constants, NANODET_INPUT, NANODET_OUTPUTS)

    def run(picture: Array) -> tuple[Array, Array]:
        normalised = ((picture - MEAN_RGB) / STD_RGB).astype(np.float32)
        maps = [np.asarray(x)[0] for x in function(tf.constant(normalised[..., ::-1].transpose(0, 3, 1, 2)))]
        return np.concatenate(maps[3:]), np.concatenate(maps[:3])

    return run


def _function(graph: Any, constants: Mapping[str, Array], taken: str, given: tuple[str, ...]) -> Any:
    """Return a function of one tensor to others, by the names of their nodes; fills the graph's constants in."""
    for node in graph.node:
        if node.op == "Const":  # TensorFlow.js keeps int64 as int32
            values = constants[node.name].astype(tf.as_dtype(node.attr["dtype"].type).as_numpy_dtype)
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(values))
    function = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(graph, name=""), [])
    return function.prune(f"{taken}:0", [f"{name}:0" for name in given])
