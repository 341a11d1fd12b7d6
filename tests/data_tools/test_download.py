from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from data_tools.download import download
from data_tools.errors import DataError

CONTENT = np.random.default_rng(0).bytes(3_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """A server of one file that can break off, forget ranges, or have another version of it."""

    content = CONTENT
    tag: str | None = '"one"'
    ends_after: int | None = None
    knows_ranges = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/egohands_data.zip"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server = self.server
        asked = self.headers.get("Range")
        server.asked.append(asked)
        if self.path != "/egohands_data.zip":
            self.send_error(404)
            return
        begin = 0
        if asked and server.knows_ranges and self.headers.get("If-Range") == server.tag:
            begin = int(asked.removeprefix("bytes=").rstrip("-"))
        if begin >= len(server.content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(server.content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = server.content[begin:]
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(body)))
        if server.tag:
            self.send_header("ETag", server.tag)
        self.end_headers()
        self.wfile.write(body if server.ends_after is None else body[: server.ends_after])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_file_is_downloaded_and_its_sum_recorded(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "below" / "a.zip"
    seen: list[tuple[int, int | None]] = []
    done = download(server.url, path, on_progress=lambda count, total: seen.append((count, total)))
    assert path.read_bytes() == CONTENT
    assert (done.sha256, done.resumed_at) == (SHA256, 0)
    assert (tmp_path / "below/a.zip.sha256").read_text() == f"{SHA256}  a.zip\n"
    assert seen[-1] == (3_000_000, 3_000_000)
    assert {file.name for file in path.parent.iterdir()} == {"a.zip", "a.zip.sha256"}


def break_off(server: Server, path: Path) -> None:
    server.ends_after = 1_000_000
    with pytest.raises(DataError, match=r"run it again to go on"):
        download(server.url, path)
    server.ends_after = None
    assert not path.exists()
    assert path.with_name("a.zip.part").stat().st_size == 1_000_000


def test_download_goes_on_where_it_broke_off(server: Server, tmp_path: Path) -> None:
    break_off(server, tmp_path / "a.zip")
    done = download(server.url, tmp_path / "a.zip", sha256=SHA256.upper())
    assert (done.resumed_at, done.sha256) == (1_000_000, SHA256)
    assert server.asked == [None, "bytes=1000000-"]


@pytest.mark.parametrize("change", ["another version", "no ranges", "no tag"])
def test_download_begins_anew_where_it_cannot_go_on(server: Server, tmp_path: Path, change: str) -> None:
    if change == "no tag":
        server.tag = None
    break_off(server, tmp_path / "a.zip")
    if change == "another version":
        server.tag, server.content = '"two"', CONTENT[::-1]
    server.knows_ranges = change != "no ranges"
    done = download(server.url, tmp_path / "a.zip")
    assert done.resumed_at == 0
    assert (tmp_path / "a.zip").read_bytes() == server.content


def test_part_that_was_whole_is_not_downloaded_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.zip.part").write_bytes(CONTENT)
    (tmp_path / "a.zip.part.version").write_text('"one"')
    done = download(server.url, tmp_path / "a.zip")
    assert (done.resumed_at, server.asked) == (3_000_000, ["bytes=3000000-"])
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


def test_part_that_is_too_long_is_dropped(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.zip.part").write_bytes(CONTENT + b"more")
    (tmp_path / "a.zip.part.version").write_text('"one"')
    download(server.url, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


def test_other_file_than_was_asked_for_is_refused_and_not_kept(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"has the sha256 {SHA256}, {'0' * 64} was asked for"):
        download(server.url, tmp_path / "a.zip", sha256="0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_refusal_of_the_server_is_told(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the server says 404 Not Found"):
        download(server.url + "x", tmp_path / "a.zip")


def test_download_offline_says_what_to_do(tmp_path: Path) -> None:
    with Server() as server:
        url = server.url  # nobody listens there any more
    with pytest.raises(
        DataError, match=r"cannot download 'http://127\.0\.0\.1.*refused.*; run it again to go on, or get"
    ):
        download(url, tmp_path / "a.zip")
    with pytest.raises(DataError, match="expected an address that begins with http"):
        download("file:///etc/passwd", tmp_path / "a.zip")


def test_folder_that_cannot_be_made_is_told(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot write"):
        download(server.url, tmp_path / "file" / "a.zip")
