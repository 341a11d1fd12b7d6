"""The way of the system that this project follows: a TensorFlow session, every frame, one step after the other.

Every frame is read by OpenCV, converted to full-size RGB, and given to the whole graph, whose own loop resizes it and
whose end decodes the boxes. The published file for the browser ends there; suppression, which the original had in its
graph, is put back as TensorFlow's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import tensorflow as tf

from hybridtrack.types import Array
from models.graph_weights import read_package
from models.import_handtrackjs import FOLDER, SHA512

INPUT = "image_tensor"  #: uint8 (1, H, W, 3), RGB
BOXES, SCORES = "Postprocessor/ExpandDims_1", "Postprocessor/Slice"  #: (1, A, 1, 4) and (1, A, 1)
MAX_BOXES = 100
NMS_IOU = 0.6


def open_session(package_file: Path) -> Callable[[Array], tuple[Array, Array]]:
    """Return a function from RGB, uint8 (H, W, 3), to boxes (100, 4) and scores (100,). Raises BundleError."""
    package = read_package(package_file, sha512=SHA512, folder=FOLDER)
    definition = tf.compat.v1.GraphDef.FromString(package.graph_def)
    for node in definition.node:
        if node.op == "Const":
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(package.constants[node.name]))
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(definition, name="")
        boxes, scores = (graph.get_tensor_by_name(f"{name}:0") for name in (BOXES, SCORES))
        kept = tf.image.combined_non_max_suppression(boxes, scores, MAX_BOXES, MAX_BOXES, iou_threshold=NMS_IOU)
        session = tf.compat.v1.Session(graph=graph)

    def run(rgb: Array) -> tuple[Array, Array]:
        found = session.run([kept.nmsed_boxes, kept.nmsed_scores], {f"{INPUT}:0": rgb[None]})
        return found[0][0], found[1][0]

    return run


def frames_rgb(clip: str) -> Iterator[Array]:
    """Yield the frames of a clip as full-size RGB, from its beginning again when it ends."""
    while True:
        capture = cv2.VideoCapture(clip)
        try:
            while (read := capture.read())[0]:
                yield cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB)
        finally:
            capture.release()
