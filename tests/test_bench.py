from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hybridtrack.bench import (
    DETECT_ONLY,
    Mode,
    Row,
    Spread,
    agreement,
    bench,
    count_shared,
    machine,
    modes_of,
    report,
    turns,
    verdict,
)
from hybridtrack.cli import exit_code
from hybridtrack.config import Cadence, parse_cadence
from hybridtrack.errors import SourceError
from hybridtrack.types import Array

EVERY_3 = Cadence(frames=3)


def at(*lefts: float) -> Array:
    """Return boxes of 10 by 10 pixels whose left edges lie here."""
    return np.array([[left, 0, left + 10, 10] for left in lefts], np.float32).reshape(-1, 4)


@pytest.mark.parametrize(
    ("a", "b", "shared"),
    [
        (at(), at(), 0),
        (at(), at(0), 0),
        (at(0), at(0), 1),
        (at(0), at(3), 1),  # IoU 7/13
        (at(0), at(4), 0),  # IoU 6/14
        (at(0), at(0, 1), 1),  # one box is the other's partner once
        (at(0, 3), at(3, 6), 2),  # 0-3 and 3-6; the greedy pair 3-3 would leave 0 and 6 alone
    ],
)
def test_boxes_are_paired_one_to_one_at_half_iou(a: Array, b: Array, shared: int) -> None:
    assert count_shared(a, b) == shared
    assert count_shared(b, a) == shared


@pytest.mark.parametrize(
    ("found", "wanted", "f1"),
    [
        ([], [], None),
        ([at(), at()], [at(), at()], None),
        ([at(0), at(5)], [at(0), at(5)], 1.0),
        ([at(0), at()], [at(0), at(5)], 2 / 3),  # 1 shared, 1 found, 2 wanted
        ([at(0), at(90, 50)], [at(0), at(50)], 4 / 5),  # 2 shared, 3 found, 2 wanted
        ([at(0), at(50)], [at(50), at(0)], 0.0),  # the right box on the wrong frame
    ],
)
def test_agreement_is_the_f1_of_boxes_frame_by_frame(found: list[Array], wanted: list[Array], f1: float | None) -> None:
    assert agreement(found, wanted) == (None if f1 is None else pytest.approx(f1))


def test_every_job_has_its_turn_and_each_round_begins_elsewhere() -> None:
    orders = [turns(7, number, 3) for number in range(3)]
    assert orders == [[0, 1, 2, 3, 4, 5, 6], [2, 3, 4, 5, 6, 0, 1], [4, 5, 6, 0, 1, 2, 3]]


def test_detecting_on_every_frame_comes_first_and_a_cadence_counts_once() -> None:
    modes = modes_of(map(parse_cadence, ("3", "100ms", "3", "auto")))
    assert list(map(str, modes)) == [
        "none every frame",
        "hold every 3 frames",
        "hold every 100ms",
        "hold auto",
        "flow every 3 frames",
        "flow every 100ms",
        "flow auto",
    ]


def test_spread_is_the_median_between_least_and_greatest() -> None:
    assert Spread.of([3.0, 1.0, 8.0]) == Spread(median=3.0, least=1.0, most=8.0)


def row(mode: str, detect_every: int | str, speed_up: float, f1: float | None, *, slowest: float | None = None) -> Row:
    fixed = Spread.of([speed_up])
    return Row(
        source="clips/table.mp4",
        mode=mode,
        detect_every=detect_every,
        frames=100,
        detector_runs=10,
        fps=fixed,
        speed_up=Spread(median=speed_up, least=slowest or speed_up, most=speed_up),
        cpu_ms=fixed,
        f1=f1,
        filled_f1=f1,
    )


@pytest.mark.parametrize(
    ("others", "begin"),
    [
        (
            [row("flow", 3, 2.0, 0.95), row("flow", 10, 4.0, 0.85)],
            "table.mp4: flow with the detector every 3 frames pays",
        ),
        (
            [row("hold", 3, 2.5, 0.9), row("flow", 3, 2.0, 0.95)],
            "table.mp4: hold with the detector every 3 frames pays",
        ),
        ([row("flow", "100ms", 2.0, None)], "table.mp4: flow with the detector every 100ms pays most, 2.0 times"),
        ([row("flow", "auto", 2.0, 1.0)], "table.mp4: flow with the detector as often as needed pays most, 2.0 times"),
        (
            [row("flow", 3, 2.0, 0.8), row("flow", 1, 0.9, 1.0)],
            "table.mp4: none is faster than detecting on every frame",
        ),
        (
            [row("hold", 1, 1.2, 1.0)],  # it detects on every frame too
            "table.mp4: none is faster than detecting on every frame",
        ),
        (
            [row("flow", 3, 1.04, 1.0), row("flow", 5, 1.3, 1.0, slowest=0.98)],  # noise
            "table.mp4: none is faster than detecting on every frame",
        ),
    ],
)
def test_verdict_names_the_fastest_mode_that_agrees(others: list[Row], begin: str) -> None:
    assert verdict([row("none", 1, 1.0, 1.0), *others]).startswith(begin)


def test_holding_boxes_agrees_where_the_detector_ran_and_less_in_between(table_clip: Path) -> None:
    told: list[str] = []
    hold = Mode(tracker="hold", detect_every=EVERY_3)
    reference, held = bench(str(table_clip), [DETECT_ONLY, hold], rounds=1, max_frames=60, on_run=told.append)
    assert (reference.detector_runs, held.detector_runs) == (60, 20)
    assert (reference.frames, held.frames) == (60, 60)
    assert (reference.f1, reference.filled_f1) == (1.0, None)
    assert held.f1 is not None
    assert held.filled_f1 is not None
    assert 0.5 < held.filled_f1 < held.f1 < 1
    assert reference.speed_up == Spread.of([1.0])
    assert [text.rpartition(", ")[2] for text in told[-3:]] == [
        "none every frame",
        "hold every 3 frames",
        "decoding alone",
    ]


def test_source_that_is_missing_is_refused_before_anything_runs() -> None:
    with pytest.raises(SourceError, match=r"none\.mp4"):
        bench("none.mp4", [DETECT_ONLY], rounds=1)


def test_report_says_settings_and_machine() -> None:
    content = json.loads(report([row("flow", 3, 2.00001, None)], {"rounds": 3}))
    assert (content["format"], content["version"]) == ("hybridtrack.bench", 1)
    assert content["settings"] == {"rounds": 3}
    assert content["rows"][0]["speed_up"] == {"median": 2.0, "least": 2.0, "most": 2.0}
    assert content["rows"][0]["f1"] is None
    assert content["machine"] == machine()
    assert machine()["cores"] >= 1
    assert machine()["cpu"]
    assert {"python", "opencv", "hybridtrack", "numpy"} <= machine()["versions"].keys()


def test_command_prints_a_table_and_writes_the_same_figures(
    tmp_path: Path, table_clip: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bench.json"
    words = [
        "bench",
        str(table_clip),
        "--detect-every",
        "3",
        "--rounds",
        "1",
        "--max-frames",
        "40",
        "--json",
        str(file),
    ]
    assert exit_code(words) == 0
    out, err = capfd.readouterr()
    content = json.loads(file.read_text())
    assert content["settings"] == {"detect_every": [3], "rounds": 1, "max_frames": 40}
    rows = [(one["mode"], one["detect_every"], one["detector_runs"]) for one in content["rows"]]
    assert rows == [("none", 1, 40), ("hold", 3, 14), ("flow", 3, 14)]
    table = [line.split()[:3] for line in out.splitlines()]
    assert [[str(cell) for cell in one] for one in rows] == table[-4:-1]
    assert out.splitlines()[-1].startswith("table.mp4: ")
    assert err == ""
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        ("{clip} none.mp4", "none.mp4"),
        ("{clip} --detect-every 3,0", "--detect-every '0' is no cadence"),
        ("{clip} --detect-every 3,,5", "--detect-every '' is no cadence"),
        ("{clip} --rounds 0", "--rounds"),
        ("{clip} --json none/bench.json", "there is no folder 'none'"),
        ("clip.mp4 --json clip.mp4", "the run reads its pictures from it"),
        ("", "Missing argument 'SOURCE...'"),
    ],
)
def test_bench_that_cannot_be_done_is_refused_in_one_line(
    tmp_path: Path,
    table_clip: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    arguments: str,
    cause: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clip.mp4").symlink_to(table_clip)
    assert exit_code(["bench", *arguments.format(clip=table_clip).split()]) == 2
    out, err = capfd.readouterr()
    assert err.startswith("hybridtrack bench: ")
    assert cause in err
    assert (err.count("\n"), out) == (1, "")
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]
