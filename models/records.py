"""TFRecords with the key names of TensorFlow's Object Detection API, as training and evaluation read them."""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from hybridtrack.errors import SourceError, one_line
from hybridtrack.types import Array

IMAGE, SOURCE_ID = "image/encoded", "image/source_id"
CORNERS = tuple(f"image/object/bbox/{name}" for name in ("xmin", "ymin", "xmax", "ymax"))
LABEL, TEXT, CROWD = "image/object/class/label", "image/object/class/text", "image/object/is_crowd"


class Record(NamedTuple):
    """A picture, encoded; boxes xyxy float32 (M, 4) in 0..1, classes int32 (M,), 1.., crowds bool (M,); its name."""

    encoded: tf.Tensor
    xyxy: tf.Tensor
    class_id: tf.Tensor
    is_crowd: tf.Tensor
    name: tf.Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What is in records: pictures, boxes of each label, widths and heights (N, 2) in 0..1 of all of them, a sum."""

    files: tuple[str, ...]
    pictures: int
    boxes: dict[str, int]
    size_norm: Array
    sha256: str


def find_records(patterns: Sequence[str]) -> list[str]:
    """Return the files of patterns such as ``train.tfrecord*``, sorted. Raises SourceError when there is none."""
    files = sorted({name for pattern in patterns for name in glob.glob(pattern, recursive=True)})
    if not files:
        raise SourceError(f"no TFRecords at {', '.join(map(repr, patterns))}: write them with data_tools.tfrecords")
    return files


def read_records(files: Sequence[str]) -> tf.data.Dataset:
    """Return the records of files, one after the other, always in the same order."""
    return tf.data.TFRecordDataset(list(files)).map(parse, num_parallel_calls=tf.data.AUTOTUNE)


def parse(serialized: tf.Tensor) -> Record:
    """Return a record. Boxes are cut at the picture's edges; those without an area are left out."""
    numbers = tf.io.VarLenFeature(tf.float32)
    found = tf.io.parse_single_example(
        serialized,
        {
            IMAGE: tf.io.FixedLenFeature([], tf.string),
            SOURCE_ID: tf.io.FixedLenFeature([], tf.string, ""),
            **dict.fromkeys(CORNERS, numbers),
            LABEL: tf.io.VarLenFeature(tf.int64),
            CROWD: tf.io.VarLenFeature(tf.int64),
        },
    )
    xyxy = tf.stack([tf.sparse.to_dense(found[name]) for name in CORNERS], axis=1)
    xyxy = tf.clip_by_value(xyxy, 0, 1)
    class_id = tf.cast(tf.sparse.to_dense(found[LABEL]), tf.int32)
    crowd = tf.sparse.to_dense(found[CROWD])
    crowd = tf.concat([crowd, tf.zeros(tf.shape(class_id)[0] - tf.shape(crowd)[0], tf.int64)], axis=0)
    kept = tf.reduce_all(xyxy[:, 2:] > xyxy[:, :2], axis=1)
    return Record(
        found[IMAGE],
        tf.boolean_mask(xyxy, kept),
        tf.boolean_mask(class_id, kept),
        tf.boolean_mask(crowd, kept) > 0,
        found[SOURCE_ID],
    )


def summarise(files: Sequence[str], labels: Sequence[str]) -> Summary:
    """Return what the files hold, having read all of them but decoded no picture.

    Raises SourceError when a file is cut or altered, when there is no picture or no box in all, and when a class is
    none of ``labels`` or has another name than the label of its number.
    """
    boxes, sizes, pictures = dict.fromkeys(labels, 0), [], 0
    digest = hashlib.sha256()
    try:
        for serialized in tf.data.TFRecordDataset(list(files)).as_numpy_iterator():
            digest.update(serialized)
            features = tf.train.Example.FromString(serialized).features.feature
            pictures += 1
            numbers = list(features[LABEL].int64_list.value)
            names = [name.decode("utf-8", "replace") for name in features[TEXT].bytes_list.value] or [None] * len(
                numbers
            )
            for number, name in zip(numbers, names, strict=False):
                _check_label(number, name, labels)
                boxes[labels[number - 1]] += 1
            low_x, low_y, high_x, high_y = (np.array(features[key].float_list.value) for key in CORNERS)
            sizes.append(np.column_stack([high_x - low_x, high_y - low_y]))
    except tf.errors.OpError as error:
        raise SourceError(f"cannot read the TFRecords {files[0]!r} ...: {one_line(error)}; write them again") from error
    size_norm = np.concatenate([np.empty((0, 2)), *sizes])
    size_norm = size_norm[(size_norm > 0).all(axis=1)]
    if not pictures or not len(size_norm):
        raise SourceError(f"{len(files)} TFRecords, {files[0]!r} the first, hold {pictures} pictures and no box")
    return Summary(
        files=tuple(Path(name).name for name in files),
        pictures=pictures,
        boxes=boxes,
        size_norm=size_norm,
        sha256=digest.hexdigest(),
    )


def _check_label(number: int, name: str | None, labels: Sequence[str]) -> None:
    if not 1 <= number <= len(labels):
        raise SourceError(
            f"a box has class {number} ({name!r}), but the settings have {len(labels)} labels "
            f"({', '.join(labels)}): name all classes of the records in [[labels]], in their order"
        )
    if name is not None and name != labels[number - 1]:
        raise SourceError(
            f"class {number} is {name!r} in the records and {labels[number - 1]!r} in the settings: give [[labels]] in "
            "the order of the records' label map"
        )
