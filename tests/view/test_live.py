"""A run as a page sees it while it goes on."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import av
import numpy as np
import pytest

from hybridtrack.errors import UsageError
from hybridtrack.types import Frame, RunInfo, VideoInfo
from hybridtrack.view.columns import unpack
from hybridtrack.view.live import Delay, LiveStore, NewestFrame, PageSink
from tests.sinks.results import CLASSES, result_of, run_info, run_summary, tracks_at
from tests.view.conftest import FPS, SIZE, header, left_of, numbered_frame, numbered_picture
from tests.view.test_browser import box_number, picture_number, screen


def test_store_gives_out_what_came_so_far() -> None:
    store = LiveStore(header())
    for number in range(4):
        store.add(numbered_frame(number))
    said, columns = unpack(store.overview(since=3))
    assert (said["rows"], said["is_growing"], columns["frame"].tolist()) == (4, True, [3])
    assert store.lines(1, 3).count(b"\n") == 2
    assert store.lines(4, 9) == store.lines(3, 1) == b""
    store.end(run_summary(frames=4))
    said, _ = unpack(store.overview())
    assert (said["is_growing"], said["summary"]["frames"]) == (False, 4)


def test_old_frames_go_and_a_new_generation_begins() -> None:
    store = LiveStore(header(), kept_rows=10)
    for number in range(19):
        store.add(numbered_frame(number))
    said, _ = unpack(store.overview(since=19))
    assert (said["generation"], said["rows"], said["since"]) == (0, 19, 19)
    store.add(numbered_frame(19))
    said, columns = unpack(store.overview(since=19))  # the page knows another generation: it gets all
    assert (said["generation"], said["rows"], said["since"]) == (1, 10, 0)
    assert columns["frame"].tolist() == list(range(10, 20))
    assert b'"frame":10,' in store.lines(0, 1)


def picture_of(block: bytes) -> tuple[dict[str, Any], np.ndarray]:
    said, columns = unpack(block)
    with av.open(BytesIO(columns["jpeg"].tobytes())) as container:
        return said, next(container.decode(video=0)).to_ndarray(format="rgb24")


def test_who_asks_gets_the_newest_picture_alone() -> None:
    newest = NewestFrame()
    assert newest.newest(0, wait_s=0.01) is None
    for number in (3, 4, 5):
        newest.set(Frame.from_array(numbered_picture(number), channels="rgb"), {"line": number})
    block = newest.newest(0, wait_s=0.01)
    assert block is not None
    said, picture = picture_of(block)
    assert (said["number"], said["line"], picture_number(picture)) == (3, 5, 5)
    assert newest.newest(3, wait_s=0.01) is None
    assert newest.newest(2, wait_s=0.01) is block  # made once, whoever asks


def test_wide_pictures_are_sent_smaller() -> None:
    newest = NewestFrame()
    newest.set(Frame.from_array(np.zeros((1080, 1920, 3), np.uint8)), {})
    block = newest.newest(0, wait_s=0)
    assert block is not None
    assert picture_of(block)[1].shape == (720, 1280, 3)


def test_delay_is_that_of_the_quickest_frame_and_what_later_ones_took_longer() -> None:
    now = [100.0]
    delay = Delay(lambda: now[0])
    assert delay.behind_ms(0.0, work_ms=10) == pytest.approx(10)  # the first one: it took the work on it at least
    now[0] = 100.5
    assert delay.behind_ms(0.4, work_ms=10) == pytest.approx(110)  # captured .4 s later, there .5 s later
    now[0] = 100.99
    assert delay.behind_ms(1.0, work_ms=0) == pytest.approx(0)  # the quickest: the first took 10 ms more than was known
    now[0] = 101.01
    assert delay.behind_ms(1.0, work_ms=0) == pytest.approx(20)


class Run:
    """A run of numbered pictures into a page."""

    def __init__(self, **where: Any) -> None:
        self.told: list[str] = []
        self.sink = PageSink(tell=self.told.append, **where)
        video = VideoInfo(width_px=SIZE[0], height_px=SIZE[1], fps=Fraction(FPS), frame_count=None)
        self.sink.open(RunInfo(uri="/dev/video0", video=video, classes=CLASSES, detectors=run_info().detectors))

    @property
    def url(self) -> str:
        return self.told[-1]

    def write(self, number: int) -> None:
        picture = Frame.from_array(numbered_picture(number), channels="rgb", index=number, time_s=number / FPS)
        left = left_of(number)
        self.sink.write(picture, result_of(picture, tracks_at([(left, 100, left + 40, 140)])))


@pytest.fixture
def run() -> Iterator[Callable[..., Run]]:
    begun: list[Run] = []

    def begin(**where: Any) -> Run:
        begun.append(Run(**where))
        return begun[-1]

    yield begin
    for one in begun:
        one.sink.close(None)


def ask(url: str, path: str) -> tuple[int, bytes]:
    address = urlsplit(url)
    assert address.hostname
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
    try:
        connection.request("GET", address.path + path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_run_is_served_while_it_goes_on(run: Callable[..., Run]) -> None:
    one = run()
    assert b'"mode":"live"' in ask(one.url, "")[1]
    assert ask(one.url, "newest?after=0")[0] == 204
    one.write(0)
    one.write(1)
    status, block = ask(one.url, "newest?after=0")
    said, picture = picture_of(block)
    assert (status, said["line"]["frame"], picture_number(picture)) == (200, 1, 1)
    assert said["line"]["tracks"][0]["box"] == [left_of(1), 100, left_of(1) + 40, 140]
    assert ask(one.url, "lines?first=0&end=9")[1].count(b"\n") == 2
    assert ask(one.url, "video")[0] == 404
    one.sink.close(run_summary(frames=2))
    with pytest.raises(ConnectionRefusedError):
        ask(one.url, "")


def test_run_ends_at_once_when_nobody_looks(run: Callable[..., Run]) -> None:
    one = run()
    one.write(0)
    begin = time.monotonic()
    one.sink.close(run_summary())
    assert time.monotonic() - begin < 1.5


def test_page_for_others_is_warned_of_and_a_taken_port_refused(run: Callable[..., Run]) -> None:
    one = run(host="0.0.0.0")
    assert one.told[0].startswith("listening on 0.0.0.0, not on this machine alone")
    with pytest.raises(UsageError, match="give another --port"):
        run(port=urlsplit(one.url).port)


@pytest.mark.browser
def test_picture_and_boxes_of_a_run_are_of_one_frame(run: Callable[..., Run], look: Callable[..., Any]) -> None:
    one = run()
    one.write(0)
    page = look(one.url, is_whole=False)
    page.wait_for_selector("html[data-drawn='0']")
    for key in "tlr":
        page.keyboard.press(key)
    numbers = []
    for number in range(1, 60):
        one.write(number)
        page.wait_for_timeout(20)
        if number % 6 == 0:
            seen = screen(page)
            numbers.append((picture_number(seen), box_number(seen)))
    assert len(set(numbers)) > 4
    assert all(picture == box for picture, box in numbers), numbers
    assert page.locator("#live").inner_text() == "live"
    assert "ms behind" in page.locator("#rate").inner_text()


@pytest.mark.browser
def test_picture_of_a_run_stops_while_the_run_goes_on(run: Callable[..., Run], look: Callable[..., Any]) -> None:
    one = run()
    one.write(0)
    page = look(one.url, is_whole=False)
    page.wait_for_selector("html[data-drawn='0']")
    page.keyboard.press(" ")
    for number in range(1, 31):
        one.write(number)
    page.wait_for_selector("html[data-rows='31']")
    assert picture_number(screen(page)) == 0
    box = page.locator("#lanes-base").bounding_box()
    page.mouse.click(box["x"] + 132 + 10.5 / 31 * (box["width"] - 132), box["y"] + 8)  # ten frames in: boxes on black
    page.wait_for_selector("html[data-drawn='10']")
    assert screen(page)[300:-6, 100:-6].max() < 10
    page.keyboard.press("f")
    page.wait_for_selector("html[data-drawn='30']")
    assert picture_number(screen(page)) == 30
    with page.expect_download() as download:
        page.keyboard.press("s")
    with av.open(str(download.value.path())) as saved:
        picture = next(saved.decode(video=0)).to_ndarray(format="rgb24")
    assert picture.shape == (SIZE[1], SIZE[0], 3)
    assert (picture_number(picture), box_number(picture)) == (30, 30)


@pytest.mark.browser
def test_page_says_that_the_run_is_over(run: Callable[..., Run], look: Callable[..., Any]) -> None:
    one = run()
    one.write(0)
    page = look(one.url, is_whole=False)
    page.wait_for_selector("html[data-drawn='0']")
    end = threading.Thread(target=one.sink.close, args=(run_summary(frames=1),))
    end.start()
    page.wait_for_selector("html[data-whole]")
    end.join()
    assert "the run has ended" in page.locator("#notes").inner_text()
    assert not page.locator("#live").is_visible()
