"""What a sweep shows: the settings that no other beats, and the fewest detector runs that are accurate enough."""

from __future__ import annotations

from collections.abc import Sequence

from hybridtrack.bench.verdict import MARGIN, pareto
from hybridtrack.sweep.figures import Figures


def label(one: Figures) -> str:
    """Return a short name of a setting: "flow 3", "kalman two-way 10"."""
    return f"{name_of(one)} {one.detect_every}"


def name_of(one: Figures) -> str:
    """Return what settings that differ in their cadence alone have in common."""
    return one.tracker if one.fill == "forward" else f"{one.tracker} {one.fill}"


def front_by_runs(rows: Sequence[Figures]) -> list[bool]:
    """Return of which settings no other has a higher HOTA with as few detector runs, or fewer with as high a HOTA."""
    return pareto([(-one.runs, one.hota) for one in rows])


def front_by_cost(rows: Sequence[Figures]) -> list[bool]:
    """Return the same by what a frame costs; without knowing what a detector run takes, by what tracking does."""
    return pareto([(-(one.track_ms if one.cost_ms is None else one.cost_ms), one.hota) for one in rows])


def verdict(rows: Sequence[Figures], *, margin: float = MARGIN) -> list[str]:
    """Return what the figures mean, a sentence a line. margin: points of HOTA, of 100, that fewer runs may cost."""
    at = dict.fromkeys(one.detect_every for one in rows)
    best = [max((one for one in rows if one.detect_every == every), key=lambda one: one.hota) for every in at]
    most = max(rows, key=lambda one: one.hota)
    enough = [one for one in rows if 100 * one.hota >= 100 * most.hota - margin]
    least = min(enough, key=lambda one: (one.runs, -one.hota))
    return [
        f"Best at each N: {', '.join(_told(one) for one in best)}.",
        f"Most accurate for their detector runs: {_listed(rows, front_by_runs(rows))}.",
        f"Fewest detector runs for a HOTA within {margin:g} of the best ({_told(most)}): {_told(least)}, "
        f"{least.runs:.0f} runs on {least.frames} frames.",
    ]


def _told(one: Figures) -> str:
    return f"{label(one)} {100 * one.hota:.1f}"


def _listed(rows: Sequence[Figures], chosen: Sequence[bool]) -> str:
    return ", ".join(label(row) for row, is_chosen in zip(rows, chosen, strict=True) if is_chosen)
