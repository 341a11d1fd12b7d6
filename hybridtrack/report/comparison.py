"""Track files of one video side by side, and how far their tracks agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hybridtrack.errors import TrackFileError, UsageError
from hybridtrack.evaluate.evaluation import evaluate
from hybridtrack.evaluate.scores import Scores
from hybridtrack.ledger.interactions import HOLD, TOUCH
from hybridtrack.report.digest import Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How well the tracks of one file are those of another; notes say what could not be compared, or why nothing."""

    scores: Scores | None
    notes: tuple[str, ...]


def agreement(path: str, reference: str) -> Agreement:
    """Return how well the tracks of ``path`` are those of ``reference``."""
    try:
        found = evaluate([(path, reference)])
    except (UsageError, TrackFileError) as error:  # no class in common, say
        return Agreement(scores=None, notes=(str(error),))
    if not found.combined.objects:
        return Agreement(scores=None, notes=(f"{reference} has no tracks that {path} could agree with.",))
    return Agreement(scores=found.combined, notes=tuple(one for one in found.notes if not one.startswith("AP")))


def side_by_side(digests: Mapping[str, Digest]) -> list[list[str]]:
    """Return a row a figure, with a column for each file."""
    figures = {name: _figures(one) for name, one in digests.items()}
    names = list(dict.fromkeys(name for one in figures.values() for name in one))
    return [[name, *(one.get(name, "–") for one in figures.values())] for name in names]


def _figures(one: Digest) -> dict[str, str]:
    summary = one.summary
    found = {
        "tracker": str(one.header.settings.get("tracker", "–")),
        "frames": str(one.frames),
        "frames per second": f"{summary.fps:.1f}" if summary and summary.fps else "–",
        "seconds of the run": f"{summary.seconds:.2f}" if summary and summary.fps else "–",
    }
    found |= {f"runs of {name}": str(len(times)) for name, times in one.run_times_s.items()}
    found |= {
        "tracks": str(len(one.tracks)),
        "of hands": str(len(one.in_role("hand"))),
        "boxes": str(int(one.shown.sum())),
        "median seconds of a track": _median([track.shown_s for track in one.tracks]),
    }
    for kind, name in ((TOUCH, "touches"), (HOLD, "holds")):
        times = [each.end_s - each.start_s for each in one.interactions if each.kind == kind]
        found[name] = f"{len(times)} ({sum(times):.1f} s)"
    return found


def _median(values: Sequence[float]) -> str:
    if not values:
        return "–"
    ordered = sorted(values)
    middle = len(ordered) // 2
    return f"{(ordered[middle] + ordered[-middle - 1]) / 2:.2f}"


def agreement_rows(scores: Scores) -> list[list[str]]:
    """Return names and figures, × 100 where they are shares."""
    return [
        ["HOTA", _hundred(scores.hota)],
        ["DetA", _hundred(scores.det_a)],
        ["AssA", _hundred(scores.ass_a)],
        ["IDF1", _hundred(scores.idf1)],
        ["MOTA", _hundred(scores.mota)],
        ["identity switches", str(scores.id_switches)],
        ["fragmentations", str(scores.fragmentations)],
        ["F1 on frames without a run", "–" if scores.filled_f1 is None else _hundred(scores.filled_f1)],
    ]


def _hundred(share: float) -> str:
    return f"{100 * share:.1f}"
