from __future__ import annotations

import re
import runpy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hybridtrack.boxes import iou
from hybridtrack.track_file import read_tracks

SHOWN_ROW = re.compile(r"(?P<time>\d+\.\d{3}) s  (?P<name>\w+) (?P<id>\d+)  \[(?P<box>[-\d, ]+)\](  (?P<origin>\w+))?")


@pytest.fixture
def run_example(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str, Path], list[str]]:
    """Run an example as a program with one argument; return the lines that it prints."""

    def run(name: str, argument: Path) -> list[str]:
        monkeypatch.setattr("sys.argv", [name, str(argument)])
        runpy.run_path(str(root / "examples" / name), run_name="__main__")
        return capsys.readouterr().out.splitlines()

    return run


def test_loop_over_a_video_prints_every_hand_on_every_frame(
    run_example: Callable[[str, Path], list[str]], table_clip: Path
) -> None:
    rows = [SHOWN_ROW.fullmatch(line) for line in run_example("loop_over_video.py", table_clip)]
    assert all(rows)
    times = {row["time"] for row in rows if row}
    origins = {row["origin"] for row in rows if row}
    assert {row["name"] for row in rows if row} == {"hand"}
    assert len(times) > 250  # of 314 frames with a hand in the picture
    assert {"detected", "tracked"} <= origins


def test_plain_function_is_tracked_beside_the_hands(
    run_example: Callable[[str, Path], list[str]], table_clip: Path
) -> None:
    truth = np.loadtxt(table_clip.parent / "table/gt/gt.txt", delimiter=",")
    box_truth = {
        int(row[0]): np.array([[row[2], row[3], row[2] + row[4], row[3] + row[5]]]) for row in truth if row[1] == 5
    }
    overlaps, names = [], set()
    for line in run_example("own_detector.py", table_clip):
        row = SHOWN_ROW.fullmatch(line)
        assert row, line
        names.add(row["name"])
        frame = round(float(row["time"]) * 30) + 1
        if row["name"] == "striped_box":
            box = np.array([[float(x) for x in row["box"].split(",")]])
            overlaps.append(iou(box_truth[frame], box)[0, 0])
    assert names == {"hand", "striped_box"}
    assert len(overlaps) >= 340
    assert np.mean(np.array(overlaps) > 0.5) > 0.9


def test_tracks_are_read_into_numpy(run_example: Callable[[str, Path], list[str]], root: Path) -> None:
    golden = root / "tests/golden/tracks/every_key.jsonl"
    with read_tracks(golden) as frames:
        confirmed = [(t.track_id, f.time_s) for f in frames for t in f.tracks if t.state == "confirmed"]
    assert confirmed == [(1, 0.0), (2, 0.0), (7, 0.033367)]
    assert run_example("read_tracks.py", golden) == [
        "track 1: 0.00 to 0.00 s, 1 boxes, 0 px of way",
        "track 2: 0.00 to 0.00 s, 1 boxes, 0 px of way",
        "track 7: 0.03 to 0.03 s, 1 boxes, 0 px of way",
    ]
