"""What a plugin author imports: the hooks, what they return, and what the factories behind them build.

Hooks *describe*: they return specs and import nothing heavy. A spec's ``create`` *builds*; it is called with the
options of the one that was selected, and this is where heavy imports belong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import pluggy

if TYPE_CHECKING:
    from hybridtrack.types import (
        Array,
        Box,
        ClassInfo,
        Detections,
        Event,
        Frame,
        FrameResult,
        Relations,
        RunInfo,
        RunSummary,
        Scene,
    )

PROJECT = "hybridtrack"  #: entry-point group and prefix of the hooks

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Detector(Protocol):
    """Finds boxes on a frame. Each instance is called from one thread only."""

    @property
    def classes(self) -> tuple[ClassInfo, ...]:
        """The classes that ``Detections.class_id`` counts into."""
        ...

    @property
    def supports_region(self) -> bool:
        """True when ``detect`` can look at a part of the frame alone."""
        ...

    def detect(self, frame: Frame, region_xyxy: Box | None = None) -> Detections:
        """Return what is on the frame, boxes in px of the whole source picture; empty when nothing is found."""
        ...

    def reset(self) -> None:
        """Forget the past: a new source begins."""
        ...

    def close(self) -> None:
        """Release what the detector holds."""
        ...


class BoxTracker(Protocol):
    """Carries boxes from one frame to the next between detector runs.

    ``reset`` begins a source; then for each frame in order ``measure`` is called, and after the boxes of this frame
    have been settled (by detections where there are any) ``settle`` tells them. One that also has
    ``expect(change_px, may_hide, is_solid, is_hand)`` is told before ``measure``, where there are objects, how far each
    centre is expected to go (N, 2), which boxes (row i, (N, N)) may lie over box i, which fill their boxes (N,), and
    which are hands (N,). ``looks = False`` is optional: it says that no pixels are looked at, so that all but hands is
    expected to move smoothly. ``remember() -> object`` and ``recall(object)`` are optional, too: the latter goes back
    to where the former was called, so that late results of detectors can be dealt with where they belong.
    """

    @property
    def fills(self) -> bool:
        """False when there are to be boxes on frames with a detector run alone."""
        ...

    @property
    def filters(self) -> bool:
        """False when boxes are to be taken as they come, without a motion model that smooths and predicts them."""
        ...

    def measure(self, frame: Frame, track_id: Array, xyxy: Array) -> Measurement:
        """Return where boxes (N, 4) that were settled on the frame before lie on this frame."""
        ...

    def settle(self, frame: Frame, track_id: Array, xyxy: Array, detected: Array) -> None:
        """Take the boxes (N, 4) of this frame; ``detected`` (N,) marks those that a detector saw on it."""
        ...

    def reset(self) -> None:
        """Forget the past: a new source begins."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measurement:
    """Where a ``BoxTracker`` says that N boxes have gone since the frame before.

    xyxy: float64 (N, 4), px. std_px: float64 (N, 4), standard deviation of the change of centre x, centre y, width and
    height. is_measured: bool (N,), False where nothing could be measured and only the motion model knows. quality:
    float64 (N,), 0 (the pixels say that the object is gone) .. 1 (all of it was found again).
    """

    xyxy: Array
    std_px: Array
    is_measured: Array
    quality: Array

    @classmethod
    def none(cls, xyxy: Array) -> Measurement:
        """Return that of N boxes nothing could be measured, and that nothing speaks against any."""
        import numpy as np

        n = len(xyxy)
        return cls(xyxy=xyxy, std_px=np.ones((n, 4)), is_measured=np.zeros(n, bool), quality=np.ones(n))


class Relation(Protocol):
    """Says what the tracks of a frame have to do with each other, and what happened between them.

    ``needs_camera = True`` is optional: the camera's motion is measured also while no object is on the frame.
    """

    def step(self, scene: Scene) -> tuple[Relations, Sequence[Event]]:
        """Return the pairs that are related on this frame, and the events that it decides; frames come in order."""
        ...

    def reset(self) -> None:
        """Forget the past: a new source begins."""
        ...


class Sink(Protocol):
    """Writes or shows results. ``open`` once, ``write`` a frame at a time, ``close`` once whatever happened.

    ``notes``, one-line remarks for the user that the run's summary repeats, is optional; it is asked before ``close``.
    """

    def open(self, info: RunInfo) -> None:
        """Begin. Raises SinkError when the output cannot be written."""
        ...

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Take one frame and its result. Raises SinkError, or errors.StopRun to end the run in order."""
        ...

    def close(self, summary: RunSummary | None) -> None:
        """End; ``summary`` is None when the run broke off without one."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An option of a spec, given on the command line as ``NAME,key=value``."""

    name: str
    type: Callable[[str], Any] = str  #: makes the value of the text; raises ValueError
    default: Any = None
    help: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorSpec:
    """A detector that can be selected by ``name``."""

    name: str
    summary: str
    create: Callable[[Mapping[str, Any]], Detector]
    options: tuple[Option, ...] = ()
    default_every: int | str | None = None  #: frames, or a text: "500ms", "auto"
    install_hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerSpec:
    """A way to carry boxes between detections that can be selected by ``name``."""

    name: str
    summary: str
    create: Callable[[Mapping[str, Any]], BoxTracker]
    options: tuple[Option, ...] = ()
    install_hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationSpec:
    """A way to relate tracks that can be selected by ``name``."""

    name: str
    summary: str
    create: Callable[[Mapping[str, Any]], Relation]
    options: tuple[Option, ...] = ()
    install_hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkSpec:
    """An output that can be selected by ``name``."""

    name: str
    summary: str
    create: Callable[[Mapping[str, Any]], Sink]
    options: tuple[Option, ...] = ()
    install_hint: str = ""


@hookspec
def hybridtrack_detectors() -> Iterable[DetectorSpec]:
    """Return the detectors that this plugin offers; all plugins' results are collected, nothing is shadowed."""
    raise AssertionError("a hook specification is never called")


@hookspec
def hybridtrack_trackers() -> Iterable[TrackerSpec]:
    """Return the trackers that this plugin offers."""
    raise AssertionError("a hook specification is never called")


@hookspec
def hybridtrack_relations() -> Iterable[RelationSpec]:
    """Return the relations that this plugin offers."""
    raise AssertionError("a hook specification is never called")


@hookspec
def hybridtrack_sinks() -> Iterable[SinkSpec]:
    """Return the sinks that this plugin offers."""
    raise AssertionError("a hook specification is never called")
