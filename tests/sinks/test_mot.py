from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hybridtrack.sinks.mot import MotSink, mot_lines
from hybridtrack.types import Frame, Tracks, TrackState
from tests.sinks.results import result_of, run_info, run_summary, tracks_at


def frame_at(index: int) -> Frame:
    return Frame.from_array(np.zeros((4, 4, 3), np.uint8), index=index, time_s=index / 30)


def test_line_has_the_frame_from_one_and_left_top_width_height() -> None:
    result = result_of(frame_at(0), tracks_at([(31.53, 80.25, 140.0, 201.75), (-3, 0, 5, 8)]))
    assert mot_lines(result) == (
        "1,1,31.53,80.25,108.47,121.50,0.9000,-1,-1,-1\n1,2,-3.00,0.00,8.00,8.00,0.9000,-1,-1,-1\n"
    )


@pytest.mark.parametrize("state", [TrackState.TENTATIVE, TrackState.LOST])
def test_only_confirmed_tracks_have_lines(state: TrackState) -> None:
    assert mot_lines(result_of(frame_at(0), tracks_at([(1, 2, 3, 4)], state=state))) == ""


def test_file_grows_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "tracks.txt"
    sink = MotSink(path)
    sink.open(run_info())
    assert path.read_text() == ""
    sink.write(frame_at(0), result_of(frame_at(0), Tracks.empty()))
    sink.write(frame_at(4), result_of(frame_at(4), tracks_at([(1, 2, 3, 4)])))
    assert path.read_text() == "5,1,1.00,2.00,2.00,2.00,0.9000,-1,-1,-1\n"
    sink.close(run_summary())
    assert path.read_text() == "5,1,1.00,2.00,2.00,2.00,0.9000,-1,-1,-1\n"
