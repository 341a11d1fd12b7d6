"""The server as one who talks to it sees it, by its socket: what it gives out, and to whom it does not."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from hybridtrack.errors import UsageError
from hybridtrack.view.columns import unpack
from hybridtrack.view.document import MODULES
from hybridtrack.view.serving import PageServer, is_loopback
from hybridtrack.view.video import open_as_video

Serve = Callable[..., PageServer]


class Client:
    """Asks a server for paths under its token; a path that begins with "/" is taken as it is."""

    def __init__(self, url: str) -> None:
        self.address = urlsplit(url)

    def ask(
        self, path: str, *, method: str = "GET", body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        assert self.address.hostname
        connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=10)
        try:
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            target = path if path.startswith("/") else self.address.path + path
            connection.request(method, target, body=body, headers=names)
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()


@pytest.fixture
def client(serve: Serve, numbers_tracks: Path, numbers_video: Path) -> Client:
    return Client(serve(numbers_tracks, open_as_video(numbers_video)).url)


def test_page_and_all_its_parts_are_served(client: Client) -> None:
    status, headers, content = client.ask("")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b'<script type="importmap"' in content
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"  # the address has the token in it
    for name in MODULES:
        assert client.ask(f"page/{name}.js")[1]["content-type"] == "text/javascript; charset=utf-8"
    assert client.ask("page/style.css")[0] == 200


def test_overview_and_lines_are_served(client: Client, numbers_tracks: Path) -> None:
    while True:
        said, columns = unpack(client.ask("overview?since=0&generation=0")[2])
        if not said["is_reading"]:
            break
    assert (said["rows"], said["is_growing"], len(columns["time"])) == (120, False, 120)
    lines = client.ask("lines?first=3&end=5")[2].splitlines()
    assert [json.loads(line)["frame"] for line in lines] == [3, 4]


def test_part_of_the_video_is_served_to_who_asks_for_a_range(client: Client, numbers_video: Path) -> None:
    content = numbers_video.read_bytes()
    status, headers, whole = client.ask("video")
    assert (status, headers["content-type"], whole) == (200, "video/mp4", content)
    status, headers, part = client.ask("video", range="bytes=100-199")
    assert (status, part) == (206, content[100:200])
    assert headers["content-range"] == f"bytes 100-199/{len(content)}"
    assert client.ask("video", range=f"bytes={len(content)}-")[0] == 416


def test_request_without_the_token_is_refused(client: Client) -> None:
    token = client.address.path.strip("/")
    for path in ("/", "/video", "/overview", f"/{token[:-1]}/", f"/{token}x/video", f"/?{token}", "//", "/favicon.ico"):
        status, _, content = client.ask(path)
        assert (path, status) == (path, 403)
        assert content == b"Forbidden\n"


@pytest.mark.parametrize(
    "path",
    [
        *("nothing", "page/main.py", "page/", "page/index.html", "video/x", "page/../main.js"),
        *("../../../etc/passwd", "..%2f..%2fetc/passwd", "%2e%2e/%2e%2e/etc/passwd", "page/..%2f..%2fserver.py"),
        *("page/%2e%2e/server.py", "page/....//server.py", "numbers.jsonl", "numbers.mp4", "newest"),
    ],
)
def test_another_path_is_refused(client: Client, path: str) -> None:
    assert client.ask(path)[0] == 404


def test_path_above_the_token_is_refused(client: Client) -> None:
    for path in (f"/..{client.address.path}video", "/../../etc/passwd", f"{client.address.path}../video"):
        assert client.ask(path)[0] in (403, 404)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"host": "evil.example"},
    ],
)
def test_page_of_another_origin_is_refused(client: Client, headers: dict[str, str]) -> None:
    for path in ("", "video", "overview"):
        assert client.ask(path, **headers)[0] == 403


def test_own_origin_is_let_in(client: Client) -> None:
    origin = f"http://127.0.0.1:{client.address.port}"
    assert client.ask("overview", origin=origin, sec_fetch_site="same-origin")[0] == 200
    assert client.ask("overview", host=f"localhost:{client.address.port}")[0] == 200


def test_oversize_request_is_refused(client: Client) -> None:
    assert client.ask("overview", method="POST", body=b"x" * 100_000)[0] == 413
    assert client.ask("overview?since=" + "1" * 2000)[0] == 414
    assert client.ask("overview", x_long="x" * 9000)[0] == 431
    assert client.ask("video", range="bytes=" + ",".join(["0-0"] * 1000))[0] in (416, 431)
    assert client.ask("overview", x_longer="x" * 100_000)[0] in (400, 431)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_changed(client: Client, method: str) -> None:
    assert client.ask("overview", method=method)[0] == 405


@pytest.mark.parametrize("query", ["since=-1", "since=a", "since=1.5", "since=9999999999999", "file=x", "since=٣"])
def test_what_is_no_number_is_refused(client: Client, query: str) -> None:
    from urllib.parse import quote

    assert client.ask(f"overview?{quote(query, safe='=')}")[0] == 400


def test_server_listens_on_this_machine_alone(serve: Serve, numbers_tracks: Path) -> None:
    server = serve(numbers_tracks)
    assert server.warning is None
    with socket.socket() as outside:
        outside.settimeout(2)
        assert outside.connect_ex((own_address(), server.port)) != 0


def test_server_on_other_addresses_warns(serve: Serve, numbers_tracks: Path) -> None:
    server = serve(numbers_tracks, host="0.0.0.0")
    assert server.warning is not None
    assert server.warning.startswith("listening on 0.0.0.0, not on this machine alone")
    assert Client(server.url).ask("")[0] == 200
    with socket.socket() as outside:
        outside.settimeout(2)
        assert outside.connect_ex((own_address(), server.port)) == 0


def own_address() -> str:
    """Return an address of this machine that is no loopback; the test is skipped where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent
            address: str = probe.getsockname()[0]
        except OSError:
            address = "127.0.0.1"
    if is_loopback(address):
        pytest.skip("needs an address that others reach")
    return address


def test_port_that_is_taken_is_refused(serve: Serve, numbers_tracks: Path) -> None:
    server = serve(numbers_tracks)
    taken = rf"cannot listen on '127\.0\.0\.1', port {server.port}: .*; give another --port"
    with pytest.raises(UsageError, match=taken):
        serve(numbers_tracks, port=server.port)
    with pytest.raises(UsageError, match=r"cannot listen on 'nowhere\.invalid'"):
        serve(numbers_tracks, host="nowhere.invalid")


def test_tokens_are_long_and_differ(serve: Serve, numbers_tracks: Path) -> None:
    tokens = {urlsplit(serve(numbers_tracks).url).path for _ in range(3)}
    assert len(tokens) == 3
    assert min(map(len, tokens)) > 24
