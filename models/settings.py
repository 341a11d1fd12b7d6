"""The settings of a training: a TOML file, checked once; ``models/configs/hands.toml`` explains every key."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from hybridtrack.detectors.bundle import Label, Positive
from hybridtrack.errors import ConfigError, unknown_name

Count = Annotated[int, Meta(ge=1)]
Natural = Annotated[int, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
NotNegative = Annotated[float, Meta(ge=0)]


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file."""


class BundleSettings(Part, frozen=True):
    """What the network is called, and under which licence it may be used: goes into its bundle."""

    name: str
    summary: str
    licence: str = "unknown"
    origin: str = ""


class DataSettings(Part, frozen=True):
    """Patterns of TFRecord files. ``flip_pairs``: labels that change places when a picture is mirrored."""

    train: tuple[str, ...]
    validation: tuple[str, ...] = ()
    cache: Literal["memory", "none"] = "memory"
    flip_pairs: tuple[tuple[str, str], ...] = ()


class NetworkSettings(Part, frozen=True):
    """Which network, and what it starts from: ``random`` weights, those of a .keras file, or of a folder with one."""

    head: Literal["ssdlite", "fpnlite"] = "ssdlite"
    size_px: Literal[192, 224, 300, 320] = 300
    width: Annotated[float, Meta(gt=0, le=2)] = 1.0
    start: str = "random"
    freeze_backbone: bool = False
    batch_norm: Literal["frozen", "trained"] = "trained"
    batch_norm_momentum: Share = 0.97


class AnchorSettings(Part, frozen=True):
    """Anchors other than the usual ones; ``fit`` computes scales and ratios from the boxes of the training data."""

    fit: bool = False
    scale_min: Positive | None = None
    scale_max: Positive | None = None
    ratios: tuple[Positive, ...] = ()


class LossSettings(Part, frozen=True):
    """The loss of classes, and what that of boxes weighs beside it."""

    kind: Literal["focal", "softmax"] = "focal"
    alpha: Share = 0.25
    gamma: NotNegative = 2.0
    negatives_per_positive: Count = 3
    box_weight: Positive = 1.0


class AugmentationSettings(Part, frozen=True):
    """How often each change is made to a picture, 0..1."""

    crop: Share = 0.7
    zoom_out: Share = 0.2
    flip: Share = 0.5
    colour: Share = 0.5
    blur: Share = 0.1


class TrainingSettings(Part, frozen=True):
    """How long and how fast it learns. All counts are in steps, a step is a batch."""

    steps: Count
    batch_size: Count = 8
    optimizer: Literal["adam", "sgd"] = "adam"
    learning_rate: Positive = 0.001
    warm_up_steps: Natural = 100
    final_share: Share = 0.01
    weight_decay: NotNegative = 0.0001
    clip_norm: Positive = 10.0
    average_decay: Annotated[float, Meta(ge=0, lt=1)] = 0.99
    validate_every: Count = 200
    checkpoint_every: Count = 200
    patience: Natural = 0
    seed: int = 0
    mixed_precision: Literal["auto", "on", "off"] = "auto"
    distribute: Literal["none", "mirrored"] = "none"


class Settings(Part, frozen=True):
    """All of a training."""

    bundle: BundleSettings
    labels: Annotated[tuple[Label, ...], Meta(min_length=1)]
    data: DataSettings
    training: TrainingSettings
    network: NetworkSettings = NetworkSettings()
    anchors: AnchorSettings = AnchorSettings()
    loss: LossSettings = LossSettings()
    augmentation: AugmentationSettings = AugmentationSettings()


def read_settings(path: Path, changes: Sequence[str] = ()) -> Settings:
    """Return the settings of a TOML file with ``changes`` such as ``training.steps=100``. Raises ConfigError."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read {str(path)!r}: {error.strerror or error}") from error
    except ValueError as error:
        raise ConfigError(f"{str(path)!r} is not TOML: {error}") from error
    for change in changes:
        _change(content, change)
    return parse_settings(content, where=str(path))


def parse_settings(content: Mapping[str, Any], *, where: str) -> Settings:
    """Return checked settings. Raises ConfigError: the key, what is wrong, and the nearest key to an unknown one."""
    _refuse_unknown(content, where)
    try:
        settings = msgspec.convert(content, Settings)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where!r} is wrong: {error}") from error
    names = [label.name for label in settings.labels]
    if len(set(names)) != len(names):
        raise ConfigError(f"{where!r} is wrong: two labels have one name among {', '.join(names)}")
    for name in (name for pair in settings.data.flip_pairs for name in pair):
        if name not in names:
            raise ConfigError(f"{where!r}, data.flip_pairs: {unknown_name('label', name, names)}")
    return settings


def settings_text(settings: Settings) -> str:
    """Return the settings as TOML, defaults included: ``read_settings`` of it gives the same."""
    content = msgspec.to_builtins(settings)
    labels = content.pop("labels")
    tables = [("[[labels]]", label) for label in labels] + [(f"[{name}]", table) for name, table in content.items()]
    return "\n".join("\n".join([head, *map(_toml_line, table.items()), ""]) for head, table in tables)


def _toml_line(item: tuple[str, Any]) -> str:
    """Return a key and its value, which JSON writes as TOML does; a key without a value is left as a comment."""
    key, value = item
    return f"# {key} =" if value is None else f"{key} = {json.dumps(value)}"


def _change(content: dict[str, Any], change: str) -> None:
    name, is_set, text = change.partition("=")
    if not is_set:
        raise ConfigError(f"cannot set {change!r}: give it as table.key=value")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except ValueError:
        value = text
    *tables, key = name.strip().split(".")
    for table in tables:
        content = content.setdefault(table, {})
        if not isinstance(content, dict):
            raise ConfigError(f"cannot set {change!r}: {table!r} is not a table")
    content[key] = value


def _refuse_unknown(content: Mapping[str, Any], where: str) -> None:
    tables = {one.name: one.type for one in msgspec.structs.fields(Settings)}
    for name, value in content.items():
        if name not in tables:
            raise ConfigError(f"{where!r}: {unknown_name('table', name, tables)}")
        if not isinstance(value, dict):
            continue
        known = [one.name for one in msgspec.structs.fields(tables[name])]
        for key in value:
            if key not in known:
                raise ConfigError(f"{where!r}, table {name!r}: {unknown_name('key', key, known)}")
