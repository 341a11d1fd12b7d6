from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_tools.annotation import Annotation, DataSet, Picture
from data_tools.coco import coco_content, read_coco, write_coco
from data_tools.errors import DataError

PIXEL = st.integers(0, 40_000).map(lambda number: number / 8)  # exact in binary and in four decimals


@st.composite
def annotations(draw: st.DrawFn) -> Annotation:
    x, y, width, height = (draw(PIXEL) for _ in range(4))
    polygon = st.lists(st.tuples(PIXEL, PIXEL), min_size=3, max_size=5).map(tuple)
    return Annotation(
        label=draw(st.sampled_from(("hand", "mug"))),
        xyxy=(x, y, x + width, y + height),
        polygons=tuple(draw(st.lists(polygon, max_size=2))),
        is_ignored=draw(st.booleans()),
    )


def write(path: Path, **changes: Any) -> Path:
    content: dict[str, Any] = {
        "images": [{"id": 5, "file_name": "a.jpg", "width": 80, "height": 60}],
        "categories": [{"id": 9, "name": "mug"}, {"id": 3, "name": "hand"}],
        "annotations": [{"id": 1, "image_id": 5, "category_id": 9, "bbox": [1, 2, 3, 4], "iscrowd": 0}],
    }
    path.write_text(json.dumps(content | changes))
    return path


def test_data_set_comes_back_from_its_file(small: DataSet, tmp_path: Path) -> None:
    write_coco(small, tmp_path / "all.json")
    assert read_coco(tmp_path / "all.json") == small


@settings(deadline=None)
@given(rows=st.lists(annotations(), max_size=4))
def test_any_annotations_come_back(tmp_path_factory: pytest.TempPathFactory, rows: list[Annotation]) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    picture = Picture(name="a.jpg", size_px=(80, 60), annotations=tuple(rows), folder=path.parent)
    data = DataSet(labels=("hand", "mug"), pictures=(picture,))
    write_coco(data, path)
    assert read_coco(path) == data


def test_boxes_are_corners_and_labels_take_the_order_of_their_ids(tmp_path: Path) -> None:
    data = read_coco(write(tmp_path / "a.json"))
    assert data.labels == ("hand", "mug")
    assert data.pictures[0].annotations == (Annotation(label="mug", xyxy=(1, 2, 4, 6)),)
    assert data.pictures[0].path == tmp_path / "a.jpg"


def test_ids_are_written_from_1_with_area_and_corners_flat(small: DataSet) -> None:
    content = coco_content(small)
    assert content["categories"] == [{"id": 1, "name": "hand"}, {"id": 2, "name": "mug"}]
    assert content["images"][0] == {
        "id": 1,
        "file_name": "a/1.jpg",
        "width": 80,
        "height": 60,
        "video": "a",
        "frame": 7,
    }
    assert content["annotations"][1] == {
        "id": 2,
        "image_id": 1,
        "category_id": 2,
        "bbox": [1, 2, 4, 4],
        "area": 8,
        "iscrowd": 1,
        "segmentation": [[1, 2, 5, 2, 5, 6]],
    }


@pytest.mark.parametrize(
    ("row", "kind", "kept"),
    [
        ({"image_id": 6, "category_id": 9, "bbox": [1, 2, 3, 4]}, "unknown picture", 0),
        ({"image_id": 5, "category_id": 8, "bbox": [1, 2, 3, 4]}, "unknown label", 0),
        ({"image_id": 5, "category_id": 9}, "box that is none", 0),
        ({"image_id": 5, "category_id": 9, "bbox": [1, 2, 3]}, "box that is none", 0),
        ({"image_id": 5, "category_id": 9, "bbox": [1, 2, 3, float("nan")]}, "box that is none", 0),
        (
            {"image_id": 5, "category_id": 9, "bbox": [1, 2, 3, 4], "segmentation": {"counts": [3], "size": [60, 80]}},
            "run-length mask left out",
            1,
        ),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, row: dict[str, Any], kind: str, kept: int) -> None:
    data = read_coco(write(tmp_path / "a.json", annotations=[{"id": 77, **row}]))
    assert [problem.kind for problem in data.problems] == [kind]
    assert "annotation 77" in data.problems[0].where
    assert len(data.pictures[0].annotations) == kept


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", r"is no JSON"),
        ("[]", r"it has no annotations, categories, images"),
        ('{"images": [], "annotations": []}', "it has no categories"),
        ('{"images": [{"id": 1}], "annotations": [], "categories": []}', "is no COCO file: KeyError 'file_name'"),
        ('{"images": 4, "annotations": [], "categories": []}', "is no COCO file: TypeError"),
    ],
)
def test_file_of_another_kind_is_refused(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(DataError, match=message):
        read_coco(tmp_path / "a.json")


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read .*: No such file"):
        read_coco(tmp_path / "a.json")


def test_one_id_for_two_images_is_refused(tmp_path: Path) -> None:
    images = [{"id": 1, "file_name": name, "width": 8, "height": 6} for name in "ab"]
    with pytest.raises(DataError, match="one id to more than one image"):
        read_coco(write(tmp_path / "a.json", images=images, annotations=[]))


def test_label_that_is_not_listed_is_not_written(small: DataSet) -> None:
    with pytest.raises(DataError, match=r"'a/1\.jpg' has the label 'mug', which is not listed"):
        coco_content(DataSet(labels=("hand",), pictures=small.pictures))


@pytest.mark.shared
def test_real_files_are_read_whole(shared_data: Path) -> None:
    table = read_coco(shared_data / "coco_table/annotations.json")
    assert (len(table.pictures), sum(1 for _ in table.annotations()), table.problems) == (77, 805, ())
    assert Counter(annotation.label for _, annotation in table.annotations())["bottle"] == 38
    assert all(picture.path.is_file() for picture in table.pictures)
    ego = read_coco(shared_data / "egohands_annotations/annotations.json")
    assert (len(ego.pictures), len({picture.group for picture in ego.pictures})) == (4780, 48)
