from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("tensorflow")

import tensorflow as tf
from click.testing import CliRunner

from data_tools.annotation import Annotation, DataSet, Picture
from data_tools.coco import read_coco, write_coco
from data_tools.errors import DataError
from data_tools.tfrecords import label_map, main, parse_example, write_records

pytestmark = pytest.mark.tensorflow


def raw_records(folder: Path, name: str = "train") -> list[bytes]:
    return [
        record.numpy()
        for path in sorted(folder.glob(f"{name}.tfrecord-*"))
        for record in tf.data.TFRecordDataset(str(path))
    ]


def features(record: bytes) -> dict[str, list[Any]]:
    example = tf.train.Example.FromString(record)
    return {
        key: list(getattr(feature, feature.WhichOneof("kind")).value)
        for key, feature in example.features.feature.items()
    }


def many(small: DataSet, count: int) -> DataSet:
    """The first picture under other names: the shards of few pictures are hard to tell apart."""
    source = small.pictures[0]
    for number in range(count):
        shutil.copy(source.path, source.folder / f"{number}.jpg")
    return replace(small, pictures=tuple(replace(source, name=f"{number}.jpg") for number in range(count)))


def test_record_has_the_keys_of_the_object_detection_api(small: DataSet, tmp_path: Path) -> None:
    write_records(small, tmp_path / "records")
    by_name = {row["image/filename"][0]: row for row in map(features, raw_records(tmp_path / "records"))}
    row = by_name[b"a/1.jpg"]
    encoded = small.pictures[0].path.read_bytes()
    assert row["image/encoded"] == [encoded]
    assert row["image/key/sha256"] == [hashlib.sha256(encoded).hexdigest().encode()]
    assert (row["image/format"], row["image/source_id"]) == ([b"jpeg"], [b"a/1.jpg"])
    assert (row["image/width"], row["image/height"]) == ([80], [60])
    assert row["image/object/bbox/xmin"] == pytest.approx([10 / 80, 1 / 80])
    assert row["image/object/bbox/ymin"] == pytest.approx([20 / 60, 2 / 60])
    assert row["image/object/bbox/xmax"] == pytest.approx([30.5 / 80, 5 / 80])
    assert row["image/object/bbox/ymax"] == pytest.approx([40.25 / 60, 6 / 60])
    assert row["image/object/class/text"] == [b"hand", b"mug"]
    assert row["image/object/class/label"] == [1, 2]
    assert row["image/object/is_crowd"] == [0, 1]
    assert row["image/object/area"] == pytest.approx([20.5 * 20.25, 8])
    assert by_name[b"b/1.png"]["image/format"] == [b"png"]


def test_parsed_record_is_the_picture_again(small: DataSet, tmp_path: Path) -> None:
    write_records(small, tmp_path / "records")
    dataset = tf.data.TFRecordDataset(str(tmp_path / "records/train.tfrecord-00000-of-00001")).map(parse_example)
    by_name = {row["filename"].numpy().decode(): row for row in dataset}
    assert by_name.keys() == {"a/1.jpg", "b/1.png", "c.jpg"}
    row = by_name["a/1.jpg"]
    assert row["xyxy_norm"].numpy() * [80, 60, 80, 60] == pytest.approx(np.array([[10, 20, 30.5, 40.25], [1, 2, 5, 6]]))
    assert (row["label"].numpy().tolist(), row["is_ignored"].numpy().tolist()) == ([1, 2], [False, True])
    assert (row["group"].numpy(), row["size_px"].numpy().tolist()) == (b"a", [80, 60])
    assert by_name["c.jpg"]["xyxy_norm"].shape == (0, 4)


def test_record_of_another_writer_without_crowds_is_parsed() -> None:
    floats = {side: tf.train.Feature(float_list={"value": [0.5]}) for side in ("xmin", "ymin", "xmax", "ymax")}
    feature = {
        "image/encoded": tf.train.Feature(bytes_list={"value": [b"x"]}),
        "image/height": tf.train.Feature(int64_list={"value": [6]}),
        "image/width": tf.train.Feature(int64_list={"value": [8]}),
        "image/object/class/label": tf.train.Feature(int64_list={"value": [1]}),
        **{f"image/object/bbox/{side}": value for side, value in floats.items()},
    }
    parsed = parse_example(tf.train.Example(features={"feature": feature}).SerializeToString())
    assert parsed["is_ignored"].numpy().tolist() == [False]
    assert parsed["xyxy_norm"].numpy().tolist() == [[0.5] * 4]


def test_same_data_makes_the_same_bytes_whatever_the_threads(small: DataSet, tmp_path: Path) -> None:
    data = many(small, 12)
    first = write_records(data, tmp_path / "one", shards=3, threads=1)
    again = write_records(data, tmp_path / "two", shards=3, threads=4)
    other = write_records(data, tmp_path / "three", shards=3, seed=1)
    names = [f"train.tfrecord-{number:05d}-of-00003" for number in range(3)]
    assert [shard.path.name for shard in first.shards] == names
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in names)
    assert first.fingerprint == again.fingerprint != other.fingerprint
    assert [shard.pictures for shard in first.shards] == [4, 4, 4]
    assert sorted(raw_records(tmp_path / "one")) == sorted(raw_records(tmp_path / "three"))


def test_summary_and_label_map_stand_beside_the_shards(small: DataSet, tmp_path: Path) -> None:
    records = write_records(small, tmp_path, name="val")
    summary = json.loads((tmp_path / "val.json").read_text())
    assert (summary["pictures"], summary["boxes"], summary["problems"]) == (3, {"hand": 2, "mug": 1}, [])
    shard = tmp_path / summary["shards"][0]["file"]
    assert hashlib.sha256(shard.read_bytes()).hexdigest() == summary["shards"][0]["sha256"]
    assert summary["fingerprint"] == records.fingerprint
    assert (tmp_path / "label_map.pbtxt").read_text() == label_map(("hand", "mug"))
    assert label_map(['a"b']) == 'item {\n  id: 1\n  name: "a\\"b"\n}\n'


def test_shards_of_an_earlier_run_are_replaced(small: DataSet, tmp_path: Path) -> None:
    (tmp_path / "train.tfrecord-00000-of-00009").touch()
    (tmp_path / "test.tfrecord-00000-of-00009").touch()
    write_records(small, tmp_path)
    assert {path.name for path in tmp_path.glob("*.tfrecord-*")} == {
        "train.tfrecord-00000-of-00001",
        "test.tfrecord-00000-of-00009",
    }


def spoil(small: DataSet, draw: Callable[..., Path]) -> DataSet:
    """Break pictures and boxes of a data set in every way there is."""
    folder = small.pictures[0].folder
    broken = draw(folder / "broken.jpg")
    broken.write_bytes(broken.read_bytes()[:2000])
    (folder / "text.jpg").write_text("no picture")
    (folder / "empty.jpg").touch()
    draw(folder / "larger.jpg", (90, 60))
    names = ("broken.jpg", "text.jpg", "empty.jpg", "larger.jpg", "missing.jpg")
    foot, flat = Annotation(label="foot", xyxy=(1, 1, 5, 5)), Annotation(label="hand", xyxy=(1, 1, 1, 5))
    odd = replace(small.pictures[1], annotations=(foot, flat))
    more = tuple(Picture(name=name, size_px=(80, 60), folder=folder) for name in names)
    return replace(small, pictures=(small.pictures[0], odd, *more))


def test_what_cannot_be_used_is_left_out_named_and_counted(
    small: DataSet, draw: Callable[..., Path], tmp_path: Path
) -> None:
    records = write_records(spoil(small, draw), tmp_path / "records", shards=2)
    assert sorted(str(problem) for problem in records.problems) == [
        "box of no area: b/1.png, box 2: 1, 1, 1, 5 of 80x60",
        "picture of another size: larger.jpg: 90x60, its annotations are for 80x60",
        "picture that cannot be decoded: broken.jpg: broken JPEG",
        "picture that cannot be decoded: empty.jpg: 0 bytes",
        "picture that cannot be decoded: text.jpg: 10 bytes",
        "picture that is missing: missing.jpg: No such file or directory",
        "unknown label: b/1.png, box 1: foot",
    ]
    assert (records.pictures, records.boxes) == (2, {"hand": 1, "mug": 1})
    summary = json.loads((tmp_path / "records/train.json").read_text())
    assert summary["problem_counts"]["picture that cannot be decoded"] == 3
    assert len(summary["problems"]) == 7


def test_strict_refuses_and_writes_nothing(small: DataSet, draw: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="7 problems, and they are errors when strict, the first: "):
        write_records(spoil(small, draw), tmp_path / "records", is_strict=True)
    assert list((tmp_path / "records").iterdir()) == []


@pytest.mark.parametrize("kept", [0, 1])
def test_data_set_without_a_picture_that_can_be_used_is_refused(tmp_path: Path, kept: int) -> None:
    pictures = (Picture(name="missing.jpg", size_px=(80, 60), folder=tmp_path),)[:kept]
    with pytest.raises(
        DataError, match="no picture of 'train' can be used" if kept else "the data set has no pictures"
    ):
        write_records(DataSet(labels=("hand",), pictures=pictures), tmp_path / "records")


def test_other_formats_become_png_and_pictures_held_on_end_are_stored_upright(
    draw: Callable[..., Path], tmp_path: Path
) -> None:
    bmp = draw(tmp_path / "a.bmp")
    jpeg = draw(tmp_path / "b.jpg").read_bytes()
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"  # orientation 6: turned by 90°
    (tmp_path / "b.jpg").write_bytes(jpeg[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg[2:])
    sizes = {"a.bmp": (80, 60), "b.jpg": (60, 80)}
    pictures = tuple(Picture(name=name, size_px=size, folder=tmp_path) for name, size in sizes.items())
    records = write_records(DataSet(labels=("hand",), pictures=pictures), tmp_path / "records")
    assert records.problems == ()
    by_name = {row["image/filename"][0]: row for row in map(features, raw_records(tmp_path / "records"))}
    assert {row["image/format"][0] for row in by_name.values()} == {b"png"}
    assert (tf.io.decode_png(by_name[b"a.bmp"]["image/encoded"][0]).numpy()[..., ::-1] == cv2.imread(str(bmp))).all()
    lying = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert (tf.io.decode_png(by_name[b"b.jpg"]["image/encoded"][0]).numpy()[..., ::-1] == np.rot90(lying, -1)).all()


def test_command_writes_and_tells_what_it_left_out(small: DataSet, tmp_path: Path) -> None:
    write_coco(small, tmp_path / "all.json")
    out = tmp_path / "records"
    arguments = [str(tmp_path / "all.json"), "--out", str(out), "--labels", "mug", "--name", "val", "--shards", "2"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    assert "wrote 3 pictures in 2 files" in done.output
    assert "unknown label: 2\n  a/1.jpg, box 1: hand\n" in done.output
    strict = CliRunner().invoke(main, [*arguments, "--strict"])
    assert isinstance(strict.exception, DataError)
    assert len(strict.exception.problems) == 2


@pytest.mark.shared
def test_real_pictures_become_records(shared_data: Path, tmp_path: Path) -> None:
    records = write_records(read_coco(shared_data / "coco_table/annotations.json"), tmp_path, is_strict=True)
    assert (records.pictures, records.boxes["cup"], records.boxes["person"]) == (77, 66, 165)
