"""Import the hand SSD of handtrack.js into our Keras network, and prove that it computes the same.

    python -m models.import_handtrackjs handtrackjs-0.1.5.tgz [--out DIR] [--pictures VIDEO_OR_FOLDER]...

The package comes from ``npm pack handtrackjs@0.1.5``; its published sha512 is checked first. Every constant of the
graph is either copied into exactly one variable of the network or named here as no weight; then the raw outputs of
both networks are compared on frames of the demo clip and on generated pictures. Exit status 1 when they differ.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from hybridtrack.detectors.bundle import FORMAT, VERSION, BoxCoderSpec, InputSpec, Label, Manifest, OutputSpec
from hybridtrack.errors import BundleError, HybridTrackError
from hybridtrack.types import Array
from models.anchors import ssdlite_anchors
from models.graph_weights import GraphPackage, read_package
from models.mobilenet_v2 import BATCH_NORM_EPSILON
from models.network import (
    BOX_SCALES,
    INPUT_RANGE,
    KERAS,
    KERAS_FILE,
    LICENCE_FILE,
    THRESHOLDS,
    TrainedNetwork,
    save,
)
from models.original_graph import RawOutputs, raw_outputs
from models.pictures import DEMO_CLIP, generated_pictures, read_pictures
from models.ssdlite import EXTRA_LAYERS, SIZE_PX, build_ssdlite

PACKAGE = "handtrackjs@0.1.5"
SHA512 = (
    "bb90677b07ddc5225fa46e781401b1b5a1749237361d62fe1f59025129eb037f"
    "50413faa47fc8e8b27f0ddc26ca7e60bf53e2d75b1f5b0641f44a0b6c7359295"
)  #: ``npm view handtrackjs@0.1.5 dist.integrity``, as hex
FOLDER = "package/models/web/ssdlitemobilenetv2"
OUT = Path("out/models/hand-ssdlite-mobilenetv2")

#: what bundle.toml says of it
MANIFEST = Manifest(
    format=FORMAT,
    version=VERSION,
    name="hand-ssdlite-mobilenetv2",
    task="detect",
    summary="hands, seen by a person or a camera at a table: SSDLite-MobileNetV2, 300x300",
    licence="MIT",
    origin=f"weights of npm {PACKAGE} (Victor Dibia), folder {FOLDER.removeprefix('package/')}, trained on EgoHands",
    default_precision=KERAS,
    models={KERAS: KERAS_FILE},
    labels=(Label(name="hand", role="hand", identity="hand"),),
    input=InputSpec(width_px=SIZE_PX, height_px=SIZE_PX, range=INPUT_RANGE),
    outputs=OutputSpec(),
    anchors=ssdlite_anchors(SIZE_PX),
    box_coder=BoxCoderSpec(scales=BOX_SCALES),
    thresholds=THRESHOLDS,
    sha256={},
)

TOLERANCE = 1e-3  #: largest |difference| of encodings and logits; float32 rounding of 17 blocks gives about 1e-4

#: constants that belong to resizing, reshaping, decoding and suppression, not to the network
NOT_WEIGHTS = re.compile(
    r"(Preprocessor|Postprocessor|ConstantFolding/Postprocessor)/.*|BoxPredictor_0/Reshape/shape/\d"
)


def weight_names(network: keras.Model) -> dict[str, str]:
    """Return, for each variable of the network (its path), the constant of the published graph that it is made of.

    Batch normalisation is folded in the graph: the scale is merged into the kernels of ordinary convolutions and kept
    as ``Scaled`` behind depthwise ones; the rest is ``Offset``. So beta is Offset, gamma is Scaled or 1, the moving
    mean is 0, and the moving variance is such that the whole is an affine map: the layer can be trained again.
    """
    names = {}
    for layer in network.layers:
        for variable in layer.weights:
            source = _constant(layer.name, variable.name)
            if source is not None:
                names[variable.path] = source
    return names


def _constant(layer: str, variable: str) -> str | None:
    if match := re.fullmatch(r"(boxes|classes)_(\d)", layer):
        kind = {"boxes": "BoxEncodingPredictor", "classes": "ClassPredictor"}[match[1]]
        return f"BoxPredictor_{match[2]}/{kind}/{'weights' if variable == 'kernel' else 'biases'}"
    is_batch_norm = layer.startswith("bn_") or layer.endswith("_BN") or layer.endswith("_bn")
    convolution = re.sub(r"^bn_|_BN$|_bn$", "", layer)
    scope = f"FeatureExtractor/MobilenetV2/{_scope(convolution)}"
    is_depthwise = convolution.endswith("_depthwise")
    if not is_batch_norm:
        return f"{scope}/depthwise_weights" if is_depthwise else f"{scope}/Conv2D/merged_input"
    if variable == "beta":
        return f"{scope}/BatchNorm/FusedBatchNorm/Offset"
    if variable == "gamma" and is_depthwise:
        return f"{scope}/BatchNorm/FusedBatchNorm/Scaled"
    return None


def _scope(convolution: str) -> str:
    """Return the graph's scope for one of our convolutions: ``block_3_expand`` is ``expanded_conv_3/expand``."""
    if match := re.fullmatch(r"extra_(\d)_(narrow|wide)", convolution):
        number = int(match[1])
        narrow, wide = EXTRA_LAYERS[number]
        kind = f"1_Conv2d_{number + 2}_1x1_{narrow}" if match[2] == "narrow" else f"2_Conv2d_{number + 2}_3x3_s2_{wide}"
        return f"layer_19_{kind}"
    if match := re.fullmatch(r"(?:block(_\d+)|expanded_conv)_(expand|depthwise|project)", convolution):
        return f"expanded_conv{match[1] or ''}/{match[2]}"
    return {"Conv1": "Conv", "Conv_1": "Conv_1"}[convolution]


def copy_weights(network: keras.Model, constants: Mapping[str, Array]) -> None:
    """Set every variable of the network. Raises BundleError unless each weight is used once and none is left over."""
    names = weight_names(network)
    used = list(names.values())
    expected = {name for name in constants if not NOT_WEIGHTS.fullmatch(name)}
    if len(used) != len(set(used)) or set(used) != expected:
        twice = sorted({name for name in used if used.count(name) > 1})
        raise BundleError(
            f"weights do not fit the network: missing {sorted(set(used) - expected)}, "
            f"left over {sorted(expected - set(used))}, used twice {twice}"
        )
    for layer in network.layers:
        for variable in layer.weights:
            variable.assign(_values(variable, constants, names.get(variable.path)))


def _values(variable: keras.Variable, constants: Mapping[str, Array], source: str | None) -> Array:
    if source is None:
        neutral = {"gamma": 1.0, "moving_mean": 0.0, "moving_variance": 1.0 - BATCH_NORM_EPSILON}
        return np.full(variable.shape, neutral[variable.name], np.float32)
    values = constants[source]
    if values.shape != tuple(variable.shape):
        raise BundleError(
            f"weight {source!r} has shape {values.shape}, {variable.path!r} wants {tuple(variable.shape)}"
        )
    return values


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How far two networks' raw outputs lie apart on a set of pictures, at most."""

    pictures: int
    encodings: float
    logits: float


def largest_difference(network: keras.Model, original: RawOutputs, pictures: Iterator[Array]) -> Difference:
    """Return the largest |difference| of raw outputs over uint8 (300, 300, 3) RGB pictures."""
    count, encodings, logits = 0, 0.0, 0.0
    for rgb in pictures:
        batch = (rgb.astype(np.float32) * (2 / 255) - 1)[None]
        ours = {name: np.asarray(values)[0] for name, values in network(batch, training=False).items()}
        encodings_original, logits_original = original(batch)
        encodings = max(encodings, float(np.abs(ours["encodings"] - encodings_original).max()))
        logits = max(logits, float(np.abs(ours["logits"] - logits_original).max()))
        count += 1
    return Difference(pictures=count, encodings=encodings, logits=logits)


def import_network(package: GraphPackage) -> keras.Model:
    """Return our network with the package's weights. Raises BundleError when they do not fit."""
    network = build_ssdlite(class_count=1)
    copy_weights(network, package.constants)
    return network


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m models.import_handtrackjs", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("package", type=Path, help=f"the npm package {PACKAGE} (.tgz)")
    parser.add_argument("--out", type=Path, default=OUT, help="folder for the Keras network (default: %(default)s)")
    parser.add_argument("--pictures", type=Path, action="append", default=[], help="more real pictures to compare on")
    parser.add_argument("--every", type=int, default=24, help="compare on every Nth picture (default: %(default)s)")
    options = parser.parse_args(arguments)
    try:
        package = read_package(options.package, sha512=SHA512, folder=FOLDER)
        network = import_network(package)
        print(f"{PACKAGE}: sha512 as published; {len(weight_names(network))} weights copied, each once, none left over")
        original = raw_outputs(package)
        size = (SIZE_PX, SIZE_PX)
        sets: dict[str, Iterator[Array]] = {
            str(path): (frame.rgb(size) for frame in read_pictures(path, every=options.every))
            for path in (DEMO_CLIP, *options.pictures)
        }
        sets["generated"] = generated_pictures(12, size, np.random.default_rng(0))
        equal = True
        for name, pictures in sets.items():
            found = largest_difference(network, original, pictures)
            equal &= max(found.encodings, found.logits) < TOLERANCE
            print(
                f"{Path(name).name}: {found.pictures} pictures, max |difference| encodings {found.encodings:.2e}, "
                f"logits {found.logits:.2e}"
            )
    except HybridTrackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if not equal:
        print(f"error: raw outputs differ by more than {TOLERANCE}; the import is wrong", file=sys.stderr)
        return 1
    options.out.mkdir(parents=True, exist_ok=True)
    save(TrainedNetwork(network=network, manifest=MANIFEST), options.out)
    (options.out / LICENCE_FILE).write_text(package.licence, encoding="utf-8")
    print(f"wrote {options.out / KERAS_FILE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
