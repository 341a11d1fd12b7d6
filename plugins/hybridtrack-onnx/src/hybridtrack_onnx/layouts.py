"""What the outputs of detection networks mean: from tensors to boxes, scores and class numbers.

========== =========================================================================================
yolov8     [1, 4 + C, N]: cx, cy, w, h in px of the input, then the score of each class
yolov5     [1, N, 5 + C]: cx, cy, w, h in px of the input, that there is an object, then each class
yolo-nms   [1, N, 6]: x1, y1, x2, y2 in px of the input, score, class; duplicates are gone already
ssd        boxes [(1,) N, 4], scores and classes [(1,) N], perhaps their count; duplicates are gone
========== =========================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hybridtrack import boxes
from hybridtrack.errors import DetectorError, UsageError
from hybridtrack.types import Array, Size
from hybridtrack_onnx.settings import BOX_FORMATS, LAYOUTS

Outputs = Mapping[str, Array]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidates:
    """Boxes as the network gives them. xyxy: (N, 4), px of the input; score: (N,); number: int (N,), of a class."""

    xyxy: Array
    score: Array
    number: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How to read the outputs of one network."""

    name: str
    output: str = ""  #: of the YOLO-style layouts: the one that there is
    box_format: str = "xyxy_px"
    ssd: Mapping[str, str] | None = None  #: names of the outputs boxes, scores, classes and perhaps count

    @property
    def suppresses(self) -> bool:
        """True when the network has dropped duplicates itself."""
        return self.name in ("yolo-nms", "ssd")

    def read(self, outputs: Outputs, min_score: float, input_px: Size) -> Candidates:
        """Return the boxes with at least ``min_score``. Raises DetectorError when scores are none."""
        if self.ssd is not None:
            return _read_ssd(outputs, self.ssd, self.box_format, min_score, input_px)
        rows = outputs[self.output][0].astype(np.float32, copy=False)
        if self.name == "yolo-nms":
            _check_scores(rows[:, 4])
            kept = rows[rows[:, 4] >= min_score]
            return Candidates(xyxy=kept[:, :4], score=np.minimum(kept[:, 4], 1), number=_whole(kept[:, 5]))
        if self.name == "yolov8":
            cxcywh, class_score = rows[:4].T, rows[4:].T
        else:
            cxcywh, class_score = rows[:, :4], rows[:, 4:5] * rows[:, 5:]
        score = class_score.max(axis=1)
        _check_scores(score)
        best = score >= min_score
        xyxy = boxes.cxcywh_to_xyxy(cxcywh[best])
        return Candidates(xyxy=xyxy, score=np.minimum(score[best], 1), number=class_score[best].argmax(axis=1))

    def class_count(self, outputs: Outputs) -> int | None:
        """Return how many classes the network has, None when its outputs do not tell."""
        if self.suppresses:
            return None
        _, rows, columns = outputs[self.output].shape
        return int(rows - 4 if self.name == "yolov8" else columns - 5)


def find_layout(asked: str, outputs: Outputs, label_count: int | None, box_format: str | None) -> Layout:
    """Return the layout ``asked`` for, or with ``auto`` the only one that fits. Raises UsageError."""
    fitting = _ssd_layouts(outputs, box_format) if asked in ("auto", "ssd") else []
    if box_format is not None and not fitting:
        raise UsageError(f"boxes={box_format} is for the layout ssd, which these outputs are not: leave it out")
    if not fitting:
        fitting = [
            layout
            for layout in _yolo_layouts(outputs, label_count if asked == "auto" else None, is_named=asked != "auto")
            if asked in ("auto", layout.name)
        ]
    if len(fitting) == 1:
        return fitting[0]
    told = f"labels: {'unknown' if label_count is None else label_count}; outputs: {_described(outputs)}"
    if not fitting:
        wanted = "none of the layouts" if asked == "auto" else f"layout {asked!r} does not fit"
        wanted += f" ({', '.join(LAYOUTS)}) fits" if asked == "auto" else ""
        raise UsageError(f"{wanted}; {told}; export the network with other outputs, or give layout= and labels=")
    names = " and ".join(layout.name for layout in fitting)
    raise UsageError(f"the layout is ambiguous, {names} fit; {told}; say which with layout=")


def _yolo_layouts(outputs: Outputs, label_count: int | None, *, is_named: bool) -> list[Layout]:
    """Return the layouts that the one output of three axes can be; ``is_named``: more rows than columns or not."""
    flat = {name: array.shape for name, array in outputs.items() if array.ndim == 3 and array.shape[0] == 1}
    if len(flat) != 1:  # beside it there may be the maps that it was made of
        return []
    ((name, (_, rows, columns)),) = flat.items()
    if label_count is not None:
        fits = {"yolov8": rows == 4 + label_count, "yolov5": columns == 5 + label_count}
    elif is_named:
        fits = {"yolov8": rows >= 5, "yolov5": columns >= 6}
    else:
        fits = {"yolov8": 5 <= rows < columns, "yolov5": 6 <= columns < rows}
    fits["yolo-nms"] = columns == 6
    return [Layout(name=layout, output=name) for layout, is_fitting in fits.items() if is_fitting]


def _ssd_layouts(outputs: Outputs, box_format: str | None) -> list[Layout]:
    names = _ssd_outputs(outputs)
    if names is None:
        return []
    if box_format is None:
        if names["boxes"].startswith("detection_boxes"):  # as the TensorFlow Object Detection API names and means them
            box_format = "yxyx_norm"
        elif outputs[names["boxes"]].ndim == 2:  # as torchvision gives them
            box_format = "xyxy_px"
        else:
            told = _described(outputs)
            raise UsageError(f"outputs {told} do not tell what the boxes are: give boxes={', '.join(BOX_FORMATS)}")
    return [Layout(name="ssd", ssd=names, box_format=box_format)]


def _ssd_outputs(outputs: Outputs) -> dict[str, str] | None:
    """Return the names of the outputs boxes, scores, classes and perhaps count, None when there are none such."""
    usable = {name: array for name, array in outputs.items() if not name.startswith("raw_")}
    square = [name for name, array in usable.items() if array.ndim >= 2 and array.shape[-1] == 4]
    square = [name for name in square if "box" in name.lower()] or square
    if len(square) != 1:
        return None
    shape = usable[square[0]].shape[:-1]
    rows = [name for name, array in usable.items() if array.shape == shape and name != square[0]]
    classes = [name for name in rows if "class" in name.lower() or "label" in name.lower()]
    classes = classes or [name for name in rows if usable[name].dtype.kind in "iu"]
    rest = [name for name in rows if name not in classes]
    scores = [name for name in rest if "score" in name.lower()] or rest
    if len(shape) not in (1, 2) or (len(shape) == 2 and shape[0] != 1) or len(classes) != 1 or len(scores) != 1:
        return None
    count = [name for name, array in usable.items() if "num" in name.lower() and array.size == 1]
    names = {"boxes": square[0], "scores": scores[0], "classes": classes[0]}
    return names | ({"count": count[0]} if len(count) == 1 else {})


def _read_ssd(
    outputs: Outputs, names: Mapping[str, str], box_format: str, min_score: float, input_px: Size
) -> Candidates:
    raw = outputs[names["boxes"]].reshape(-1, 4).astype(np.float32)
    score = outputs[names["scores"]].reshape(-1).astype(np.float32)
    number = _whole(outputs[names["classes"]].reshape(-1))
    _check_scores(score)
    best = score >= min_score
    if "count" in names:
        best &= np.arange(len(score)) < int(outputs[names["count"]].reshape(-1)[0])
    xyxy = raw[best]
    if box_format == "yxyx_norm":
        xyxy = boxes.yxyx_norm_to_xyxy(xyxy, input_px)
    elif box_format == "xyxy_norm":
        xyxy = xyxy * np.tile(np.array(input_px, np.float32), 2)
    return Candidates(xyxy=xyxy, score=np.minimum(score[best], 1), number=number[best])


def _check_scores(score: Array) -> None:
    """Raise DetectorError when numbers cannot be probabilities: another layout was meant, or the file gives logits."""
    if not (score <= 1.01).all():  # of float16, and False for NaN
        most = f"{np.max(score, initial=0):g}"
        raise DetectorError(f"gave a score of {most}, expected 0 to 1: give another layout=, or export probabilities")


def _whole(numbers: Array) -> Array:
    whole: Array = np.rint(numbers).astype(np.int64)
    return whole


def _described(outputs: Outputs) -> str:
    return ", ".join(f"{name} {list(array.shape)} {array.dtype}" for name, array in outputs.items())
