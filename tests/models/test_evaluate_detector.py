from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from hybridtrack.errors import UsageError
from hybridtrack.types import ClassInfo, Detections, Frame
from models.evaluate_detector import HEADER, evaluate, main

pytest.importorskip("faster_coco_eval")

BOX = [10.0, 10.0, 50.0, 50.0]


class Fixed:
    """Says the same of every picture: a cup at the right place, a book at the wrong one."""

    classes = (ClassInfo(name="cup", identity="mug"), ClassInfo(name="book"), ClassInfo(name="fork"))
    supports_region = False

    def detect(self, frame: Frame, region_xyxy: object = None) -> Detections:
        return Detections(xyxy=[BOX, [60, 60, 90, 90]], score=[0.9, 0.8], class_id=[0, 1])

    def reset(self) -> None: ...

    def close(self) -> None: ...


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures with a cup and a book at one place in each, whose categories are those of the detector."""
    (tmp_path / "images").mkdir()
    for number in (1, 2):
        cv2.imwrite(str(tmp_path / f"images/{number}.png"), np.zeros((100, 100, 3), np.uint8))
    names = {1: "cup", 2: "mug", 3: "book"}
    content = {
        "images": [{"id": number, "file_name": f"{number}.png"} for number in (1, 2)],
        "categories": [{"id": number, "name": name} for number, name in names.items()],
        "annotations": [
            {"image_id": picture, "category_id": category, "bbox": [10, 10, 40, 40]}
            for picture, category in ((1, 1), (2, 1), (1, 2), (2, 3))
        ],
    }
    (tmp_path / "annotations.json").write_text(json.dumps(content))
    return tmp_path


def test_classes_with_true_boxes_have_a_row_and_their_mean_is_the_last(folder: Path) -> None:
    table, median_ms = evaluate(Fixed(), [folder], ["cup", "book", "fork"])
    assert table == [
        HEADER,
        ["cup", "2", "1.000", "1.000"],
        ["book", "1", "0.000", "0.000"],
        ["mean", "3", "0.500", "0.500"],
    ]
    assert median_ms >= 0


def test_truth_may_name_the_identity(folder: Path) -> None:
    table, _ = evaluate(Fixed(), [folder], ["mug"])  # on one picture of two; the cup of the other is a false alarm
    assert table[1][:2] == ["mug", "1"]
    assert 0 < float(table[1][2]) <= 1


def test_class_that_the_detector_has_not_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="no class 'spoon'; choose from cup, book, fork"):
        evaluate(Fixed(), [folder], ["spoon"])


def test_unknown_detector_is_refused_in_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nothing", "--data", str(folder)]) == 2
    assert capsys.readouterr().err.startswith("error: ")
