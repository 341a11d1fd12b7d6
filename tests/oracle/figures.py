"""Our figures of scenes under TrackEval's names, and where they differ from its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import reduce
from operator import add
from typing import Any

import numpy as np

from hybridtrack.metrics.clear import ClearCounts, count_clear, match_clear
from hybridtrack.metrics.hota import HotaCounts, count_hota, match_hota
from hybridtrack.metrics.identity import IdentityCounts, count_identity
from hybridtrack.metrics.overlaps import overlaps
from tests.oracle.scenes import Row, Scene

TOLERANCE = 1e-6

Figures = Mapping[str, Any]


def our_figures(scenes: Mapping[str, Scene]) -> dict[str, Figures]:
    """Return the figures of each scene, and of all of them together as "combined"."""
    counts = {name: _counts(scene) for name, scene in scenes.items()}
    hota, clear, identity = (reduce(add, column) for column in zip(*counts.values(), strict=True))
    return {name: _figures(*own) for name, own in {**counts, "combined": (hota, clear, identity)}.items()}


def differences(ours: Mapping[str, Figures], theirs: Mapping[str, Figures]) -> Iterator[str]:
    """Yield a line for each figure that differs, or that one side alone has."""
    if ours.keys() != theirs.keys():
        yield f"scenes differ: {sorted(ours.keys() ^ theirs.keys())}"
    for scene in [name for name in ours if name in theirs]:
        if ours[scene].keys() != theirs[scene].keys():
            yield f"{scene}: figures differ: {sorted(ours[scene].keys() ^ theirs[scene].keys())}"
        for name in [name for name in ours[scene] if name in theirs[scene]]:
            own, other = np.asarray(ours[scene][name]), np.asarray(theirs[scene][name])
            if own.shape != other.shape or not (np.abs(own - other) <= TOLERANCE).all():
                yield f"{scene}: {name} is {own.tolist()}, TrackEval says {other.tolist()}"


def _counts(scene: Scene) -> tuple[HotaCounts, ClearCounts, IdentityCounts]:
    pairs = overlaps(*_columns(scene["truth"]), *_columns(scene["tracks"]))
    return count_hota(pairs, match_hota(pairs)), count_clear(pairs, match_clear(pairs)), count_identity(pairs)


def _columns(rows: list[Row]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    table = np.array(rows, int).reshape(-1, 6)
    return table[:, 0], table[:, 1], np.concatenate([table[:, 2:4], table[:, 2:4] + table[:, 4:]], axis=1)


def _figures(hota: HotaCounts, clear: ClearCounts, identity: IdentityCounts) -> Figures:
    return {
        "HOTA": hota.hota,
        "DetA": hota.det_a,
        "AssA": hota.ass_a,
        "LocA": hota.loc_a,
        "HOTA_TP": hota.tp,
        "HOTA_FN": hota.fn,
        "HOTA_FP": hota.fp,
        "MOTA": clear.mota,
        "IDSW": clear.id_switches,
        "Frag": clear.fragmentations,
        "MT": clear.mostly_tracked,
        "ML": clear.mostly_lost,
        "CLR_TP": clear.tp,
        "CLR_FN": clear.fn,
        "CLR_FP": clear.fp,
        "IDF1": identity.idf1,
        "IDTP": identity.tp,
        "IDFN": identity.fn,
        "IDFP": identity.fp,
    }
