"""The published TensorFlow graph itself, cut to the network: the oracle that the Keras network is held to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from hybridtrack.types import Array
from models.graph_weights import GraphPackage

INPUT = "Preprocessor/sub"  #: the normalised picture, -1..1
OUTPUTS = ("Squeeze", "concat")  #: box encodings and logits, before decoding and suppression

RawOutputs = Callable[[Array], tuple[Array, Array]]


def raw_outputs(package: GraphPackage) -> RawOutputs:
    """Return a function from float32 (1, 300, 300, 3), -1..1, to encodings (1917, 4) and logits (1917, 2), float32.

    What comes before (a resize in a loop over the batch) and after (decoding, suppression) is cut off.
    """
    graph = tf.compat.v1.GraphDef.FromString(package.graph_def)
    for node in graph.node:
        if node.op == "Const":
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(package.constants[node.name]))
        elif node.name == INPUT:
            node.op = "Placeholder"
            del node.input[:]
            node.attr.clear()
            node.attr["dtype"].type = tf.float32.as_datatype_enum
    function = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(graph, name=""), [])
    pruned = function.prune(f"{INPUT}:0", [f"{name}:0" for name in OUTPUTS])

    def run(picture: Array) -> tuple[Array, Array]:
        encodings, logits = pruned(tf.constant(picture, tf.float32))
        return np.asarray(encodings).reshape(-1, 4), np.asarray(logits)[0]

    return run
