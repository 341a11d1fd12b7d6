"""The figures of a sweep as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from hybridtrack.bench.machine import machine
from hybridtrack.bench.report import plain
from hybridtrack.sweep.figures import Figures
from hybridtrack.sweep.verdict import front_by_cost, front_by_runs


def report(rows: Sequence[Figures], words: Sequence[str], settings: Mapping[str, Any]) -> bytes:
    """Return the JSON text of the rows, of what they mean, of the settings of the sweep, and of the machine."""
    content = {
        "format": "hybridtrack.sweep",
        "version": 1,
        "machine": machine(),
        "settings": settings,
        "rows": [
            {**plain(row), "pareto_runs": by_runs, "pareto_cost": by_cost}
            for row, by_runs, by_cost in zip(rows, front_by_runs(rows), front_by_cost(rows), strict=True)
        ],
        "words": words,
    }
    return msgspec.json.format(msgspec.json.encode(content)) + b"\n"
