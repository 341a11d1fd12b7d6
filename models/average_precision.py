"""How good detections are: COCO's twelve figures by faster-coco-eval, and the older ones of Pascal VOC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hybridtrack.boxes import iou
from hybridtrack.types import Array, Detections, Size

COCO_FIGURES = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")
VOC_IOU = 0.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judged:
    """A picture's truth and what was found: xyxy float (M, 4), px; class_id (M,) into the same classes; is_crowd (M,).

    ``group`` is the video or folder that it is of.
    """

    name: str
    size_px: Size
    xyxy: Array
    class_id: Array
    is_crowd: Array
    found: Detections
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Figures:
    """``coco``: by name, 0..1, NaN where no true box is of that kind. ``voc``: mean over classes of AP at IoU .5.

    Of each class with true boxes: AP, AP50 and AP75 in ``by_class``, and precision at recalls 0, .01 .. 1 at IoU .5 in
    ``curves``.
    """

    coco: dict[str, float]
    voc: float
    boxes: int
    by_class: dict[str, tuple[float, float, float]]
    curves: dict[str, Array]


def figures(pictures: Sequence[Judged], class_names: Sequence[str]) -> Figures:
    """Return how good the detections are; all 0 where nothing is found, NaN where there is nothing to find."""
    from faster_coco_eval import COCO, COCOeval_faster

    boxes = sum(int(np.count_nonzero(~one.is_crowd)) for one in pictures)
    there = sorted({int(k) for one in pictures for k in one.class_id[~one.is_crowd]})
    rows = [np.empty((0, 7))]
    rows += [_found_rows(one, number) for number, one in enumerate(pictures, 1)]
    results = np.concatenate(rows)
    if not boxes or not len(results):
        value = 0.0 if boxes else float("nan")
        return Figures(
            coco=dict.fromkeys(COCO_FIGURES, value),
            voc=value,
            boxes=boxes,
            by_class={class_names[k]: (value,) * 3 for k in there},
            curves={class_names[k]: np.zeros(101) for k in there},
        )
    reference = COCO(_reference(pictures, class_names))
    judge = COCOeval_faster(reference, reference.loadRes(results), "bbox", print_function=lambda *_: None)
    judge.run()
    precision = judge.eval["precision"][:, :, :, 0, 2]  # IoU, recall, class; all sizes, up to 100 boxes
    return Figures(
        coco={name: _known(value) for name, value in zip(COCO_FIGURES, judge.stats, strict=False)},
        voc=float(np.mean([voc_average_precision(pictures, k) for k in there])),
        boxes=boxes,
        by_class={
            class_names[k]: tuple(float(precision[of, :, k].mean()) for of in (slice(None), 0, 5)) for k in there
        },
        curves={class_names[k]: precision[0, :, k] for k in there},
    )


def _known(value: float) -> float:
    return float(value) if value >= 0 else float("nan")


def _reference(pictures: Sequence[Judged], class_names: Sequence[str]) -> dict[str, Any]:
    truths: list[dict[str, Any]] = []
    for number, one in enumerate(pictures, 1):
        xywh = np.column_stack([one.xyxy[:, :2], one.xyxy[:, 2:] - one.xyxy[:, :2]])
        for box, k, crowd in zip(xywh.tolist(), one.class_id.tolist(), one.is_crowd.tolist(), strict=True):
            place = {"id": len(truths) + 1, "image_id": number, "category_id": int(k) + 1}
            truths.append({**place, "bbox": box, "area": box[2] * box[3], "iscrowd": int(crowd)})
    images = [
        {"id": number, "width": one.size_px[0], "height": one.size_px[1]} for number, one in enumerate(pictures, 1)
    ]
    categories = [{"id": number, "name": name} for number, name in enumerate(class_names, 1)]
    return {"images": images, "annotations": truths, "categories": categories}


def _found_rows(one: Judged, number: int) -> Array:
    xyxy = one.found.xyxy.astype(float)
    xywh = np.column_stack([xyxy[:, :2], xyxy[:, 2:] - xyxy[:, :2]])
    return np.column_stack([np.full(len(xywh), number), xywh, one.found.score, one.found.class_id + 1])


def voc_average_precision(pictures: Sequence[Judged], class_id: int) -> float:
    """Return the area under the precision-recall curve of a class at IoU .5, as Pascal VOC has it since 2010.

    Each detection, the most sure first, answers for the true box that it overlaps most; a second one for the same box
    is a false alarm. Detections of crowds count nothing.
    """
    scores, hits, total = [], [], 0
    for one in pictures:
        true = one.class_id == class_id
        found = one.found[np.flatnonzero(one.found.class_id == class_id)]
        total += int(np.count_nonzero(true & ~one.is_crowd))
        is_crowd, taken = one.is_crowd[true], set()
        overlap = iou(found.xyxy.astype(float), one.xyxy[true].astype(float))
        for row in np.argsort(-found.score, kind="stable"):
            best = int(overlap[row].argmax()) if overlap.shape[1] else -1
            is_there = best >= 0 and overlap[row, best] >= VOC_IOU
            if is_there and is_crowd[best]:
                continue
            scores.append(float(found.score[row]))
            hits.append(is_there and best not in taken)
            taken.add(best if is_there else -1)
    if not scores or not total:
        return 0.0
    right = np.cumsum(np.array(hits)[np.argsort(-np.array(scores), kind="stable")])
    recall = right / total
    precision = np.maximum.accumulate((right / np.arange(1, len(right) + 1))[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0) * precision))


def picture_errors(one: Judged, min_score: float = 0.5) -> tuple[int, int]:
    """Return how many true boxes of a picture are missed, and how many boxes are found that are not there.

    Boxes found count from a score of ``min_score``, and match at IoU .5, greedily by score.
    """
    missed = alarms = 0
    for k in {*one.class_id.tolist(), *one.found.class_id.tolist()}:
        true = np.flatnonzero((one.class_id == k) & ~one.is_crowd)
        sure = np.flatnonzero((one.found.class_id == k) & (one.found.score >= min_score))
        overlap = iou(one.found.xyxy[sure].astype(float), one.xyxy[true].astype(float))
        free = np.ones(len(true), bool)
        for row in overlap[np.argsort(-one.found.score[sure], kind="stable")]:
            best = int(np.where(free, row, -1).argmax()) if len(true) else -1
            if best >= 0 and free[best] and row[best] >= VOC_IOU:
                free[best] = False
            else:
                alarms += 1
        missed += int(np.count_nonzero(free))
    return missed, alarms
