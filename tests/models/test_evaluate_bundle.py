from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from hybridtrack.errors import SourceError
from hybridtrack.types import Detections
from models.evaluate_bundle import average_precisions
from models.truth import TrueBoxes, read_truth

pytest.importorskip("faster_coco_eval")

BOX = [10.0, 10.0, 50.0, 50.0]
AT_60 = [10.0, 10.0, 50.0, 34.0]  # 40 × 24 of 40 × 40: IoU .6
AWAY = [60.0, 60.0, 90.0, 90.0]


def truth(*boxes: list[float], ignored: tuple[bool, ...] = ()) -> TrueBoxes:
    flags = np.array(ignored or [False] * len(boxes), bool)
    return TrueBoxes(size_px=(100, 100), xyxy=np.array(boxes).reshape(-1, 4), ignored=flags)


def found(*rows: tuple[list[float], float]) -> Detections:
    return Detections(xyxy=[x for x, _ in rows], score=[s for _, s in rows], class_id=[0] * len(rows))


@pytest.mark.parametrize(
    ("pictures", "ap50", "ap75"),
    [
        ([(truth(BOX), found((BOX, 0.9)))], 1, 1),
        ([(truth(BOX), found((AT_60, 0.9)))], 1, 0),
        ([(truth(BOX), found((AWAY, 0.9), (BOX, 0.8)))], 0.5, 0.5),  # precision 1/2 at every recall
        ([(truth(BOX), found((BOX, 0.9), (AWAY, 0.8)))], 1, 1),
        ([(truth(BOX, AWAY, ignored=(False, True)), found((AWAY, 0.9), (BOX, 0.8)))], 1, 1),
        ([(truth(BOX), found((BOX, 0.9))), (truth(), found((AWAY, 0.95)))], 0.5, 0.5),
        ([(truth(BOX), found())], 0, 0),
    ],
    ids=["exact", "loose", "false alarm first", "false alarm last", "ignored", "on an empty picture", "nothing"],
)
def test_average_precision_is_as_worked_out_by_hand(
    pictures: list[tuple[TrueBoxes, Detections]], ap50: float, ap75: float
) -> None:
    assert average_precisions(pictures, [0]) == pytest.approx((ap50, ap75), abs=1e-6)


def test_other_classes_do_not_count() -> None:
    other = Detections(xyxy=[BOX], score=[0.9], class_id=[1])
    assert average_precisions([(truth(BOX), other)], [0]) == (0, 0)


def test_motchallenge_truth_is_scaled_to_the_clip_and_ignored_rows_are_marked(table_clip: Path, tmp_path: Path) -> None:
    folder = tmp_path / "clip"
    (folder / "gt").mkdir(parents=True)
    (folder / "gt" / "gt.txt").write_text("2,1,10,20,30,40,1,1,1\n2,2,0,0,5,5,0,1,1\n2,3,1,1,5,5,1,2,1\n")
    (folder / "classes.txt").write_text("1 hand\n2 mug\n")
    (folder / "seqinfo.ini").write_text("[Sequence]\nimWidth=320\nimHeight=180\nseqLength=360\n")
    (folder / "clip.mp4").symlink_to(table_clip)
    pictures = read_truth(folder, "hand")
    _, first = next(pictures)
    frame, second = next(pictures)
    assert (len(first.xyxy), frame.index, second.size_px) == (0, 1, (640, 360))
    assert second.xyxy.tolist() == [[20, 40, 80, 120], [0, 0, 10, 10]]
    assert second.ignored.tolist() == [False, True]


def test_coco_truth_is_read_by_class(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "a.png"), np.zeros((60, 80, 3), np.uint8))
    annotation = {"image_id": 4, "bbox": [1, 2, 3, 4], "iscrowd": 0}
    content = {
        "images": [{"id": 4, "file_name": "a.png"}],
        "categories": [{"id": 1, "name": "hand"}, {"id": 2, "name": "mug"}],
        "annotations": [annotation | {"category_id": 1}, annotation | {"category_id": 2}],
    }
    (tmp_path / "annotations.json").write_text(json.dumps(content))
    ((frame, boxes),) = read_truth(tmp_path, "hand")
    assert frame.size_px == boxes.size_px == (80, 60)
    assert boxes.xyxy.tolist() == [[1, 2, 4, 6]]


def test_class_that_a_sequence_does_not_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "gt").mkdir()
    (tmp_path / "gt" / "gt.txt").write_text("1,1,0,0,5,5,1,1,1\n")
    (tmp_path / "classes.txt").write_text("1 hand\n")
    with pytest.raises(SourceError, match=r"no class 'mug' in .*: its classes\.txt is to name one"):
        next(read_truth(tmp_path, "mug"))


def test_folder_without_truth_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"neither annotations\.json nor gt/gt\.txt"):
        read_truth(tmp_path, "hand")


@pytest.mark.shared
def test_shipped_default_finds_the_hands_of_the_real_clip(shared_data: Path) -> None:
    from hybridtrack.detectors.ssd import create_hand

    detector = create_hand({})
    pictures = (x for x in read_truth(shared_data / "coffee", "hand") if x[0].index % 4 == 0)
    ap50, _ = average_precisions([(boxes, detector.detect(frame)) for frame, boxes in pictures], [0])
    assert ap50 >= 0.97  # on all frames .983
