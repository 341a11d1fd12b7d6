"""Generated pictures with things on a table whose boxes are known: discs and rings, half hidden, among other shapes.

    python -m models.drawn out/drawn [--pictures 400] [--size 320x240] [--seed 0]

Writes ``train.tfrecord`` (three quarters) and ``validation.tfrecord``: data to try the training with, of two classes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import tensorflow as tf

from hybridtrack.boxes import iou
from hybridtrack.types import Array, Size
from models.records import CORNERS, IMAGE, LABEL, SOURCE_ID, TEXT

LABELS = ("plate", "box")
LARGEST_OVERLAP = 0.2  #: IoU of two things
TRAINING_SHARE = 0.75


class Drawing(NamedTuple):
    """A picture uint8 (H, W, 3) BGR, its boxes xyxy float32 (M, 4), px, and their classes int (M,), from 0."""

    bgr: Array
    xyxy: Array
    class_id: Array


def draw(size_px: Size, rng: np.random.Generator) -> Drawing:
    """Return a picture of one to four plates (ellipses with a rim) and boxes (turned, striped) on a mottled table.

    Lines and triangles lie about that are neither. Colours say nothing of the class.
    """
    width, height = size_px
    coarse = rng.integers(60, 200, (rng.integers(2, 9), rng.integers(2, 9), 3), dtype=np.uint8)
    bgr = cv2.resize(coarse, size_px, interpolation=cv2.INTER_CUBIC)
    for _ in range(rng.integers(2, 6)):
        _draw_clutter(bgr, rng)
    boxes: list[list[float]] = []
    classes: list[int] = []
    for _ in range(rng.integers(1, 5)):
        class_id = int(rng.integers(2))
        outline = _outline(class_id, size_px, rng)
        low, high = outline.min(axis=0), outline.max(axis=0)
        box = [*low, *high]
        inside = (low >= 0).all() and high[0] <= width and high[1] <= height
        if not inside or (boxes and iou(np.array([box]), np.array(boxes)).max() > LARGEST_OVERLAP):
            continue
        _draw_thing(bgr, outline, class_id, rng)
        boxes.append(box)
        classes.append(class_id)
    noise = rng.normal(0, rng.uniform(1, 8), bgr.shape)
    bgr = np.clip(cv2.GaussianBlur(bgr, (3, 3), 0) + noise, 0, 255).astype(np.uint8)
    return Drawing(bgr, np.array(boxes, np.float32).reshape(-1, 4), np.array(classes, int))


def _outline(class_id: int, size_px: Size, rng: np.random.Generator) -> Array:
    """Return the corners (K, 2), px, of a turned ellipse or rectangle."""
    long = rng.uniform(0.12, 0.35) * size_px[1]
    across = long * rng.uniform(0.6, 1.0)
    angle = rng.uniform(0, np.pi)
    around = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    ellipse = np.column_stack([long * np.cos(around), across * np.sin(around)])
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * [0.8 * long, 0.8 * across]
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turned: Array = (ellipse, corners)[class_id] @ turn.T + rng.uniform([0, 0], size_px)
    return turned


def _draw_thing(bgr: Array, outline: Array, class_id: int, rng: np.random.Generator) -> None:
    centre = outline.mean(axis=0)
    colour, other = rng.integers(0, 256, (2, 3)).tolist()
    _fill(bgr, outline, colour)
    if class_id == 0:
        _fill(bgr, centre + 0.7 * (outline - centre), other)
    else:
        a, b, c, d = outline
        for share in (0.3, 0.6):
            ends = np.array([a + share * (b - a), d + share * (c - d)]).round().astype(int)
            cv2.line(bgr, ends[0].tolist(), ends[1].tolist(), other, 2, cv2.LINE_AA)


def _draw_clutter(bgr: Array, rng: np.random.Generator) -> None:
    height, width = bgr.shape[:2]
    points = rng.uniform([0, 0], [width, height], (3, 2))
    colour = rng.integers(0, 256, 3).tolist()
    if rng.random() < 0.5:
        _fill(bgr, points[0] + 0.25 * (points - points[0]), colour)
    else:
        cv2.polylines(bgr, [points.round().astype(np.int32)], False, colour, int(rng.integers(1, 5)), cv2.LINE_AA)


def _fill(bgr: Array, outline: Array, colour: Sequence[int]) -> None:
    cv2.fillPoly(bgr, [(outline * 16).round().astype(np.int32)], colour, cv2.LINE_AA, shift=4)


def drawings(count: int, size_px: Size, rng: np.random.Generator) -> Iterator[Drawing]:
    """Yield pictures with at least one thing in each."""
    made = 0
    while made < count:
        drawing = draw(size_px, rng)
        if len(drawing.xyxy):
            made += 1
            yield drawing


def example(name: str, drawing: Drawing, labels: Sequence[str] = LABELS) -> tf.train.Example:
    """Return a picture as a record."""
    height, width = drawing.bgr.shape[:2]
    features = {
        IMAGE: _bytes([cv2.imencode(".jpg", drawing.bgr)[1].tobytes()]),
        "image/format": _bytes([b"jpeg"]),
        "image/width": _integers([width]),
        "image/height": _integers([height]),
        "image/filename": _bytes([name.encode()]),
        SOURCE_ID: _bytes([name.encode()]),
        LABEL: _integers(drawing.class_id + 1),
        TEXT: _bytes([labels[k].encode() for k in drawing.class_id]),
    }
    norm = drawing.xyxy / np.array([width, height] * 2, np.float32)
    for key, values in zip(CORNERS, norm.T, strict=True):
        features[key] = tf.train.Feature(float_list=tf.train.FloatList(value=values))
    return tf.train.Example(features=tf.train.Features(feature=features))


def _bytes(values: Sequence[bytes]) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))


def _integers(values: Sequence[int] | Array) -> tf.train.Feature:
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


def write(folder: Path, pictures: int, size_px: Size, seed: int) -> dict[str, int]:
    """Write the two files; return how many pictures are in each."""
    folder.mkdir(parents=True, exist_ok=True)
    made = list(drawings(pictures, size_px, np.random.default_rng(seed)))
    cut = round(TRAINING_SHARE * pictures)
    parts = {"train": made[:cut], "validation": made[cut:]}
    for name, part in parts.items():
        with tf.io.TFRecordWriter(str(folder / f"{name}.tfrecord")) as writer:
            for number, drawing in enumerate(part):
                writer.write(example(f"{name}-{number:04d}", drawing).SerializeToString())
    return {name: len(part) for name, part in parts.items()}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models.drawn", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=400, help="default: %(default)s")
    parser.add_argument("--size", default="320x240", help="width and height, px (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    width, _, height = options.size.partition("x")
    counts = write(options.folder, options.pictures, (int(width), int(height)), options.seed)
    print(f"wrote {options.folder}: " + ", ".join(f"{count} pictures for {name}" for name, count in counts.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
