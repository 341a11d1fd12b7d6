from __future__ import annotations

import json
from pathlib import Path

import pytest

from hybridtrack.bench.truth import first_frames
from hybridtrack.cli import exit_code
from hybridtrack.errors import TrackFileError
from hybridtrack.mot_file import read_sequence
from hybridtrack.track_file import read_tracks
from tests.bench.conftest import COUNT


def test_truth_of_no_more_frames_is_taken_as_it_is(boxes: Path, tmp_path: Path) -> None:
    assert first_frames(boxes, COUNT, tmp_path / "cut") == boxes
    assert first_frames(boxes, COUNT + 1, tmp_path / "cut") == boxes
    assert not (tmp_path / "cut").exists()


def test_truth_is_cut_at_the_last_frame_that_was_run(boxes: Path, tmp_path: Path) -> None:
    whole, cut = read_sequence(boxes), read_sequence(first_frames(boxes, 5, tmp_path / "cut"))
    assert (cut.frame_count, cut.size_px, cut.fps) == (5, (640, 360), 30)
    assert cut.class_names == {1: "hand"}
    assert cut.rows.frame_index.tolist() == [0, 1, 2, 3, 4]
    assert cut.rows.xyxy.tolist() == whole.rows.xyxy[:5].tolist()


def test_text_alone_is_cut_too(tmp_path: Path) -> None:
    text = tmp_path / "gt.txt"
    text.write_text("3,1,0,0,5,5\n1,1,0,0,6,6\n\n2,1,0,0,7,7\n")
    assert first_frames(text, 3, tmp_path / "cut") == text
    cut = read_sequence(first_frames(text, 2, tmp_path / "cut"))
    assert (cut.frame_count, cut.size_px, cut.class_names) == (2, None, {})
    assert cut.rows.xyxy[:, 2].tolist() == [6, 7]


def test_track_file_is_cut_too(boxes: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole.jsonl"
    source, detector = f"blank:640x360@30:{COUNT}", f"replay,path={boxes}"
    assert exit_code(["run", source, "--detector", detector, "--tracker", "hold", "--json", str(whole)]) == 0
    assert first_frames(whole, COUNT, tmp_path / "cut") == whole
    cut = first_frames(whole, 5, tmp_path / "cut")
    with read_tracks(cut) as tracks:
        assert [frame.frame_index for frame in tracks] == [0, 1, 2, 3, 4]
    assert cut.read_text().splitlines() == whole.read_text().splitlines()[:6]


def test_what_is_no_truth_is_refused(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    results.write_text(json.dumps([]))
    with pytest.raises(TrackFileError, match=r"results\.json' is no truth: give a MOTChallenge folder"):
        first_frames(results, 5, tmp_path / "cut")
