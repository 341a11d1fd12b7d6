"""AP of raw detections, as COCO defines it: by faster-coco-eval, which is an extra."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from hybridtrack.types import Array

_MODULE = "faster_coco_eval"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judged:
    """What detectors of one class saw in one sequence, and what was there, on the frames that they looked at.

    frames: those frames. truth_frame (G,), truth_xyxy (G, 4), is_ignored (G,); found_frame (N,), found_xyxy (N, 4),
    score (N,). All boxes in px of one picture size.
    """

    class_name: str
    frames: Sequence[int]
    truth_frame: Array
    truth_xyxy: Array
    is_ignored: Array
    found_frame: Array
    found_xyxy: Array
    score: Array


def is_installed() -> bool:
    """Return whether AP can be had."""
    return find_spec(_MODULE) is not None


def average_precisions(judged: Sequence[Judged]) -> tuple[float, float] | None:
    """Return AP at IoU .5 and at .75, 0..1: the mean over the classes that have true boxes; None when none has any.

    Sequences are judged as one set of pictures. Boxes that match nothing and lie in an ignored one count nothing.
    Raises ImportError without faster-coco-eval.
    """
    from faster_coco_eval import COCO, COCOeval_faster

    classes = list(dict.fromkeys(one.class_name for one in judged if not one.is_ignored.all()))
    if not classes:
        return None
    images: list[dict[str, Any]] = []
    truths: list[dict[str, Any]] = []
    found: list[Array] = [np.empty((0, 7))]
    for one in judged:
        if one.class_name not in classes:
            continue
        category = classes.index(one.class_name) + 1
        number = {frame: len(images) + place for place, frame in enumerate(one.frames, 1)}
        images += [{"id": image, "width": 1, "height": 1} for image in number.values()]
        rows = zip(one.truth_frame.tolist(), _xywh(one.truth_xyxy).tolist(), one.is_ignored.tolist(), strict=True)
        for frame, xywh, ignored in rows:
            box = {"bbox": xywh, "area": xywh[2] * xywh[3], "iscrowd": int(ignored)}
            truths.append({"id": len(truths) + 1, "image_id": number[frame], "category_id": category} | box)
        image = np.array([number[frame] for frame in one.found_frame.tolist()])
        found.append(np.column_stack([image, _xywh(one.found_xyxy), one.score, np.full(len(image), category)]))
    results = np.concatenate(found)
    if not len(results):
        return 0.0, 0.0
    categories = [{"id": place, "name": name} for place, name in enumerate(classes, 1)]
    reference = COCO({"images": images, "annotations": truths, "categories": categories})
    evaluation = COCOeval_faster(reference, reference.loadRes(results), "bbox", print_function=lambda *_: None)
    evaluation.run()
    return float(evaluation.stats[1]), float(evaluation.stats[2])


def _xywh(xyxy: Array) -> Array:
    return np.column_stack([xyxy[:, :2], xyxy[:, 2:] - xyxy[:, :2]])
