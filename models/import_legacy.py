"""Make a bundle of an SSD of the Object Detection API: a TensorFlow 1 frozen graph, or a TensorFlow.js graph model.

    python -m models.import_legacy frozen_inference_graph.pb --label hand=hand --out my-bundle
    python -m models.import_legacy model.json --label-map label_map.pbtxt --size 320 --out my-bundle
    python -m models.import_legacy handtrackjs-0.1.5.tgz --preset hand-states --out hand-states

The network is cut out of the graph, fused operations are taken apart, and anchors are those that the API makes for the
input's size, checked where the graph has its own. Raw outputs of the .tflite are compared with the graph's on frames of
the demo clip; exit status 1 when they differ.

    hybridtrack run VIDEO --detector ssd,bundle=my-bundle
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import json_format

from hybridtrack.detectors.bundle import (
    FORMAT,
    VERSION,
    AnchorSpec,
    BoxCoderSpec,
    InputSpec,
    Label,
    Manifest,
    OutputSpec,
    load_bundle,
    verify,
)
from hybridtrack.detectors.runtime import open_network
from hybridtrack.errors import BundleError, HybridTrackError, UsageError
from hybridtrack.types import Array
from models import import_handtrackjs as handtrackjs
from models.anchors import grids_of, ssdlite_anchors
from models.conversion import PRECISIONS, convert
from models.export import calibration_pictures, write_bundle
from models.graph_weights import read_constants, read_model_json, read_package
from models.legacy_graph import LegacyNetwork, cut, fill_constants, read_frozen_graph, split_fused
from models.network import BOX_SCALES, INPUT_RANGE, THRESHOLDS
from models.pictures import DEMO_CLIP, read_pictures

PYRAMID_STRIDES = (8, 16, 32, 64, 128)
PYRAMID_SCALE = 4.0  #: of the smallest anchor, in strides
PYRAMID_RATIOS = (1.0, 2.0, 0.5)
ANCHOR_TOLERANCE = 1e-4
#: largest mean |difference| of the raw outputs: those of floats are rounding, 8 bits are a step of the outputs
TOLERANCE = {"fp32": 1e-3, "fp16": 0.05, "int8": 0.5}
COMPARED_EVERY = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A network of a published package: where it lies, its size and its labels."""

    package: str
    sha512: str
    file: str
    size_px: int
    labels: tuple[Label, ...]
    summary: str
    licence: str


def _state(name: str) -> Label:
    return Label(name=name, role="hand", identity="hand")


PRESETS = {
    "hand-states": Preset(
        package=handtrackjs.PACKAGE,
        sha512=handtrackjs.SHA512,
        file="package/models/webmodel/ssd320fpnlite/base/model.json",
        size_px=320,
        labels=(
            *(_state(name) for name in ("open", "closed", "pinch", "point")),
            Label(name="face", role="other", identity="face"),
            *(_state(name) for name in ("pointtip", "pinchtip")),
        ),
        summary="hands that are open, closed, pinch or point, and faces: SSD MobileNetV2 FPNLite, 320x320",
        licence="MIT",
    ),
    "hand-ssdlite": Preset(
        package=handtrackjs.PACKAGE,
        sha512=handtrackjs.SHA512,
        file=f"{handtrackjs.FOLDER}/tensorflowjs_model.pb",
        size_px=300,
        labels=(Label(name="hand", role="hand", identity="hand"),),
        summary="hands: SSDLite-MobileNetV2, 300x300",
        licence="MIT",
    ),
}


def read_graph(path: Path) -> Any:
    """Return the GraphDef of a frozen graph (.pb) or of a TensorFlow.js model.json. Raises BundleError."""
    if path.suffix != ".json":
        return read_frozen_graph(path)
    try:
        model = json.loads(path.read_text(encoding="utf-8"))
        constants: dict[str, Array] = {}
        for group in model["weightsManifest"]:
            shards = b"".join((path.parent / Path(name).name).read_bytes() for name in group["paths"])
            constants |= read_constants(group["weights"], shards)
        graph = json_format.ParseDict(model["modelTopology"], tf.compat.v1.GraphDef())
    except OSError as error:
        raise BundleError(f"cannot read {error.filename!r} of {str(path)!r}: {error.strerror}") from error
    except (ValueError, KeyError, json_format.ParseError) as error:
        raise BundleError(f"{str(path)!r} is no graph model of TensorFlow.js: {error!r:.100}") from error
    fill_constants(graph, constants)
    return graph


def read_preset(path: Path, preset: Preset) -> tuple[Any, str]:
    """Return the GraphDef and the licence text of a published package. Raises BundleError."""
    package = read_package(path, sha512=preset.sha512, folder=handtrackjs.FOLDER)
    if preset.file.endswith(".pb"):
        graph, constants = tf.compat.v1.GraphDef.FromString(package.graph_def), package.constants
    else:
        topology, constants = read_model_json(path, sha512=preset.sha512, file=preset.file)
        graph = json_format.ParseDict(topology, tf.compat.v1.GraphDef())
    fill_constants(graph, constants)
    return graph, package.licence


def api_anchors(size_px: int, count: int) -> AnchorSpec:
    """Return the anchors that the API makes for an input of this size, by how many there are.

    SSD's six maps; or a pyramid's five, of two scales, whose first cell lies in the middle of a stride where strides
    divide the size, else at the corner. Raises BundleError for another number.
    """
    plain = ssdlite_anchors(size_px)
    steps = tuple(stride / size_px for stride in PYRAMID_STRIDES)
    pyramid = AnchorSpec(
        grids=grids_of(size_px, PYRAMID_STRIDES[0], len(PYRAMID_STRIDES)),
        ratios=PYRAMID_RATIOS,
        scales=tuple((PYRAMID_SCALE * step, PYRAMID_SCALE * step * 2**0.5) for step in steps),
        pitches=steps,
        starts=tuple(0.0 if size_px % stride else stride / size_px / 2 for stride in PYRAMID_STRIDES),
    )
    for anchors in (plain, pyramid):
        if len(anchors.boxes()) == count:
            return anchors
    raise BundleError(
        f"the network has {count} anchors; an SSD of {size_px} px has {len(plain.boxes())} or, with a pyramid, "
        f"{len(pyramid.boxes())}: give its --size"
    )


def check_anchors(anchors: AnchorSpec, network: LegacyNetwork) -> AnchorSpec:
    """Return the anchors. Raises BundleError when the graph has others."""
    if network.anchors is None or np.abs(anchors.boxes() - network.anchors).max() < ANCHOR_TOLERANCE:
        return anchors
    furthest = float(np.abs(anchors.boxes() - network.anchors).max())
    raise BundleError(
        f"the graph's anchors are not those of the API: up to {furthest:.3f} of the picture lie between them"
    )


def parse_label(text: str) -> Label:
    """Return the label of ``name``, ``name=role`` or ``name=role:identity``. Raises UsageError."""
    name, _, rest = text.partition("=")
    role, _, identity = (rest or "object").partition(":")
    if role not in ("hand", "object", "other") or not name:
        raise UsageError(f"--label {text!r}: expected NAME=ROLE[:IDENTITY], the role hand, object or other")
    return Label(name=name, role=role, identity=identity or name)  # type: ignore[arg-type]


def read_label_map(path: Path) -> list[Label]:
    """Return the labels of a label map (pbtxt) in the order of their numbers. Raises UsageError."""
    text = path.read_text(encoding="utf-8")
    found: dict[int, str] = {}
    for item in re.findall(r"item\s*{([^}]*)}", text):
        number = re.search(r"\bid:\s*(\d+)", item)
        name = re.search(r"\bdisplay_name:\s*[\"']([^\"']*)", item) or re.search(r"\bname:\s*[\"']([^\"']*)", item)
        if number and name:
            found[int(number[1])] = name[1]
    if sorted(found) != list(range(1, len(found) + 1)) or not found:
        raise UsageError(f"{str(path)!r} is no label map with the numbers 1, 2, ...: found {sorted(found)}")
    return [parse_label(f"{found[k]}={'hand' if found[k] == 'hand' else 'object'}") for k in sorted(found)]


def differences(folder: Path, network: LegacyNetwork) -> dict[str, float]:
    """Return, by precision, the mean |difference| of raw outputs between the bundle and the graph on the demo clip."""
    bundle = load_bundle(folder)
    found = {}
    frames = [frame.rgb((network.size_px,) * 2) for frame in read_pictures(DEMO_CLIP, every=COMPARED_EVERY)]
    low, high = INPUT_RANGE
    for precision in bundle.manifest.models:
        ours = open_network(bundle, precision=precision)
        total = 0.0
        for rgb in frames:
            wanted = network.run((rgb.astype(np.float32) * ((high - low) / 255) + low)[None])
            encodings, logits = ours.run(rgb)
            pairs = ((ours.encodings.real(encodings), wanted[0]), (ours.logits.real(logits), wanted[1]))
            total += max(float(np.abs(mine - its).mean()) for mine, its in pairs)
        found[precision] = total / len(frames)
    return found


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models.import_legacy", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("graph", type=Path, help="frozen graph (.pb), model.json, or with --preset an npm package")
    parser.add_argument("--out", type=Path, required=True, help="folder of the bundle")
    parser.add_argument("--preset", choices=PRESETS, help="a network of a published package")
    parser.add_argument("--label", action="append", default=[], metavar="NAME=ROLE[:IDENTITY]", help="in their order")
    parser.add_argument("--label-map", type=Path, help="label_map.pbtxt, in place of --label")
    parser.add_argument("--size", type=int, default=300, help="of the input, px (default: %(default)s)")
    parser.add_argument("--outputs", metavar="ENCODINGS,LOGITS", help="nodes of the raw outputs; default: usual names")
    parser.add_argument("--score", choices=("sigmoid", "softmax"), default="sigmoid", help="what makes logits scores")
    parser.add_argument("--precision", action="append", choices=PRECISIONS, help="default: int8 and fp16")
    parser.add_argument("--calibration", type=Path, action="append", help="pictures for int8 (default: the demo clip)")
    options = parser.parse_args(arguments)
    try:
        found = import_graph(options)
    except HybridTrackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for precision, difference in found.items():
        print(f"{precision}: mean |difference| of raw outputs {difference:.2e}")
    wrong = [precision for precision, difference in found.items() if not difference < TOLERANCE[precision]]
    if wrong:
        print(
            f"error: raw outputs of {', '.join(wrong)} are not those of the graph; nothing was written", file=sys.stderr
        )
        return 1
    print(f"wrote {options.out}")
    return 0


def import_graph(options: argparse.Namespace) -> dict[str, float]:
    """Write the bundle where raw outputs agree; return how far they differ. Raises HybridTrackError."""
    licence = None
    if options.preset:
        preset = PRESETS[options.preset]
        graph, licence = read_preset(options.graph, preset)
        labels, size_px, summary, terms = list(preset.labels), preset.size_px, preset.summary, preset.licence
        name, origin = options.preset, f"{preset.file.removeprefix('package/')} of npm {preset.package}"
    else:
        graph, size_px, terms = read_graph(options.graph), options.size, "unknown"
        labels = read_label_map(options.label_map) if options.label_map else [parse_label(x) for x in options.label]
        name, summary, origin = options.out.name, f"imported SSD, {size_px}x{size_px}", options.graph.name
    if not labels:
        raise UsageError("name the classes of the network: --label NAME=ROLE for each, or --label-map FILE")
    outputs = tuple(options.outputs.split(",")) if options.outputs else None
    if outputs and len(outputs) != 2:
        raise UsageError(f"--outputs {options.outputs!r}: expected two nodes, ENCODINGS,LOGITS")
    network = cut(split_fused(graph), size_px=size_px, columns=1 + len(labels), outputs=outputs)
    manifest = Manifest(
        format=FORMAT,
        version=VERSION,
        name=name,
        task="detect",
        summary=summary,
        licence=terms,
        origin=origin,
        default_precision="",
        models={},
        labels=tuple(labels),
        input=InputSpec(width_px=size_px, height_px=size_px, range=INPUT_RANGE),
        outputs=OutputSpec(score=options.score),
        anchors=check_anchors(api_anchors(size_px, network.anchor_count), network),
        box_coder=BoxCoderSpec(scales=BOX_SCALES),
        thresholds=THRESHOLDS,
        sha256={},
    )
    return _write(network, manifest, options, licence)


def _write(
    network: LegacyNetwork, manifest: Manifest, options: argparse.Namespace, licence: str | None
) -> dict[str, float]:
    precisions: Sequence[str] = options.precision or ("int8", "fp16")
    calibration: list[Array] = []
    if "int8" in precisions:
        calibration = calibration_pictures(options.calibration or [DEMO_CLIP], network.size_px)
    with tempfile.TemporaryDirectory() as scratch:
        saved_model, trial = Path(scratch) / "saved", Path(scratch) / "bundle"
        network.save(saved_model)
        models = {one: convert(saved_model, one, calibration, INPUT_RANGE) for one in precisions}
        write_bundle(trial, manifest, models, licence=licence)
        found = differences(trial, network)
        if all(found[one] < TOLERANCE[one] for one in precisions):
            write_bundle(options.out, manifest, models, licence=licence)
            verify(load_bundle(options.out))
    return found


if __name__ == "__main__":
    sys.exit(main())
