"""``hybridtrack evaluate``: its table, its JSON, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hybridtrack.cli import exit_code
from hybridtrack.evaluate import evaluate as measure
from tests.evaluate.clip import write_tracks, write_truth
from tests.evaluate.files import TrackText, write_folder, write_text

Evaluate = Callable[..., tuple[str, str]]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An own folder with tracks ``clip.jsonl`` and their truth ``clip``."""
    monkeypatch.chdir(tmp_path)
    write_truth(Path("clip"))
    write_tracks(Path("clip.jsonl"))
    return tmp_path


@pytest.fixture
def evaluate(place: Path, capfd: pytest.CaptureFixture[str]) -> Evaluate:
    """Run the command; return what it wrote to standard output and error."""

    def run(*arguments: str, code: int = 0) -> tuple[str, str]:
        assert exit_code(["evaluate", *arguments]) == code
        return capfd.readouterr()

    return run


def lines_of(table: str) -> list[list[str]]:
    """Return the words of each line."""
    return [line.split() for line in table.splitlines()]


def test_one_class_of_one_sequence_is_one_row_in_two_tables(evaluate: Evaluate) -> None:
    table, err = evaluate("clip.jsonl", "clip", "--class", "hand")
    assert err == ""
    assert lines_of(table) == [
        ["clip:", "hand"],
        ["HOTA", "DetA", "AssA", "LocA", "MOTA", "IDF1", "IDSW", "Frag"],
        ["combined", "53.22", "56.88", "49.86", "81.06", "67.11", "63.41", "1", "1"],
        ["frames", "runs", "filled", "F1", "AP50", "AP75", "jitter", "delay", "s", "unseen"],
        ["combined", "40", "13", "85.71", "69.80", "14.71", "79.7", "(0.0)", "0.080", "0/2"],
    ]


def test_sequences_and_classes_have_rows_where_there_are_several(evaluate: Evaluate) -> None:
    other = write_folder(Path("other"), [(1, 1, 0, 0, 9, 9, 1, 1, 1)], length=1)
    tracks = TrackText(frames=1, tracks=[(0, 1, "hand", (0, 0, 9, 9))]).write(Path("other.jsonl"))
    table, _ = evaluate("clip.jsonl", "clip", str(tracks), str(other))
    rows = [" ".join(words[: -len(figures)]) for words in lines_of(table) for figures in [words[-8:]] if len(words) > 8]
    assert rows[:5] == ["clip", "other", "class hand", "class mug", "combined"]
    assert "clip, other: hand, mug" in table
    assert max(map(len, table.rstrip().splitlines())) <= 80


def test_json_has_what_python_gives(evaluate: Evaluate) -> None:
    table, _ = evaluate("clip.jsonl", "clip", "--json", "figures.json")
    assert table.startswith("clip: hand, mug")
    content: dict[str, Any] = json.loads(Path("figures.json").read_text(encoding="utf-8"))
    assert (content["format"], content["version"], content["class"]) == ("hybridtrack.evaluation", 1, None)
    assert content["pairs"] == [{"sequence": "clip", "tracks": "clip.jsonl", "truth": "clip"}]
    evaluation = measure([("clip.jsonl", "clip")])
    assert content["combined"]["hota"] == pytest.approx(evaluation.combined.hota, abs=1e-6)
    assert content["classes"]["mug"]["delay_s"] is None
    assert content["sequences"].keys() == {"clip"}
    assert {name: type(value) for name, value in content["classes"]["hand"].items()} == {
        name: type(getattr(evaluation.classes["hand"], name)) for name in content["classes"]["hand"]
    }


def test_json_on_standard_output_is_all_that_stands_there(evaluate: Evaluate) -> None:
    out, err = evaluate("clip.jsonl", "clip", "--class", "mug", "--json", "-")
    content = json.loads(out)
    assert (content["class"], list(content["classes"])) == ("mug", ["mug"])
    assert err == ""
    assert [path.name for path in Path().iterdir() if path.name.startswith(".")] == []


def test_what_was_assumed_is_said_on_standard_error(evaluate: Evaluate) -> None:
    truth = write_folder(Path("t"), [(1, 1, 0, 0, 9, 9, 1, 1, 1)], length=1)
    tracks = write_text(Path("t.txt"), [(1, 1, 0, 0, 9, 9)])
    _, err = evaluate(str(tracks), str(truth))
    size = "the tracks do not say the size of their picture: they were taken to be in the truth's pixels"
    assert err.splitlines() == [
        f"hybridtrack evaluate: {size}",
        "hybridtrack evaluate: AP50 and AP75 need raw detections: hybridtrack run --with-detections writes them",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["clip.jsonl"], "'clip.jsonl' stands alone: give TRACKS GT, or several such pairs"),
        (["clip.jsonl", "clip", "clip.jsonl"], "'clip.jsonl' stands alone: give TRACKS GT, or several such pairs"),
        (["none.jsonl", "clip"], "cannot read 'none.jsonl': No such file or directory"),
        (
            ["clip.jsonl", "clip", "--class", "hnd"],
            "'clip': unknown class 'hnd'; known: hand, mug; did you mean 'hand'?",
        ),
        (
            ["clip.jsonl", "clip", "--json", "no/x.json"],
            "cannot write 'no/x.json': there is no folder 'no'; make it first",
        ),
        (
            ["clip.jsonl", "clip", "--json", "clip.jsonl"],
            "cannot write 'clip.jsonl': it is what is evaluated; give another name",
        ),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_code_2(
    evaluate: Evaluate, arguments: list[str], message: str
) -> None:
    before = Path("clip.jsonl").read_bytes()
    assert evaluate(*arguments, code=2) == ("", f"hybridtrack evaluate: {message}\n")
    assert Path("clip.jsonl").read_bytes() == before
