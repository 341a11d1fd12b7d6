"""Figures of files: what of them counts, and that they are those of the independent scorer."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hybridtrack.errors import TrackFileError, UsageError
from hybridtrack.evaluate import Scores, evaluate
from hybridtrack.mot_file import read_sequence
from hybridtrack.types import Box
from tests.evaluate.clip import write_tracks, write_truth
from tests.evaluate.files import TrackText, write_folder, write_text

A: Box = (0, 0, 20, 20)
B: Box = (50, 50, 70, 70)
A_ROW, B_ROW = (0, 0, 20, 20), (50, 50, 20, 20)  #: left, top, width, height

#: the names that the scorer gives, those of ours, and the factor between
SCORER_NAMES = {
    "HOTA": ("hota", 100),
    "DetA": ("det_a", 100),
    "AssA": ("ass_a", 100),
    "LocA": ("loc_a", 100),
    "MOTA": ("mota", 100),
    "IDF1": ("idf1", 100),
    "IDSW": ("id_switches", 1),
    "filled_F1": ("filled_f1", 1),
    "AP50": ("ap50", 1),
    "AP75": ("ap75", 1),
    "frames": ("frames", 1),
    "frames_with_run": ("frames_with_run", 1),
}


@pytest.fixture
def clip(tmp_path: Path) -> tuple[Path, Path]:
    """The track file and the truth's folder of the clip that has everything."""
    write_truth(tmp_path / "clip")
    write_tracks(tmp_path / "clip.jsonl")
    return tmp_path / "clip.jsonl", tmp_path / "clip"


def assert_as_scored(ours: Scores, scored: dict[str, Any]) -> None:
    assert scored.keys() == SCORER_NAMES.keys()
    own = {name: getattr(ours, field) for name, (field, _) in SCORER_NAMES.items()}
    for name, (_, factor) in SCORER_NAMES.items():
        assert own[name] * factor == pytest.approx(scored[name], abs=0.0101), name


@pytest.mark.parametrize("class_name", ["hand", "mug"])
def test_figures_are_those_of_the_independent_scorer(clip: tuple[Path, Path], root: Path, class_name: str) -> None:
    """Stored is what score.py printed of these files, with --class."""
    scored = json.loads((root / "tests/golden/evaluate/scorer.json").read_text())[class_name]
    assert_as_scored(evaluate([clip], class_name=class_name).combined, scored)
    assert_as_scored(evaluate([clip]).classes[class_name], scored)


@pytest.mark.shared
@pytest.mark.parametrize(("class_name", "names"), [("hand", ["coffee", "table_demo"]), ("mug", ["table_demo"])])
def test_figures_are_those_that_the_scorer_prints_now(
    clip: tuple[Path, Path], shared_data: Path, root: Path, tmp_path: Path, class_name: str, names: list[str]
) -> None:
    """Needs the environment of ``make oracle``. The truth of real clips, shifted and with gaps, stands for tracks."""
    python = root / ".cache/oracle/bin/python"
    if not python.exists():
        pytest.skip(f"needs {python}, which make oracle makes")
    folders = [shared_data / name for name in names]
    pairs = [clip, *((shaken_truth(folder, tmp_path / f"{folder.name}.jsonl"), folder) for folder in folders)]
    words = [str(path) for pair in pairs for path in pair]
    command = [str(python), str(shared_data.parent / "tools/score.py"), *words, "--class", class_name]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert_as_scored(evaluate(pairs, class_name=class_name).combined, json.loads(done.stdout))


def shaken_truth(folder: Path, path: Path) -> Path:
    """Write tracks that are the truth, a little off, without every seventh box, under other ids from half way on."""
    sequence = read_sequence(folder)
    assert sequence.frame_count is not None
    assert sequence.size_px is not None
    names, rows = sequence.class_names, sequence.rows
    tracks = []
    for number, (frame, track_id, class_id, xyxy) in enumerate(
        zip(rows.frame_index.tolist(), rows.track_id.tolist(), rows.class_id.tolist(), rows.xyxy, strict=True)
    ):
        if number % 7:
            box = (xyxy + np.array([number % 5, number % 3, number % 11, 0])).tolist()
            tracks.append((frame, track_id + 100 * (2 * frame > sequence.frame_count), names[class_id], tuple(box)))
    return TrackText(
        frames=sequence.frame_count,
        tracks=tracks,
        classes={name: name for name in names.values()},
        runs={name: range(0, sequence.frame_count, 3) for name in names.values()},
        seen=[(frame, name, box, 0.5 + 0.01 * (frame % 50)) for frame, _, name, box in tracks],
        size=sequence.size_px,
    ).write(path)


def test_tracks_in_the_truth_s_place_are_perfect(clip: tuple[Path, Path]) -> None:
    _, truth = clip
    evaluation = evaluate([(truth, truth)])
    for scores in (evaluation.combined, evaluation.sequences["clip"], *evaluation.classes.values()):
        assert (scores.hota, scores.mota, scores.idf1, scores.id_switches, scores.never_seen) == (1, 1, 1, 0, 0)
        assert scores.jitter == scores.truth_jitter
    assert list(evaluation.classes) == ["hand", "mug"]
    assert evaluation.combined.delay_s == 0
    assert evaluation.combined.frames_with_run is evaluation.combined.filled_f1 is None


def test_another_run_can_be_the_truth(clip: tuple[Path, Path], tmp_path: Path) -> None:
    tracks, _ = clip
    combined = evaluate([(tracks, tracks)]).combined
    assert (combined.hota, combined.idf1, combined.id_switches) == (1, 1, 0)
    other = TrackText(frames=4, tracks=[(i, 1, "hand", A) for i in range(4)]).write(tmp_path / "n1.jsonl")
    held = TrackText(frames=4, tracks=[(i, 8, "hand", A) for i in (0, 1)]).write(tmp_path / "n3.jsonl")
    evaluation = evaluate([(held, other)])
    assert evaluation.combined.hota == pytest.approx(0.5)
    assert list(evaluation.sequences) == ["n1"]


def test_sequences_are_combined_by_their_counts_and_keep_their_own(tmp_path: Path) -> None:
    """Nine boxes of ten are found in one, one of one in the other: MOTA is 10/11 of all, not the mean."""
    long = write_folder(tmp_path / "long", [(i + 1, 1, *A_ROW, 1, 1, 1) for i in range(10)])
    short = write_folder(tmp_path / "short", [(1, 1, *A_ROW, 1, 1, 1)], length=1)
    first = TrackText(frames=10, tracks=[(i, 1, "hand", A) for i in range(9)], runs={"hand": [0]})
    second = TrackText(frames=1, tracks=[(0, 1, "hand", A)], runs={"hand": [0]})
    pairs = [(first.write(tmp_path / "a.jsonl"), long), (second.write(tmp_path / "b.jsonl"), short)]
    evaluation = evaluate(pairs)
    assert evaluation.combined.mota == pytest.approx(10 / 11)
    assert {name: scores.mota for name, scores in evaluation.sequences.items()} == {"long": 0.9, "short": 1}
    assert (evaluation.combined.frames, evaluation.combined.frames_with_run, evaluation.combined.objects) == (11, 2, 2)
    assert evaluation.classes["hand"] == evaluation.combined


def test_sequences_of_one_name_are_told_apart(clip: tuple[Path, Path]) -> None:
    assert list(evaluate([clip, clip, clip]).sequences) == ["clip", "clip 2", "clip 3"]


def test_classes_never_match_each_other_and_share_their_frames(tmp_path: Path) -> None:
    rows = [(i + 1, 1, *A_ROW, 1, 1, 1) for i in range(4)] + [(i + 1, 2, *B_ROW, 1, 2, 1) for i in range(4)]
    truth = write_folder(tmp_path / "t", rows, classes="1 hand\n2 mug\n", length=4)
    tracks = TrackText(
        frames=4,
        tracks=[row for i in range(4) for row in ((i, 1, "hand", A), (i, 2, "hand", B))],
        classes={"hand": "hand", "mug": "mug"},
        runs={"hand": [0, 2], "mug": [2, 3]},
    ).write(tmp_path / "t.jsonl")
    evaluation = evaluate([(tracks, truth)])
    assert (evaluation.classes["hand"].mota, evaluation.classes["mug"].mota) == (0, 0)
    assert evaluation.combined.mota == 0  # 4 found, 4 false alarms, 4 missed
    assert evaluation.combined.frames == 4
    assert (evaluation.classes["hand"].frames_with_run, evaluation.classes["mug"].frames_with_run) == (2, 2)
    assert evaluation.combined.frames_with_run == 3
    assert evaluation.classes["hand"].filled_f1 == pytest.approx(2 / 3)
    assert evaluation.classes["mug"].filled_f1 == 0


def test_classes_of_one_identity_count_as_one_and_others_not_at_all(tmp_path: Path) -> None:
    truth = write_folder(
        tmp_path / "t", [(i + 1, 1, *A_ROW, 1, 1, 1) for i in range(4)], classes="1 mug\n2 box\n", length=4
    )
    tracks = TrackText(
        frames=4,
        tracks=[(0, 1, "mug", A), (1, 1, "cup", A), (2, 1, "cup", A), (2, 2, "bottle", B), (3, 1, "glass", A)],
        classes={"mug": "mug", "cup": "mug", "bottle": "bottle"},
        runs={"cup": [1]},
    ).write(tmp_path / "t.jsonl")
    evaluation = evaluate([(tracks, truth)])
    assert list(evaluation.classes) == ["mug"]
    assert (evaluation.combined.mota, evaluation.combined.frames_with_run) == (0.75, 1)
    assert any("left out" in note and note.endswith(": box") for note in evaluation.notes)
    assert evaluate([(tracks, truth)], class_name="mug").combined == evaluation.combined


@pytest.mark.parametrize(
    ("box", "region", "expected"),
    [
        ((50, 50, 70, 70), (50, 50, 20, 20), 1),  # in the region
        ((50, 50, 70, 70), (50, 50, 11, 20), 1),  # more than half of it
        ((50, 50, 70, 70), (50, 50, 10, 20), 0),  # half of it
        ((0, 0, 20, 20), (0, 0, 20, 20), 1),  # matches, so it counts: as right
    ],
)
def test_what_lies_in_an_ignored_region_is_no_false_alarm(
    tmp_path: Path, box: Box, region: tuple[float, ...], expected: float
) -> None:
    truth = write_folder(tmp_path / "t", [(1, 1, *A_ROW, 1, 1, 1), (1, 2, *region, 0, 1, 1)], length=1)
    other = [(0, 1, "hand", A)] if box != A else []
    tracks = TrackText(frames=1, tracks=[*other, (0, 2, "hand", box)]).write(tmp_path / "t.jsonl")
    assert evaluate([(tracks, truth)]).combined.mota == expected


def test_rows_of_the_challenge_of_2015_excuse_nothing(tmp_path: Path) -> None:
    """Its own evaluation leaves boxes of confidence 0 out of the truth, and counts tracks on them as false alarms."""
    truth = write_folder(
        tmp_path / "t", [(1, 1, *A_ROW, 1, -1, -1, -1), (1, 2, *B_ROW, 0, -1, -1, -1)], classes=None, length=1
    )
    tracks = write_text(tmp_path / "t.txt", [(1, 4, *A_ROW, 1, -1, -1, -1), (1, 5, *B_ROW, 0.9, -1, -1, -1)])
    evaluation = evaluate([(tracks, truth)])
    assert (evaluation.combined.mota, list(evaluation.classes)) == (0, ["object"])
    assert list(evaluate([(tracks, truth)], class_name="pedestrian").classes) == ["pedestrian"]


def test_tracks_that_are_not_confirmed_are_not_there(tmp_path: Path) -> None:
    truth = write_folder(tmp_path / "t", [(1, 1, *A_ROW, 1, 1, 1)], length=1)
    shown = [(0, 1, "hand", A), (0, 2, "hand", A, "tentative"), (0, 3, "hand", B, "lost")]
    tracks = TrackText(frames=1, tracks=shown).write(tmp_path / "t.jsonl")
    assert evaluate([(tracks, truth)]).combined.mota == 1


def test_tracks_are_scaled_to_the_truth_s_pixels(tmp_path: Path) -> None:
    truth = write_folder(tmp_path / "t", [(i + 1, 1, *A_ROW, 1, 1, 1) for i in range(3)], length=3)
    tracks = TrackText(frames=3, tracks=[(i, 1, "hand", (0, 0, 60, 60)) for i in range(3)], size=(300, 300))
    assert evaluate([(tracks.write(tmp_path / "t.jsonl"), truth)]).combined.loc_a == 1
    text = write_text(tmp_path / "t.txt", [(1, 1, *A_ROW)])
    assert any("taken to be in the truth's pixels" in note for note in evaluate([(text, truth)]).notes)


def test_precision_of_raw_detections_needs_them(tmp_path: Path) -> None:
    """Two of three boxes are right: the best and the last. AP50 = 51/101 at precision 1 + 50/101 at 2/3."""
    truth = write_folder(tmp_path / "t", [(i + 1, 1, *A_ROW, 1, 1, 1) for i in range(4)], length=4)
    looks = TrackText(
        frames=4,
        runs={"hand": [0, 2]},
        seen=[(0, "hand", A, 0.9), (0, "hand", B, 0.8), (2, "hand", (0, 0, 20, 14), 0.7)],
    )
    combined = evaluate([(looks.write(tmp_path / "t.jsonl"), truth)]).combined
    assert combined.ap50 == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert combined.ap75 == pytest.approx(51 / 101)  # the last has an IoU of .7
    blind = replace(looks, seen=[]).write(tmp_path / "blind.jsonl")
    assert evaluate([(blind, truth)]).combined.ap50 == 0
    without = evaluate([(replace(looks, seen=None).write(tmp_path / "none.jsonl"), truth)])
    assert (without.combined.ap50, without.combined.ap75) == (None, None)
    assert any("run --with-detections" in note for note in without.notes)


def test_precision_without_its_package_is_absent_and_says_how_to_get_it(
    clip: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "faster_coco_eval", None)
    evaluation = evaluate([clip])
    assert evaluation.combined.ap50 is None
    assert evaluation.combined.hota > 0.5
    assert "AP50 and AP75 need faster-coco-eval: pip install 'hybridtrack[evaluate]'" in evaluation.notes


def test_delay_and_jitter_go_by_the_times_of_the_track_file(tmp_path: Path) -> None:
    """The hand comes on frame 2, is visible from 3 and seen from 5; it shakes by 2 px of 20 at 10 frames a second."""
    rows = [(i + 1, 1, *A_ROW, 1, 1, 0.9 if i >= 3 else 0.1) for i in range(2, 10)]
    truth = write_folder(tmp_path / "t", rows, fps=None)
    shaken = [(i, 1, "hand", (2.0 * (i % 2), 0, 20 + 2.0 * (i % 2), 20)) for i in range(5, 10)]
    tracks = TrackText(frames=10, tracks=shaken).write(tmp_path / "t.jsonl")
    combined = evaluate([(tracks, truth)]).combined
    assert combined.delay_s == pytest.approx(0.2)
    assert combined.jitter is None  # 3 values, and 3 more of frames without a box
    late = write_folder(tmp_path / "late", [row for row in rows if row[0] > 4], fps=None)
    assert evaluate([(tracks, late)]).combined.jitter == pytest.approx(2 * 2 * 100 / 20)
    text = write_text(tmp_path / "t.txt", [(i + 1, 1, *A_ROW) for i in range(5, 10)])
    assert evaluate([(text, truth)]).combined.delay_s is None
    timed = write_folder(tmp_path / "timed", rows, fps=20)
    assert evaluate([(text, timed)]).combined.delay_s == pytest.approx(0.1)


def test_frames_that_a_live_run_dropped_have_a_time_between_their_neighbours(tmp_path: Path) -> None:
    tracks = TrackText(frames=8, tracks=[(i, 1, "hand", A) for i in (6, 7)]).write(tmp_path / "t.jsonl")
    lines = tracks.read_bytes().splitlines(keepends=True)
    tracks.write_bytes(b"".join(lines[:1] + lines[1:3] + lines[6:]))  # without frames 2 to 4
    truth = write_folder(tmp_path / "t", [(i + 1, 1, *A_ROW, 1, 1, 1) for i in range(3, 8)], length=8)
    assert evaluate([(tracks, truth)]).combined.delay_s == pytest.approx(0.3)


def test_truth_beyond_the_end_of_the_tracks_is_missed_and_said_to_be(tmp_path: Path) -> None:
    truth = write_folder(tmp_path / "t", [(i + 1, 1, *A_ROW, 1, 1, 1) for i in range(10)])
    tracks = TrackText(frames=4, tracks=[(i, 1, "hand", A) for i in range(4)]).write(tmp_path / "t.jsonl")
    evaluation = evaluate([(tracks, truth)])
    assert evaluation.combined.mota == pytest.approx(0.4)
    assert "t: the tracks end after 4 of 10 frames; what is true on the rest counts as missed" in evaluation.notes
    longer = TrackText(frames=14, tracks=[(i, 1, "hand", A) for i in range(14)]).write(tmp_path / "t.jsonl")
    evaluation = evaluate([(longer, truth)])
    assert (evaluation.combined.mota, evaluation.combined.frames) == (1, 10)
    assert any("were left out" in note for note in evaluation.notes)


def test_boxes_without_an_area_match_nothing(tmp_path: Path) -> None:
    rows = [(i + 1, 1, *A_ROW, 1, 1, 1) for i in range(3)] + [(i + 1, 2, *B_ROW, 0, 1, 1) for i in range(3)]
    truth = write_folder(tmp_path / "t", rows, length=3)
    tracks = write_text(
        tmp_path / "t.txt", [row for i in range(3) for row in ((i + 1, 1, 5, 5, 0, 4), (i + 1, 2, 60, 60, -3, 2))]
    )
    combined = evaluate([(tracks, truth)]).combined
    assert (combined.mota, combined.hota, combined.jitter) == (-2, 0, None)
    flat = write_folder(tmp_path / "flat", [(i + 1, 1, 5, 5, 0, 4, 1, 1, 1) for i in range(3)], length=3)
    assert evaluate([(tracks, flat)]).combined.truth_jitter is None


def test_nothing_true_and_nothing_tracked_are_figures_too(tmp_path: Path) -> None:
    truth = write_folder(tmp_path / "t", [])
    tracks = TrackText(frames=10, runs={"hand": [0]}, seen=[]).write(tmp_path / "t.jsonl")
    combined = evaluate([(tracks, truth)]).combined
    assert (combined.hota, combined.mota, combined.idf1, combined.objects, combined.frames) == (0, 0, 0, 0, 10)
    assert (combined.ap50, combined.jitter, combined.delay_s, combined.filled_f1) == (None,) * 4
    assert asdict(combined)["frames_with_run"] == 1


def refuse(tmp_path: Path, name: str) -> tuple[Path, Path]:
    """Return a pair that cannot be evaluated."""
    truth = write_folder(tmp_path / "t", [(1, 1, *A_ROW, 1, 1, 1)], length=2)
    text = TrackText(frames=2, tracks=[(0, 1, "hand", A)])
    tracks = text.write(tmp_path / "t.jsonl")
    match name:
        case "no tracks":
            return tmp_path / "none.jsonl", truth
        case "no truth":
            return tracks, tmp_path / "none"
        case "no text in the folder":
            (tmp_path / "empty").mkdir()
            return tracks, tmp_path / "empty"
        case "foreign":
            return write_bytes(tmp_path / "clip.mp4", b"\0\0\0 ftypisom"), truth
        case "coco":
            return write_bytes(tmp_path / "boxes.json", b"[]"), truth
        case "cut":
            return write_bytes(tracks, tracks.read_bytes()[:-9]), truth
        case "empty":
            return write_bytes(tracks, b""), truth
        case "detections":
            return write_text(tmp_path / "det.txt", [(1, -1, *A_ROW, 0.9)]), truth
        case "size":
            return replace(text, size=(160, 90)).write(tracks), truth
        case "twice":
            return write_text(tmp_path / "twice.txt", [(2, 7, *A_ROW), (2, 7, *B_ROW)]), truth
        case "too long":
            return tracks, write_folder(tmp_path / "long", [(3, 1, *A_ROW, 1, 1, 1)], length=2)
        case "no common class":
            return replace(text, tracks=[(0, 1, "mug", A)], classes={"mug": "cup"}).write(tracks), truth
        case "which class":
            rows = [(1, 1, *A_ROW, 1, 1, 1), (1, 2, *B_ROW, 1, 2, 1)]
            several = write_folder(tmp_path / "several", rows, classes="1 hand\n2 mug\n", length=2)
            return write_text(tmp_path / "t.txt", [(1, 1, *A_ROW)]), several
    raise AssertionError(name)


def write_bytes(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no tracks", r"cannot read '.*none\.jsonl': No such file or directory"),
        ("no truth", r"cannot read '.*none': No such file or directory"),
        ("no text in the folder", r"no MOTChallenge text in '.*empty': expected one of"),
        ("foreign", r"'.*clip\.mp4' begins with b'.*': expected a track file"),
        ("coco", r"'.*boxes\.json' has detections, no tracks: expected a track file"),
        ("cut", r"'.*t\.jsonl' ends in the middle of a line: its run was cut off"),
        ("empty", r"the track file '.*t\.jsonl' is empty"),
        ("detections", r"'.*det\.txt' has boxes without an id \(-1\): it has detections, no tracks"),
        ("size", r"'.*t\.jsonl' is of 160x90 pixels, '.*t' of 100x100: not the same picture"),
        ("twice", r"'.*twice\.txt' has id 7 twice on frame 2"),
        ("too long", r"'.*long' has frame 3, but its sequence has 2 frames"),
        ("no common class", r"'.*t' has hand, '.*t\.jsonl' has cup: no class in common"),
        ("which class", r"'.*t\.txt' does not say which class it has: name it, one of hand, mug"),
    ],
)
def test_files_that_cannot_be_compared_are_refused_in_one_line(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises((TrackFileError, UsageError), match=message) as refused:
        evaluate([refuse(tmp_path, name)])
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("asked", "nearest"), [("hnad", "hand"), ("mugs", "mug")])
def test_class_that_is_not_there_names_the_nearest(clip: tuple[Path, Path], asked: str, nearest: str) -> None:
    with pytest.raises(UsageError, match=f"unknown class '{asked}'; known: hand, mug; did you mean '{nearest}'"):
        evaluate([clip], class_name=asked)


def test_class_that_tracks_alone_lack_is_refused_unless_their_classes_are_open(tmp_path: Path) -> None:
    truth = write_folder(tmp_path / "t", [(1, 1, *A_ROW, 1, 1, 1)], classes="1 mug\n", length=1)
    closed = TrackText(frames=1).write(tmp_path / "closed.jsonl")
    with pytest.raises(UsageError, match=r"closed\.jsonl': unknown class 'mug'; known: hand"):
        evaluate([(closed, truth)], class_name="mug")
    opened = TrackText(frames=1, open_classes=True).write(tmp_path / "open.jsonl")
    assert evaluate([(opened, truth)], class_name="mug").combined.mota == 0
    assert list(evaluate([(opened, truth)]).classes) == ["mug"]


def test_no_pair_at_all_is_refused() -> None:
    with pytest.raises(UsageError, match="nothing to evaluate"):
        evaluate([])
