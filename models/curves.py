"""What TensorBoard shows of a training: losses, learning rate, AP, and pictures with their boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np
import tensorflow as tf

from hybridtrack.types import Array
from models.average_precision import Figures, Judged
from models.truth import TruePicture

PICTURES = 4  #: shown of a validation
SHOWN_SCORE = 0.3
TRUE_RGB, FOUND_RGB = (60, 200, 60), (240, 60, 60)


class TensorBoard:
    """Writes a training's curves to a folder."""

    def __init__(self, folder: Path) -> None:
        self._writer = tf.summary.create_file_writer(str(folder))

    def __enter__(self) -> TensorBoard:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._writer.close()

    def losses(self, step: int, found: Mapping[str, float]) -> None:
        """Add a step: the total loss, its parts, the learning rate."""
        with self._writer.as_default(step=step):
            for name, value in found.items():
                tf.summary.scalar(f"training/{name}", value)

    def validation(self, step: int, result: Figures, pictures: Sequence[TruePicture], found: Sequence[Judged]) -> None:
        """Add a validation: its figures, and a few pictures with true (green) and found (red) boxes."""
        with self._writer.as_default(step=step):
            for name, value in result.coco.items():
                tf.summary.scalar(f"validation/{name}", value)
            shown = [
                draw_boxes(one.frame.rgb(), judged) for one, judged in zip(pictures[:PICTURES], found, strict=False)
            ]
            for number, rgb in enumerate(shown):
                tf.summary.image(f"pictures/{number}", rgb[None])
        self._writer.flush()


def draw_boxes(rgb: Array, judged: Judged, min_score: float = SHOWN_SCORE) -> Array:
    """Return a copy of a picture uint8 (H, W, 3) with the true boxes in green and those found in red."""
    drawn = np.ascontiguousarray(rgb).copy()
    thick = max(1, round(min(judged.size_px) / 240))
    for box in judged.xyxy.round().astype(int).tolist():
        cv2.rectangle(drawn, box[:2], box[2:], TRUE_RGB, thick)
    for box, score in zip(judged.found.xyxy.round().astype(int).tolist(), judged.found.score.tolist(), strict=True):
        if score >= min_score:
            cv2.rectangle(drawn, box[:2], box[2:], FOUND_RGB, thick)
            cv2.putText(drawn, f"{score:.2f}", box[:2], cv2.FONT_HERSHEY_SIMPLEX, 0.4 * thick, FOUND_RGB, thick)
    return drawn
