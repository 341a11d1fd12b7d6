"""From names, objects and functions to the detectors, the tracker and the relations of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from hybridtrack.cadence import Cadence, cadence_for
from hybridtrack.config import Choice, parse_choice
from hybridtrack.detector_runner import HANG_LIMIT_S
from hybridtrack.detectors.function import FunctionDetector
from hybridtrack.errors import UsageError
from hybridtrack.hookspecs import PROJECT, BoxTracker, Detector, Relation
from hybridtrack.plugin_host import PluginHost
from hybridtrack.tracker_guard import GuardedTracker
from hybridtrack.types import DetectorInfo, Frame

DetectorLike: TypeAlias = str | Choice | Detector | Callable[[Frame], Any]
TrackerLike: TypeAlias = str | Choice | BoxTracker
RelationLike: TypeAlias = str | Choice | Relation


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectedDetector:
    """A detector that was built, how often it runs and how long it may take, and what the run says of it.

    birth: the score from which what it sees begins a track; None: the tracker's own. is_strict: what it raises is to go
    through, as strict mode asks for of plugins.
    """

    detector: Detector
    cadence: Cadence
    info: DetectorInfo
    hang_limit_s: float = HANG_LIMIT_S
    birth: float | None = None
    is_strict: bool = False

    @property
    def origin(self) -> str:
        """The distribution and version that it comes from; empty for what was given as an object or a function."""
        return " ".join(filter(None, (self.info.distribution, self.info.version)))


def select_detectors(
    wanted: Sequence[DetectorLike], *, detect_every: Cadence, runtime: str | None, host: PluginHost
) -> tuple[SelectedDetector, ...]:
    """Return the detectors that are ``wanted``: by name (``"hand,every=3"``), as objects, or as plain functions.

    ``runtime`` goes to those that have the option. Raises UsageError, PluginError, and what their factories raise.
    """
    selected: list[SelectedDetector] = []
    with ExitStack() as built:
        for one in wanted:
            if isinstance(one, str):
                one = parse_choice(one, where="detector", has_cadence=True)
            made = _offered(one, detect_every, runtime, host) if isinstance(one, Choice) else _given(one, detect_every)
            built.callback(made.detector.close)
            if made.info.name in (other.info.name for other in selected):
                raise UsageError(f"two detectors are called {made.info.name!r}: give each a name of its own")
            selected.append(made)
        built.pop_all()  # all went well: they stay open
    return tuple(selected)


def select_tracker(wanted: TrackerLike, host: PluginHost) -> BoxTracker:
    """Return the tracker that is ``wanted``: by name, or as an object. Raises UsageError, PluginError."""
    if isinstance(wanted, str):
        wanted = parse_choice(wanted, where="tracker", has_cadence=False)
    if not isinstance(wanted, Choice):
        return wanted
    offer = host.tracker(wanted.name)
    tracker: BoxTracker = offer.build(offer.read_options(wanted.options))
    if offer.is_strict or offer.plugin.distribution == PROJECT:
        return tracker
    return GuardedTracker(tracker, str(offer))


def select_backward(wanted: TrackerLike, host: PluginHost, *, live: bool) -> BoxTracker:
    """Return a second tracker of the kind that is ``wanted``, which carries boxes backward for two-way fill.

    Raises UsageError where there is nothing to carry back or no time to, PluginError.
    """
    if live:
        raise UsageError("fill two-way waits for the next detector run, and live waits for none: choose one of them")
    if not isinstance(wanted, str | Choice):
        raise UsageError(f"fill two-way needs two trackers like {type(wanted).__name__}: name one that is offered")
    tracker = select_tracker(wanted, host)
    if not tracker.fills:
        raise UsageError(f"fill two-way has nothing to do with tracker {wanted}, which fills no frame: choose another")
    return tracker


def select_relations(wanted: Sequence[RelationLike], host: PluginHost) -> dict[str, Relation]:
    """Return the relations that are ``wanted``, by name: those offered under one, and objects.

    Raises UsageError, PluginError.
    """
    selected: dict[str, Relation] = {}
    for one in wanted:
        if isinstance(one, str):
            one = parse_choice(one, where="relation", has_cadence=False)
        if isinstance(one, Choice):
            offer = host.relation(one.name)
            name, relation = one.name, offer.build(offer.read_options(one.options))
        else:
            name, relation = type(one).__name__, one
        if name in selected:
            raise UsageError(f"two relations are called {name!r}: name each once")
        selected[name] = relation
    return selected


def _offered(choice: Choice, detect_every: Cadence, runtime: str | None, host: PluginHost) -> SelectedDetector:
    offer = host.detector(choice.name)
    options = offer.read_options(choice.options)
    if runtime is not None and "runtime" in options and "runtime" not in choice.options:
        options["runtime"] = runtime
    detector: Detector = offer.build(options)
    cadence = cadence_for(
        every=choice.every,
        phase=choice.phase,
        detect_every=detect_every,
        default_every=offer.spec.default_every,
        finds_hands=any(info.role == "hand" for info in detector.classes),
    )
    info = DetectorInfo(
        name=choice.name,
        classes=detector.classes,
        every=cadence.frames or str(cadence),
        distribution=offer.plugin.distribution,
        version=offer.plugin.version,
        bundle=getattr(detector, "bundle_name", None),
        sha256=getattr(detector, "model_sha256", None),
    )
    return SelectedDetector(
        detector=detector,
        cadence=cadence,
        info=info,
        hang_limit_s=choice.limit_s or HANG_LIMIT_S,
        birth=choice.birth,
        is_strict=offer.is_strict,
    )


def _given(one: Detector | Callable[[Frame], Any], cadence: Cadence) -> SelectedDetector:
    detector = cast(Detector, one if hasattr(one, "detect") else FunctionDetector(one))
    name = getattr(one, "__name__", type(one).__name__)
    info = DetectorInfo(name=name, classes=detector.classes, every=cadence.frames or str(cadence))
    return SelectedDetector(detector=detector, cadence=cadence, info=info)
