from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from hybridtrack.errors import SourceError
from hybridtrack.types import ClassInfo, Detections, Frame

pytestmark = pytest.mark.tensorflow
pytest.importorskip("tensorflow")
pytest.importorskip("faster_coco_eval")

from models import drawn  # noqa: E402
from models.average_precision import Judged, figures, picture_errors, voc_average_precision  # noqa: E402
from models.evaluate import Subject, evaluate, main, report  # noqa: E402
from models.plots import worst_pictures  # noqa: E402
from models.truth import class_names, read_truth  # noqa: E402

BOX = [10.0, 10.0, 50.0, 50.0]
AT_60 = [10.0, 10.0, 50.0, 34.0]  # 40 × 24 of 40 × 40: IoU .6
AWAY = [60.0, 60.0, 90.0, 90.0]
Found = Sequence[tuple[list[float], float]]


def picture(true: Sequence[list[float]], found: Found, crowd: Sequence[bool] = (), found_class: int = 0) -> Judged:
    return Judged(
        name="a",
        size_px=(100, 100),
        xyxy=np.array(true).reshape(-1, 4),
        class_id=np.zeros(len(true), int),
        is_crowd=np.array(crowd or [False] * len(true), bool),
        found=Detections(xyxy=[x for x, _ in found], score=[s for _, s in found], class_id=[found_class] * len(found)),
    )


@pytest.mark.parametrize(
    ("pictures", "ap50", "ap75", "voc"),
    [
        ([picture([BOX], [(BOX, 0.9)])], 1, 1, 1),
        ([picture([BOX], [(AT_60, 0.9)])], 1, 0, 1),
        ([picture([BOX], [(AWAY, 0.9), (BOX, 0.8)])], 0.5, 0.5, 0.5),  # precision 1/2 at every recall
        ([picture([BOX], [(BOX, 0.9), (AWAY, 0.8)])], 1, 1, 1),
        ([picture([BOX, AWAY], [(AWAY, 0.9), (BOX, 0.8)], [False, True])], 1, 1, 1),
        ([picture([BOX], [(BOX, 0.9)]), picture([], [(AWAY, 0.95)])], 0.5, 0.5, 0.5),
        ([picture([BOX], [])], 0, 0, 0),
        ([picture([BOX, AWAY], [(BOX, 0.9)])], 51 / 101, 51 / 101, 0.5),  # COCO asks at 101 recalls, 0 to .5 of them
        # both answer for the first box in VOC's way; in COCO's the second one is a false alarm as well
        ([picture([BOX], [(BOX, 0.9), (AT_60, 0.8)])], 1, 1, 1),
    ],
    ids=["exact", "loose", "alarm first", "alarm last", "ignored", "on an empty one", "nothing", "half", "twice"],
)
def test_average_precisions_are_as_worked_out_by_hand(
    pictures: list[Judged], ap50: float, ap75: float, voc: float
) -> None:
    found = figures(pictures, ["thing"])
    assert (found.coco["AP50"], found.coco["AP75"]) == pytest.approx((ap50, ap75), abs=1e-6)
    assert found.voc == pytest.approx(voc)
    assert voc_average_precision(pictures, 0) == pytest.approx(voc)
    assert found.by_class["thing"][1:] == pytest.approx((ap50, ap75), abs=1e-6)


def test_other_classes_do_not_count() -> None:
    found = figures([picture([BOX], [(BOX, 0.9)], found_class=1)], ["thing", "other"])
    assert found.coco["AP50"] == found.voc == 0
    assert list(found.by_class) == ["thing"]


def test_boxes_are_large_medium_and_small_by_their_area() -> None:
    small, large = [0.0, 0.0, 20.0, 20.0], [0.0, 0.0, 99.0, 99.0]
    coco = figures([picture([small, large], [(large, 0.9)])], ["thing"]).coco
    assert (coco["APs"], coco["APl"]) == pytest.approx((0, 1))
    assert np.isnan(coco["APm"])


def test_errors_of_a_picture_are_boxes_missed_and_false_ones() -> None:
    assert picture_errors(picture([BOX, AWAY], [(AT_60, 0.9), (BOX, 0.8), (AWAY, 0.4)])) == (1, 1)
    assert picture_errors(picture([BOX], [(BOX, 0.9)], found_class=1)) == (1, 1)
    assert picture_errors(picture([], [])) == (0, 0)
    pictures = [picture([BOX], [(BOX, 0.9)]), picture([BOX], []), picture([BOX, AWAY], [([0, 0, 5, 5], 0.9)])]
    assert [(missed, alarms) for _, missed, alarms in worst_pictures(pictures)] == [(2, 1), (1, 0)]


def test_motchallenge_truth_is_scaled_to_the_clip_and_ignored_rows_are_crowds(table_clip: Path, tmp_path: Path) -> None:
    folder = tmp_path / "clip"
    (folder / "gt").mkdir(parents=True)
    (folder / "gt" / "gt.txt").write_text("2,1,10,20,30,40,1,1,1\n2,2,0,0,5,5,0,1,1\n2,3,1,1,5,5,1,2,1\n")
    (folder / "classes.txt").write_text("1 hand\n2 mug\n")
    (folder / "seqinfo.ini").write_text("[Sequence]\nimWidth=320\nimHeight=180\nseqLength=360\n")
    (folder / "clip.mp4").symlink_to(table_clip)
    pictures = read_truth(folder, ["hand"])
    first, second = next(pictures), next(pictures)
    assert (len(first.xyxy), second.frame.index, second.frame.size_px) == (0, 1, (640, 360))
    assert second.xyxy.tolist() == [[20, 40, 80, 120], [0, 0, 10, 10]]
    assert second.is_crowd.tolist() == [False, True]
    assert second.group == "clip"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures with a cup each, a mug besides on the first, a book on the second; as COCO."""
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


def test_coco_truth_is_read_by_class(folder: Path) -> None:
    first, second = read_truth(folder, ["book", "cup"])
    assert (first.class_id.tolist(), second.class_id.tolist()) == ([1], [1, 0])
    assert first.xyxy.tolist() == [BOX]
    assert class_names(folder) == ("cup", "mug", "book")


def test_records_are_read_by_class_and_grouped_by_video(tmp_path: Path) -> None:
    drawn.write(tmp_path, 8, (96, 72), 0)
    names = class_names(tmp_path)
    assert set(names) <= {*drawn.LABELS}
    pictures = list(read_truth(tmp_path / "train.tfrecord", drawn.LABELS))
    originals = list(drawn.drawings(8, (96, 72), np.random.default_rng(0)))[:6]
    assert {one.group for one in pictures} == {"train"}
    for one, original in zip(pictures, originals, strict=True):
        np.testing.assert_allclose(one.xyxy, original.xyxy, atol=1e-3)
        assert one.class_id.tolist() == original.class_id.tolist()
    boxes = [one for one in read_truth(tmp_path, ["box"]) for _ in one.class_id]
    assert {k for one in boxes for k in one.class_id.tolist()} == {0}


def test_place_without_truth_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"neither annotations\.json nor gt/gt\.txt nor TFRecords"):
        read_truth(tmp_path, ["hand"])
    (tmp_path / "gt").mkdir()
    (tmp_path / "gt" / "gt.txt").write_text("1,1,0,0,5,5,1,1,1\n")
    (tmp_path / "classes.txt").write_text("1 hand\n")
    with pytest.raises(SourceError, match=r"no class 'mug' in .*: its classes\.txt is to name one"):
        next(read_truth(tmp_path, ["mug"]))


class Fixed:
    """Says the same of every picture: a cup at the right place, a book at the wrong one."""

    classes = (ClassInfo(name="cup", identity="mug"), ClassInfo(name="book"), ClassInfo(name="fork"))
    supports_region = False

    def detect(self, frame: Frame, region_xyxy: object = None) -> Detections:
        return Detections(xyxy=[BOX, [60, 60, 90, 90]], score=[0.9, 0.8], class_id=[0, 1])

    def reset(self) -> None: ...

    def close(self) -> None: ...


def test_report_has_a_row_for_each_class_and_detector(folder: Path) -> None:
    names = ["cup", "book"]
    verdicts = evaluate([Subject(name="fixed", detector=Fixed())], [folder], names)
    text, content = report(verdicts, names)
    assert content["fixed"]["AP50"] == pytest.approx(0.5)
    assert content["fixed"]["classes"] == {
        "cup": {"AP": 1, "AP50": 1, "AP75": 1},
        "book": {"AP": 0, "AP50": 0, "AP75": 0},
    }
    assert [line.split()[1] for line in text.splitlines() if line.startswith(("| cup", "| book", "| fixed"))] == [
        "fixed",
        "cup",
        "book",
    ]


def test_truth_may_name_the_identity(folder: Path) -> None:
    verdicts = evaluate([Subject(name="fixed", detector=Fixed())], [folder], ["mug"])
    found = figures(verdicts[0].pictures, ["mug"])  # on one picture of two; the cup of the other is a false alarm
    assert found.boxes == 1
    assert 0 < found.coco["AP50"] <= 1


def test_what_cannot_be_judged_is_refused_in_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for subject, complaint in (("hand", "have no class in common"), ("nothing", "unknown detector 'nothing'")):
        assert main([subject, "--data", str(folder)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("error: ")
        assert complaint in line


def test_shipped_bundle_is_judged_on_the_demo_clip_at_each_precision(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = root / "examples/data/table"
    bundle = root / "hybridtrack/bundles/hand-ssdlite-mobilenetv2"
    path, out = tmp_path / "figures.json", tmp_path / "out"
    assert main([str(bundle), "--data", str(table), "--class", "hand", "--json", str(path), "--out", str(out)]) == 0
    content = json.loads(path.read_text())
    assert list(content) == ["hand-ssdlite-mobilenetv2 int8", "hand-ssdlite-mobilenetv2 fp16"]
    for one in content.values():
        assert one["AP50"] > 0.85
        assert one["ms"] > 0
    assert {path.name for path in out.glob("*.png")} == {"precision_recall.png", "worst_0.png", "worst_1.png"}
    assert capsys.readouterr().out.startswith("| detector")


@pytest.mark.shared
def test_shipped_default_finds_the_hands_of_the_real_clip(shared_data: Path) -> None:
    from hybridtrack.detectors.ssd import create_hand
    from models.validation import judge

    pictures = [one for one in read_truth(shared_data / "coffee", ["hand"]) if one.frame.index % 4 == 0]
    assert figures(judge(create_hand({}), pictures), ["hand"]).coco["AP50"] >= 0.97  # on all frames .983
