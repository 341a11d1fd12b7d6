"""The settings of a run: what flags and configuration files say, checked once and frozen.

Keys of a file are the names of the flags (``detect-every`` or ``detect_every``); flags win over the file. Both go
through the same checks, and a refusal names the place the value came from.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from hybridtrack.cadence import Cadence, parse_cadence, parse_time
from hybridtrack.errors import ConfigError, HybridTrackError, UsageError, unknown_name
from hybridtrack.ground import TableSetting, ZoneSetting, parse_table, parse_zones

Fill: TypeAlias = Literal["forward", "two-way"]

RUNTIMES = ("litert", "tensorflow")
FILLS: tuple[Fill, ...] = get_args(Fill)  #: boxes between detector runs go by the last run, or by the next as well
GENERAL_KEYS = ("every", "phase", "limit", "birth")  #: what can be said of every detector beside its own options

_SIZE = re.compile(r"(\d+)x(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A detector or tracker that was asked for as ``NAME[,every=N][,phase=P][,limit=T][,birth=S][,key=value…]``.

    ``limit`` is how long a run of the detector may take before it counts as hung, as a text ("5s"). ``birth`` is the
    score from which what it sees begins a track, in 0..1; None: the tracker's own. ``options`` are
    texts still; the plugin host reads them by the options of the spec.
    """

    name: str
    every: str | None = None
    phase: int = 0
    limit: str | None = None
    birth: float | None = None
    options: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        words = dict(self.options)
        if self.every is not None:
            words["every"] = self.every
        if self.phase:
            words["phase"] = str(self.phase)
        if self.limit is not None:
            words["limit"] = self.limit
        if self.birth is not None:
            words["birth"] = f"{self.birth:g}"
        return ",".join([self.name, *(f"{key}={value}" for key, value in words.items())])

    @property
    def limit_s(self) -> float | None:
        """The limit in seconds, None where none was given. Raises UsageError when it is no time."""
        return None if self.limit is None else parse_time(self.limit, where=f"detector {self.name}: limit")


def parse_size(text: str, *, where: str = "--size") -> tuple[int, int]:
    """Return the (width, height) in pixels that a text such as 640x360 says. Raises UsageError."""
    return _size(text, where)


def parse_choice(text: str, *, where: str, has_cadence: bool) -> Choice:
    """Return what ``NAME[,key=value…]`` asks for; with ``has_cadence``, every= and phase= set the cadence,
    limit= how long a run may take, and birth= how sure a detection must be to begin a track.

    Raises UsageError, naming ``where``.
    """
    name, *words = (word.strip() for word in text.split(","))
    if not name:
        raise UsageError(f"{where} {text!r} has no name: write NAME or NAME,key=value")
    options: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not (key and equals):
            raise UsageError(f"{where} {text!r}: {word!r} is no option: write key=value")
        if key in options:
            raise UsageError(f"{where} {text!r}: {key!r} is given twice: give it once")
        options[key] = value
    if not has_cadence:
        return Choice(name=name, options=options)
    every, phase = options.pop("every", None), options.pop("phase", "0")
    if not phase.isdecimal():
        raise UsageError(f"{where} {text!r}: phase is {phase!r}: use the number of a frame, from 0")
    if every is not None:
        parse_cadence(every, where=f"{where} {name}: every", phase=int(phase))
    limit = options.pop("limit", None)
    if limit is not None:
        parse_time(limit, where=f"{where} {name}: limit")
    birth = options.pop("birth", None)
    return Choice(
        name=name,
        every=every,
        phase=int(phase),
        limit=limit,
        birth=None if birth is None else _parse_score(birth, where=f"{where} {name}: birth"),
        options=options,
    )


def _parse_score(text: str, *, where: str) -> float:
    """Return the number in 0..1 that a text is. Raises UsageError, naming ``where``."""
    try:
        score = float(text)
    except ValueError:
        score = math.nan
    if not 0 <= score <= 1:
        raise UsageError(f"{where} {text!r} is no score: use a number from 0 to 1, such as 0.9")
    return score


DEFAULT_CADENCE = Cadence(frames=3)
DEFAULT_DETECTORS = (Choice(name="hand"),)


DEFAULT_RELATIONS = (Choice(name="hand_object"),)


def parse_detectors(texts: tuple[str, ...], *, where: str = "--detector") -> tuple[Choice, ...]:
    """Return the detectors that names ask for; names replace the default set, ``+NAME`` adds to what stands before.

    Raises UsageError when one is asked for twice.
    """
    return _parse_choices(texts, DEFAULT_DETECTORS, where=where, has_cadence=True)


def parse_relations(texts: tuple[str, ...], *, where: str = "--relation") -> tuple[Choice, ...]:
    """Return the relations that names ask for; names replace the default set, ``+NAME`` adds to what stands before.

    Raises UsageError when one is asked for twice.
    """
    return _parse_choices(texts, DEFAULT_RELATIONS, where=where, has_cadence=False)


def _parse_choices(
    texts: tuple[str, ...], default: tuple[Choice, ...], *, where: str, has_cadence: bool
) -> tuple[Choice, ...]:
    plain = [parse_choice(text, where=where, has_cadence=has_cadence) for text in texts if not text.startswith("+")]
    added = [parse_choice(text[1:], where=where, has_cadence=has_cadence) for text in texts if text.startswith("+")]
    choices = (*(plain or default), *added)
    for number, choice in enumerate(choices):
        if choice.name in (other.name for other in choices[:number]):
            raise UsageError(f"{where} {choice.name!r} is asked for twice: name each once")
    return choices


def parse_identities(texts: tuple[str, ...], *, where: str = "--identity") -> dict[str, tuple[str, ...]]:
    """Return the classes under each identity that ``NAME=CLASS|CLASS`` texts join. Raises UsageError."""
    joined: dict[str, tuple[str, ...]] = {}
    for text in texts:
        name, equals, classes = (part.strip() for part in text.partition("="))
        if not (name and equals and classes):
            raise UsageError(f"{where} {text!r} joins nothing: write NAME=CLASS|CLASS")
        joined[name] = (*joined.get(name, ()), *(one.strip() for one in classes.split("|")))
    return check_identities(joined, where=where)


def check_identities(joined: Mapping[str, tuple[str, ...]], *, where: str) -> dict[str, tuple[str, ...]]:
    """Return ``joined``, identity -> classes. Raises UsageError for one without a class, or a class in two of them."""
    owners: dict[str, str] = {}
    for name, classes in joined.items():
        if not name or not classes or not all(classes):
            raise UsageError(f"{where} {name!r} has no class, or one without a name: write NAME=CLASS|CLASS")
        for one in classes:
            if owners.setdefault(one, name) != name:
                raise UsageError(f"{where}: {one!r} stands under {owners[one]!r} and {name!r}: name it once")
    return {name: tuple(dict.fromkeys(classes)) for name, classes in joined.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """All that a run is told, under the names of its flags. Times in seconds, sizes (width, height) in pixels."""

    source: str = "0"
    width: int | None = None
    height: int | None = None
    size: tuple[int, int] | None = None
    detect_every: Cadence = DEFAULT_CADENCE
    detector: tuple[Choice, ...] = DEFAULT_DETECTORS
    identity: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  #: classes joined under each name
    tracker: Choice = Choice(name="flow")
    fill: Fill = "forward"
    relations: bool = True
    relation: tuple[Choice, ...] = DEFAULT_RELATIONS
    table: TableSetting | None = None
    zones: tuple[ZoneSetting, ...] | None = None
    start: float | None = None
    end: float | None = None
    max_frames: int | None = None
    loop: int = 1
    fps: float | None = None
    pace: bool = False
    live: bool = False
    json: str | None = None
    with_detections: bool = False
    mot: str | None = None
    video: str | None = None
    image: str | None = None
    show: bool = False
    web: bool = False
    web_host: str | None = None
    web_port: int | None = None
    runtime: str | None = None

    def __post_init__(self) -> None:
        if self.end is not None and self.end <= (self.start or 0):
            raise UsageError(f"--end {self.end:g} is not after --start {self.start or 0:g}: nothing would be read")
        if not self.web and (self.web_host is not None or self.web_port is not None):
            raise UsageError("--web-host and --web-port are about the page of --web: give --web as well")
        if self.with_detections and not self.json:
            raise UsageError("--with-detections has no file to go to: give --json FILE as well")
        in_cm = [zone.name for zone in self.zones or () if zone.unit == "cm"]
        if in_cm and self.table is None:
            raise UsageError(f"zone {in_cm[0]!r} is in cm, and no table is given: give --table, or its unit as 'px'")
        if self.live and self.fill == "two-way":
            raise UsageError("--fill two-way waits for the next detector run, and --live waits for none: leave one out")
        paths = list(self.outputs.values())
        if len({Path(path).resolve() for path in paths}) < len(paths):
            raise UsageError(f"two outputs would go to one file ({', '.join(paths)}): give each its own")

    @property
    def outputs(self) -> dict[str, str]:
        """The files that are to be written, by the name of their sink."""
        paths = {name: getattr(self, name) for name in ("json", "mot", "video", "image")}
        return {name: path for name, path in paths.items() if path is not None}

    def resolved(self) -> dict[str, Any]:
        """Return the settings that shape the result, under their names, as plain values that repeat the run.

        Where outputs go is left out: the same run written elsewhere is the same run.
        """
        left_out = {"json", "mot", "video", "image", "show", "web", "web_host", "web_port"}
        return {f.name: _plain(getattr(self, f.name)) for f in fields(self) if f.name not in left_out}


def _plain(value: Any) -> Any:
    if isinstance(value, Cadence):
        return value.frames or str(value)
    if isinstance(value, Choice | TableSetting):
        return str(value)
    if isinstance(value, Mapping):
        return [f"{name}={'|'.join(classes)}" for name, classes in value.items()]
    if isinstance(value, tuple) and value and isinstance(value[0], ZoneSetting):
        return {zone.name: zone.plain() for zone in value}
    if isinstance(value, tuple) and value and isinstance(value[0], Choice):
        return [str(choice) for choice in value]
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    return value


Reader: TypeAlias = Callable[[Any, str], Any]


def _refusal(value: object, where: str, wanted: str) -> UsageError:
    return UsageError(f"{where} {value!r}: expected {wanted}")


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise _refusal(value, where, "a text")
    return value


def _source(value: object, where: str) -> str:
    return str(value) if type(value) is int and value >= 0 else _text(value, where)


def _flag(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise _refusal(value, where, "true or false")
    return value


def _count(value: object, where: str) -> int:
    if type(value) is not int or value < 1:
        raise _refusal(value, where, "a whole number from 1")
    return value


def _number(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise _refusal(value, where, "a number from 0")
    return float(value)


def _rate(value: object, where: str) -> float:
    rate = _number(value, where)
    if rate == 0:
        raise _refusal(value, where, "a number above 0")
    return rate


def _size(value: object, where: str) -> tuple[int, int]:
    found = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if not found or not int(found[1]) or not int(found[2]):
        raise _refusal(value, where, "WIDTHxHEIGHT in pixels, such as 640x360")
    return int(found[1]), int(found[2])


def _cadence(value: object, where: str) -> Cadence:
    if not isinstance(value, int | str):
        raise _refusal(value, where, "a whole number of frames from 1, a time such as 100ms, or auto")
    return parse_cadence(value, where=where)


def _detectors(value: object, where: str) -> tuple[Choice, ...]:
    texts = value if isinstance(value, list | tuple) else (value,)
    return parse_detectors(tuple(_text(text, where) for text in texts), where=where)


def _relations(value: object, where: str) -> tuple[Choice, ...]:
    texts = value if isinstance(value, list | tuple) else (value,)
    return parse_relations(tuple(_text(text, where) for text in texts), where=where)


def _identity(value: object, where: str) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, Mapping):
        texts = value if isinstance(value, list | tuple) else (value,)
        return parse_identities(tuple(_text(text, where) for text in texts), where=where)
    joined = {}
    for name, classes in value.items():
        if not isinstance(classes, list | tuple) or not all(isinstance(one, str) for one in classes):
            raise _refusal(classes, f"{where}.{name}", 'a list of names of classes, such as ["mug", "cup"]')
        joined[name] = tuple(classes)
    return check_identities(joined, where=where)


def _table(value: object, where: str) -> TableSetting:
    return parse_table(_text(value, where), where=where)


def _zones(value: object, where: str) -> tuple[ZoneSetting, ...]:
    if isinstance(value, Mapping):
        return parse_zones(value, where=where)
    path = Path(_text(value, where))
    table = _read_toml(path)
    unknown = next((key for key in table if key != "zones"), None)
    if unknown is not None:
        raise ConfigError(f"{str(path)!r}: {unknown_name('key', unknown, ['zones'])}")
    return parse_zones(table.get("zones", {}), where=f"{str(path)!r}: zones")


def _tracker(value: object, where: str) -> Choice:
    return parse_choice(_text(value, where), where=where, has_cadence=False)


def _fill(value: object, where: str) -> Fill:
    for fill in FILLS:
        if value == fill:
            return fill
    raise _refusal(value, where, " or ".join(FILLS))


def parse_fills(text: str, *, where: str) -> list[Fill]:
    """Return the fills of ``text``, separated by commas. Raises UsageError."""
    return [_fill(name.strip(), where) for name in text.split(",")]


def _runtime(value: object, where: str) -> str:
    if value not in RUNTIMES:
        raise _refusal(value, where, " or ".join(RUNTIMES))
    return str(value)


_READERS: Mapping[str, Reader] = {
    "source": _source,
    "width": _count,
    "height": _count,
    "size": _size,
    "detect_every": _cadence,
    "detector": _detectors,
    "identity": _identity,
    "tracker": _tracker,
    "fill": _fill,
    "relations": _flag,
    "relation": _relations,
    "table": _table,
    "zones": _zones,
    "start": _number,
    "end": _number,
    "max_frames": _count,
    "loop": _count,
    "fps": _rate,
    "pace": _flag,
    "live": _flag,
    "json": _text,
    "with_detections": _flag,
    "mot": _text,
    "video": _text,
    "image": _text,
    "show": _flag,
    "web": _flag,
    "web_host": _text,
    "web_port": _count,
    "runtime": _runtime,
}


def flag_name(key: str) -> str:
    """Return how the command line spells the setting ``key``."""
    return "--" + key.replace("_", "-")


def read_settings(flags: Mapping[str, Any], config: Path | None = None) -> RunSettings:
    """Return the settings of the flags that were given (key -> value) and, under them, of a TOML file.

    Raises UsageError for a value of a flag, ConfigError for what stands in the file.
    """
    values = {} if config is None else _read_config(config)
    values.update({key: _READERS[key](value, flag_name(key)) for key, value in flags.items()})
    return RunSettings(**values)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the configuration {str(path)!r}: {error.strerror}; give a TOML file") from error
    except ValueError as error:  # TOML or UTF-8
        raise ConfigError(f"{str(path)!r} is no TOML file: {error}") from error


def _read_config(path: Path) -> dict[str, Any]:
    table = _read_toml(path)
    values: dict[str, Any] = {}
    for spelt, value in table.items():
        key = spelt.replace("-", "_")
        if key not in _READERS:
            known = [name.replace("_", "-") for name in _READERS]
            raise ConfigError(f"{str(path)!r}: {unknown_name('key', spelt, known)}")
        if key in values:
            raise ConfigError(f"{str(path)!r}: {spelt!r} is given twice (with - and with _): give it once")
        try:
            values[key] = _READERS[key](value, f"{str(path)!r}: {spelt}")
        except HybridTrackError as error:
            raise ConfigError(str(error)) from error
    return values
