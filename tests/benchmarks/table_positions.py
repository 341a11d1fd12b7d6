"""Print how far from the truth the camera, and things and hands on the table in centimetres, are found.

    python -m tests.benchmarks.table_positions [FOLDER ...] [--every 1] [--tracker flow]

A folder is one of examples/data/table's form: gt.json, gt/gt.txt and a clip inside or beside it (default: that clip,
and two random scenes whose camera stands still and sways). The detector ``replay`` shows the true boxes. Objects count
while they stand on the table: all of them, and those of which nothing is hidden. Hands count while their middle is less
than 10 cm over the table. Median and 95th percentile; cm, and of the camera px at the corners of the mat.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from hybridtrack.boxes import iou
from hybridtrack.engine import Engine
from hybridtrack.relations.footprint import apply
from hybridtrack.types import Array, FrameResult, TrackState
from tests.scenes.scene import Scene
from tests.scenes.truth import write_folder

EXAMPLE = Path(__file__).parents[2] / "examples" / "data" / "table"
PIXEL_CENTRE_PX = 0.5  #: points of the truth count from the centre of the first pixel
STANDS_CM, LOW_CM = 0.3, 10.0
WHOLE = 0.9  #: visibility from which nothing is hidden
SAME_IOU = 0.5  #: of a track's box and a true one


def errors(folder: Path, *, every: int, tracker: str) -> dict[str, list[float]]:
    """Return the distances from the truth by what they are of."""
    truth: dict[str, Any] = json.loads((folder / "gt.json").read_text())
    rectangle = truth["table_rectangle"]
    corners_px = np.array(rectangle["corners_px"]) + PIXEL_CENTRE_PX
    near_left_cm = np.array(rectangle["corners_cm"][0])
    seen: dict[int, list[tuple[str, Array, float]]] = {}
    for line in (folder / "gt" / "gt.txt").read_text().splitlines():
        number, id, left, top, width, height, _, _, visibility = map(float, line.split(","))
        box = np.array([left, top, left + width, top + height])
        seen.setdefault(int(number) - 1, []).append((truth["ids"][str(int(id))], box, visibility))
    found: dict[str, list[float]] = {}

    def compare(result: FrameResult) -> None:
        index, tracks = result.frame_index, result.tracks[result.tracks.state == TrackState.CONFIRMED]
        if result.camera is not None:
            away = np.linalg.norm(apply(result.camera, corners_px[0]) - corners_px[index], axis=1)
            found.setdefault("camera, px", []).extend(away.tolist())
        for name, box, visibility in seen.get(index, []) if len(tracks) else []:
            shared = iou(box[None], tracks.xyxy)[0]
            if shared.max() < SAME_IOU:
                continue
            kind = "objects" if name in truth["objects"] else "hands"
            course = truth["objects"][name]["pos_cm"] if kind == "objects" else truth["hands"][name]["centre_cm"]
            place = np.array(course[index])
            if place[2] > (STANDS_CM if kind == "objects" else LOW_CM):
                continue
            off = float(np.linalg.norm(tracks.position_cm[shared.argmax()] + near_left_cm - place[:2]))
            keys = (
                [kind] if kind == "hands" else [kind, name, *(["objects in full view"] if visibility >= WHOLE else [])]
            )
            for key in keys:
                found.setdefault(key, []).append(off)

    clip = folder / "clip.mp4" if (folder / "clip.mp4").exists() else folder.with_suffix(".mp4")
    width_cm, depth_cm = rectangle["size_cm"]
    corners = ",".join(f"{value:.2f}" for value in corners_px[0].ravel())
    detector = f"replay,path={folder},every={every}"
    with Engine(detectors=[detector], tracker=tracker, table=f"{corners}:{width_cm:g}x{depth_cm:g}cm") as engine:
        for _, result in engine.run(str(clip)):
            compare(result)
    return found


def report(name: str, found: dict[str, list[float]]) -> None:
    """Print the errors of one clip."""
    print(f"{name:32} {'median':>8} {'95 %':>8} {'n':>7}")
    for key in sorted(found):
        median, most = np.percentile(found[key], [50, 95])
        print(f"  {key:30} {median:8.2f} {most:8.2f} {len(found[key]):7d}")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.table_positions")
    parser.add_argument("folders", type=Path, nargs="*", metavar="FOLDER")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="the detector runs every N frames")
    parser.add_argument("--tracker", default="flow")
    parser.add_argument("--seed", type=int, default=8, help="of the random scenes")
    options = parser.parse_args(arguments)
    for folder in options.folders or [EXAMPLE]:
        report(folder.name, errors(folder, every=options.every, tracker=options.tracker))
    for sway_cm in () if options.folders else (0.0, 3.0):
        with TemporaryDirectory() as place:
            write_folder(Scene(options.seed, frames=240, sway_cm=sway_cm), Path(place))
            name = f"scene {options.seed}, sway {sway_cm:g} cm"
            report(name, errors(Path(place), every=options.every, tracker=options.tracker))


if __name__ == "__main__":
    main()
