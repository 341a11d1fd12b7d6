"""Rows of another library's tracker as a track file that the scorer reads."""

from __future__ import annotations

from pathlib import Path

from hybridtrack.track_file import read_tracks
from hybridtrack.wire import FrameLine, header_line
from tests.benchmarks.peers.accuracy import Clip
from tests.benchmarks.peers.hands import Recording, write_rows
from tests.sinks.results import run_info


def test_rows_stand_on_their_frames_and_runs_on_every_nth(tmp_path: Path) -> None:
    lines = [
        FrameLine(frame_index=i, time_s=i / 30, runs=[], tracks=[], relations=[], events=[], detections={})
        for i in range(5)
    ]
    recording = Recording(tmp_path, header_line(run_info()), lines, Clip("clip", 30.0, (64, 48), [[]] * 5))
    file = tmp_path / "tracks.jsonl"
    write_rows(recording, [(1, 7, 1.0, 2.0, 3.0, 4.0), (2, 7, 2.0, 2.0, 4.0, 4.0)], file, every=3, phase=1)
    with read_tracks(file) as tracks:
        assert tracks.header.source.width_px == 64
        found = list(tracks)
    assert [len(line.runs) for line in found] == [0, 1, 0, 0, 1]
    assert [[(row.track_id, row.xyxy) for row in line.tracks] for line in found] == [
        [],
        [(7, (1.0, 2.0, 3.0, 4.0))],
        [(7, (2.0, 2.0, 4.0, 4.0))],
        [],
        [],
    ]
