"""Figures, and what is counted to get them: counts of classes and sequences add up, figures do not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np

from hybridtrack.evaluate.precision import Judged, average_precisions, is_installed
from hybridtrack.metrics.clear import ClearCounts
from hybridtrack.metrics.hits import HitCounts
from hybridtrack.metrics.hota import HotaCounts
from hybridtrack.metrics.identity import IdentityCounts
from hybridtrack.metrics.jitter import median
from hybridtrack.types import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """The figures of a class, a sequence, or all of them. Shares are 0..1; None: not known, or there is nothing of it.

    hota, det_a, ass_a, loc_a: means over the IoU thresholds .05 to .95. mota, idf1, id_switches, fragmentations,
    mostly_tracked, mostly_lost: at IoU .5. filled_f1: of the boxes on frames without a detector run, at IoU .5. ap50,
    ap75: of the raw detections. jitter: median acceleration of box centres, box sizes per second squared; truth_jitter:
    that of the true boxes. delay_s: median time until an object that came in was seen. objects: true ones, and
    never_seen: those of them that no box ever showed. frames: all of them; frames_with_run: those on which a detector
    of these classes ran.
    """

    hota: float
    det_a: float
    ass_a: float
    loc_a: float
    mota: float
    idf1: float
    id_switches: int
    fragmentations: int
    mostly_tracked: int
    mostly_lost: int
    objects: int
    never_seen: int
    filled_f1: float | None
    ap50: float | None
    ap75: float | None
    jitter: float | None
    truth_jitter: float | None
    delay_s: float | None
    frames: int
    frames_with_run: int | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tally:
    """What was counted of one class in one sequence, or of several added up.

    filled, has_run: None where nobody says when detectors ran. accelerations, delays_s: values whose median is wanted,
    infinite where there was nothing; None without times. has_run: bool (F,), by sequence; frames: their number.
    """

    hota: HotaCounts
    clear: ClearCounts
    identity: IdentityCounts
    filled: HitCounts | None
    never_seen: int
    accelerations: Array | None
    truth_accelerations: Array | None
    delays_s: Array | None
    judged: tuple[Judged, ...]
    frames: Mapping[str, int]
    has_run: Mapping[str, Array]


def total(tallies: Iterable[Tally]) -> Tally:
    """Return the sum of one or more tallies, of classes or of sequences."""
    every = list(tallies)
    has_run: dict[str, Array] = {}
    for one in every:
        for name, ran in one.has_run.items():
            has_run[name] = ran | has_run.get(name, False)
    filled = [one.filled for one in every if one.filled is not None]
    return Tally(
        hota=reduce(add, [one.hota for one in every]),
        clear=reduce(add, [one.clear for one in every]),
        identity=reduce(add, [one.identity for one in every]),
        filled=reduce(add, filled) if filled else None,
        never_seen=sum(one.never_seen for one in every),
        accelerations=_joined(one.accelerations for one in every),
        truth_accelerations=_joined(one.truth_accelerations for one in every),
        delays_s=_joined(one.delays_s for one in every),
        judged=tuple(judged for one in every for judged in one.judged),
        frames={name: frames for one in every for name, frames in one.frames.items()},
        has_run=has_run,
    )


def scores_of(tally: Tally) -> Scores:
    """Return the figures of what was counted."""
    precisions = average_precisions(tally.judged) if tally.judged and is_installed() else None
    ap50, ap75 = precisions or (None, None)
    return Scores(
        hota=float(tally.hota.hota.mean()),
        det_a=float(tally.hota.det_a.mean()),
        ass_a=float(tally.hota.ass_a.mean()),
        loc_a=float(tally.hota.loc_a.mean()),
        mota=tally.clear.mota,
        idf1=tally.identity.idf1,
        id_switches=tally.clear.id_switches,
        fragmentations=tally.clear.fragmentations,
        mostly_tracked=tally.clear.mostly_tracked,
        mostly_lost=tally.clear.mostly_lost,
        objects=tally.clear.objects,
        never_seen=tally.never_seen,
        filled_f1=None if tally.filled is None else tally.filled.f1,
        ap50=ap50,
        ap75=ap75,
        jitter=None if tally.accelerations is None else median(tally.accelerations),
        truth_jitter=None if tally.truth_accelerations is None else median(tally.truth_accelerations),
        delay_s=None if tally.delays_s is None else median(tally.delays_s[np.isfinite(tally.delays_s)]),
        frames=sum(tally.frames.values()),
        frames_with_run=sum(int(ran.sum()) for ran in tally.has_run.values()) if tally.has_run else None,
    )


def _joined(columns: Iterable[Array | None]) -> Array | None:
    known = [column for column in columns if column is not None]
    return np.concatenate(known) if known else None
