from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hybridtrack.bench.measurement import STAGES, decode, track
from hybridtrack.bench.mode import DETECT_ONLY, Conditions, Mode
from hybridtrack.cadence import Cadence
from hybridtrack.config import parse_detectors
from hybridtrack.errors import DetectorError, SourceError
from hybridtrack.track_file import read_tracks
from hybridtrack.types import FrameResult
from tests.bench.conftest import BLANK, COUNT

KALMAN = Mode(name="kalman", tracker="kalman", detect_every=Cadence(frames=5))


@pytest.mark.parametrize("overlap", [True, False])
def test_run_goes_the_whole_way_and_reads_the_clocks(conditions: Conditions, tmp_path: Path, overlap: bool) -> None:
    seen: list[FrameResult] = []
    run = track(BLANK, KALMAN, conditions, tmp_path / "0.jsonl", overlap=overlap, on_frame=seen.append)
    assert [result.frame_index for result in seen] == list(range(COUNT))  # the warm-up is not among them
    assert run.times.frames == COUNT
    assert run.times.wall_s > 0
    assert tuple(run.stage_ms) == STAGES
    assert min(run.stage_ms.values()) >= 0
    assert run.shown.has_run == [index % 5 == 0 for index in range(COUNT)]
    assert [len(xyxy) for xyxy in run.shown.xyxy] == [1] * COUNT
    with read_tracks(tmp_path / "0.jsonl") as tracks:
        assert sum(len(frame.tracks) for frame in tracks) == COUNT


def test_run_ends_where_the_comparison_does(conditions: Conditions, tmp_path: Path) -> None:
    run = track(BLANK, DETECT_ONLY, replace(conditions, max_frames=7), tmp_path / "0.jsonl")
    assert run.times.frames == 7
    assert decode(BLANK, 7).frames == 7
    assert decode(BLANK, None).frames == COUNT


def test_smaller_pictures_show_boxes_in_pixels_of_the_source(conditions: Conditions, tmp_path: Path) -> None:
    half = Mode(name="1/2 size", tracker="none", detect_every=Cadence(frames=1), shrink=2)
    whole = track(BLANK, DETECT_ONLY, conditions, tmp_path / "0.jsonl")
    small = track(BLANK, half, conditions, tmp_path / "1.jsonl")
    assert np.allclose(np.concatenate(small.shown.xyxy), np.concatenate(whole.shown.xyxy))


def test_detector_of_a_rival_takes_the_place_of_the_others(conditions: Conditions, tmp_path: Path) -> None:
    (tmp_path / "nothing.txt").write_text("")
    rival = Mode(
        name="rival",
        tracker="none",
        detect_every=Cadence(frames=1),
        detectors=parse_detectors((f"replay,path={tmp_path / 'nothing.txt'}",)),
    )
    run = track(BLANK, rival, conditions, tmp_path / "0.jsonl")
    assert sum(map(len, run.shown.xyxy)) == 0
    assert all(run.shown.has_run)


def test_run_whose_detector_fails_is_no_comparison(boxes: Path, tmp_path: Path) -> None:
    (boxes / "seqinfo.ini").write_text("[Sequence]\nseqLength=20\nimWidth=640\nimHeight=360\n")
    short = Conditions(detectors=parse_detectors((f"replay,path={boxes}",)))
    with pytest.raises(DetectorError, match=r"cannot compare modes on 'blank:.*': none every frame: runs failed of"):
        track(BLANK, DETECT_ONLY, short, tmp_path / "0.jsonl")


def test_source_that_is_missing_is_refused(conditions: Conditions, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none\.mp4"):
        track("none.mp4", DETECT_ONLY, conditions, tmp_path / "0.jsonl")
