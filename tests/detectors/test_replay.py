from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hybridtrack.cli import exit_code
from hybridtrack.errors import DetectorError, HybridTrackError
from hybridtrack.hookspecs import Detector
from hybridtrack.plugin_host import PluginHost
from hybridtrack.types import Array, ClassInfo, Detections, Frame, Size

GOLDEN = Path(__file__).parents[1] / "golden/tracks/every_key.jsonl"
LINES = [json.loads(line) for line in GOLDEN.read_text(encoding="utf-8").splitlines()]
LINES[0]["source"] |= {"width": 320, "height": 240}  # its pictures are smaller than its boxes
HAND = ClassInfo(name="hand", role="hand")


def replay(file: Path, **texts: object) -> Detector:
    offer = PluginHost.load({}).detector("replay")
    options = {name: str(text) for name, text in ({"path": file} | texts).items()}
    detector: Detector = offer.build(offer.read_options(options))
    return detector


class Unseen:
    """A picture of which only the size may be asked."""

    def __init__(self, size_px: Size) -> None:
        self.size_px = size_px

    def gray(self, size: Size) -> Array:
        raise AssertionError("the luma was asked for")

    def rgb(self, size: Size) -> Array:
        raise AssertionError("the colours were asked for")


def found_on(detector: Detector, index: int, size: Size = (640, 480)) -> Detections:
    return detector.detect(Frame(Unseen(size), index=index))


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write files by their names, the first of them the one whose path is returned."""

    def write(**files: str) -> Path:
        paths = {tmp_path / name.replace("__", "/").replace("_", "."): text for name, text in files.items()}
        for path, text in paths.items():
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        return next(iter(paths))

    return write


def written_lines(path: Path, lines: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


# MOTChallenge


def test_row_is_shown_on_its_frame_alone(write: Callable[..., Path]) -> None:
    detector = replay(write(det_txt="1,-1,10,20,30,40,0.75\n3,-1,1,2,3,4,0.5\n1,-1,5,5,5,5,0.25\n"))
    found = found_on(detector, 0)
    assert found.xyxy.tolist() == [[10, 20, 40, 60], [5, 5, 10, 10]]
    assert (found.score.tolist(), found.class_id.tolist()) == ([0.75, 0.25], [0, 0])
    assert [len(found_on(detector, index)) for index in (1, 2, 3, 100_000)] == [0, 1, 0, 0]
    assert detector.classes == (ClassInfo(name="object"),)


def test_true_identity_is_not_told(write: Callable[..., Path]) -> None:
    found = found_on(replay(write(gt_txt="1,42,10,20,30,40,1,1,1\n", classes_txt="1 hand\n")), 0)
    assert (len(found), found.attributes) == (1, {})


def test_boxes_to_ignore_and_those_that_are_hardly_visible_are_not_shown(write: Callable[..., Path]) -> None:
    text = "1,1,0,0,5,5,1,1,0.1\n1,2,0,0,6,6,0,1,1\n1,3,0,0,7,7,1,1,0.3\n"
    path = write(gt_txt=text, classes_txt="1 hand\n")
    assert found_on(replay(path), 0).xyxy[:, 2].tolist() == [5, 7]
    assert found_on(replay(path, min_visibility=0.3), 0).xyxy[:, 2].tolist() == [7]


def test_boxes_are_scaled_to_the_frame_where_the_file_says_of_what_size_they_are(write: Callable[..., Path]) -> None:
    path = write(gt__gt_txt="1,1,10,20,30,40\n", seqinfo_ini="[Sequence]\nimWidth=320\nimHeight=240\n")
    assert found_on(replay(path), 0, (640, 240)).xyxy.tolist() == [[20, 20, 80, 60]]
    (path.parent.parent / "seqinfo.ini").unlink()
    assert found_on(replay(path), 0, (640, 240)).xyxy.tolist() == [[10, 20, 40, 60]]


def test_boxes_are_cut_at_the_edges_of_the_frame(write: Callable[..., Path]) -> None:
    text = "1,1,-10,-10,30,30\n1,2,90,40,30,30\n1,3,100,0,9,9\n1,4,-9,0,9,9\n1,5,50,20,0,5\n"
    assert found_on(replay(write(gt_txt=text)), 0, (100, 50)).xyxy.tolist() == [[0, 0, 20, 20], [90, 40, 100, 50]]


@pytest.mark.parametrize(
    ("confidence", "score"),
    [
        ((0.25, 1), (0.25, 1)),
        ((-1, -1), (1, 1)),
        ((-2, 1.5), (0.119203, 0.817574)),  # 1 / (1 + exp(2)) and 1 / (1 + exp(-1.5))
        ((-5000, 90), (0, 1)),
    ],
)
def test_confidence_becomes_a_score(
    write: Callable[..., Path], confidence: tuple[float, float], score: tuple[float, float]
) -> None:
    path = write(det_txt="".join(f"1,-1,0,0,5,5,{one}\n" for one in confidence))
    assert found_on(replay(path), 0).score.tolist() == pytest.approx(score, abs=1e-6)


def test_least_score_is_meant_as_the_file_has_it(write: Callable[..., Path]) -> None:
    path = write(det_txt="1,-1,0,0,5,5,-1.5\n1,-1,0,0,6,6,40\n1,-1,0,0,7,7,60\n")
    assert found_on(replay(path, min_score=40), 0).xyxy[:, 2].tolist() == [6, 7]


def test_classes_have_the_names_beside_the_file_and_hands_their_role(write: Callable[..., Path]) -> None:
    path = write(
        gt_txt="1,1,0,0,5,5,1,3,1\n1,2,0,0,6,6,1,1,1\n",
        classes_txt="1 hand\n2 mug\n3 cup\n",
        own_txt="3 vase\n1 hand\n",
    )
    detector = replay(path)
    assert detector.classes == (HAND, ClassInfo(name="mug"), ClassInfo(name="cup"))
    assert found_on(detector, 0).class_id.tolist() == [2, 0]
    own = replay(path, labels=path.parent / "own.txt")
    assert own.classes == (ClassInfo(name="vase"), HAND)
    assert found_on(own, 0).class_id.tolist() == [0, 1]


def test_classes_are_those_beside_the_file_also_when_no_box_is_left(write: Callable[..., Path]) -> None:
    path = write(gt_txt="1,1,0,0,5,5,1,1,0.5\n", classes_txt="1 hand\n2 mug\n")
    assert replay(path, min_visibility=0.9).classes == (HAND, ClassInfo(name="mug"))


@pytest.mark.parametrize("text", ["1,-1,0,0,5,5,.5,-1,-1,-1\n", "1,1,0,0,5,5,1,7,1\n"])
def test_class_can_be_given_for_a_file_without_names(write: Callable[..., Path], text: str) -> None:
    path = write(det_txt=text)
    assert replay(path, **{"class": "hand"}).classes == (HAND,)
    assert replay(path, **{"class": "person"}).classes == (ClassInfo(name="person"),)
    assert found_on(replay(path, **{"class": "person"}), 0).class_id.tolist() == [0]


def test_frame_after_the_end_of_the_sequence_is_refused(write: Callable[..., Path]) -> None:
    detector = replay(write(gt_txt="1,1,0,0,5,5\n", seqinfo_ini="[Sequence]\nseqLength=3\n"))
    assert len(found_on(detector, 2)) == 0
    with pytest.raises(DetectorError, match=r"cannot tell what is on frame 3: it ends after 3 frames"):
        found_on(detector, 3)


# track files


def test_raw_detections_of_a_track_file_are_shown_where_its_detector_ran(tmp_path: Path) -> None:
    path = written_lines(tmp_path / "raw.jsonl", LINES)
    detector = replay(path)
    assert detector.classes == (HAND, ClassInfo(name="mug"))
    found = found_on(detector, 0, (640, 480))  # twice the size of the pictures that the file speaks of
    assert found.xyxy == pytest.approx(np.array([[63.06, 160.5, 280, 403.5], [0, 0, 18, 18]]))
    assert found.score.tolist() == pytest.approx([0.98, 0.06])
    assert found.class_id.tolist() == [0, 1]
    assert len(found_on(detector, 3)) == 0
    assert len(found_on(replay(path, min_score=0.1), 0)) == 1


@pytest.mark.parametrize("index", [1, 2, 4, 5])  # no run, a failed one, a late one, after the end
def test_frame_on_which_its_detector_did_not_run_is_refused_and_not_called_empty(index: int) -> None:
    with pytest.raises(DetectorError, match=rf"cannot tell what is on frame {index}: its own detectors did not"):
        found_on(replay(GOLDEN), index)


def test_without_raw_detections_the_rows_that_a_detector_saw_are_shown(tmp_path: Path) -> None:
    lines = [{key: value for key, value in line.items() if key != "detections"} for line in LINES]
    row = LINES[1]["tracks"][0]
    lines[1] = lines[1] | {"tracks": [row, row | {"id": 5, "class": "mug", "origin": "tracked"}]}
    found = found_on(replay(written_lines(tmp_path / "no_raw.jsonl", lines)), 0, (320, 240))
    assert found.class_id.tolist() == [0]
    assert found.xyxy == pytest.approx(np.array([[31.53, 80.25, 140, 201.75]]))


def test_raw_detections_of_a_late_run_are_shown_on_the_frame_that_it_looked_at(tmp_path: Path) -> None:
    late = {"detector": "hand", "trigger": "interval", "status": "late", "frame": 1}
    lines = [*LINES[:5], LINES[5] | {"runs": [late], "detections": LINES[1]["detections"]}]
    detector = replay(written_lines(tmp_path / "late.jsonl", lines))
    assert LINES[5]["frame"] == 4
    assert found_on(detector, 1).xyxy.tolist() == found_on(detector, 0).xyxy.tolist()
    with pytest.raises(DetectorError, match="cannot tell what is on frame 4"):
        found_on(detector, 4)


@pytest.fixture
def of_two(tmp_path: Path) -> Path:
    """A track file of two detectors, of which "cups" ran on every other frame alone."""
    header = LINES[0] | {
        "source": LINES[0]["source"] | {"width": 640, "height": 480},
        "classes": [
            {"name": "open", "role": "hand", "identity": "hand"},
            {"name": "cup", "role": "other", "identity": "vessel"},
        ],
        "detectors": [
            LINES[0]["detectors"][0] | {"name": "hand", "classes": ["open"]},
            LINES[0]["detectors"][0] | {"name": "cups", "classes": ["cup"]},
        ],
    }
    seen = {
        "hand": [{"class": "open", "box": [0, 0, 5, 5], "score": 0.5, "attributes": {"side": "left", "tip": [1, 2]}}],
        "cups": [
            {"class": "cup", "box": [0, 0, 8, 8], "score": 0.9, "attributes": {"fill": 0.25}},
            {"class": "lid", "box": [0, 0, 9, 9], "score": 0.8, "attributes": {"fill": 1.0}},
        ],
    }
    frames = [
        LINES[2]
        | {
            "frame": index,
            "runs": [{"detector": name, "trigger": "interval", "status": "ok"} for name in names],
            "detections": {name: seen[name] for name in names},
        }
        for index, names in enumerate((("hand", "cups"), ("hand",)))
    ]
    return written_lines(tmp_path / "two.jsonl", [header, *frames])


def test_one_of_several_detectors_can_be_chosen(of_two: Path) -> None:
    hands, cups = replay(of_two, detector="hand"), replay(of_two, detector="cups")
    assert hands.classes[0] == ClassInfo(name="open", role="hand", identity="hand")
    assert cups.classes[0] == ClassInfo(name="cup", role="other", identity="vessel")
    assert [found_on(hands, index).xyxy[:, 2].tolist() for index in (0, 1)] == [[5], [5]]
    assert found_on(cups, 0).xyxy[:, 2].tolist() == [8, 9]
    assert cups.classes[1] == ClassInfo(name="lid")  # named by a row alone
    with pytest.raises(DetectorError, match="frame 1"):
        found_on(cups, 1)


def test_all_detectors_together_looked_at_the_frames_that_each_of_them_did(of_two: Path) -> None:
    detector = replay(of_two)
    assert [info.name for info in detector.classes] == ["open", "cup", "lid"]
    assert found_on(detector, 0).xyxy[:, 2].tolist() == [5, 8, 9]
    with pytest.raises(DetectorError, match="frame 1"):
        found_on(detector, 1)


def test_attributes_that_every_box_has_are_shown_again(of_two: Path) -> None:
    hand = found_on(replay(of_two, detector="hand"), 0).attributes
    assert {name: values.tolist() for name, values in hand.items()} == {"side": ["left"], "tip": [[1, 2]]}
    assert found_on(replay(of_two, detector="cups"), 0).attributes["fill"].tolist() == [0.25, 1]
    assert found_on(replay(of_two), 0).attributes == {}


# COCO

ANNOTATIONS = {
    "categories": [{"id": 3, "name": "hand"}, {"id": 9, "name": "mug"}],
    "images": [
        {"id": 70, "file_name": "frame_10.jpg", "width": 320, "height": 240},
        {"id": 50, "file_name": "frame_9.jpg", "width": 320, "height": 240},
    ],
    "annotations": [],
}
RESULTS = [
    {"image_id": 70, "category_id": 9, "bbox": [10, 20, 30, 40], "score": 0.75},
    {"image_id": 50, "category_id": 3, "bbox": [0, 0, 5, 5], "score": 0.5, "segmentation": []},
]


def test_images_of_coco_annotations_are_frames_in_the_order_of_a_folder(write: Callable[..., Path]) -> None:
    path = write(results_json=json.dumps(RESULTS), labels_json=json.dumps(ANNOTATIONS))
    detector = replay(path, labels=path.parent / "labels.json")
    assert detector.classes == (HAND, ClassInfo(name="mug"))
    assert found_on(detector, 0).xyxy.tolist() == [[0, 0, 10, 10]]  # twice the size of the images
    found = found_on(detector, 1)
    assert (found.xyxy.tolist(), found.score.tolist()) == ([[20, 40, 80, 120]], [0.75])
    assert found.class_id.tolist() == [1]
    with pytest.raises(DetectorError, match="it ends after 2 frames"):
        found_on(detector, 2)


def test_image_of_coco_results_alone_is_the_number_of_a_frame(write: Callable[..., Path]) -> None:
    path = write(results_json=json.dumps(RESULTS), classes_txt="3 hand\n9 mug\n")
    for texts, names in (({"labels": path.parent / "classes.txt"}, ["hand", "mug"]), ({"class": "cup"}, ["cup"])):
        detector = replay(path, **texts)
        assert [info.name for info in detector.classes] == names
        assert found_on(detector, 69).xyxy.tolist() == [[10, 20, 40, 60]]
        assert [len(found_on(detector, index)) for index in (0, 49, 70)] == [0, 1, 0]
    assert len(found_on(replay(path, min_score=0.6, **{"class": "cup"}), 49)) == 0


def test_results_without_a_box_show_nothing(write: Callable[..., Path]) -> None:
    assert len(found_on(replay(write(results_json="[]")), 0)) == 0
    assert len(found_on(replay(write(det_txt="")), 0)) == 0


# what is refused

ROW = "1,1,0,0,5,5\n"
TWO_CLASSES = "1,1,0,0,5,5,1,1,1\n\n1,2,0,0,5,5,1,2,1\n"


@pytest.mark.parametrize(
    ("files", "texts", "message"),
    [
        ({"a_txt": ROW}, {"path": ""}, "needs the file with the boxes: give path=FILE"),
        ({"a_txt": ROW}, {"path": "none.txt"}, "cannot read 'none.txt': No such file or directory"),
        ({"a_txt": ROW}, {"path": "a\0b"}, "cannot read 'a.x00b': embedded null byte"),
        ({"a_txt": "frame,id\n"}, {}, r"begins with b'frame,id\\n': expected a track file \(JSON Lines\), MOTChall"),
        ({"a_txt": "1,1,0,0,5\n"}, {}, "line 1 of .* has 5 columns"),
        ({"a_jsonl": ""}, {}, "a.jsonl' is empty"),
        ({"a_jsonl": json.dumps(LINES[0] | {"detectors": []})}, {}, "has no detector"),
        ({"a_json": json.dumps(ANNOTATIONS)}, {}, "is not a track file: expected a header"),
        ({"a_json": json.dumps([{"image_id": 1}])}, {}, r"is not a list of .*: Object missing required .* `\$\[0\]`"),
        ({"a_json": json.dumps(RESULTS)}, {}, "row 1 of .*: class 9 has no name: name it in classes.txt or in labels="),
        ({"a_json": json.dumps([RESULTS[0] | {"image_id": 0}])}, {}, "row 1 of .* has image_id 0: without the images"),
        ({"a_txt": TWO_CLASSES, "classes_txt": "1 hand\n"}, {}, "line 3 of .*: class 2 has no name"),
        ({"a_txt": TWO_CLASSES, "classes_txt": "1 hand\n2 mug\n"}, {"class": "cup"}, "leave class=cup out"),
        ({"a_txt": ROW}, {"detector": "hand"}, "detector= does not apply to"),
        ({"a_json": "[]"}, {"min_visibility": 0.5}, "min_visibility= does not apply to"),
        ({"a_txt": ROW}, {"min_visibility": 1.5}, "min_visibility is 1.5, expected a number in 0..1"),
        ({"a_txt": ROW}, {"min_score": "nan"}, "min_score is nan, expected a number"),
        ({"a_txt": ROW}, {"labels": "none.txt"}, "cannot read 'none.txt'"),
    ],
)
def test_what_cannot_be_replayed_is_refused_in_one_line(
    write: Callable[..., Path], files: dict[str, str], texts: dict[str, Any], message: str
) -> None:
    path = write(**files)
    with pytest.raises(HybridTrackError, match=message) as refused:
        replay(path, **texts)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["class", "labels", "min_visibility"])
def test_option_of_another_kind_of_file_is_refused(name: str) -> None:
    with pytest.raises(HybridTrackError, match=rf"{name}= does not apply to"):
        replay(GOLDEN, **{name: "1"})


def test_detector_that_the_file_does_not_have_is_refused() -> None:
    with pytest.raises(HybridTrackError, match=r"unknown detector 'hnad'; known: hand; did you mean 'hand'\?"):
        replay(GOLDEN, detector="hnad")


def test_image_that_the_annotations_do_not_list_is_refused(write: Callable[..., Path]) -> None:
    path = write(results_json=json.dumps([RESULTS[0] | {"image_id": 71}]), labels_json=json.dumps(ANNOTATIONS))
    with pytest.raises(HybridTrackError, match=r"row 1 of .* has image_id 71, which labels=FILE does not list"):
        replay(path, labels=path.parent / "labels.json")


def test_picture_is_not_looked_at_in_part(write: Callable[..., Path]) -> None:
    with pytest.raises(DetectorError, match="leave the region out"):
        replay(write(a_txt="1,1,0,0,5,5\n")).detect(Frame(Unseen((9, 9))), (0, 0, 5, 5))


# runs


def run_frames(clip: Path, output: Path, *flags: object) -> list[dict[str, Any]]:
    """Return the frame lines of a run of the command line."""
    assert exit_code(["run", str(clip), "--json", str(output), *map(str, flags)]) == 0
    return [line for line in map(json.loads, output.read_text().splitlines()) if line["type"] == "frame"]


def test_truth_is_what_is_tracked_on_the_frames_of_a_run(table_clip: Path, tmp_path: Path) -> None:
    folder = table_clip.parent / "table"
    truth = np.loadtxt(folder / "gt/gt.txt", delimiter=",")
    detector = f"replay,path={folder},every=3"
    frames = run_frames(table_clip, tmp_path / "a.jsonl", "--detector", detector, "--tracker", "none")
    assert len(frames) == 360
    names = dict(line.split() for line in (folder / "classes.txt").read_text().splitlines())
    for frame in frames:
        rows = truth[truth[:, 0] == frame["frame"] + 1]
        wanted = [(names[str(int(c))], [x, y, x + w, y + h]) for _, _, x, y, w, h, _, c, _ in rows]
        is_run = frame["frame"] % 3 == 0
        assert len(frame["runs"]) == is_run
        shown = [(track["class"], track["box"]) for track in frame["tracks"]]
        assert sorted(shown) == (sorted(wanted) if is_run else [])
        assert {track["origin"] for track in frame["tracks"]} <= {"detected"}


def test_run_on_its_own_detections_has_the_same_tracks(table_clip: Path, tmp_path: Path) -> None:
    flags = ("--start", 3.2, "--max-frames", 60, "--detect-every", 3, "--tracker", "kalman", "--with-detections")
    first = run_frames(table_clip, tmp_path / "first.jsonl", *flags)
    second, third = (
        run_frames(table_clip, tmp_path / f"{name}.jsonl", *flags, "--detector", f"replay,path={tmp_path / path}")
        for name, path in (("second", "first.jsonl"), ("third", "second.jsonl"))
    )
    assert second == third  # once boxes and scores are the rounded ones of a file, nothing changes any more
    assert sum(len(frame["tracks"]) for frame in first) > 60
    assert [frame["frame"] for frame in first] == [frame["frame"] for frame in second]
    for one, other in zip(first, second, strict=True):
        assert list(one["detections"].values()) == list(other["detections"].values())
        for key in ("id", "class", "origin", "state", "unseen"):
            assert [track[key] for track in one["tracks"]] == [track[key] for track in other["tracks"]]
        for track, again in zip(one["tracks"], other["tracks"], strict=True):
            assert again["box"] == pytest.approx(track["box"], abs=0.05)
            assert again["score"] == track["score"]


def test_replay_at_frames_that_were_not_looked_at_goes_on_and_says_so(
    table_clip: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = written_lines(tmp_path / "in.jsonl", LINES)
    frames = run_frames(
        table_clip, tmp_path / "out.jsonl", "--max-frames", 4, "--detector", f"replay,path={path},every=1"
    )
    assert [frame["runs"][0]["status"] for frame in frames] == ["ok", "failed", "failed", "ok"]
    assert ") failed on 2 frames: frame 2: DetectorError: " in capfd.readouterr().err


@pytest.mark.shared
@pytest.mark.parametrize("name", ["coffee", "cups"])
def test_truth_of_a_real_clip_lies_on_its_pictures(shared_data: Path, name: str) -> None:
    folder = shared_data / name
    truth = np.loadtxt(folder / "gt/gt.txt", delimiter=",")
    detector = replay(folder)
    assert detector.classes[0] == HAND
    shown = [found_on(detector, index, (1280, 720)) for index in range(250)]
    assert sum(map(len, shown)) == np.count_nonzero((truth[:, 0] <= 250) & (truth[:, 6] != 0))
    assert shown[0].xyxy[0] == pytest.approx(2 * np.array([*truth[0, 2:4], *(truth[0, 2:4] + truth[0, 4:6])]))


@pytest.mark.shared
def test_detections_of_a_real_sequence_are_shown_with_their_scores(shared_data: Path) -> None:
    path = shared_data / "mot/TUD-Campus/det/det.txt"
    rows = np.loadtxt(path, delimiter=",")
    detector = replay(path, **{"class": "person"})
    shown = [found_on(detector, index) for index in range(71)]
    assert [len(one) for one in shown] == [np.count_nonzero(rows[:, 0] == number) for number in range(1, 72)]
    assert shown[0].score == pytest.approx(rows[rows[:, 0] == 1, 6])
