from __future__ import annotations

import json
from pathlib import Path

import pytest

from hybridtrack.cli import exit_code


def test_command_prints_tables_and_writes_the_same_figures(
    still: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "sweep.json"
    words = ["sweep", str(still), str(still), "--detect-every", "1,4", "--detect-ms", "8", "--json", str(file)]
    assert exit_code(words) == 0
    out, err = capfd.readouterr()
    content = json.loads(file.read_text())
    assert (content["format"], content["version"]) == ("hybridtrack.sweep", 1)
    rows = [(one["tracker"], one["fill"], one["detect_every"], one["phases"], one["runs"]) for one in content["rows"]]
    assert rows == [
        (tracker, *rest)
        for tracker in ("hold", "kalman")
        for rest in (("forward", 1, 1, 48), ("forward", 4, 4, 12), ("two-way", 4, 4, 12))
    ]
    assert [one["hota"] for one in content["rows"]] == [1.0, 0.9375, 0.9375] * 2  # 1, 23/24, 22/24 and 21/24
    assert [one["pareto_runs"] for one in content["rows"]] == [True] * 6
    assert content["settings"]["detect_every"] == [1, 4]
    assert content["settings"]["sources"] == [str(still)] * 2
    lines = out.splitlines()
    assert lines[0] == "2 sources, 48 frames"
    shown = [
        f"{tracker} {fill}".removesuffix(" forward") + "".join(f" {n}" for n in rest) for tracker, fill, *rest in rows
    ]
    assert [" ".join(line.split()).startswith(one) for line, one in zip(lines[3:9], shown, strict=True)] == [True] * 6
    assert lines[4].split()[4:8] == ["93.8", "87.5", "to", "100.0"]
    for line in content["words"]:
        assert line in " ".join(out.split())
    assert err == ""


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        ("{still} --detect-every 0", "--detect-every '0' is no cadence"),
        ("{still} --trackers nobody", "unknown tracker 'nobody'"),
        ("{still} --trackers flow", "has no pictures to look at"),
        ("{still} --gt a --gt b", "1 sources and 2 --gt: give one for each"),
        ("{still} --detections a --detections b", "1 sources and 2 --detections: give one for each"),
        ("{still}/det/det.txt", "no truth of"),
        ("{clip}", "no truth of"),
        ("none.mp4 --gt {still}", "none.mp4"),
        ("none.jsonl --gt {still}", "none.jsonl"),
        ("{still} --phases 0", "--phases"),
        ("{still} --replay every=3", "--replay 'every=3': cadence and phases are what is tried"),
        ("{still} --replay colour=red", "colour"),
        ("{still} --json none/sweep.json", "there is no folder 'none'"),
        ("", "Missing argument 'SOURCE...'"),
    ],
)
def test_sweep_that_cannot_be_done_is_refused_in_one_line(
    still: Path,
    tmp_path: Path,
    table_clip: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    arguments: str,
    cause: str,
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.chdir(place)
    assert exit_code(["sweep", *arguments.format(still=still, clip=table_clip).split()]) == 2
    out, err = capfd.readouterr()
    assert err.startswith("hybridtrack sweep: ")
    assert cause in err
    assert (err.count("\n"), out) == (1, "")
    assert list(place.iterdir()) == []
