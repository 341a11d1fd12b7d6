"""Ways to have boxes on every frame, which are compared: detecting on every frame, and what spares detector runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from hybridtrack.cadence import Cadence
from hybridtrack.config import DEFAULT_DETECTORS, Choice, Fill

TRACKERS = ("hold", "flow", "kalman", "medianflow", "mosse", "kcf", "csrt")  #: compared by default, cheap ones first
FOLLOWER = "flow"  #: the tracker that two-way fill and the adaptive schedule are tried with
ADAPTIVE = "adaptive"  #: the name of ``FOLLOWER`` with a detector that runs as needed
EVERY_FRAME = Cadence(frames=1)
AUTOMATIC = Cadence(is_auto=True)
PROFILE_EVERY = Cadence(frames=3)  #: at which frames with and without a detector run are timed: both are frequent


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """A tracker, how often the detector runs, and what it sees.

    name: what modes that differ in ``detect_every`` alone have in common. shrink: how many times smaller the pictures
    are, in width and in height, that detector and tracker look at. detectors: in place of those of the comparison.
    """

    name: str
    detect_every: Cadence
    tracker: str = FOLLOWER
    fill: Fill = "forward"
    shrink: int = 1
    detectors: tuple[Choice, ...] | None = None

    def __str__(self) -> str:
        every = self.detect_every
        if every.is_auto:
            return self.name if (self.name, every) == (ADAPTIVE, AUTOMATIC) else f"{self.name} {every}"
        if every.frames is None:
            return f"{self.name} every {every}"
        return f"{self.name} every frame" if every.frames == 1 else f"{self.name} every {every} frames"

    @property
    def spares_runs(self) -> bool:
        """Whether the detector runs on fewer frames than there are."""
        return self.detect_every != EVERY_FRAME

    @property
    def does_less(self) -> bool:
        """Whether it could be faster than detecting on every frame: fewer runs, smaller pictures, another detector."""
        return self.spares_runs or self.shrink > 1 or self.detectors is not None

    @property
    def profiled(self) -> Mode:
        """The mode whose detected and tracked frames cost what those of this one do."""
        is_fixed = self.spares_runs and not self.detect_every.is_auto
        return replace(self, detect_every=PROFILE_EVERY) if is_fixed else self


DETECT_ONLY = Mode(name="none", tracker="none", detect_every=EVERY_FRAME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What all modes of a comparison have in common.

    class_name: the only class that is scored; None: all that detectors and truth both know. max_frames: of each source,
    None for all. rounds: how often each mode runs.
    """

    detectors: tuple[Choice, ...] = DEFAULT_DETECTORS
    relations: bool = True
    class_name: str | None = None
    max_frames: int | None = None
    rounds: int = 3


def modes_of(
    cadences: Iterable[Cadence],
    *,
    trackers: Sequence[str] = TRACKERS,
    shrinks: Iterable[int] = (),
    rivals: Iterable[Choice] = (),
) -> list[Mode]:
    """Return the modes to compare, detecting on every frame first; each is there once.

    Trackers go at every cadence but on every frame; there, ``flow`` alone is asked what following adds to detecting.
    With ``flow`` come its two-way fill and the adaptive schedule, at each automatic cadence or, if there is none,
    without a budget. shrinks: how many times smaller pictures are, and rivals: other detectors, both on every frame
    without a tracker.
    """
    once = list(dict.fromkeys(cadences))
    sparing = [cadence for cadence in once if cadence != EVERY_FRAME]
    modes = [DETECT_ONLY]
    if EVERY_FRAME in once and FOLLOWER in trackers:
        modes.append(Mode(name=FOLLOWER, detect_every=EVERY_FRAME))
    modes += [
        Mode(name=name, tracker=name, detect_every=cadence)
        for name in trackers
        for cadence in sparing
        if not (name == FOLLOWER and cadence.is_auto)
    ]
    if FOLLOWER in trackers:
        automatic = [cadence for cadence in once if cadence.is_auto] or [AUTOMATIC]
        modes += [
            Mode(name=f"{FOLLOWER} two-way", fill="two-way", detect_every=cadence)
            for cadence in sparing
            if not cadence.is_auto
        ]
        modes += [Mode(name=ADAPTIVE, detect_every=cadence) for cadence in automatic]
    modes += [replace(DETECT_ONLY, name=f"1/{shrink} size", shrink=shrink) for shrink in shrinks if shrink > 1]
    modes += [replace(DETECT_ONLY, name=_short(one), detectors=(one,)) for one in rivals]
    return [mode for number, mode in enumerate(modes) if mode not in modes[:number]]


def _short(choice: Choice) -> str:
    """Return what a detector is called in a table: of paths, the last part."""
    options = {key: PurePath(value).name or value for key, value in choice.options.items()}
    return str(replace(choice, options=options))
