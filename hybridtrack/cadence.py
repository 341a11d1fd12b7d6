"""How often a detector runs, and the texts that say so."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

from hybridtrack.errors import UsageError

_TIME = re.compile(r"(\d+(?:\.\d+)?)(ms|s)")
_AUTO = re.compile(r"auto(/(?P<budget>[^:/]*))?(:min=(?P<min>[^:]*))?(:max=(?P<max>[^:]*))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """How often a detector runs: every so many frames, every so many seconds of the source's time, or as needed.

    Exactly one of ``frames`` (>= 1), ``seconds`` (> 0) and ``is_auto`` is set; ``phase`` (0 <= phase < frames) is the
    frame of the first run. Of automatic ones, ``budget`` is how often they run at most on average, in frames or
    seconds; ``min_s`` and ``max_s`` bound the time between two runs. Raises UsageError.
    """

    frames: int | None = None
    seconds: float | None = None
    is_auto: bool = False
    phase: int = 0
    budget: Cadence | None = None
    min_s: float | None = None
    max_s: float | None = None

    def __post_init__(self) -> None:
        if [self.frames is not None, self.seconds is not None, self.is_auto].count(True) != 1:
            raise UsageError(
                f"a cadence is in frames, in seconds or automatic: give one of frames={self.frames!r}, "
                f"seconds={self.seconds!r}, is_auto={self.is_auto!r}"
            )
        if self.frames is not None and self.frames < 1:
            raise UsageError(f"a cadence of {self.frames} frames is not possible: use 1 or more")
        if self.seconds is not None and not (self.seconds > 0 and math.isfinite(self.seconds)):
            raise UsageError(f"a cadence of {self.seconds} seconds is not possible: use a time above 0")
        if self.phase and not 0 <= self.phase < (self.frames or 1):
            raise UsageError(f"phase={self.phase} does not fit a cadence of {self}: use 0 to {(self.frames or 1) - 1}")
        self._check_bounds()

    def _check_bounds(self) -> None:
        if not self.is_auto and (self.budget, self.min_s, self.max_s) != (None, None, None):
            raise UsageError(f"a cadence of {self} has no budget and no bounds: they are for auto")
        if self.budget is not None and (self.budget.is_auto or self.budget.phase):
            raise UsageError(f"auto/{self.budget} is not possible: use a number of frames, or a time such as 300ms")
        if self.min_s is not None and self.max_s is not None and self.min_s > self.max_s:
            raise UsageError(f"{self} is not possible: min is more than max")

    def __str__(self) -> str:
        if not self.is_auto:
            return str(self.frames) if self.seconds is None else _time_text(self.seconds)
        bounds = {"min": self.min_s, "max": self.max_s}
        head = "auto" if self.budget is None else f"auto/{self.budget}"
        return head + "".join(f":{name}={_time_text(time_s)}" for name, time_s in bounds.items() if time_s is not None)


def _time_text(time_s: float) -> str:
    return f"{time_s * 1000:g}ms"


def parse_time(text: str, *, where: str) -> float:
    """Return the seconds, above 0, that ``"100ms"`` or ``"2s"`` names. Raises UsageError, naming ``where``."""
    time = _TIME.fullmatch(text.strip())
    if not time or float(time[1]) == 0:
        raise UsageError(f"{where} {text!r} is no time: use one above 0 with its unit, such as 500ms or 5s")
    return float(time[1]) / (1000 if time[2] == "ms" else 1)


def parse_cadence(value: int | str, *, where: str = "cadence", phase: int = 0) -> Cadence:
    """Return the cadence that ``3``, ``"3"``, ``"100ms"``, ``"2s"``, ``"auto"`` or ``"auto/10:min=50ms:max=2s"`` names.

    Raises UsageError, naming ``where``.
    """
    text = str(value).strip()
    time = _TIME.fullmatch(text)
    if re.match(r"auto\b", text):
        return _parse_auto(text, where=where, phase=phase)
    if isinstance(value, bool) or not (time or re.fullmatch(r"\d+", text)) or float(time[1] if time else text) == 0:
        raise UsageError(
            f"{where} {value!r} is no cadence: use a whole number of frames from 1, a time such as 100ms, or auto"
        )
    if time:
        return Cadence(seconds=parse_time(text, where=where), phase=phase)
    return Cadence(frames=int(text), phase=phase)


def _parse_auto(text: str, *, where: str, phase: int) -> Cadence:
    """Return the automatic cadence of ``auto[/N|/T][:min=T][:max=T]``. Raises UsageError, naming ``where``."""
    found = _AUTO.fullmatch(text)
    if not found:
        raise UsageError(f"{where} {text!r} is no cadence: write auto[/N][:min=T][:max=T], such as auto/10:max=2s")
    budget, least, most = found["budget"], found["min"], found["max"]
    return Cadence(
        is_auto=True,
        phase=phase,
        budget=None if budget is None else parse_cadence(budget, where=f"{where} {text!r}: budget"),
        min_s=None if least is None else parse_time(least, where=f"{where} {text!r}: min"),
        max_s=None if most is None else parse_time(most, where=f"{where} {text!r}: max"),
    )


def cadence_for(
    *, every: int | str | None, phase: int, detect_every: Cadence, default_every: int | str | None, finds_hands: bool
) -> Cadence:
    """Return a detector's cadence: ``every`` if given; else ``detect_every`` for hands; else its own default.

    A detector of other things without a default of its own follows ``detect_every`` as well. Raises UsageError.
    """
    if every is not None:
        return parse_cadence(every, where="every", phase=phase)
    if default_every is not None and not finds_hands:
        return parse_cadence(default_every, where="default_every", phase=phase)
    return replace(detect_every, phase=phase)
