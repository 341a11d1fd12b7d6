from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from hybridtrack.errors import SourceError, UsageError
from hybridtrack.sources import open_source
from hybridtrack.sources.live import LiveSource
from hybridtrack.sources.source import RecordedSource
from hybridtrack.types import Frame

WriteVideo = Callable[..., Path]
PATIENCE_S = 20.0


def _frame(index: int) -> Frame:
    return Frame.from_array(np.zeros((4, 6), np.uint8), index=index, time_s=index / 30)


class Camera:
    """A camera that sees as many frames as it is told to, and waits until its reader has taken notice of each."""

    def __init__(self) -> None:
        self._may_see = threading.Semaphore(1)
        self._has_seen = threading.Semaphore(0)
        self._is_on = True
        self.is_released = False

    def frames(self) -> Generator[Frame, None, None]:
        try:
            index = 0
            while self._may_see.acquire() and self._is_on:
                yield _frame(index)
                self._has_seen.release()  # the reader came back: it has stored the frame
                index += 1
        finally:
            self.is_released = True

    def see(self, count: int) -> None:
        for _ in range(count):
            self._may_see.release()
            assert self._has_seen.acquire(timeout=PATIENCE_S)

    def switch_off(self) -> None:
        self._is_on = False
        self._may_see.release()


def test_a_slow_reader_gets_the_newest_frame_and_the_rest_is_counted() -> None:
    camera = Camera()
    source = LiveSource("camera", camera.frames())
    assert next(source).index == 0
    camera._has_seen.acquire(timeout=PATIENCE_S)
    camera.see(5)
    assert next(source).index == 5
    camera.see(1)
    assert next(source).index == 6
    assert source.dropped == 4
    camera.see(3)
    camera.switch_off()
    assert [frame.index for frame in source] == [9]
    assert source.dropped == 6
    source.close()
    assert camera.is_released


def test_closing_releases_the_camera_and_ends_the_frames() -> None:
    camera = Camera()
    with LiveSource("camera", camera.frames()) as source:
        camera.switch_off()
    assert camera.is_released
    assert list(source) == []
    source.close()


def test_a_camera_that_fails_says_so_after_its_last_frame() -> None:
    def frames() -> Generator[Frame, None, None]:
        yield _frame(0)
        raise SourceError("camera 0 stopped")

    with LiveSource("0", frames()) as source:
        assert next(source).index == 0
        with pytest.raises(SourceError, match=r"^camera 0 stopped$"):
            next(source)
        assert source.notes == ["camera 0 stopped"]
    assert list(source) == []


def test_a_bug_in_reading_shows_where_the_frames_are_taken() -> None:
    def frames() -> Generator[Frame, None, None]:
        yield _frame(0)
        raise ZeroDivisionError

    with LiveSource("0", frames()) as source:
        assert next(source).index == 0
        with pytest.raises(ZeroDivisionError):
            next(source)


def test_a_camera_that_gives_no_frame_is_refused_within_the_limit() -> None:
    camera = Camera()
    camera._may_see.acquire()
    threading.Timer(0.1, camera.switch_off).start()
    with pytest.raises(SourceError, match=r"^no frame from 'cam': none came within 0.01 s; check"):
        LiveSource("cam", camera.frames(), first_frame_limit_s=0.01)


@contextmanager
def _sender(contents: bytes, *, breaks_off: bool = False) -> Iterator[str]:
    """Serve bytes to the first who connects, then hang up, in order or not; gives the address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE_S)

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(contents)
                if breaks_off:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def test_a_network_stream_is_live_and_its_end_is_noted(write_video: WriteVideo) -> None:
    path = write_video("clip.ts", count=30)
    with _sender(path.read_bytes()) as uri, open_source(uri) as source:
        frames = [(frame.index, frame.time_s) for frame in source]
    assert source.is_live
    assert (source.info.width_px, source.info.height_px) == (64, 48)
    assert len(frames) + source.dropped == 30
    assert frames[-1] == (29, pytest.approx(29 / 30))
    assert source.notes == [f"the stream {uri!r} ended after 30 frames"]


def test_a_network_stream_that_breaks_off_says_so_after_its_last_frame(write_video: WriteVideo) -> None:
    path = write_video("clip.ts", count=30)
    with _sender(path.read_bytes(), breaks_off=True) as uri, open_source(uri) as source:
        indices = []
        with pytest.raises(SourceError, match=r"broke off after \d+ frames: .*; check the sender$"):
            indices += (frame.index for frame in source)
    assert source.notes[-1].startswith(f"the stream {uri!r} broke off after ")


def test_a_stream_that_nobody_sends_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    for uri in (f"tcp://127.0.0.1:{port}", f"rtsp://127.0.0.1:{port}/live", f"http://127.0.0.1:{port}/a.mp4"):
        with pytest.raises(SourceError, match=r"^cannot open stream '.*': Connection refused; check the address"):
            open_source(uri)


def test_part_of_an_endless_stream_is_refused(write_video: WriteVideo) -> None:
    contents = write_video("clip.ts").read_bytes()
    with _sender(contents) as uri, pytest.raises(UsageError, match="start, end and loop are for recordings"):
        open_source(uri, start_s=1)


def test_pace_of_a_stream_is_its_own(write_video: WriteVideo) -> None:
    contents = write_video("clip.ts").read_bytes()
    with _sender(contents) as uri, pytest.raises(UsageError, match=r"is a stream, which has its own; leave it out$"):
        open_source(uri, pace=True)


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        pass


def test_a_file_behind_http_is_a_recording(write_video: WriteVideo) -> None:
    path = write_video("clip.mp4", count=20)
    handler = partial(_QuietHandler, directory=str(path.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            with open_source(f"http://127.0.0.1:{server.server_port}/clip.mp4", loop=2) as source:
                assert isinstance(source, RecordedSource)
                assert [frame.index for frame in source] == list(range(40))
        finally:
            server.shutdown()
