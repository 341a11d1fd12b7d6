"""Schedules, trackers and fills on detections that were made once: which is most accurate for its detector runs."""

from __future__ import annotations

from hybridtrack.sweep.figures import Conditions, Figures, figures_of, with_truth
from hybridtrack.sweep.material import Material, detect_once, is_recorded, read_material
from hybridtrack.sweep.report import report
from hybridtrack.sweep.settings import Setting, phases, settings_of
from hybridtrack.sweep.verdict import verdict

__all__ = [
    "Conditions",
    "Figures",
    "Material",
    "Setting",
    "detect_once",
    "figures_of",
    "is_recorded",
    "phases",
    "read_material",
    "report",
    "settings_of",
    "verdict",
    "with_truth",
]
