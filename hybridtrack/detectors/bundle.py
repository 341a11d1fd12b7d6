"""A bundle: a folder with a network, what is needed to use it (``bundle.toml``), and its licence.

hand-ssdlite-mobilenetv2/
    bundle.toml           name, labels, input, anchors, thresholds, licence, origin, sha256 of every other file
    model_int8.tflite     one file for each precision
    model_fp16.tflite
    LICENSE
    README.md
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta

from hybridtrack.errors import BundleError, UsageError
from hybridtrack.types import Array, ClassInfo, Size

MANIFEST = "bundle.toml"
FORMAT = "hybridtrack.bundle"
VERSION = 1
SHIPPED = Path(__file__).parent.parent / "bundles"
DEFAULT = "hand-ssdlite-mobilenetv2"

Probability = Annotated[float, Meta(gt=0, lt=1)]
Positive = Annotated[float, Meta(gt=0)]
Pixels = Annotated[int, Meta(ge=1)]


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of ``bundle.toml``; a key that it does not know is an error."""


class Label(Part, frozen=True):
    """A class of the network, in the order of its logits (an SSD's: behind the background)."""

    name: str
    role: Literal["hand", "object", "other"]
    identity: str = ""


class InputSpec(Part, frozen=True):
    """What the network takes: the whole picture at this size, 0..255 mapped to ``range``."""

    width_px: Pixels
    height_px: Pixels
    range: tuple[float, float]
    channels: Literal["rgb"] = "rgb"


class OutputSpec(Part, frozen=True):
    """The names of the network's outputs, and how a logit becomes a score; an SSD's logit 0 is the background's.

    Scores are sigmoids, each of its own logit, or the softmax of a row, background included.
    """

    encodings: str = "encodings"
    logits: str = "logits"
    score: Literal["sigmoid", "softmax"] = "sigmoid"


class AnchorSpec(Part, frozen=True):
    """What ``anchors.ssd_anchors`` takes; with ``scales``, ``anchors.pyramid_anchors``. ``grids``: (columns, rows)."""

    grids: tuple[tuple[Pixels, Pixels], ...]
    ratios: tuple[Positive, ...]
    scale_min: Positive | None = None
    scale_max: Positive | None = None
    reduce_finest: bool = False
    scales: tuple[tuple[Positive, ...], ...] = ()
    pitches: tuple[Positive, ...] = ()
    starts: tuple[Annotated[float, Meta(ge=0)], ...] = ()
    zoom: Positive = 1.0

    def __post_init__(self) -> None:
        """Raise ValueError unless there are scales of either kind, and as many of each map's own as maps."""
        if (self.scale_min is None or self.scale_max is None) and not self.scales:
            raise ValueError("anchors need scale_min and scale_max, or scales")
        for name, own in (("scales", self.scales), ("pitches", self.pitches), ("starts", self.starts)):
            if own and len(own) != len(self.grids):
                raise ValueError(f"anchors have {len(self.grids)} grids and {len(own)} {name}, expected as many")
        if len(self.pitches) != len(self.starts):
            raise ValueError("anchors have pitches or starts; they need both or neither")

    def boxes(self) -> Array:
        """Return the anchors float32 (A, 4): centre x, centre y, width, height in 0..1."""
        from hybridtrack.detectors.anchors import pyramid_anchors, ssd_anchors

        if self.scales:
            return pyramid_anchors(
                self.grids,
                scales=self.scales,
                ratios=self.ratios,
                pitches=self.pitches,
                starts=self.starts,
                zoom=self.zoom,
            )
        assert self.scale_min is not None
        assert self.scale_max is not None
        return ssd_anchors(
            self.grids,
            scale_min=self.scale_min,
            scale_max=self.scale_max,
            ratios=self.ratios,
            reduce_finest=self.reduce_finest,
            zoom=self.zoom,
        )


class BoxCoderSpec(Part, frozen=True):
    """The scales of ``box_coder``: y, x, height, width."""

    scales: tuple[Positive, Positive, Positive, Positive]


class Thresholds(Part, frozen=True):
    """Boxes below ``score`` are not returned; of two whose IoU is above ``nms_iou`` the weaker is dropped."""

    score: Probability
    nms_iou: Probability


class Manifest(Part, frozen=True):
    """What ``bundle.toml`` says. Paths are relative to the bundle's folder.

    ``anchors`` and ``box_coder`` are those of an SSD; a network of another kind has neither, and a detector of its own.
    """

    format: Literal["hybridtrack.bundle"]
    version: Literal[1]
    name: str
    task: Literal["detect"]
    summary: str
    licence: str
    origin: str
    default_precision: str
    models: dict[str, str]  #: precision -> file (.tflite) or folder (a SavedModel)
    labels: Annotated[tuple[Label, ...], Meta(min_length=1)]
    input: InputSpec
    outputs: OutputSpec
    thresholds: Thresholds
    sha256: dict[str, str]  #: of every file but bundle.toml
    anchors: AnchorSpec | None = None
    box_coder: BoxCoderSpec | None = None


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle on disk. Its files are checked when they are read, not before."""

    folder: Path
    manifest: Manifest

    @property
    def name(self) -> str:
        return self.manifest.name

    @property
    def classes(self) -> tuple[ClassInfo, ...]:
        """What the detector offers, in the order of ``class_id``."""
        return tuple(ClassInfo(name=x.name, role=x.role, identity=x.identity) for x in self.manifest.labels)

    def class_ids(self, names: Sequence[str] | None = None) -> Array:
        """Return the rows int (K,) of ``classes`` with these names, in their own order; of all when None.

        Raises UsageError when there is no name, or a class of a name is not there.
        """
        known = [label.name for label in self.manifest.labels]
        if names is None:
            return np.arange(len(known))
        unknown = sorted({*names} - {*known})
        if unknown or not names:
            asked = ", ".join(map(repr, unknown)) or "no class"
            raise UsageError(f"classes asks for {asked}, bundle {self.name!r} has {', '.join(known)}")
        return np.flatnonzero(np.isin(known, list(names)))

    @property
    def input_size_px(self) -> Size:
        return self.manifest.input.width_px, self.manifest.input.height_px

    def model(self, precision: str | None = None) -> str:
        """Return the file or folder of a precision, of the default one when None. Raises BundleError."""
        models = self.manifest.models
        wanted = self.manifest.default_precision if precision is None else precision
        if wanted not in models:
            raise BundleError(f"bundle {self.name!r} has no precision {wanted!r}; choose from {', '.join(models)}")
        return models[wanted]

    def read(self, file: str) -> bytes:
        """Return a file's bytes. Raises BundleError when it is missing or its sum is not the one in bundle.toml."""
        expected = self.manifest.sha256.get(file)
        if expected is None:
            raise BundleError(
                f"file {file!r} of bundle {self.name!r} has no sha256 in {MANIFEST}; get the bundle again"
            )
        try:
            content = (self.folder / file).read_bytes()
        except OSError as error:
            reason = error.strerror or error
            raise BundleError(
                f"cannot read {file!r} of bundle {self.name!r}: {reason}; get the bundle again"
            ) from error
        found = hashlib.sha256(content).hexdigest()
        if found != expected:
            raise BundleError(
                f"file {file!r} of bundle {self.name!r} has sha256 {found[:12]}…, {MANIFEST} says {expected[:12]}…; "
                "it was altered: get the bundle again"
            )
        return content


def load_bundle(folder: Path | str) -> Bundle:
    """Return the bundle in ``folder``. Raises BundleError when bundle.toml is missing, unreadable or wrong."""
    folder = Path(folder)
    path = folder / MANIFEST
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BundleError(f"no bundle at {str(folder)!r}: cannot read {MANIFEST}: {error.strerror or error}") from error
    except ValueError as error:  # not UTF-8, or not TOML
        raise BundleError(f"{str(path)!r} is not TOML: {error}") from error
    if content.get("format") != FORMAT or content.get("version") != VERSION:
        found = f"{content.get('format')!r} version {content.get('version')!r}"
        raise BundleError(f"{str(path)!r} is {found}, expected {FORMAT!r} version {VERSION}; update hybridtrack")
    try:
        manifest = msgspec.convert(content, Manifest)
    except msgspec.ValidationError as error:
        raise BundleError(f"{str(path)!r} is wrong: {error}") from error
    if manifest.default_precision not in manifest.models:
        raise BundleError(
            f"{str(path)!r} is wrong: default_precision {manifest.default_precision!r} is none of its models "
            f"({', '.join(manifest.models)})"
        )
    return Bundle(folder=folder, manifest=manifest)


def find_bundle(name_or_folder: str | Path | None = None) -> Bundle:
    """Return a shipped bundle by its name, or the bundle in a folder; the default one when None. Raises BundleError."""
    if name_or_folder is None:
        return default_bundle()
    if str(name_or_folder) in list_bundles():
        return load_bundle(SHIPPED / name_or_folder)
    if Path(name_or_folder).is_dir():
        return load_bundle(name_or_folder)
    raise BundleError(
        f"no bundle {str(name_or_folder)!r}: neither a folder nor one of those shipped ({', '.join(list_bundles())})"
    )


def default_bundle() -> Bundle:
    """Return the hand detector that ships with hybridtrack."""
    return load_bundle(SHIPPED / DEFAULT)


def list_bundles() -> tuple[str, ...]:
    """Return the names of the shipped bundles, sorted."""
    return tuple(sorted(path.parent.name for path in SHIPPED.glob(f"*/{MANIFEST}")))


def verify(bundle: Bundle) -> tuple[str, ...]:
    """Return the names of the files whose sums were checked: all that bundle.toml names. Raises BundleError."""
    for file in bundle.manifest.sha256:
        bundle.read(file)
    return tuple(bundle.manifest.sha256)
