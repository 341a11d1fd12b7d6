"""``hybridtrack view`` as it is typed."""

from __future__ import annotations

import json
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

import pytest

from hybridtrack.cli import exit_code
from tests.integration.conftest import Finished
from tests.view.conftest import numbered_frame, write_numbers, write_tracks

Run = Callable[..., Finished]
Start = Callable[..., "Popen[bytes]"]


@pytest.fixture
def tracks(place: Path) -> Path:
    return write_tracks(place / "numbers.jsonl", [numbered_frame(n) for n in range(9)])


def test_address_is_printed_where_there_is_no_browser(
    tracks: Path,
    start: Start,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    process = start("view", tracks, "--port", "0")
    assert process.stdout is not None
    url = process.stdout.readline().decode().strip()
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert b"numbers.jsonl" in answer.read()
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(url[: url.index("/", 8)] + "/", timeout=10)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    note = "hybridtrack view: no browser was found: open the address above in one"
    assert errors.decode().splitlines() == (
        [note] if sys.platform.startswith("linux") else errors.decode().splitlines()
    )


def test_other_address_than_this_machine_is_warned_of(tracks: Path, start: Start) -> None:
    process = start("view", tracks, "--no-browser", "--host", "0.0.0.0")
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"http://127.0.0.1:")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert errors.startswith(b"hybridtrack view: listening on 0.0.0.0, not on this machine alone")


def test_page_is_written_and_what_is_unusual_is_said(tracks: Path, place: Path, hybridtrack: Run) -> None:
    tracks.write_bytes(tracks.read_bytes()[:-300])
    write_numbers(place / "numbers.mp4", 9, size=(320, 180))
    done = hybridtrack("view", tracks, "--export", "page.html", "--with-video")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines() == [
        "hybridtrack view: numbers.mp4 is 320x180, the tracks were made at 640x360: boxes are scaled",
        "hybridtrack view: numbers.mp4 has 9 frames, the source of the tracks had 120",
        "hybridtrack view: the last line is not whole and is left out",
    ]
    text = (place / "page.html").read_text(encoding="utf-8")
    assert [text.count(f'id="data-{name}"') for name in ("overview", "lines-0", "lines-1", "video")] == [1, 1, 0, 1]
    again = (place / "page.html").read_bytes()
    hybridtrack("view", tracks, "--export", "page.html", "--with-video")
    assert (place / "page.html").read_bytes() == again


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (["none.jsonl"], "cannot read the track file 'none.jsonl'"),
        (["empty.jsonl"], "the track file 'empty.jsonl' is empty"),
        (["foreign.jsonl"], "'foreign.jsonl' is not a track file"),
        (["future.jsonl"], "'future.jsonl' is version 2 of hybridtrack.tracks, this hybridtrack reads version 1"),
        (["numbers.jsonl", "--video", "none.mp4"], "cannot open 'none.mp4'"),
        (["numbers.jsonl", "--video", "foreign.jsonl"], "cannot open 'foreign.jsonl'"),
        (["numbers.jsonl", "--no-video", "--video", "a.mp4"], "--video and --no-video contradict each other"),
        (["numbers.jsonl", "--with-video"], "--with-video is about the page of --export"),
        (["numbers.jsonl", "--export", "a.html", "--with-video"], "--with-video: there is no video 'numbers.mp4' here"),
        (["numbers.jsonl", "--export", "numbers.jsonl"], "cannot write 'numbers.jsonl'"),
        (["numbers.jsonl", "--export", "no/a.html"], "cannot write 'no/a.html': there is no folder 'no'"),
        (["numbers.jsonl", "--host", "nowhere.invalid"], "cannot listen on 'nowhere.invalid'"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_one_line(
    tracks: Path,
    place: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    refusal: str,
) -> None:
    (place / "empty.jsonl").touch()
    (place / "foreign.jsonl").write_text('{"a": 1}\n')
    (place / "future.jsonl").write_bytes(tracks.read_bytes().replace(b'"version":1', b'"version":2', 1))
    assert exit_code(["view", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"hybridtrack view: {refusal}")


@pytest.mark.parametrize("package", ["starlette", "uvicorn"])
def test_extra_that_is_missing_is_named(
    tracks: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    assert exit_code(["view", str(tracks), "--no-browser"]) == 2
    assert capsys.readouterr().err == (
        f"hybridtrack view: serving a page needs {package}, which is not installed: pip install 'hybridtrack[view]'\n"
    )
    assert exit_code(["view", str(tracks), "--export", "page.html"]) == 0  # a page is written without them


def test_run_is_shown_while_it_goes_on(place: Path, root: Path, start: Start) -> None:
    clip = root / "examples/data/table.mp4"
    process = start("run", clip, "--pace", "--max-frames", "90", "--web", "--json", "-")
    assert process.stderr is not None
    assert process.stdout is not None
    url = process.stderr.readline().decode().strip()
    with urllib.request.urlopen(url + "newest?after=0", timeout=10) as answer:
        assert answer.status == 200
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert errors == b""
    lines = output.splitlines()
    assert json.loads(lines[0])["source"]["uri"] == str(clip)
    assert "web" not in json.loads(lines[0])["settings"]  # the same run with a page is the same run
    assert json.loads(lines[-1])["complete"]


def test_address_of_a_page_that_is_not_asked_for_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["run", "blank:8x8@5:2", "--web-port", "8000"]) == 2
    assert "--web-host and --web-port are about the page of --web" in capsys.readouterr().err


def test_run_with_a_page_names_the_extra_that_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "starlette", None)
    assert exit_code(["run", "blank:8x8@5:2", "--tracker", "none", "--web"]) == 2
    assert "pip install 'hybridtrack[view]'" in capsys.readouterr().err
