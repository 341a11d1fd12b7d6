"""The figures of a sweep as tables of text cells."""

from __future__ import annotations

from collections.abc import Sequence

from hybridtrack.bench.table import TextTable, optional, percent
from hybridtrack.sweep.figures import Figures
from hybridtrack.sweep.verdict import front_by_cost, front_by_runs, name_of


def figures(rows: Sequence[Figures]) -> TextTable:
    """Return a row a setting; the last column marks those that no other beats by runs, and by cost."""
    by_runs, by_cost = front_by_runs(rows), front_by_cost(rows)
    return TextTable(
        title="means over the phases of each N",
        header=(
            *("tracker", "N", "phases", "runs", "HOTA", "of phases", "DetA", "AssA", "IDF1", "MOTA", "IDSW"),
            *("filled F1", "track ms", "cost ms", ""),
        ),
        rows=tuple(
            (*_cells(one), " ".join(word for word, is_there in (("runs", runs), ("cost", cost)) if is_there))
            for one, runs, cost in zip(rows, by_runs, by_cost, strict=True)
        ),
    )


def fronts(rows: Sequence[Figures]) -> TextTable:
    """Return the settings that no other beats by runs or by cost, from many runs to few."""
    kept = [
        (one, runs, cost)
        for one, runs, cost in zip(rows, front_by_runs(rows), front_by_cost(rows), strict=True)
        if runs or cost
    ]
    kept.sort(key=lambda item: (-item[0].runs, -item[0].hota))
    return TextTable(
        title="no other is as accurate with fewer runs, or at a lower cost",
        header=("tracker", "N", "runs", "cost ms", "HOTA", "by runs", "by cost"),
        rows=tuple(
            (
                name_of(one),
                str(one.detect_every),
                f"{one.runs:.0f}",
                optional(one.track_ms if one.cost_ms is None else one.cost_ms, 2),
                percent(one.hota),
                "*" if runs else "",
                "*" if cost else "",
            )
            for one, runs, cost in kept
        ),
    )


def _cells(one: Figures) -> tuple[str, ...]:
    return (
        name_of(one),
        str(one.detect_every),
        str(one.phases),
        f"{one.runs:.0f}",
        percent(one.hota),
        f"{percent(one.hota_least)} to {percent(one.hota_most)}" if one.phases > 1 else "",
        percent(one.det_a),
        percent(one.ass_a),
        percent(one.idf1),
        percent(one.mota),
        f"{one.id_switches:.1f}",
        "-" if one.filled_f1 is None else percent(one.filled_f1),
        optional(one.track_ms, 2),
        optional(one.cost_ms, 2),
    )
