"""The figures of TrackEval: a program for an environment of its own, with trackeval, numpy and scipy in it alone.

    python trackeval_figures.py < SCENES.json > FIGURES.json

SCENES: name -> {"truth": rows, "tracks": rows}, a row being frame from 0, id, left, top, width, height. FIGURES: name
-> figure -> number, or a list of 19 for the IoU thresholds; "combined" is of all scenes together. Those of one scene
are combined too, of it alone: before that, TrackEval leaves MOTA at 0 where there is no true box.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from typing import Any

import numpy as np
import trackeval
from trackeval.datasets._base_dataset import _BaseDataset

FIGURES = {
    "HOTA": ("HOTA", "DetA", "AssA", "LocA", "HOTA_TP", "HOTA_FN", "HOTA_FP"),
    "CLEAR": ("MOTA", "IDSW", "Frag", "MT", "ML", "CLR_TP", "CLR_FN", "CLR_FP"),
    "Identity": ("IDF1", "IDTP", "IDFN", "IDFP"),
}


def metrics() -> list[Any]:
    quiet = {"PRINT_CONFIG": False}
    with contextlib.redirect_stdout(io.StringIO()):
        return [trackeval.metrics.HOTA(), trackeval.metrics.CLEAR(quiet), trackeval.metrics.Identity(quiet)]


def prepared(scene: dict[str, list[list[int]]]) -> dict[str, Any]:
    """Return a scene as TrackEval's metrics take it."""
    truth, tracks = (np.array(scene[name], float).reshape(-1, 6) for name in ("truth", "tracks"))
    count = int(max(truth[:, 0].max(initial=-1), tracks[:, 0].max(initial=-1))) + 1
    (truth_ids, truth_id), (track_ids, track_id) = (
        np.unique(rows[:, 1], return_inverse=True) for rows in (truth, tracks)
    )
    data: dict[str, Any] = {"gt_ids": [], "tracker_ids": [], "similarity_scores": []}
    for frame in range(count):
        of_truth, of_track = truth[:, 0] == frame, tracks[:, 0] == frame
        data["gt_ids"].append(truth_id[of_truth])
        data["tracker_ids"].append(track_id[of_track])
        data["similarity_scores"].append(
            _BaseDataset._calculate_box_ious(truth[of_truth, 2:], tracks[of_track, 2:], box_format="xywh")
        )
    return data | {
        "num_gt_dets": len(truth),
        "num_tracker_dets": len(tracks),
        "num_gt_ids": len(truth_ids),
        "num_tracker_ids": len(track_ids),
        "num_timesteps": count,
    }


def figures(results: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        name: np.asarray(result[name], float).round(10).tolist()
        for result, names in zip(results, FIGURES.values(), strict=True)
        for name in names
    }


def main() -> None:
    scenes = json.load(sys.stdin)
    families = metrics()
    results = {name: [one.eval_sequence(prepared(scene)) for one in families] for name, scene in scenes.items()}
    parts = {name: [name] for name in scenes} | {"combined": list(scenes)}
    json.dump(
        {
            name: figures(
                [
                    one.combine_sequences({part: results[part][place] for part in of})
                    for place, one in enumerate(families)
                ]
            )
            for name, of in parts.items()
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
