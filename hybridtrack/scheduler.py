"""Which detectors run on a frame, and why: every so many frames, every so many seconds, or when tracks need it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

from hybridtrack.attention import ROUNDING_S, Attention, Outlook
from hybridtrack.cadence import Cadence


class Scheduler:
    """Decides for frames in order. A run that fell on a dropped frame is made up for on the next one that is there.

    cadences: of the detectors, by name. roles: the roles of their classes, which automatic cadences go by.

    ``decide`` tells of fixed cadences what is due, whatever the pictures show, so frames can be asked about ahead of
    time. ``react`` tells of automatic ones, by the tracks of the frame before and what moves beside them.
    """

    def __init__(self, cadences: Mapping[str, Cadence], roles: Mapping[str, Collection[str]] | None = None) -> None:
        self._fixed = {name: cadence for name, cadence in cadences.items() if not cadence.is_auto}
        found = {name: (roles or {}).get(name, ()) for name, cadence in cadences.items() if cadence.is_auto}
        self._attentions = {
            name: Attention(name, finds_hands="hand" in roles, finds_objects="object" in roles, cadence=cadences[name])
            for name, roles in found.items()
        }
        self.reset()

    def reset(self) -> None:
        """Begin a new source: its first frame is frame 0 of every cadence, whatever its number."""
        self._first: tuple[int, float] | None = None
        self._slots: dict[str, int] = dict.fromkeys(self._fixed, -1)
        for attention in self._attentions.values():
            attention.reset()

    def decide(self, frame_index: int, time_s: float, *, busy: Collection[str] = ()) -> dict[str, str]:
        """Return the trigger of each detector of fixed cadence that runs on this frame, by the detector's name.

        Those that are ``busy`` with an earlier frame make up for it on the first frame on which they are not.
        """
        if self._first is None:
            self._first = (frame_index, time_s)
        triggers = {}
        for name, cadence in self._fixed.items():
            slot = _slot(cadence, frame_index - self._first[0], time_s - self._first[1])
            if slot > self._slots[name] and name not in busy:
                self._slots[name] = slot
                triggers[name] = "interval"
        return triggers

    @property
    def reacts(self) -> bool:
        """Whether any cadence is automatic."""
        return bool(self._attentions)

    def react(self, outlook: Outlook, *, busy: Collection[str] = ()) -> dict[str, str]:
        """Return the trigger of each detector of automatic cadence that runs on the frame of ``outlook``, by name."""
        decided = {name: one.decide(outlook, is_busy=name in busy) for name, one in self._attentions.items()}
        return {name: trigger for name, trigger in decided.items() if trigger is not None}


def _slot(cadence: Cadence, frames: int, seconds: float) -> int:
    """Return how many runs were due before this moment, not counting the first; -1: none was due yet."""
    if cadence.frames is not None:
        return (frames - cadence.phase) // cadence.frames if frames >= cadence.phase else -1
    assert cadence.seconds is not None
    return math.floor((seconds + ROUNDING_S) / cadence.seconds)
