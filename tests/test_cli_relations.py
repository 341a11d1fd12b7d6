"""``hybridtrack relations`` on a track file of the demo clip's true boxes, and on files that are not right."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from hybridtrack.cli import exit_code
from hybridtrack.cli.relations import relations
from hybridtrack.plugin_host import PluginHost
from tests.ledger.test_formats import cues_of

FRAMES = 240  #: of the clip: several holds, and a hand-over

Lines = list[dict[str, Any]]


@pytest.fixture(scope="module")
def recorded(table_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A track file of the clip's true boxes on every third frame."""
    path = tmp_path_factory.mktemp("recorded") / "table.jsonl"
    truth = f"replay,path={table_clip.parent / 'table'},every=3"
    arguments = ["run", str(table_clip), "--detector", truth, "--max-frames", str(FRAMES), "--json", str(path)]
    assert exit_code(arguments) == 0
    return path


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recorded: Path) -> Path:
    """An own folder with ``table.jsonl`` and files that cannot be read."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(recorded, "table.jsonl")
    Path("empty.jsonl").touch()
    Path("video.mp4").write_bytes(b"\x00\x00\x00 ftypisom")
    lines = recorded.read_bytes().splitlines(keepends=True)
    Path("damaged.jsonl").write_bytes(b"".join([*lines[:5], b"{}\n", *lines[5:]]))
    return tmp_path


@pytest.fixture
def relate(place: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[str, str]]:
    """Run the command; return what it wrote to standard output and error."""

    def run(*arguments: str, code: int = 0) -> tuple[str, str]:
        assert exit_code(["relations", *arguments]) == code
        return capfd.readouterr()

    return run


def read(path: str | Path) -> Lines:
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def test_relations_computed_from_a_file_are_those_of_the_run(relate: Callable[..., tuple[str, str]]) -> None:
    assert relate("table.jsonl", "--json", "again.jsonl") == ("", "")
    (header, *lines), (header_again, *lines_again) = read("table.jsonl"), read("again.jsonl")
    assert lines_again == lines
    assert sum(len(line["events"]) for line in lines[:-1]) > 20
    assert {row["state"] for line in lines[:-1] for row in line["relations"]} == {"near", "overlapping", "holding"}
    settings = header.pop("settings") | {"relations_from": "table.jsonl"}
    assert header_again.pop("settings") == settings
    assert header_again == header


def test_totals_of_the_file_s_own_relations_are_those_of_the_computed_ones(
    relate: Callable[..., tuple[str, str]],
) -> None:
    table, err = relate("table.jsonl")
    assert err == ""
    assert table.splitlines()[0].split()[:2] == ["subject", "object"]
    assert any(line.startswith("hand 5") and " mug " in line for line in table.splitlines())
    assert relate("table.jsonl", "--recorded") == (table, "")


def test_other_rules_take_the_place_of_those_of_the_run(
    relate: Callable[..., tuple[str, str]], install: Callable[[str, str], None]
) -> None:
    code = (
        "from hybridtrack.hookspecs import RelationSpec, hookimpl\n"
        "from hybridtrack.types import Relations\n"
        "class Together:\n"
        "    def reset(self): pass\n"
        "    def step(self, scene):\n"
        "        ids = scene.tracks.track_id\n"
        "        return Relations(subject=ids[:1], object=ids[1:2], state=('together',) * (len(ids) > 1)), []\n"
        "@hookimpl\n"
        "def hybridtrack_relations():\n"
        "    yield RelationSpec(name='together', summary='two tracks', create=lambda options: Together())\n"
    )
    install("together", code)
    relate("table.jsonl", "--relation", "together", "--json", "again.jsonl", "--csv", "again.csv")
    header, *lines, summary = read("again.jsonl")
    assert header["settings"]["relation"] == ["together"]
    assert {row["state"] for line in lines for row in line["relations"]} == {"together"}
    assert not any(line["events"] for line in lines)
    assert summary["frames"] == FRAMES
    with open("again.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sum(int(row["together"]) for row in rows) >= 1
    assert all(row["touches"] == row["holds"] == "0" for row in rows)
    relate("table.jsonl", "--relation", "+together", "--json", "both.jsonl")
    header, *lines, _ = read("both.jsonl")
    assert header["settings"]["relation"] == ["hand_object", "together"]
    assert {"together", "holding"} <= {row["state"] for line in lines for row in line["relations"]}


def test_other_thresholds_relate_other_pairs(relate: Callable[..., tuple[str, str]]) -> None:
    relate("table.jsonl", "--relation", "hand_object,near=0.2", "--json", "close.jsonl")
    header, *close, _ = read("close.jsonl")
    assert header["settings"]["relation"] == ["hand_object,near=0.2"]
    distances = [row["distance"] for line in close for row in line["relations"]]
    assert 0.2 < max(distances) <= 0.25  # a pair that was near stays so until it is a quarter farther
    assert len(distances) < sum(len(line["relations"]) for line in read("table.jsonl")[1:-1])


def test_options_of_the_page_are_those_there_are(root: Path) -> None:
    page = (root / "docs/relations.md").read_text(encoding="utf-8")
    table = page[page.index("| option | default |") :]
    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", table, re.MULTILINE)
    options = PluginHost.load({}).relation("hand_object").spec.options
    assert {name: float(default) for name, default in rows} == {one.name: one.default for one in options}


def test_relation_that_fails_is_named_in_the_summary_and_on_standard_error(
    relate: Callable[..., tuple[str, str]], install: Callable[[str, str], None]
) -> None:
    code = (
        "from hybridtrack.hookspecs import RelationSpec, hookimpl\n"
        "class Broken:\n"
        "    def reset(self): pass\n"
        "    def step(self, scene): print('a plugin that talks'); raise KeyError('plane')\n"
        "@hookimpl\n"
        "def hybridtrack_relations():\n"
        "    yield RelationSpec(name='broken', summary='raises', create=lambda options: Broken())\n"
    )
    install("broken", code)
    note = "relation 'broken' failed and was left out from then on: frame 0: KeyError: 'plane'"
    out, err = relate("table.jsonl", "--relation", "broken", "--json", "again.jsonl")
    assert out == ""
    assert err == f"a plugin that talks\nhybridtrack relations: {note}\n"
    summary = read("again.jsonl")[-1]
    assert (summary["failures"], summary["notes"]) == ({"broken": 1}, [note])
    assert relate("again.jsonl", "--json", "third.jsonl") == ("", "")
    assert read("third.jsonl")[-1] == read("table.jsonl")[-1]


def test_captions_and_annotations_tell_of_the_same_intervals(relate: Callable[..., tuple[str, str]]) -> None:
    from pympi.Elan import Eaf

    assert relate("table.jsonl", "--vtt", "table.vtt", "--eaf", "table.eaf", "--csv", "table.csv") == ("", "")
    cues = cues_of(Path("table.vtt").read_text(encoding="utf-8"))
    document = Eaf("table.eaf")
    annotations = [
        (start, end, name)
        for name in document.get_tier_names()
        for start, end, _ in document.get_annotation_data_for_tier(name)
    ]
    assert sorted(annotations) == sorted(cues)
    assert document.media_descriptors[0]["MEDIA_URL"].endswith("/examples/data/table.mp4")
    with open("table.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sum(int(row["touches"]) + int(row["holds"]) for row in rows) == len(cues)
    for row in rows:
        who = f"{row['subject_class']} {row['subject']} holds {row['object_class']} {row['object']}"
        seconds = sum(end - start for start, end, text in cues if text == who) / 1000
        assert seconds == pytest.approx(float(row["holding_s"]), abs=0.003)


@pytest.mark.parametrize("flag", ["--csv", "--vtt", "--eaf", "--json"])
def test_dash_is_standard_output(relate: Callable[..., tuple[str, str]], flag: str) -> None:
    relate("table.jsonl", flag, "file")
    out, err = relate("table.jsonl", flag, "-")
    assert err == ""
    assert out.encode() == Path("file").read_bytes()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such pipes")
def test_reader_that_goes_away_ends_the_command_in_order(place: Path) -> None:
    command = [sys.executable, "-m", "hybridtrack", "relations", "table.jsonl", "--json", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_file_that_was_cut_off_is_read_up_to_its_last_whole_line(
    place: Path, relate: Callable[..., tuple[str, str]]
) -> None:
    lines = (place / "table.jsonl").read_bytes().splitlines(keepends=True)
    Path("cut.jsonl").write_bytes(b"".join(lines[:120]) + lines[120][:40])
    out, err = relate("cut.jsonl", "--json", "again.jsonl")
    assert (out, err) == ("", "hybridtrack relations: the last line of 'cut.jsonl' is not whole and was left out\n")
    assert read("again.jsonl")[1:] == [json.loads(line) for line in lines[1:120]]


def test_file_without_objects_has_no_touches_and_empty_documents(
    place: Path, relate: Callable[..., tuple[str, str]]
) -> None:
    header, *lines, summary = read("table.jsonl")
    for line in lines:
        line["tracks"] = [track for track in line["tracks"] if track["class"] == "hand"]
    Path("hands.jsonl").write_text("".join(json.dumps(line) + "\n" for line in [header, *lines, summary]))
    assert relate("hands.jsonl") == ("no touches, holds or visits\n", "")
    relate("hands.jsonl", "--csv", "a.csv", "--vtt", "a.vtt", "--eaf", "a.eaf", "--json", "a.jsonl")
    assert len(Path("a.csv").read_text().splitlines()) == 1
    assert Path("a.vtt").read_text() == "WEBVTT\n"
    assert "<TIER" not in Path("a.eaf").read_text()
    assert not any(line["relations"] or line["events"] for line in read("a.jsonl")[1:-1])


REFUSALS = [
    ("none.jsonl", "cannot read the track file 'none.jsonl'"),
    ("empty.jsonl", "is empty: the run ended before its header was written"),
    ("video.mp4", "is not a track file"),
    ("damaged.jsonl", "line 6 of 'damaged.jsonl' cannot be read"),
    ("table.jsonl --relation hand_objekt", "unknown relation 'hand_objekt'"),
    ("table.jsonl --relation +hand_object", "is asked for twice"),
    ("table.jsonl --relation hand_object,nearr=2", "unknown option 'nearr'"),
    ("table.jsonl --recorded --relation hand_object", "give one of them"),
    ("table.jsonl --recorded --json out.jsonl", "give one of them"),
    ("table.jsonl --csv -", "two outputs would go to one file"),
    ("table.jsonl --eaf ./out.vtt", "two outputs would go to one file"),
    ("table.jsonl --json table.jsonl", "it is the track file that is read"),
    ("table.jsonl --csv none/out.csv", "there is no folder 'none'"),
    ("table.jsonl --csv .", "it is a folder"),
    ("table.jsonl --cvs out.csv", "No such option"),
    ("", "Missing argument 'TRACKS.jsonl'"),
]


@pytest.mark.parametrize(("arguments", "cause"), REFUSALS, ids=[arguments for arguments, _ in REFUSALS])
def test_what_the_user_can_mend_is_one_line_and_leaves_no_file(
    place: Path, relate: Callable[..., tuple[str, str]], arguments: str, cause: str
) -> None:
    before = sorted(place.iterdir())
    outputs = ["--eaf", "-"] if "--csv -" in arguments else [] if "--eaf" in arguments else ["--eaf", "out.eaf"]
    out, err = relate(*arguments.split(), "--vtt", "out.vtt", *outputs, code=2)
    assert out == ""
    assert err.startswith("hybridtrack relations: ")
    assert cause in err
    assert err.count("\n") == 1
    assert sorted(place.iterdir()) == before


def test_source_is_not_replaced(table_clip: Path, place: Path, relate: Callable[..., tuple[str, str]]) -> None:
    size = table_clip.stat().st_size
    out, err = relate("table.jsonl", "--vtt", str(table_clip), code=2)
    assert (out, "the run reads its pictures from it" in err) == ("", True)
    assert table_clip.stat().st_size == size


def test_commands_of_the_page_do_what_it_says(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    page = (root / "docs/relations.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(root / "examples", target_is_directory=True)
    for line in block.splitlines():
        assert exit_code(line.split()[1:]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    assert any(line.startswith("hand ") and " mug " in line for line in out.splitlines())
    assert {path.name for path in tmp_path.iterdir()} == {
        "examples",
        *(f"table.{x}" for x in ("jsonl", "csv", "vtt", "eaf")),
    }
    for option in relations.params:
        assert isinstance(option, click.Argument) or option.opts[0] in page
    for column in (tmp_path / "table.csv").read_text(encoding="utf-8").splitlines()[0].split(","):
        assert f"`{column}`" in page
