"""The figures of a comparison as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from hybridtrack.bench.frame_cost import FrameCost
from hybridtrack.bench.machine import machine
from hybridtrack.bench.row import Row
from hybridtrack.bench.verdict import Standard, best_of, front_of, verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The rows of one source, or of all together, detecting on every frame first, and what frames cost there.

    truth: what ``Row.scores`` are against, as words.
    """

    rows: Sequence[Row]
    costs: Sequence[FrameCost]
    standard: Standard
    truth: str

    @property
    def name(self) -> str:
        """The source, or what all of them are called together."""
        return self.rows[0].source

    @property
    def words(self) -> list[str]:
        """What the figures mean, a sentence or two a line."""
        return verdict(self.rows, self.costs, self.standard)


def report(comparisons: Sequence[Comparison], settings: Mapping[str, Any]) -> bytes:
    """Return the JSON text of comparisons, of the settings they were measured with, and of the machine."""
    content = {
        "format": "hybridtrack.bench",
        "version": 1,
        "machine": machine(),
        "settings": settings,
        "rows": [row for one in comparisons for row in _rows(one)],
        "costs": [{"source": one.name, **plain(cost)} for one in comparisons for cost in one.costs],
        "verdicts": [_verdict(one) for one in comparisons],
    }
    return msgspec.json.format(msgspec.json.encode(content)) + b"\n"


def _rows(one: Comparison) -> list[dict[str, Any]]:
    fronts = front_of(one.rows, one.standard)
    return [
        {**plain(row), "pays": one.standard.pays(row, one.rows[0]), "pareto": is_front}
        for row, is_front in zip(one.rows, fronts, strict=True)
    ]


def _verdict(one: Comparison) -> dict[str, Any]:
    best = best_of(one.rows, one.standard)
    chosen = None if best is None else {"mode": best.mode, "detect_every": best.detect_every}
    return {"source": one.name, "truth": one.truth, "choose": chosen, "words": one.words}


def plain(value: object) -> dict[str, Any]:
    rounded: dict[str, Any] = _rounded(msgspec.to_builtins(value))
    return rounded


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return round(value, 4) if isinstance(value, float) else value
