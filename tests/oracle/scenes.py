"""Random scenes for metrics: objects that come and go, and tracks of them with all the faults that tracks have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

Row: TypeAlias = list[int]  #: frame from 0, id, left, top, width, height
Scene: TypeAlias = dict[str, list[Row]]  #: "truth" and "tracks"

PICTURE = 640, 360


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """How tracks differ from the truth: chances a box and frame, noise in px."""

    noise_px: float = 4.0
    missed: float = 0.1
    swapped: float = 0.02  #: chance a frame that two tracks exchange their ids
    broken: float = 0.02  #: ... that a track goes on under a new id
    doubled: float = 0.02  #: ... that a second box lies on the same place
    false: float = 0.1  #: ... of a false alarm
    blackout: float = 0.05  #: ... of a frame without tracks


#: what is stored: names, objects, frames and faults
KINDS: Mapping[str, tuple[int, int, Faults]] = {
    "exact": (3, 20, Faults(noise_px=0, missed=0, swapped=0, broken=0, doubled=0, false=0, blackout=0)),
    "noise": (3, 30, Faults(missed=0, swapped=0, broken=0, doubled=0, false=0, blackout=0)),
    "much noise": (4, 30, Faults(noise_px=12, missed=0.05, swapped=0, broken=0, doubled=0, false=0, blackout=0)),
    "swaps": (4, 40, Faults(noise_px=2, missed=0, swapped=0.2, broken=0, doubled=0, false=0, blackout=0)),
    "breaks": (3, 40, Faults(noise_px=2, missed=0.05, swapped=0, broken=0.1, doubled=0, false=0, blackout=0)),
    "misses": (4, 40, Faults(missed=0.5, swapped=0, broken=0, doubled=0, false=0, blackout=0.2)),
    "false alarms": (2, 30, Faults(missed=0.1, false=0.9)),
    "doubles": (3, 30, Faults(noise_px=0, doubled=0.5)),
    "all faults": (5, 60, Faults()),
    "crowd": (12, 30, Faults(noise_px=6, swapped=0.1)),
    "no truth": (0, 10, Faults(false=0.5)),
    "no tracks": (2, 10, Faults(missed=1, doubled=0, false=0)),
    "nothing": (0, 10, Faults(false=0)),
}


def stored_scenes() -> Iterator[tuple[str, Scene]]:
    """Yield the scenes whose numbers are stored, and their names."""
    for seed, (name, (objects, frames, faults)) in enumerate(KINDS.items()):
        yield name, random_scene(np.random.default_rng(seed), objects, frames, faults)


def fresh_scenes(count: int, seed: int) -> Iterator[tuple[str, Scene]]:
    """Yield so many other scenes of random size, with random faults."""
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        rates = dict(
            zip(("missed", "swapped", "broken", "doubled", "false", "blackout"), rng.random(6) ** 3, strict=True)
        )
        faults = Faults(noise_px=float(rng.choice([0, 1, 4, 12])), **rates)
        yield f"fresh {seed}.{number}", random_scene(rng, int(rng.integers(0, 8)), int(rng.integers(1, 50)), faults)


def random_scene(rng: np.random.Generator, objects: int, frames: int, faults: Faults) -> Scene:
    """Return a scene of whole pixels, so that a file has it exactly."""
    truth: list[Row] = []
    tracks: list[Row] = []
    motions = [_motion(rng, frames) for _ in range(objects)]
    ids = list(range(1, objects + 1))
    next_id = objects + 1
    for frame in range(frames):
        if objects > 1 and rng.random() < faults.swapped:
            a, b = rng.choice(objects, 2, replace=False)
            ids[a], ids[b] = ids[b], ids[a]
        is_black = rng.random() < faults.blackout
        for number, motion in enumerate(motions):
            if not motion["first"] <= frame <= motion["last"]:
                continue
            box = motion["box"] + np.append(motion["velocity"] * frame, [0, 0])
            truth.append([frame, 100 + number, *box.round().astype(int).tolist()])
            if rng.random() < faults.broken:
                ids[number], next_id = next_id, next_id + 1
            if not is_black and rng.random() >= faults.missed:
                tracks.append([frame, ids[number], *_shaken(rng, box, faults.noise_px)])
                if rng.random() < faults.doubled:
                    tracks.append([frame, 1000 + number, *_shaken(rng, box, faults.noise_px)])
        if not is_black and rng.random() < faults.false:
            tracks.append([frame, 2000 + int(rng.integers(3)), *_random_box(rng).round().astype(int).tolist()])
    return {"truth": truth, "tracks": tracks}


def _motion(rng: np.random.Generator, frames: int) -> dict[str, Any]:
    first = int(rng.integers(0, max(1, frames // 3)))
    return {
        "first": first,
        "last": int(rng.integers(first, frames)) if rng.random() < 0.5 else frames - 1,
        "box": _random_box(rng),
        "velocity": rng.normal(0, 3, 2),
    }


def _random_box(rng: np.random.Generator) -> np.ndarray:
    return np.concatenate([rng.uniform(0, PICTURE), rng.uniform(20, 120, 2)])


def _shaken(rng: np.random.Generator, box: np.ndarray, noise_px: float) -> Row:
    left, top, width, height = (box + rng.normal(0, 1, 4) * noise_px).round().astype(int).tolist()
    return [left, top, max(1, width), max(1, height)]
