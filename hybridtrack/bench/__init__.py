"""Compares detecting on every frame with detecting on every Nth and carrying the boxes in between: speed and accuracy.

Every mode runs the whole way of ``hybridtrack run`` into a JSON Lines file. Modes take turns in rounds, each beginning
elsewhere, so that a machine that grows slower does not favour one; ratios and differences are taken within a round.
"""

from __future__ import annotations

from hybridtrack.bench.comparison import costs_of, rows_of, take_turns
from hybridtrack.bench.frame_cost import FrameCost
from hybridtrack.bench.machine import busy_note, core_count, load, machine
from hybridtrack.bench.measurement import open_repeatable
from hybridtrack.bench.mode import DETECT_ONLY, TRACKERS, Conditions, Mode, modes_of
from hybridtrack.bench.report import Comparison, report
from hybridtrack.bench.row import Row
from hybridtrack.bench.spread import Spread, turns
from hybridtrack.bench.verdict import Standard, verdict

__all__ = [
    "DETECT_ONLY",
    "TRACKERS",
    "Comparison",
    "Conditions",
    "FrameCost",
    "Mode",
    "Row",
    "Spread",
    "Standard",
    "busy_note",
    "core_count",
    "costs_of",
    "load",
    "machine",
    "modes_of",
    "open_repeatable",
    "report",
    "rows_of",
    "take_turns",
    "turns",
    "verdict",
]
