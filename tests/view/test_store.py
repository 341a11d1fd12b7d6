from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridtrack.errors import TrackFileError
from hybridtrack.view.store import MAX_ROWS, FileStore
from hybridtrack.wire import encode_line
from tests.view.conftest import header, numbered_frame, said_in, summary, write_tracks


def wait_until(is_true: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not is_true():
        assert time.monotonic() < end, "it did not come true within 10 s"
        time.sleep(0.01)  # what is waited for happens in another thread


def test_lines_are_those_of_the_file(numbers_tracks: Path) -> None:
    store = FileStore(numbers_tracks)
    store.read_all()
    texts = numbers_tracks.read_bytes().splitlines(keepends=True)
    assert store.lines(5, 8) == b"".join(texts[6:9])
    assert store.lines(118, 500) == b"".join(texts[119:121])
    assert store.lines(120, 130) == store.lines(8, 5) == b""
    assert (store.index.row_count, store.is_whole, store.notes) == (120, True, [])
    store.close()


def test_no_more_than_so_many_rows_are_given_out_at_once(tmp_path: Path) -> None:
    store = FileStore(write_tracks(tmp_path / "long.jsonl", [numbered_frame(0)] * (MAX_ROWS + 5)))
    store.read_all()
    assert store.lines(0, MAX_ROWS + 5).count(b"\n") == MAX_ROWS
    store.close()


def test_file_that_grows_is_followed_up_to_its_summary(tmp_path: Path) -> None:
    path = write_tracks(tmp_path / "grows.jsonl", [numbered_frame(0)], is_whole=False)
    store = FileStore(path)
    store.follow()
    wait_until(lambda: store.index.row_count == 1)
    assert said_in(store.overview())["is_growing"]
    with path.open("ab", buffering=0) as stream:
        line = encode_line(numbered_frame(1))
        stream.write(line[:50])
        wait_until(lambda: store.notes == ["the last line is not whole and is left out"])
        stream.write(line[50:])
        wait_until(lambda: store.index.row_count == 2)
        assert store.notes == []
        stream.write(encode_line(summary(2)))
    wait_until(lambda: store.is_whole)
    assert not said_in(store.overview())["is_growing"]
    store.close()


def test_file_that_another_run_replaces_is_read_anew(tmp_path: Path) -> None:
    path = write_tracks(tmp_path / "again.jsonl", [numbered_frame(n) for n in range(9)])
    store = FileStore(path)
    store.follow()
    wait_until(lambda: store.is_whole)
    path.write_bytes(encode_line(header(uri="other.mp4")) + encode_line(numbered_frame(0)))
    wait_until(lambda: store.generation == 1 and store.index.row_count == 1)
    assert store.header.source.uri == "other.mp4"
    said = said_in(store.overview(since=9, generation=0))
    assert (said["generation"], said["since"], said["rows"]) == (1, 0, 1)  # all of it to a page that knew the other
    store.close()


def test_file_that_was_cut_off_is_shown_up_to_its_last_whole_line(numbers_tracks: Path) -> None:
    numbers_tracks.write_bytes(numbers_tracks.read_bytes()[:20_000])
    store = FileStore(numbers_tracks)
    store.read_all()
    assert store.index.row_count == numbers_tracks.read_bytes().count(b"\n") - 1
    assert store.notes == ["the last line is not whole and is left out"]
    store.close()


def test_line_that_cannot_be_read_ends_what_is_shown_and_is_told(numbers_tracks: Path) -> None:
    lines = numbers_tracks.read_bytes().splitlines(keepends=True)
    lines[4] = b'{"type":"frame","frame":"three"}\n'
    numbers_tracks.write_bytes(b"".join(lines))
    store = FileStore(numbers_tracks)
    store.read_all()
    assert store.index.row_count == 3
    (note,) = store.notes
    assert note.startswith("line 5 cannot be read, nor what follows: Expected `int`")
    store.close()


def test_interrupted_run_is_told(tmp_path: Path) -> None:
    path = tmp_path / "stopped.jsonl"
    path.write_bytes(encode_line(header()) + encode_line(numbered_frame(0)) + encode_line(summary(1, complete=False)))
    store = FileStore(path)
    store.read_all()
    assert store.notes == ["the run was interrupted"]
    store.close()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b'{"a": 1}\n', "is not a track file"),
        (b"PNG\x00\x01", "is not a track file"),
        (json.dumps({"type": "header", "format": "hybridtrack.tracks", "version": 9}).encode(), "is version 9"),
        (encode_line(header())[:80], "a header that is cut off"),
    ],
)
def test_what_is_no_track_file_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "other.jsonl"
    path.write_bytes(content)
    with pytest.raises(TrackFileError, match=words):
        FileStore(path)
