"""The figures of a comparison as tables of text cells, for a terminal and for a page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hybridtrack.bench.frame_cost import FrameCost
from hybridtrack.bench.row import Row
from hybridtrack.bench.spread import Spread
from hybridtrack.bench.verdict import Standard, front_of

NOTHING = "-"
PAYS = "pays"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextTable:
    """Cells by row; the first column stands to the left, the others to the right."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def figures(rows: Sequence[Row], standard: Standard, *, is_wide: bool) -> TextTable:
    """Return speed and accuracy side by side; ``is_wide``: all figures, and not the chief ones alone."""
    reference = rows[0]
    verdicts = [_word(row, reference, standard) for row in rows]
    fronts = front_of(rows, standard)
    cells: list[tuple[str, bool, Callable[[Row], str]]] = [
        ("mode", True, lambda row: row.mode),
        ("N", True, lambda row: str(row.detect_every)),
        ("runs", True, lambda row: str(row.detector_runs)),
        ("frames/s", True, lambda row: _spread(row.fps, 0, row.rounds)),
        ("speed-up", True, lambda row: f"{row.speed_up.median:.2f}"),
        ("CPU ms", True, lambda row: _spread(row.cpu_ms, 1, row.rounds)),
        ("HOTA", True, lambda row: percent(row.scores.hota)),
        ("DetA", False, lambda row: percent(row.scores.det_a)),
        ("AssA", False, lambda row: percent(row.scores.ass_a)),
        ("IDF1", True, lambda row: percent(row.scores.idf1)),
        ("MOTA", False, lambda row: percent(row.scores.mota)),
        ("IDSW", False, lambda row: str(row.scores.id_switches)),
        ("filled F1", True, lambda row: _share(row.scores.filled_f1)),
        ("jitter", False, lambda row: NOTHING if row.scores.jitter is None else f"{row.scores.jitter:.1f}"),
    ]
    if not standard.has_truth:
        cells.append(("F1", True, lambda row: _share(row.f1)))
    shown = [(name, cell) for name, is_chief, cell in cells if is_wide or is_chief]
    return TextTable(
        title="speed and accuracy",
        header=(*(name for name, _ in shown), "", ""),
        rows=tuple(
            (*(cell(row) for _, cell in shown), word, "*" if is_front else "")
            for row, word, is_front in zip(rows, verdicts, fronts, strict=True)
        ),
    )


def _word(row: Row, reference: Row, standard: Standard) -> str:
    return PAYS if standard.pays(row, reference) else ""


def stages(rows: Sequence[Row]) -> TextTable:
    """Return what the stages of each mode take, ms a frame."""
    names = list(dict.fromkeys(name for row in rows for name in row.stage_ms))
    return TextTable(
        title="ms a frame, stages side by side in threads",
        header=("mode", "N", *names),
        rows=tuple(
            (row.mode, str(row.detect_every), *(optional(row.stage_ms.get(name), 2) for name in names)) for row in rows
        ),
    )


def costs(every: Sequence[FrameCost], cadences: Sequence[int]) -> TextTable:
    """Return what frames cost in one thread, what that comes to at each N, and the memory of a run."""
    numbers = [n for n in cadences if n > 1]
    return TextTable(
        title="ms of one frame in one thread, and what it comes to; memory of a process of its own",
        header=("mode", "detected", "tracked", "T/D", *(f"N={n}" for n in numbers), "peak MB"),
        rows=tuple(
            (
                cost.mode,
                optional(cost.detected_ms, 2),
                optional(cost.tracked_ms, 2),
                optional(cost.share, 2),
                *(optional(cost.speed_up(n), 2) for n in numbers),
                optional(cost.peak_mb, 0),
            )
            for cost in every
        ),
    )


def _spread(spread: Spread, digits: int, rounds: int) -> str:
    median = f"{spread.median:.{digits}f}"
    return median if rounds == 1 else f"{median} ±{(spread.most - spread.least) / 2:.{digits}f}"


def percent(value: float) -> str:
    return f"{100 * value:.1f}"


def _share(value: float | None) -> str:
    return NOTHING if value is None else percent(value)


def optional(value: float | None, digits: int) -> str:
    return NOTHING if value is None else f"{value:.{digits}f}"
