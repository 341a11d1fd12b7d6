"""What the figures of a comparison mean: which modes pay, which no other beats, which to choose, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from hybridtrack.bench.frame_cost import FrameCost
from hybridtrack.bench.mode import TRACKERS
from hybridtrack.bench.row import Row

MIN_SPEED_UP = 1.05  #: in the worst round; below it the difference is noise, and would be printed as 1.0
MARGIN = 1.0  #: points of HOTA, of 100, that a mode may lose against the truth
GOOD_F1 = 0.9  #: agreement with detecting on every frame that is asked for where no truth is known

_Point: TypeAlias = tuple[float, float]  #: frames per second, accuracy


@dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """How accurate a mode has to be: ``margin`` points of HOTA below the reference at most, or where there is no truth,
    an F1 of ``GOOD_F1`` against the reference's boxes."""

    has_truth: bool
    margin: float = MARGIN

    def accuracy(self, row: Row) -> float:
        """Return what modes are compared by: HOTA, 0..100; without a truth that of the agreement with the reference."""
        return 100 * row.scores.hota

    def is_met(self, row: Row, reference: Row) -> bool:
        """Return whether a mode is as accurate as is asked for."""
        if not self.has_truth:
            return row.f1 is None or row.f1 >= GOOD_F1
        return self.accuracy(row) >= self.accuracy(reference) - self.margin

    def pays(self, row: Row, reference: Row) -> bool:
        """Return whether a mode does less, was faster in every round, and is as accurate as is asked for."""
        return row.does_less and is_faster(row) and self.is_met(row, reference)

    def words(self, reference: Row) -> str:
        """Return what is asked for, as words."""
        if not self.has_truth:
            return f"an F1 of {GOOD_F1:g} or more against the boxes of detecting on every frame"
        accuracy = self.accuracy(reference)
        return f"a HOTA of {accuracy - self.margin:.1f} or more (detecting on every frame: {accuracy:.1f})"


def is_faster(row: Row) -> bool:
    """Return whether a mode was faster than detecting on every frame in every round, by more than noise."""
    return row.speed_up.least >= MIN_SPEED_UP


def pareto(points: Sequence[_Point]) -> list[bool]:
    """Return which points no other one beats: as good in both of their figures and better in one; greater is better."""
    return [not any(other != one and other[0] >= one[0] and other[1] >= one[1] for other in points) for one in points]


def best_of(rows: Sequence[Row], standard: Standard) -> Row | None:
    """Return the fastest of the modes that pay; None where none does. The first row is the reference."""
    paying = [row for row in rows if standard.pays(row, rows[0])]
    return max(paying, key=lambda row: row.speed_up.median, default=None)


def front_of(rows: Sequence[Row], standard: Standard) -> list[bool]:
    """Return of which rows no other is both faster and more accurate, medians taken."""
    return pareto([(row.fps.median, standard.accuracy(row)) for row in rows])


def verdict(rows: Sequence[Row], costs: Sequence[FrameCost], standard: Standard) -> list[str]:
    """Return what to choose on this machine, and when tracking does not pay, a sentence or two a line."""
    cadences = sorted({row.detect_every for row in rows if isinstance(row.detect_every, int)})
    return [
        _choice(rows, standard),
        f"Nothing is both faster and more accurate than: {_listed(rows, front_of(rows, standard))}.",
        *_losers(rows, standard),
        *_costs(costs, cadences),
        *_smaller(rows, standard),
    ]


def label(row: Row) -> str:
    """Return a short name of a mode: "flow 3", "flow 100ms", "adaptive"."""
    is_alone = row.mode not in TRACKERS and row.detect_every in (1, "auto")
    return row.mode if is_alone else f"{row.mode} {row.detect_every}"


def _choice(rows: Sequence[Row], standard: Standard) -> str:
    reference, name = rows[0], Path(rows[0].source).name
    best = best_of(rows, standard)
    asked = standard.words(reference)
    if best is None:
        return f"{name}: detect on every frame. No mode is faster in every round with {asked}."
    speed = f"{best.speed_up.median:.1f} times as fast as detecting on every frame"
    worst = f" ({best.speed_up.least:.1f} in the worst of {best.rounds} rounds)" if best.rounds > 1 else ""
    told = f"{speed}{worst}, {_accuracy(best, standard)}"
    return f"{name}: choose {best.mode} with the detector {_interval(best)}: {told}. It is the fastest with {asked}."


def _interval(row: Row) -> str:
    every = row.detect_every
    if isinstance(every, str) and every.startswith("auto"):
        return "as often as needed" if every == "auto" else f"as often as needed ({every})"
    if every == 1:
        return "on every frame"
    return f"every {every} frames" if isinstance(every, int) else f"every {every}"


def _accuracy(row: Row, standard: Standard) -> str:
    if standard.has_truth:
        return f"HOTA {standard.accuracy(row):.1f}"
    return "no boxes to compare" if row.f1 is None else f"F1 {row.f1:.2f}"


def _listed(rows: Sequence[Row], chosen: Iterable[bool]) -> str:
    return ", ".join(label(row) for row, is_chosen in zip(rows, chosen, strict=True) if is_chosen) or "none"


def _losers(rows: Sequence[Row], standard: Standard) -> list[str]:
    """Return which of the modes that do less do not pay, by reason."""
    trying = [row for row in rows if row.does_less]
    slow = [not is_faster(row) for row in trying]
    poor = [is_faster(row) and not standard.is_met(row, rows[0]) for row in trying]
    lines = []
    if any(slow):
        lines.append(f"Not faster than detecting on every frame in every round: {_listed(trying, slow)}.")
    if any(poor):
        lines.append(f"Faster, but not accurate enough: {_listed(trying, poor)}.")
    return lines


def _costs(costs: Sequence[FrameCost], cadences: Sequence[int]) -> list[str]:
    """Return what a tracked frame costs, and where tracking cannot pay."""
    shares = sorted((cost.share, cost.mode) for cost in costs if cost.share is not None)
    if not shares:
        return []
    losing = [
        f"{cost.mode} at N = {', '.join(map(str, numbers))}"
        for cost in costs
        if (numbers := [n for n in cadences if n > 1 and cost.is_losing(n)])
    ]
    told = ", ".join(f"{share:.2f} ({mode})" for share, mode in shares)
    limit = f"not more than 1 for {'; '.join(losing)}" if losing else "more than 1 for all of them"
    return [
        f"In one thread a tracked frame takes {told} of a detected one. With D and T for frames with and without a "
        f"detector run, detecting on every Nth frame is D / (D/N + (1-1/N) T) times as fast: {limit}."
    ]


def _smaller(rows: Sequence[Row], standard: Standard) -> list[str]:
    """Return what smaller pictures on every frame bring."""
    small = [row for row in rows if row.shrink > 1]
    if not small:
        return []
    told = ", ".join(
        f"{row.mode} is {row.speed_up.median:.2f} times as fast ({_accuracy(row, standard)})" for row in small
    )
    return [f"Smaller pictures on every frame: {told}. A network with an input of fixed size costs the same on each."]
