"""Write a data set as sharded TFRecords with the key names of TensorFlow's Object Detection API.

    python -m data_tools.tfrecords annotations.json --out out/records --name train

Pictures are stored as they are (JPEG, PNG; others become PNG), boxes normalised, classes numbered from 1. The same data
makes the same bytes, whatever the number of threads. Every shard is read back and compared with the data set before it
gets its name.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import click
import numpy as np
import tensorflow as tf

from data_tools import command
from data_tools.annotation import DataSet, Picture, Problem, count_problems
from data_tools.errors import DataError, strict_error
from data_tools.stored_picture import StoredPicture, UnusablePictureError, read_stored
from data_tools.usable import usable
from hybridtrack.cli.progress import Progress
from hybridtrack.sinks.output import ReplacedFile

PICTURES_A_SHARD = 250
LABEL_MAP = "label_map.pbtxt"
BOX_KEYS = tuple(f"image/object/bbox/{side}" for side in ("xmin", "ymin", "xmax", "ymax"))
#: the relative rounding of float32, and a little
TOLERANCE: Final = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """A file of records: what is in it, and what was left out of it."""

    path: Path
    sha256: str
    pictures: int
    boxes: Mapping[str, int]  #: by label
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """All shards of one name."""

    labels: tuple[str, ...]
    shards: tuple[Shard, ...]
    problems: tuple[Problem, ...]

    @property
    def pictures(self) -> int:
        """How many pictures were written."""
        return sum(shard.pictures for shard in self.shards)

    @property
    def boxes(self) -> dict[str, int]:
        """How many boxes were written of each label."""
        counts: Counter[str] = Counter(dict.fromkeys(self.labels, 0))
        for shard in self.shards:
            counts.update(shard.boxes)
        return dict(counts)

    @property
    def fingerprint(self) -> str:
        """sha256 of the shards' sums: the same for the same records."""
        return hashlib.sha256("".join(shard.sha256 for shard in self.shards).encode()).hexdigest()


def write_records(
    data: DataSet,
    folder: Path,
    *,
    name: str = "train",
    shards: int | None = None,
    seed: int = 0,
    threads: int | None = None,
    is_strict: bool = False,
    on_picture: Callable[[], object] = lambda: None,
) -> Records:
    """Write ``NAME.tfrecord-00000-of-00020`` …, ``label_map.pbtxt`` and ``NAME.json`` (counts, sums, problems).

    Pictures are shuffled by ``seed``. ``shards``: default one for 250 pictures; ``threads``: default one a core. Shards
    of the same name that an earlier run left are removed at the end. What cannot be used is left out, named and
    counted; with ``is_strict`` it raises DataError instead, and so do an empty data set and records that read back
    differently. ``on_picture`` is called for every picture, by several threads.
    """
    if not data.pictures:
        raise DataError(f"nothing to write for {name!r}: the data set has no pictures")
    pictures = list(data.pictures)
    random.Random(seed).shuffle(pictures)
    count = min(shards or -(-len(pictures) // PICTURES_A_SHARD), len(pictures))
    command.make_folder(folder)
    paths = [folder / f"{name}.tfrecord-{number:05d}-of-{count:05d}" for number in range(count)]
    temporary = [path.with_name(f".{path.name}.tmp") for path in paths]
    try:
        with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
            job = functools.partial(_write_shard, labels=data.labels, on_picture=on_picture)
            written = list(pool.map(job, (pictures[number::count] for number in range(count)), temporary))
        problems = (*data.problems, *(problem for shard in written for problem in shard.problems))
        if is_strict and problems:
            raise strict_error(problems)
        done = Records(labels=data.labels, shards=tuple(map(_keep, written, paths)), problems=problems)
    finally:
        for path in temporary:
            path.unlink(missing_ok=True)
    if not done.pictures:
        raise DataError(f"no picture of {name!r} can be used; the first problem is {problems[0]}")
    _remove_others(folder, name, paths)
    ReplacedFile(folder / LABEL_MAP).write(label_map(data.labels).encode(), "")
    ReplacedFile(folder / f"{name}.json").write(summary_text(done, seed).encode(), "")
    return done


def label_map(labels: Sequence[str]) -> str:
    """Return the Object Detection API's label map: classes from 1, in the order of the data set."""
    items = (
        f"item {{\n  id: {number}\n  name: {json.dumps(label, ensure_ascii=False)}\n}}\n"
        for number, label in enumerate(labels, 1)
    )
    return "".join(items)


def summary_text(records: Records, seed: int) -> str:
    """Return what stands beside the shards: counts, sums and every problem, as JSON."""
    content = {
        "pictures": records.pictures,
        "labels": list(records.labels),
        "boxes": records.boxes,
        "seed": seed,
        "fingerprint": records.fingerprint,
        "shards": [
            {"file": shard.path.name, "pictures": shard.pictures, "sha256": shard.sha256} for shard in records.shards
        ],
        "problem_counts": count_problems(records.problems),
        "problems": [str(problem) for problem in records.problems],
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def make_example(picture: Picture, stored: StoredPicture, label_ids: Mapping[str, int]) -> Any:
    """Return the ``tf.train.Example`` of a picture whose annotations can all be used."""
    width_px, height_px = picture.size_px
    rows = picture.annotations
    corners = (np.array([row.xyxy for row in rows], float).reshape(-1, 4) / ([width_px, height_px] * 2)).T
    name = picture.name.encode()
    ignored = _ints(int(row.is_ignored) for row in rows)
    feature = {
        "image/encoded": _bytes([stored.encoded]),
        "image/format": _bytes([stored.format.encode()]),
        "image/height": _ints([height_px]),
        "image/width": _ints([width_px]),
        "image/filename": _bytes([name]),
        "image/source_id": _bytes([name]),
        "image/key/sha256": _bytes([hashlib.sha256(stored.encoded).hexdigest().encode()]),
        "image/group": _bytes([(picture.group or "").encode()]),
        **{key: _floats(values) for key, values in zip(BOX_KEYS, corners, strict=True)},
        "image/object/class/text": _bytes(row.label.encode() for row in rows),
        "image/object/class/label": _ints(label_ids[row.label] for row in rows),
        "image/object/area": _floats(row.area_px for row in rows),
        "image/object/is_crowd": ignored,
        "image/object/difficult": ignored,
    }
    return tf.train.Example(features=tf.train.Features(feature=feature))


def parse_example(serialised: Any) -> dict[str, Any]:
    """Return the tensors of one record (for ``tf.data``; also of records that the Object Detection API wrote).

    ``encoded`` and ``filename`` () string; ``group`` () string, empty for none; ``size_px`` (2,) int64, width and
    height; ``xyxy_norm`` (N, 4) float32, 0..1; ``label`` (N,) int64, from 1; ``is_ignored`` (N,) bool.
    """
    one, many = tf.io.FixedLenFeature, tf.io.VarLenFeature
    features = {
        "image/encoded": one((), tf.string),
        "image/filename": one((), tf.string, ""),
        "image/group": one((), tf.string, ""),
        "image/height": one((), tf.int64),
        "image/width": one((), tf.int64),
        **{key: many(tf.float32) for key in BOX_KEYS},
        "image/object/class/label": many(tf.int64),
        "image/object/is_crowd": many(tf.int64),
    }
    parsed = tf.io.parse_single_example(serialised, features)
    label = parsed["image/object/class/label"].values
    crowd = parsed["image/object/is_crowd"].values  # other writers leave it out
    return {
        "encoded": parsed["image/encoded"],
        "filename": parsed["image/filename"],
        "group": parsed["image/group"],
        "size_px": tf.stack([parsed["image/width"], parsed["image/height"]]),
        "xyxy_norm": tf.stack([parsed[key].values for key in BOX_KEYS], axis=-1),
        "label": label,
        "is_ignored": tf.pad(crowd, [[0, tf.size(label) - tf.size(crowd)]]) > 0,
    }


def _write_shard(
    pictures: Iterable[Picture], path: Path, *, labels: Sequence[str], on_picture: Callable[[], object]
) -> Shard:
    """Write a shard to a temporary name and read it back. Raises DataError."""
    label_ids = {label: number for number, label in enumerate(labels, 1)}
    problems: list[Problem] = []
    written: list[Picture] = []
    try:
        with tf.io.TFRecordWriter(str(path)) as writer:
            for picture in pictures:
                on_picture()
                try:
                    stored = read_stored(picture, decoded_size)
                except UnusablePictureError as error:
                    problems.append(Problem(kind=error.kind, where=picture.name, detail=str(error)))
                    continue
                kept, wrong = usable(picture, label_ids)
                problems += wrong
                writer.write(make_example(kept, stored, label_ids).SerializeToString(deterministic=True))
                written.append(kept)
    except tf.errors.OpError as error:  # a full disk, say
        raise DataError(f"cannot write {str(path)!r}: {error.message}") from error
    _check_shard(path, written, label_ids)
    boxes = Counter(annotation.label for picture in written for annotation in picture.annotations)
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    return Shard(path=path, sha256=sha256, pictures=len(written), boxes=boxes, problems=tuple(problems))


def decoded_size(encoded: bytes, format: str) -> tuple[int, int] | None:
    """Return width and height of a JPEG or PNG as TensorFlow decodes it in full, None when it does not."""
    decode = tf.io.decode_jpeg if format == "jpeg" else tf.io.decode_png
    try:
        height_px, width_px, _ = decode(encoded, channels=3).shape
    except tf.errors.InvalidArgumentError:
        return None
    return int(width_px), int(height_px)


def _check_shard(path: Path, pictures: Sequence[Picture], label_ids: Mapping[str, int]) -> None:
    """Raise DataError when a shard does not hold these pictures in this order."""
    found = 0
    try:
        for found, record in enumerate(tf.data.TFRecordDataset(str(path)), 1):
            if found > len(pictures) or not _is_equal(record, pictures[found - 1], label_ids):
                raise DataError(f"record {found} of {str(path)!r} reads back differently: write to another disk")
    except tf.errors.DataLossError as error:
        raise DataError(f"record {found + 1} of {str(path)!r} cannot be read back: {error.message}") from error
    if found < len(pictures):
        raise DataError(f"{str(path)!r} has {found} records, {len(pictures)} were written: write to another disk")


def _is_equal(record: Any, picture: Picture, label_ids: Mapping[str, int]) -> bool:
    width_px, height_px = picture.size_px
    example = tf.train.Example.FromString(record.numpy())
    feature = example.features.feature
    sha256 = hashlib.sha256(feature["image/encoded"].bytes_list.value[0]).hexdigest()
    read = parse_example(record)
    xyxy = np.array([row.xyxy for row in picture.annotations], float).reshape(-1, 4)
    return (
        feature["image/key/sha256"].bytes_list.value[0].decode() == sha256
        and read["filename"].numpy().decode() == picture.name
        and read["size_px"].numpy().tolist() == [width_px, height_px]
        and read["label"].numpy().tolist() == [label_ids[row.label] for row in picture.annotations]
        and read["xyxy_norm"].shape == xyxy.shape
        and np.allclose(read["xyxy_norm"], xyxy / ([width_px, height_px] * 2), rtol=0, atol=TOLERANCE)
    )


def _keep(shard: Shard, path: Path) -> Shard:
    os.replace(shard.path, path)
    return replace(shard, path=path)


def _remove_others(folder: Path, name: str, paths: Sequence[Path]) -> None:
    """Remove shards of this name that are not of this run: a pattern would read both."""
    shard = re.compile(re.escape(name) + r"\.tfrecord-\d{5}-of-\d{5}")
    for path in folder.iterdir():
        if shard.fullmatch(path.name) and path not in paths:
            path.unlink()


def _bytes(values: Iterable[bytes]) -> Any:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=list(values)))


def _ints(values: Iterable[int]) -> Any:
    return tf.train.Feature(int64_list=tf.train.Int64List(value=list(values)))


def _floats(values: Iterable[float]) -> Any:
    return tf.train.Feature(float_list=tf.train.FloatList(value=list(values)))


@click.command(context_settings=command.CONTEXT)
@command.data_options
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the records.")
@click.option("--name", default="train", help="What the files' names begin with.")
@click.option("--labels", help="Labels that count, in the order of their numbers: hand,mug. [default: those of DATA]")
@click.option(
    "--shards", type=click.IntRange(1), help=f"Number of files. [default: one for {PICTURES_A_SHARD} pictures]"
)
@click.option("--threads", type=click.IntRange(1), help="[default: one a core]")
@click.option("--seed", default=0, help="Order of the pictures.")
@click.option("--strict", is_flag=True, help="Refuse to write when anything cannot be used.")
def main(
    data: DataSet,
    out: Path,
    name: str,
    labels: str | None,
    shards: int | None,
    threads: int | None,
    seed: int,
    strict: bool,
) -> None:
    """Write the pictures and boxes of DATA as TFRecords."""
    if labels is not None:
        data = replace(data, labels=tuple(labels.split(",")))
    with Progress(len(data.pictures)) as progress:
        records = write_records(
            data,
            out,
            name=name,
            shards=shards,
            seed=seed,
            threads=threads,
            is_strict=strict,
            on_picture=progress.advance,
        )
    command.tell(records.problems)
    boxes = ", ".join(f"{count} {label}" for label, count in records.boxes.items())
    click.echo(f"wrote {records.pictures} pictures in {len(records.shards)} files to {out}: {boxes}")


if __name__ == "__main__":
    command.run(main, "tfrecords")
