"""What relations cost a frame: ``python -m tests.benchmarks.relation_cost``.

Hands that wander over a table of 1280×720 px full of objects, from one to the next, all of them detected on every third
frame; the medians of rounds, after a warm-up. The camera's motion is measured apart, since it depends on the pictures
and not on how many boxes there are.
"""

from __future__ import annotations

import time

import numpy as np

from hybridtrack.relation_runner import RelationRunner
from hybridtrack.relations.hand_object import HandObject
from hybridtrack.types import ClassInfo, Origin, Scene, Tracks, TrackState

CLASSES = (ClassInfo(name="hand", role="hand"), ClassInfo(name="thing"))
FRAMES, WARM_UP, ROUNDS = 300, 60, 5
AIMS_MS = {(2, 10): 0.3, (10, 100): 3.0}


def scenes(hands: int, objects: int, seed: int) -> list[Scene]:
    """Return the scenes of a table with so many hands and objects."""
    rng = np.random.default_rng(seed)
    n = hands + objects
    things = rng.uniform((60, 60), (1220, 660), (objects, 2))
    goals = rng.uniform((60, 60), (1220, 660), (hands, FRAMES // 30 + 2, 2))
    half = np.concatenate([np.full((hands, 2), 60.0), rng.uniform(20, 50, (objects, 2))])
    made = []
    for frame in range(FRAMES):
        leg, share = divmod(frame / 30, 1)
        at = goals[:, int(leg)] + (goals[:, int(leg) + 1] - goals[:, int(leg)]) * share
        centre = np.concatenate([at, things]) + rng.normal(0, 0.5, (n, 2))
        origin = Origin.DETECTED if frame % 3 == 0 else Origin.TRACKED
        tracks = Tracks(
            track_id=np.arange(1, n + 1),
            xyxy=np.concatenate([centre - half, centre + half], axis=1),
            velocity=np.zeros((n, 2)),
            score=np.ones(n),
            confidence=np.ones(n),
            class_id=np.array([0] * hands + [1] * objects),
            origin=np.full(n, origin),
            state=np.full(n, TrackState.CONFIRMED),
            last_detected_s=np.zeros(n),
            detector=("all",) * n,
        )
        made.append(Scene(frame_index=frame, time_s=frame / 30, tracks=tracks, classes=CLASSES, camera=np.eye(3)))
    return made


def step_ms(table: list[Scene]) -> list[float]:
    """Return what each frame after the warm-up took."""
    relations = RelationRunner({"hand_object": HandObject()})
    spent = []
    for scene in table:
        start = time.perf_counter()
        relations.step(scene)
        spent.append((time.perf_counter() - start) * 1000)
    return spent[WARM_UP:]


def main() -> None:
    print("hands  objects  ms a frame  (95 %)   aim")
    for (hands, objects), aim_ms in AIMS_MS.items():
        spent = np.array([step_ms(scenes(hands, objects, seed)) for seed in range(ROUNDS)])
        print(f"{hands:5}  {objects:7}  {np.median(spent):10.3f}  {np.percentile(spent, 95):6.3f}  {aim_ms:4}")


if __name__ == "__main__":
    main()
