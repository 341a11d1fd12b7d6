"""Finds plugins, collects what they offer, and builds what is selected.

Every plugin lives in a plugin manager of its own: pluggy calls all implementations of a hook in one go, and one that
raises would take the others' results with it. A plugin that fails is kept with its error and stops nobody else;
``HYBRIDTRACK_STRICT_PLUGINS=1`` lets the error through, ``HYBRIDTRACK_DISABLE_PLUGINS=a,b`` keeps plugins from being
imported at all.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeAlias, TypeVar

import pluggy

import hybridtrack
from hybridtrack import builtin, hookspecs
from hybridtrack.cadence import parse_cadence
from hybridtrack.config import GENERAL_KEYS
from hybridtrack.errors import HybridTrackError, MissingPackageError, PluginError, UsageError, one_line, unknown_name
from hybridtrack.hookspecs import PROJECT, DetectorSpec, Option, RelationSpec, SinkSpec, TrackerSpec

SpecT = TypeVar("SpecT", DetectorSpec, TrackerSpec, RelationSpec, SinkSpec)

Spec: TypeAlias = DetectorSpec | TrackerSpec | RelationSpec | SinkSpec

SPECS: Mapping[str, type[Spec]] = {
    "detector": DetectorSpec,
    "tracker": TrackerSpec,
    "relation": RelationSpec,
    "sink": SinkSpec,
}

#: what has to be there of what a factory made, by kind
PARTS = {
    "detector": ("classes", "detect", "reset", "close"),
    "tracker": ("fills", "filters", "measure", "settle", "reset"),
    "relation": ("step", "reset"),
    "sink": ("open", "write", "close"),
}

DISABLE = "HYBRIDTRACK_DISABLE_PLUGINS"
STRICT = "HYBRIDTRACK_STRICT_PLUGINS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """Where offers come from; ``error`` says why it offers nothing."""

    name: str
    distribution: str
    version: str
    error: str = ""
    is_disabled: bool = False

    def __str__(self) -> str:
        return f"plugin {self.name!r} of {self.distribution} {self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer(Generic[SpecT]):
    """Something that can be selected by name, and the plugin it comes from."""

    kind: str  #: "detector", "tracker", "relation" or "sink"
    spec: SpecT
    plugin: Plugin
    is_strict: bool = False

    def __str__(self) -> str:
        return f"{self.kind} {self.spec.name!r} ({self.plugin})"

    def read_options(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """Return a value for each option of the spec: what a text says, else its default. Raises UsageError."""
        values = {option.name: option.default for option in self.spec.options}
        types = {option.name: option.type for option in self.spec.options}
        for key, text in texts.items():
            if key not in types:
                raise UsageError(f"{self.kind} {self.spec.name!r}: {unknown_name('option', key, types)}")
            try:
                values[key] = types[key](text)
            except ValueError as error:
                raise UsageError(f"{self.kind} {self.spec.name!r}: cannot use {key}={text}: {error}") from error
            except Exception as error:
                if self.is_strict or self.plugin.distribution == PROJECT:
                    raise
                raise PluginError(f"{self}: option {key} fails on {text!r}: {one_line(error)}; mend it") from error
        return values

    def build(self, options: Mapping[str, Any]) -> Any:
        """Return what the spec's factory makes of ``options``: a Detector, BoxTracker, Relation or Sink.

        Raises MissingPackageError with the install hint when a package is absent, PluginError when the factory of a
        plugin fails otherwise, or makes something else.
        """
        try:
            made = self.spec.create(options)
            _check_made(self.kind, made)
        except (HybridTrackError, KeyboardInterrupt):
            raise
        except BaseException as error:  # also SystemExit, and panics of Rust, which are no Exception
            if self.is_strict or self.plugin.distribution == PROJECT:
                raise
            if isinstance(error, ImportError):
                hint = self.spec.install_hint or "install what it needs"
                raise MissingPackageError(f"{self} lacks a package: {one_line(error)}; {hint}") from error
            raise PluginError(f"{self} cannot be built: {one_line(error)}; mend or deselect it") from error
        return made


def _check_made(kind: str, made: Any) -> None:
    """Raise TypeError when a factory made something else than its kind asks for."""
    lacking = [name for name in PARTS[kind] if not hasattr(made, name)]
    if lacking:
        raise TypeError(f"create gave {type(made).__name__}, which has no {' and no '.join(lacking)}")
    if kind != "detector":
        return
    from hybridtrack.types import ClassInfo

    if not isinstance(made.classes, tuple) or not all(isinstance(info, ClassInfo) for info in made.classes):
        raise TypeError(f"its classes is {made.classes!r}, expected a tuple of ClassInfo")


class PluginHost:
    """All that plugins offer: detectors, trackers, relations and sinks, and the plugins that are ``broken``."""

    def __init__(self, *, is_strict: bool = False) -> None:
        self.plugins: list[Plugin] = []
        self._is_strict = is_strict
        self._detectors: dict[str, list[Offer[DetectorSpec]]] = {}
        self._trackers: dict[str, list[Offer[TrackerSpec]]] = {}
        self._relations: dict[str, list[Offer[RelationSpec]]] = {}
        self._sinks: dict[str, list[Offer[SinkSpec]]] = {}

    @classmethod
    def load(cls, environ: Mapping[str, str] = os.environ) -> PluginHost:
        """Return a host with the built-in offers and those of all installed plugins, each in a guard of its own."""
        host = cls(is_strict=environ.get(STRICT, "") not in ("", "0"))
        host.add(builtin, Plugin(name="builtin", distribution=PROJECT, version=hybridtrack.__version__))
        disabled = {name.strip() for name in environ.get(DISABLE, "").split(",")}
        for entry_point in importlib.metadata.entry_points(group=PROJECT):
            dist = entry_point.dist
            distribution, version = (dist.name, dist.version) if dist else ("?", "?")
            plugin = Plugin(name=entry_point.name, distribution=distribution, version=version)
            if entry_point.name in disabled:
                plugin = replace(plugin, error=f"disabled by {DISABLE}", is_disabled=True)
                host.plugins.append(plugin)
            else:
                host.add(entry_point, plugin)
        return host

    def add(self, source: object, plugin: Plugin) -> None:
        """Collect what a plugin offers: a module or object with hook implementations, or an entry point to one."""
        try:
            found = source.load() if isinstance(source, importlib.metadata.EntryPoint) else source
            offers = self._collect(found, plugin)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # also SystemExit, and panics of Rust, which are no Exception
            if self._is_strict:
                raise
            plugin = replace(plugin, error=one_line(error))
        else:
            for offer in offers:
                shelf: dict[str, list[Any]] = getattr(self, f"_{offer.kind}s")
                shelf.setdefault(offer.spec.name, []).append(offer)
        self.plugins.append(plugin)

    def _collect(self, implementation: object, plugin: Plugin) -> list[Offer[Any]]:
        manager = pluggy.PluginManager(PROJECT)
        manager.add_hookspecs(hookspecs)
        manager.register(implementation, plugin.name)
        manager.check_pending()  # a misspelt hook is an error, not silence
        offers: list[Offer[Any]] = []
        for kind, spec_type in SPECS.items():
            for specs in getattr(manager.hook, f"hybridtrack_{kind}s")():
                for spec in specs:
                    if not isinstance(spec, spec_type):
                        raise TypeError(f"hybridtrack_{kind}s gave {spec!r}, expected {spec_type.__name__}")
                    _check_spec(kind, spec)
                    offers.append(Offer(kind=kind, spec=spec, plugin=plugin, is_strict=self._is_strict))
        return offers

    @property
    def broken(self) -> tuple[Plugin, ...]:
        """The plugins that offer nothing because they failed or are disabled, with the reason."""
        return tuple(plugin for plugin in self.plugins if plugin.error)

    @property
    def offers(self) -> tuple[Offer[Any], ...]:
        """All that can be selected, and what cannot because another plugin offers the same name."""
        shelves: tuple[Mapping[str, list[Offer[Any]]], ...]
        shelves = (self._detectors, self._trackers, self._relations, self._sinks)
        return tuple(offer for shelf in shelves for offers in shelf.values() for offer in offers)

    @property
    def detectors(self) -> dict[str, Offer[DetectorSpec]]:
        """The detectors by name. Raises PluginError when two plugins offer one name."""
        return {name: self.detector(name) for name in self._detectors}

    @property
    def trackers(self) -> dict[str, Offer[TrackerSpec]]:
        """The trackers by name. Raises PluginError when two plugins offer one name."""
        return {name: self.tracker(name) for name in self._trackers}

    @property
    def relations(self) -> dict[str, Offer[RelationSpec]]:
        """The relations by name. Raises PluginError when two plugins offer one name."""
        return {name: self.relation(name) for name in self._relations}

    @property
    def sinks(self) -> dict[str, Offer[SinkSpec]]:
        """The sinks by name. Raises PluginError when two plugins offer one name."""
        return {name: self.sink(name) for name in self._sinks}

    def detector(self, name: str) -> Offer[DetectorSpec]:
        """Return the detector ``name``. Raises UsageError when nobody offers it, PluginError when two do."""
        return self._select("detector", name, self._detectors)

    def tracker(self, name: str) -> Offer[TrackerSpec]:
        """Return the tracker ``name``. Raises UsageError when nobody offers it, PluginError when two do."""
        return self._select("tracker", name, self._trackers)

    def relation(self, name: str) -> Offer[RelationSpec]:
        """Return the relation ``name``. Raises UsageError when nobody offers it, PluginError when two do."""
        return self._select("relation", name, self._relations)

    def sink(self, name: str) -> Offer[SinkSpec]:
        """Return the sink ``name``. Raises UsageError when nobody offers it, PluginError when two do."""
        return self._select("sink", name, self._sinks)

    def _select(self, kind: str, name: str, shelf: Mapping[str, list[Offer[SpecT]]]) -> Offer[SpecT]:
        offers = shelf.get(name, [])
        if len(offers) == 1:
            return offers[0]
        if offers:
            rivals = " and ".join(str(offer.plugin) for offer in offers)
            raise PluginError(f"{kind} {name!r} is offered by {rivals}: uninstall one, or name it in {DISABLE}")
        for plugin in self.broken:
            if plugin.name == name:
                raise PluginError(f"{kind} {name!r}: {plugin} cannot be used: {plugin.error}")
        others = "; ".join(f"{plugin} cannot be used: {plugin.error}" for plugin in self.broken)
        raise UsageError(unknown_name(kind, name, shelf) + (f"; {others}" if others else ""))


def _check_spec(kind: str, spec: Spec) -> None:
    """Raise TypeError or ValueError when a spec cannot be asked for by name, described or built."""
    wanted = f"{kind} {spec.name!r}"
    if not isinstance(spec.name, str) or not re.fullmatch(r"[^\s,=+][^\s,=]*", spec.name):
        raise ValueError(f"{wanted}: expected a name of letters, digits, - and _")
    if not isinstance(spec.summary, str) or not callable(spec.create):
        raise TypeError(f"{wanted}: expected a text as summary and a function as create")
    if not isinstance(spec.options, tuple) or not all(isinstance(option, Option) for option in spec.options):
        raise TypeError(f"{wanted}: options is {spec.options!r}, expected a tuple of Option")
    if isinstance(spec, DetectorSpec):
        taken = [option.name for option in spec.options if option.name in GENERAL_KEYS]
        if taken:
            raise ValueError(f"{wanted}: option {taken[0]!r} is taken: {', '.join(GENERAL_KEYS)} are of every detector")
        if spec.default_every is not None:
            parse_cadence(spec.default_every, where=f"{wanted}: default_every")
