from __future__ import annotations

import numpy as np
import pytest

from hybridtrack.sinks.table import create_table
from hybridtrack.types import Event, Frame, FrameResult, RunSummary, Tracks
from tests.sinks.results import run_info


def printed(summary: RunSummary, capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    """Return the words of each line that the table prints."""
    sink = create_table({})
    sink.open(run_info())
    sink.close(summary)
    captured = capsys.readouterr()
    assert captured.err == ""
    return [line.split() for line in captured.out.splitlines()]


def summary(**changes: object) -> RunSummary:
    values: dict[str, object] = {
        "frames": 287,
        "dropped": 0,
        "seconds": 1.214,
        "detector_runs": {"hand": 96, "mug[0]": 10},
        "failures": {},
        "stage_ms": {},
        "track_count": 2,
        "complete": True,
    }
    return RunSummary(**(values | changes))  # type: ignore[arg-type]


def test_table_has_tracks_seconds_runs_and_rate(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(summary(), capsys) == [
        ["frames", "287"],
        ["tracks", "2"],
        ["seconds", "1.21"],
        ["runs", "of", "hand", "96"],
        ["runs", "of", "mug[0]", "10"],
        ["frames", "per", "second", "236.4"],
    ]


def test_table_says_how_much_work_was_saved(capsys: pytest.CaptureFixture[str]) -> None:
    told = summary(frames=300, detector_runs={"hand": 100}, stage_ms={"detect": 4.0, "track": 1.0, "write": 1.0})
    assert printed(told, capsys)[-1] == ["detecting", "on", "every", "frame", "about", "2.2", "×", "the", "work"]


def test_table_says_what_was_unusual(capsys: pytest.CaptureFixture[str]) -> None:
    note = "truncated: [3] " + "x" * 100
    lines = printed(summary(dropped=4, failures={"hand": 2}, complete=False, notes=(note, "second")), capsys)
    assert ["frames", "287", "(4", "dropped)"] in lines
    assert ["runs", "of", "hand", "96", "(2", "failed)"] in lines
    assert lines[-3:] == [["complete", "no"], note.split(), ["second"]]


def test_run_without_frames_has_a_rate_of_zero(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(summary(frames=0, seconds=0.0, detector_runs={}), capsys)
    assert lines[-1] == ["frames", "per", "second", "0.0"]


def test_table_says_how_long_tracks_were_in_zones(capsys: pytest.CaptureFixture[str]) -> None:
    sink = create_table({})
    sink.open(run_info())
    frame = Frame.from_array(np.zeros((2, 2), np.uint8))
    for time_s, kind in ((1.0, "enter"), (3.5, "leave")):
        happened = Event(kind=kind, time_s=time_s, subject=7, zone="tray")
        sink.write(
            frame,
            FrameResult(
                frame_index=0, time_s=time_s, runs=(), detections={}, tracks=Tracks.empty(), events=(happened,)
            ),
        )
    sink.close(summary())
    assert ["track", "7", "in", "tray", "2.50", "s"] in [line.split() for line in capsys.readouterr().out.splitlines()]
