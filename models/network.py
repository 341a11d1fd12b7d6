"""A network with its manifest: built, started from other weights, saved, and loaded again.

A trained network lies in a folder as a bundle does: ``network.keras`` beside a ``bundle.toml`` that says what is needed
to use it. ``models.export`` makes a bundle for the runtime of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import msgspec
import numpy as np
import tensorflow as tf

from hybridtrack.detectors.bundle import (
    FORMAT,
    MANIFEST,
    VERSION,
    AnchorSpec,
    BoxCoderSpec,
    Bundle,
    InputSpec,
    Manifest,
    OutputSpec,
    Thresholds,
    load_bundle,
)
from hybridtrack.detectors.runtime import FLOAT32, input_table
from hybridtrack.detectors.ssd import SsdDetector
from hybridtrack.errors import BundleError, ConfigError, one_line
from hybridtrack.types import Array
from models.anchors import PYRAMID_SCALES, SSD_RATIOS, SSD_SCALES, fitted, pyramid_anchors, ssdlite_anchors
from models.fpnlite import RATIOS as PYRAMID_RATIOS
from models.fpnlite import build_fpnlite
from models.manifest import manifest_text
from models.settings import Settings
from models.ssdlite import build_ssdlite

KERAS = "keras"  #: the precision under which a folder of training has its network
KERAS_FILE = "network.keras"
LICENCE_FILE = "LICENSE"
INPUT_RANGE = (-1.0, 1.0)
BOX_SCALES = (10.0, 10.0, 5.0, 5.0)
THRESHOLDS = Thresholds(score=0.05, nms_iou=0.45)
PRIOR = 0.01  #: the score that a fresh class head begins with (Lin et al. 2017, arXiv:1708.02002, section 4.1)
CALIBRATION_BATCH = 64  #: pictures that statistics of batch normalisation are taken from


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainedNetwork:
    """A Keras network and what bundle.toml says of it."""

    network: keras.Model
    manifest: Manifest


def build(settings: Settings, size_norm: Array) -> TrainedNetwork:
    """Return the network of the settings, with the weights that it starts from.

    size_norm: widths and heights (N, 2) of the training boxes in 0..1, which anchors are fitted to on request.
    Raises BundleError and ConfigError.
    """
    wanted = settings.network
    builder = {"ssdlite": build_ssdlite, "fpnlite": build_fpnlite}[wanted.head]
    network = builder(len(settings.labels), wanted.size_px, wanted.width)
    anchors = choose_anchors(settings, size_norm)
    for layer in _batch_norms(network):
        layer.momentum = wanted.batch_norm_momentum
    _start_heads(network, settings.loss.kind)
    if wanted.start != "random":
        copy_weights(load_network(Path(wanted.start)), network)
    return TrainedNetwork(network=network, manifest=_manifest(settings, anchors))


def choose_anchors(settings: Settings, size_norm: Array) -> AnchorSpec:
    """Return the anchors that the settings ask for. Raises ConfigError for ratios of another number than usual."""
    wanted, size_px = settings.anchors, settings.network.size_px
    usual = {"ssdlite": (SSD_SCALES, SSD_RATIOS), "fpnlite": (PYRAMID_SCALES, PYRAMID_RATIOS)}
    scales, ratios = usual[settings.network.head]
    if wanted.ratios and len(wanted.ratios) != len(ratios):
        raise ConfigError(
            f"anchors.ratios has {len(wanted.ratios)} ratios; {settings.network.head} needs {len(ratios)}"
        )
    scales = (wanted.scale_min or scales[0], wanted.scale_max or scales[1])
    build_anchors = {"ssdlite": ssdlite_anchors, "fpnlite": pyramid_anchors}[settings.network.head]
    anchors = build_anchors(size_px, scales, wanted.ratios or ratios)
    return fitted(anchors, size_norm) if wanted.fit else anchors


def _manifest(settings: Settings, anchors: AnchorSpec) -> Manifest:
    size = settings.network.size_px
    return Manifest(
        format=FORMAT,
        version=VERSION,
        name=settings.bundle.name,
        task="detect",
        summary=settings.bundle.summary,
        licence=settings.bundle.licence,
        origin=settings.bundle.origin,
        default_precision=KERAS,
        models={KERAS: KERAS_FILE},
        labels=settings.labels,
        input=InputSpec(width_px=size, height_px=size, range=INPUT_RANGE),
        outputs=OutputSpec(score="sigmoid" if settings.loss.kind == "focal" else "softmax"),
        anchors=anchors,
        box_coder=BoxCoderSpec(scales=BOX_SCALES),
        thresholds=THRESHOLDS,
        sha256={},
    )


def _start_heads(network: keras.Model, loss: str) -> None:
    """Let classes begin rare: the bias of a focal loss's class heads says ``PRIOR`` of every anchor."""
    for layer in network.layers:
        if is_class_head(layer.name):
            layer.bias.assign(np.full(layer.bias.shape, -np.log((1 - PRIOR) / PRIOR) if loss == "focal" else 0.0))
            layer.kernel.assign(keras.random.normal(layer.kernel.shape, stddev=0.01, seed=1))


def is_class_head(name: str) -> bool:
    """Return whether a layer's outputs are classes."""
    return name == "classes" or (name.startswith("classes_") and name.removeprefix("classes_").isdigit())


def is_backbone(name: str) -> bool:
    """Return whether a layer is one of MobileNetV2's."""
    return name.startswith(("block_", "expanded_conv", "Conv", "bn_Conv", "out_relu"))


def copy_weights(source: keras.Model, network: keras.Model) -> list[str]:
    """Copy the weights of layers with one name and shape; return the layers of ``network`` that begin afresh.

    Class heads of other classes begin afresh, and with them what else has another shape. Raises BundleError when it is
    more than the heads: then the networks are of other kinds.
    """
    layers = {layer.name: layer for layer in source.layers}
    fresh = []
    for layer in network.layers:
        if not layer.weights:
            continue
        other = layers.get(layer.name)
        if other is not None and [x.shape for x in other.weights] == [x.shape for x in layer.weights]:
            layer.set_weights(other.get_weights())
        else:
            fresh.append(layer.name)
    if any(map(is_backbone, fresh)):
        raise BundleError(
            f"the weights to start from are those of another backbone: {fresh[0]!r} has another shape or is missing; "
            "use network.width as it was trained with, or start = 'random'"
        )
    return fresh


def load_network(path: Path) -> keras.Model:
    """Return the network of a .keras file, or of a folder with one. Raises BundleError."""
    file = path if path.suffix == ".keras" else next(iter(sorted(path.glob("*.keras"))), path / KERAS_FILE)
    try:
        network: keras.Model = keras.saving.load_model(file, compile=False)
    except (OSError, ValueError) as error:
        raise BundleError(f"cannot load the network {str(file)!r}: {one_line(error)}") from error
    return network


def save(trained: TrainedNetwork, folder: Path) -> None:
    """Write a trained network; each file under its own name only when it is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    scratch = folder / f"writing-{KERAS_FILE}"
    trained.network.save(scratch)
    content = scratch.read_bytes()
    manifest = msgspec.structs.replace(trained.manifest, sha256={KERAS_FILE: hashlib.sha256(content).hexdigest()})
    text = folder / f"writing-{MANIFEST}"
    text.write_text(manifest_text(manifest), encoding="utf-8")
    scratch.replace(folder / KERAS_FILE)
    text.replace(folder / MANIFEST)


def load(folder: Path) -> TrainedNetwork:
    """Return the trained network in a folder: of a training, or its ``best``. Raises BundleError."""
    if not (folder / MANIFEST).is_file() and (folder / "best" / MANIFEST).is_file():
        folder = folder / "best"
    bundle = load_bundle(folder)
    bundle.read(bundle.model(KERAS))
    return TrainedNetwork(network=load_network(folder / bundle.model(KERAS)), manifest=bundle.manifest)


def _batch_norms(network: keras.Model) -> Iterable[keras.layers.BatchNormalization]:
    return (layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization))


def restore_statistics(network: keras.Model, rgb: Array) -> None:
    """Give batch normalisation the statistics of pictures float32 (N, H, W, 3), without changing what it computes.

    Imported weights have them folded away (mean 0, variance 1). Trained on as they are, they would be another network
    at the first step: batches are normalised by what they are.
    """
    norms = list(_batch_norms(network))
    observed = keras.Model(network.input, [layer.input for layer in norms])
    inputs = observed(rgb, training=False)
    for layer, x in zip(norms, inputs, strict=True):
        gamma, beta, mean, variance = layer.get_weights()
        slope = gamma / np.sqrt(variance + layer.epsilon)
        shift = beta - slope * mean
        found = np.asarray(x, np.float64).reshape(-1, x.shape[-1])
        mean, variance = found.mean(axis=0), found.var(axis=0)
        layer.set_weights([slope * np.sqrt(variance + layer.epsilon), shift + slope * mean, mean, variance])


class KerasNetwork:
    """A Keras network as the runtime's detectors take it."""

    encodings = FLOAT32
    logits = FLOAT32

    def __init__(self, network: keras.Model, outputs: OutputSpec, value_range: tuple[float, float]) -> None:
        self._function = tf.function(lambda rgb: network(rgb, training=False), reduce_retracing=True)
        self._outputs = outputs
        self._table = input_table(value_range, FLOAT32)

    def run(self, rgb: Array) -> tuple[Array, Array]:
        outputs: dict[str, Any] = self._function(tf.constant(self._table[rgb][None]))
        return outputs[self._outputs.encodings].numpy()[0], outputs[self._outputs.logits].numpy()[0]


def detector(trained: TrainedNetwork, classes: Sequence[str] | None = None) -> SsdDetector:
    """Return the detector that the runtime would make of the network."""
    manifest = trained.manifest
    network = KerasNetwork(trained.network, manifest.outputs, manifest.input.range)
    return SsdDetector(Bundle(folder=Path(), manifest=manifest), network=network, classes=classes)
