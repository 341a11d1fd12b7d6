"""The settings that are tried: each tracker at each cadence, and the phases that a cadence is averaged over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from hybridtrack.bench.mode import EVERY_FRAME
from hybridtrack.cadence import Cadence
from hybridtrack.config import Fill


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A tracker, the cadence of the detector, and how frames without a run of it are filled."""

    tracker: str
    detect_every: Cadence
    fill: Fill = "forward"

    @property
    def name(self) -> str:
        """What settings that differ in their cadence alone have in common."""
        return self.tracker if self.fill == "forward" else f"{self.tracker} {self.fill}"

    def __str__(self) -> str:
        return f"{self.name} {self.detect_every}"


def settings_of(trackers: Iterable[str], cadences: Iterable[Cadence], fills: Sequence[Fill]) -> list[Setting]:
    """Return every setting, each once; where the detector runs on every frame, with the first of ``fills`` alone.

    There is nothing to fill then, and ``none`` fills nothing anywhere.
    """
    cadences = list(cadences)
    settings = [
        Setting(tracker=tracker, detect_every=cadence, fill=fill)
        for tracker in trackers
        for fill in fills
        for cadence in cadences
        if fill == fills[0] or (cadence != EVERY_FRAME and tracker != "none")
    ]
    return list(dict.fromkeys(settings))


def phases(cadence: Cadence, most: int | None = None) -> list[Cadence]:
    """Return the cadence with its first run on each frame that it may fall on, or on ``most`` of them evenly apart.

    One in seconds, or an automatic one, has one phase.
    """
    count = cadence.frames or 1
    kept = count if most is None else min(most, count)
    return [replace(cadence, phase=number * count // kept) for number in range(kept)]
