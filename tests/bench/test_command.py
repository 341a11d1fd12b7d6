from __future__ import annotations

import json
from pathlib import Path

import pytest

from hybridtrack.cli import exit_code
from tests.bench.conftest import BLANK

REPLAY = ["--shrink", "1", "--rounds", "1", "--trackers", "hold,kalman", "--detect-every", "1,4", "--no-relations"]


def test_command_prints_tables_and_writes_the_same_figures(
    tmp_path: Path, boxes: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    words = ["bench", BLANK, "--detector", f"replay,path={boxes}", "--gt", str(boxes), *REPLAY]
    assert exit_code([*words, "--json", str(out / "bench.json"), "--html", str(out / "bench.html")]) == 0
    printed, err = capfd.readouterr()
    content = json.loads((out / "bench.json").read_text())
    assert content["settings"]["detect_every"] == [1, 4]
    assert content["settings"]["gt"] == [str(boxes)]
    rows = [(one["mode"], one["detect_every"], one["detector_runs"]) for one in content["rows"]]
    assert rows == [("none", 1, 24), ("hold", 4, 6), ("kalman", 4, 6)]
    table = [line.split()[:3] for line in printed.splitlines()]
    assert [[str(cell) for cell in one] for one in rows] == table[3:6]
    assert printed.splitlines()[0] == f"{BLANK}, 24 frames; accuracy against {boxes}"
    for line in content["verdicts"][0]["words"]:
        assert line in " ".join(printed.split())
    assert f"{boxes}" in (out / "bench.html").read_text()
    assert [line for line in err.splitlines() if "the machine was busy" not in line] == []
    assert sorted(path.name for path in out.iterdir()) == ["bench.html", "bench.json"]


def test_several_sources_are_added_up(tmp_path: Path, boxes: Path, capfd: pytest.CaptureFixture[str]) -> None:
    other = BLANK.replace("@30", "@15")
    file = tmp_path / "bench.json"
    words = ["bench", BLANK, other, "--detector", f"replay,path={boxes}", "--gt", str(boxes), "--gt", str(boxes)]
    assert exit_code([*words, *REPLAY, "--json", str(file)]) == 0
    content = json.loads(file.read_text())
    assert [one["source"] for one in content["verdicts"]] == [BLANK, other, "all sources"]
    frames = {(one["source"], one["mode"]): one["frames"] for one in content["rows"]}
    assert frames[("all sources", "hold")] == 48
    assert "all sources, 48 frames; accuracy against the truth of each" in capfd.readouterr().out


def test_hands_of_the_demo_clip_are_compared_by_the_network(
    table_clip: Path, root: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bench.json"
    words = ["bench", str(table_clip), "--gt", str(root / "examples/data/table"), "--detect-every", "1,3"]
    words += ["--trackers", "hold,flow", "--shrink", "2", "--rounds", "1", "--max-frames", "45"]
    assert exit_code([*words, "--json", str(file)]) == 0
    rows = {(one["mode"], one["detect_every"]): one for one in json.loads(file.read_text())["rows"]}
    assert list(rows) == [
        ("none", 1),
        ("flow", 1),
        ("hold", 3),
        ("flow", 3),
        ("flow two-way", 3),
        ("adaptive", "auto"),
        ("1/2 size", 1),
    ]
    assert rows["flow", 3]["scores"]["filled_f1"] > rows["hold", 3]["scores"]["filled_f1"] > 0.5
    assert rows["flow", 3]["stage_ms"]["convert"] > 0
    assert rows["adaptive", "auto"]["detector_runs"] < 45
    assert "left out, as the tracks have no such class: mug, bottle, box, book" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        ("{clip} none.mp4", "none.mp4"),
        ("{clip} --detect-every 3,0", "--detect-every '0' is no cadence"),
        ("{clip} --detect-every 3,,5", "--detect-every '' is no cadence"),
        ("{clip} --rounds 0", "--rounds"),
        ("{clip} --trackers flow,nobody", "unknown tracker 'nobody'"),
        ("{clip} --shrink 2,0", "--shrink '2,0': use whole numbers from 1"),
        ("{clip} --shrink 2,x", "--shrink '2,x': use whole numbers from 1"),
        ("{clip} --gt a --gt b", "1 sources and 2 --gt: give the truth of each"),
        ("{clip} --gt nowhere", "nowhere"),
        ("{clip} --detector nobody", "unknown detector 'nobody'"),
        ("{clip} --json none/bench.json", "there is no folder 'none'"),
        ("{clip} --html none/bench.html", "there is no folder 'none'"),
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
