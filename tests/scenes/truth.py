"""A scene as a folder in the form of examples/data/table: the clip, and its exact truth beside it.

``clip.mp4``; ``gt/gt.txt`` (MOTChallenge, box of the visible pixels, visibility), ``gt.json`` (relations, courses in
centimetres, camera, mat), ``classes.txt``, ``seqinfo.ini``. With noise, the folder ``noisy`` has boxes as a detector
could have seen them, in the same form.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.stream import VideoStream

from tests.scenes.camera import FPS, HEIGHT_PX, WIDTH_PX
from tests.scenes.hand import Side
from tests.scenes.scene import CLASSES, FIRST_THING_ID, HAND_IDS, MAT_CM, MAT_CORNERS_CM, Scene, SeenBox
from tests.scenes.stage import RelationKind

CRF = 20
CLOSE_CM = 5.0  #: hands nearer to each other than this are close


def write_folder(
    scene: Scene, folder: Path, *, with_clip: bool = True, box_noise: float = 0.0, misses: float = 0.0
) -> None:
    """Write a scene.

    ``box_noise``: spread of the edges of noisy boxes, a share of the box's size; ``misses``: share that is left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    boxes: list[list[SeenBox]] = []
    whole: list[dict[int, tuple[int, int, int, int]]] = []

    def pictures() -> Iterable[np.ndarray]:
        for frame_index in range(scene.frames):
            if with_clip:
                yield scene.frame(frame_index)
            boxes.append(scene.truth(frame_index))
            whole.append(scene.whole_boxes(frame_index))

    if with_clip:
        write_clip(folder / "clip.mp4", pictures())
    else:
        list(pictures())
    _write_boxes(scene, folder, boxes)
    (folder / "gt.json").write_text(json.dumps(truth_of(scene, boxes, whole)))
    if box_noise or misses:
        rng = np.random.default_rng([scene.seed, 9])
        _write_boxes(scene, folder / "noisy", [_noisy(seen, rng, box_noise, misses) for seen in boxes])


def write_clip(path: Path, pictures: Iterable[np.ndarray]) -> None:
    """Write BGR pictures as H.264."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "veryfast", "crf": str(CRF)})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        stream.codec_context.time_base = Fraction(1, FPS)
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def truth_of(
    scene: Scene, boxes: Sequence[Sequence[SeenBox]], whole: Sequence[dict[int, tuple[int, int, int, int]]]
) -> dict[str, Any]:
    """Return what stands in gt.json; frames are numbered from 1, intervals inclusive."""
    views = [scene.camera.view(frame_index) for frame_index in range(scene.frames)]
    return {
        "name": f"scene_{scene.seed}",
        "fps": FPS,
        "width": WIDTH_PX,
        "height": HEIGHT_PX,
        "frames": scene.frames,
        "first_frame": 1,
        "ids": {str(id): name for id, name in scene.names.items()},
        "classes": {str(id): CLASSES[number - 1] for id, number in scene.class_ids.items()},
        "events": scene.events,
        "relations": relations_of(scene),
        "hands_visible": {
            f"{side}_hand": _runs(k for k, seen in enumerate(boxes) if HAND_IDS[side] in {box.id for box in seen})
            for side in scene.stage.hands
        },
        "hands_close": _runs(np.flatnonzero(_hands_gap(scene) <= CLOSE_CM).tolist()),
        "table_rectangle": {
            "what": "outer edge of the mat on the table",
            "size_cm": list(MAT_CM),
            "corners_cm": MAT_CORNERS_CM[:, :2].tolist(),
            "corner_order": "near-left, near-right, far-right, far-left",
            "corners_px": [_rounded(view.project(MAT_CORNERS_CM), 2) for view in views],
        },
        "camera": {
            "K": [
                [round(scene.camera.focal_px, 4), 0.0, (WIDTH_PX - 1) / 2],
                [0.0, round(scene.camera.focal_px, 4), (HEIGHT_PX - 1) / 2],
                [0.0, 0.0, 1.0],
            ],
            "P_world_cm_to_px": [_rounded(view.matrix, 7) for view in views],
        },
        "objects": {
            scene.names[FIRST_THING_ID + number]: {
                "pos_cm": _rounded(course.origin[: scene.frames], 2),
                "yaw_deg": _rounded(
                    np.degrees(
                        np.arctan2(course.rotation[: scene.frames, 1, 0], course.rotation[: scene.frames, 0, 0])
                    ),
                    1,
                ),
                "base_px": [
                    _rounded(view.project(place), 2) for view, place in zip(views, course.origin, strict=False)
                ],
            }
            for number, course in enumerate(scene.stage.courses)
        },
        "hands": {f"{side}_hand": _hand(scene, side, views) for side in scene.stage.hands},
        "hand_hand_cm": _rounded(_hands_gap(scene), 2),
        "amodal_boxes": _amodal(scene, boxes, whole),
    }


def relations_of(scene: Scene) -> list[dict[str, Any]]:
    """Return a row for each pair of hand and thing that ever touch; intervals from frame 1, inclusive."""
    kinds: tuple[RelationKind, ...] = ("contact", "hold", "push")
    pairs = sorted({(one.side, one.thing) for one in scene.intervals})
    return [
        {
            "hand": f"{side}_hand",
            "hand_id": HAND_IDS[side],
            "object": scene.names[FIRST_THING_ID + thing],
            "object_id": FIRST_THING_ID + thing,
            **{
                kind: [
                    [one.first + 1, one.last + 1]
                    for one in scene.intervals
                    if (one.kind, one.side, one.thing) == (kind, side, thing)
                ]
                for kind in kinds
            },
        }
        for side, thing in pairs
    ]


def _write_boxes(scene: Scene, folder: Path, boxes: Sequence[Sequence[SeenBox]]) -> None:
    (folder / "gt").mkdir(parents=True, exist_ok=True)
    rows = []
    for frame_index, seen in enumerate(boxes):
        for box in seen:
            left, top, right, bottom = box.xyxy
            numbers = (frame_index + 1, box.id, left, top, right - left, bottom - top, 1, scene.class_ids[box.id])
            rows.append(",".join(f"{number:g}" for number in numbers) + f",{box.visibility:.3f}\n")
    (folder / "gt/gt.txt").write_text("".join(rows))
    (folder / "classes.txt").write_text("".join(f"{number} {name}\n" for number, name in enumerate(CLASSES, 1)))
    (folder / "seqinfo.ini").write_text(
        f"[Sequence]\nname=scene_{scene.seed}\nimDir=img1\nframeRate={FPS}\nseqLength={scene.frames}\n"
        f"imWidth={WIDTH_PX}\nimHeight={HEIGHT_PX}\nimExt=.jpg\n"
    )


def _noisy(seen: Sequence[SeenBox], rng: np.random.Generator, spread: float, misses: float) -> list[SeenBox]:
    """Return boxes with edges off by a share of their size, and without those that are missed."""
    noisy = []
    for box in seen:
        left, top, right, bottom = box.xyxy
        size = np.array([right - left, bottom - top] * 2)
        edges = np.array(box.xyxy) + rng.normal(0, spread, 4) * size
        edges = np.clip(np.round(edges), 0, [WIDTH_PX, HEIGHT_PX] * 2).astype(int).tolist()
        is_missed = rng.random() < misses
        if not is_missed and edges[2] > edges[0] + 1 and edges[3] > edges[1] + 1:
            noisy.append(SeenBox(box.id, (edges[0], edges[1], edges[2], edges[3]), box.visibility))
    return noisy


def _hand(scene: Scene, side: Side, views: Sequence[Any]) -> dict[str, Any]:
    centres = np.stack([scene.hand_centre(side, frame_index) for frame_index in range(scene.frames)])
    return {
        "wrist_cm": _rounded(scene.stage.hands[side].origin[: scene.frames], 2),
        "centre_cm": _rounded(centres, 2),
        "centre_px": [_rounded(view.project(centre), 2) for view, centre in zip(views, centres, strict=True)],
    }


def _amodal(
    scene: Scene, boxes: Sequence[Sequence[SeenBox]], whole: Sequence[dict[int, tuple[int, int, int, int]]]
) -> dict[str, dict[str, list[int]]]:
    found: dict[str, dict[str, list[int]]] = {name: {} for name in scene.names.values()}
    for frame_index, (seen, around) in enumerate(zip(boxes, whole, strict=True)):
        for box in seen:
            left, top, right, bottom = around[box.id]
            found[scene.names[box.id]][str(frame_index + 1)] = [left, top, right - left, bottom - top]
    return found


def _hands_gap(scene: Scene) -> np.ndarray:
    if len(scene.stage.hands) < 2:
        return np.full(scene.frames, 99.0)
    return scene.stage.hands_gap(slice(0, scene.frames))


def _runs(frames: Iterable[int]) -> list[list[int]]:
    """Return runs of frame indices as intervals from frame 1, inclusive."""
    runs: list[list[int]] = []
    for frame in frames:
        if runs and frame + 1 == runs[-1][1] + 1:
            runs[-1][1] = frame + 1
        else:
            runs.append([frame + 1, frame + 1])
    return runs


def _rounded(values: np.ndarray, decimals: int) -> Any:
    return (np.round(values, decimals) + 0.0).tolist()
