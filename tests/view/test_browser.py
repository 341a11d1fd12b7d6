"""The page in a headless Chromium: picture and boxes in step, clicks that go where they should, files that grow."""

from __future__ import annotations

import random
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from hybridtrack.view.document import page as document
from hybridtrack.view.export import exported_page
from hybridtrack.view.serving import PageServer
from hybridtrack.view.store import FileStore
from hybridtrack.view.video import open_as_video
from hybridtrack.wire import encode_line
from tests.view.conftest import (
    BITS,
    FPS,
    SIZE,
    SQUARE_PX,
    frame,
    header,
    left_of,
    numbered_frame,
    summary,
    track,
    write_numbers,
    write_tracks,
)

pytestmark = pytest.mark.browser

Serve = Callable[..., PageServer]
Look = Callable[..., Any]

BOX_ROW_PX = 120  #: crosses hand 1 in its middle


def screen(page: Any) -> np.ndarray:
    """What is seen of video and overlay, RGB, at the size of the video."""
    with av.open(BytesIO(page.locator("#picture").screenshot())) as picture:
        rgb = next(picture.decode(video=0)).reformat(*SIZE, format="rgb24")
    return rgb.to_ndarray()


def picture_number(seen: np.ndarray) -> int:
    """The number of the picture of the video, by its squares."""
    centres = [bit * SQUARE_PX + SQUARE_PX // 2 for bit in range(BITS)]
    levels = [seen[-SQUARE_PX // 2 - 6 : -SQUARE_PX // 2 + 6, x - 6 : x + 6].mean() for x in centres]
    return sum((level > 128) << (BITS - 1 - bit) for bit, level in enumerate(levels))


def box_number(seen: np.ndarray) -> int:
    """The number of the frame whose boxes are drawn, by the place of hand 1."""
    row = seen[BOX_ROW_PX - 4 : BOX_ROW_PX + 4].astype(int).mean(axis=0)
    is_box = row[:, 0] - row[:, 2] > 60  # the yellow of hands; all else is grey
    assert is_box.any(), "no box is drawn"
    columns = np.flatnonzero(is_box)
    left = (columns[0] + columns[-1] + 1) / 2 - 20  # of its two sides, 40 apart, whatever their width
    return round((left - left_of(0)) / (left_of(1) - left_of(0)))


@pytest.fixture
def bare(look: Look) -> Callable[[str], Any]:
    """Open a page on a video, without labels, trails and relation lines, which could hide what is measured."""

    def open_page(url: str) -> Any:
        page = look(url)
        page.wait_for_selector("#video:visible")
        for key in "tlr":
            page.keyboard.press(key)
        page.wait_for_selector("html[data-drawn='0']")
        return page

    return open_page


def shown(page: Any) -> int:
    return int(page.evaluate("document.documentElement.dataset.drawn") or -1)


def seek_with_the_mouse(page: Any, share: float) -> None:
    """Click on the ruler of the timeline, that far along it."""
    box = page.locator("#lanes-base").bounding_box()
    page.mouse.click(box["x"] + 132 + share * (box["width"] - 132), box["y"] + 8)


def settle(page: Any, number: int) -> None:
    page.wait_for_selector(f"html[data-drawn='{number}']", timeout=5000)


@pytest.mark.parametrize("name", ["numbers.mp4", "numbers.webm", "numbers.mkv", "late.mkv"])
def test_boxes_are_those_of_the_picture_after_random_seeks(
    serve: Serve, bare: Look, numbers_tracks: Path, tmp_path: Path, name: str
) -> None:
    video = write_numbers(tmp_path / name, codec="libvpx" if name.endswith("webm") else "libx264")
    if name == "late.mkv":
        video = delayed(video, tmp_path / "shifted.mkv")
    page = bare(serve(numbers_tracks, open_as_video(video)).url)
    rng = random.Random(4)
    for _ in range(20):
        number = rng.randrange(120)
        seek_with_the_mouse(page, (number + 0.5) / 120)
        settle(page, number)
        seen = screen(page)
        assert (picture_number(seen), box_number(seen)) == (number, number)


def delayed(video: Path, target: Path) -> Path:
    """Copy a video so that its first picture is at 5 s, as parts of a recording have it."""
    with av.open(str(video)) as source, av.open(str(target), "w") as container:
        stream = container.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.size:
                shift = round(5 / packet.time_base)
                packet.pts, packet.stream = packet.pts + shift, stream
                packet.dts = None if packet.dts is None else packet.dts + shift
                container.mux(packet)
    return target


def test_boxes_are_those_of_the_picture_while_it_plays(
    serve: Serve, bare: Look, numbers_tracks: Path, numbers_video: Path
) -> None:
    page = bare(serve(numbers_tracks, open_as_video(numbers_video)).url)
    page.keyboard.press(" ")
    numbers = []
    while shown(page) < 110:
        seen = screen(page)
        numbers.append((picture_number(seen), box_number(seen)))
    assert len(numbers) >= 5
    assert len(set(numbers)) >= 4  # it did play
    assert max(abs(picture - box) for picture, box in numbers) <= 1, numbers


def test_arrows_go_one_frame_on_and_back(serve: Serve, bare: Look, numbers_tracks: Path, numbers_video: Path) -> None:
    page = bare(serve(numbers_tracks, open_as_video(numbers_video)).url)
    for key, number in [("ArrowRight", 1), ("ArrowRight", 2), ("ArrowRight", 3), ("ArrowLeft", 2), ("End", 119)]:
        page.keyboard.press(key)
        settle(page, number)
        seen = screen(page)
        assert (picture_number(seen), box_number(seen)) == (number, number)
    page.keyboard.press("Home")
    settle(page, 0)
    page.keyboard.press("Shift+ArrowRight")
    settle(page, FPS)


def test_video_that_the_browser_does_not_play_is_converted(
    serve: Serve, bare: Look, numbers_tracks: Path, tmp_path: Path
) -> None:
    video = write_numbers(tmp_path / "old.avi", codec="mpeg4")
    page = bare(serve(numbers_tracks, open_as_video(video)).url)
    assert page.evaluate("document.getElementById('video').src").endswith("/converted/h264")
    for number in (7, 93, 30):
        seek_with_the_mouse(page, (number + 0.5) / 120)
        settle(page, number)
        seen = screen(page)
        assert (picture_number(seen), box_number(seen)) == (number, number)


def test_click_on_an_event_goes_to_it(serve: Serve, look: Look, numbers_tracks: Path) -> None:
    page = look(serve(numbers_tracks).url)
    event = page.locator("#events .event")
    assert event.inner_text().split("\n") == ["0:01.00", "pick up", "hand 1 · mug 2"]
    event.click()
    settle(page, 30)
    assert page.locator("#clock").inner_text() == "0:01.000"
    assert page.locator("#caption").inner_text() == "pick up: hand 1 · mug 2"
    assert page.locator("#present tr").first.inner_text().split("\t") == ["hand 1", "detected", "holding 2", "0.80"]


def test_boxes_are_shown_on_black_without_a_video(serve: Serve, look: Look, numbers_tracks: Path) -> None:
    page = look(serve(numbers_tracks).url)
    for key in "tlr":
        page.keyboard.press(key)
    page.keyboard.press("End")
    settle(page, 119)
    seen = screen(page)
    assert box_number(seen) == 119
    assert seen[300:-6, 100:-6].max() < 10
    page.keyboard.press("Home")
    page.keyboard.press(" ")
    while shown(page) < 20:  # the clock of the page drives it
        page.wait_for_timeout(50)


def test_filters_hide_boxes_and_lanes(serve: Serve, look: Look, numbers_tracks: Path) -> None:
    page = look(serve(numbers_tracks).url)
    page.locator("#show").evaluate("one => { one.open = true; }")
    names = page.locator("#present td:first-child")
    assert names.all_inner_texts() == ["hand 1", "mug 2"]
    page.get_by_role("button", name="mug", exact=True).click()
    assert names.all_inner_texts() == ["hand 1"]
    assert page.locator("#events .event").count() == 0  # an event with a mug
    page.get_by_role("button", name="mug", exact=True).click()
    page.locator("#ids").fill("2-9")
    assert names.all_inner_texts() == ["mug 2"]
    page.locator("#ids").fill("")
    page.get_by_role("button", name="detected", exact=True).click()
    assert names.all_inner_texts() == ["mug 2"]  # hand 1 was detected on frame 0


def test_pointer_on_a_box_tells_of_it(serve: Serve, look: Look, numbers_tracks: Path) -> None:
    page = look(serve(numbers_tracks).url)
    settle(page, 0)
    box = page.locator("#overlay").bounding_box()
    scale = box["width"] / SIZE[0]
    page.mouse.move(box["x"] + (left_of(0) + 20) * scale, box["y"] + 120 * scale)
    words = page.locator("#tip").inner_text()
    assert words.startswith("hand 1\ndetected: a detector saw it on this frame\nscore 0.90, confidence 0.80")
    assert "near mug 2" in words


def test_file_that_grows_is_followed(serve: Serve, look: Look, tmp_path: Path) -> None:
    path = write_tracks(tmp_path / "grows.jsonl", [numbered_frame(n) for n in range(5)], is_whole=False)
    page = look(serve(path).url, is_whole=False)
    page.wait_for_selector("html[data-rows='5']")
    page.wait_for_selector("#follow:visible")
    page.keyboard.press("f")
    settle(page, 4)
    with path.open("ab", buffering=0) as stream:
        stream.write(encode_line(numbered_frame(5)) + encode_line(numbered_frame(6)))
        settle(page, 6)
        assert page.locator("#live").is_visible()
        stream.write(encode_line(summary(7)))
    page.wait_for_selector("html[data-whole]")
    assert not page.locator("#live").is_visible()


def test_video_of_another_size_and_length_is_told_and_shown(
    serve: Serve, look: Look, numbers_tracks: Path, tmp_path: Path
) -> None:
    video = write_numbers(tmp_path / "small.mp4", 60, size=(320, 180))
    page = look(serve(numbers_tracks, open_as_video(video)).url)
    notes = page.locator("#notes").inner_text()
    assert "small.mp4 is 320x180, the tracks were made at 640x360: boxes are scaled" in notes
    assert "small.mp4 has 60 frames, the source of the tracks had 120" in notes
    page.wait_for_selector("#video:visible")
    page.keyboard.press("End")  # beyond the end of the video: boxes on black
    settle(page, 119)
    assert screen(page)[300:-6, 100:-6].max() < 10
    seek_with_the_mouse(page, 20.5 / 120)
    settle(page, 20)
    page.wait_for_selector("#video:visible")
    assert screen(page)[200:300].mean() > 50


def test_names_in_a_file_are_text_and_nothing_else(serve: Serve, look: Look, tmp_path: Path) -> None:
    evil = "<img src=x onerror=window.stolen=1></script><script>window.stolen=1</script>"
    head = header(uri=evil)
    head.classes[0].name = head.detectors[0].name = evil
    path = write_tracks(tmp_path / "evil.jsonl", [frame(0, [track(1, 10, 10, class_name=evil)])], head=head)
    page = look(serve(path).url)
    settle(page, 0)
    assert page.locator("#present td").first.inner_text() == f"{evil} 1"
    assert page.evaluate("window.stolen") is None


@pytest.mark.parametrize("is_video_inside", [True, False])
def test_exported_page_needs_nothing_beside_it(
    look: Look, numbers_tracks: Path, numbers_video: Path, tmp_path: Path, is_video_inside: bool
) -> None:
    store = FileStore(numbers_tracks)
    store.read_all()
    video = open_as_video(numbers_video)
    target = tmp_path / "alone/page.html"
    target.parent.mkdir()
    target.write_bytes(exported_page(store, title="numbers", video=video, is_video_inside=is_video_inside))
    store.close()
    page = look(target.as_uri())
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for key in "tlr":
        page.keyboard.press(key)
    if is_video_inside:
        page.wait_for_selector("#video:visible")
    else:
        page.locator("#message input").set_input_files(numbers_video)
        page.wait_for_selector("#video:visible")
    for number in (77, 5):
        seek_with_the_mouse(page, (number + 0.5) / 120)
        settle(page, number)
        seen = screen(page)
        assert (picture_number(seen), box_number(seen)) == (number, number)
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == []


def test_document_has_no_address_of_elsewhere() -> None:
    text = document({"mode": "page"}, title="t", data={})
    assert "https://" not in text
    assert text.count("http://") == 0
