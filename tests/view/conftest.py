"""Track files and videos whose frames can be told apart, a server on them, and a browser that looks at it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import msgspec
import numpy as np
import pytest

from hybridtrack.view.server import Show
from hybridtrack.view.serving import PageServer
from hybridtrack.view.store import FileStore
from hybridtrack.view.video import FORMS, Conversion, Video, differences
from hybridtrack.wire import (
    ClassRow,
    DetectorRow,
    EventRow,
    FrameLine,
    HeaderLine,
    RelationRow,
    RunRow,
    SourceRow,
    SummaryLine,
    TrackRow,
    encode_line,
)

SIZE = (640, 360)
FPS = 30
BITS = 8  #: of the number that stands in a picture, in squares along its lower edge
SQUARE_PX = 40
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def header(**source: Any) -> HeaderLine:
    facts = {"uri": "numbers.mp4", "width_px": SIZE[0], "height_px": SIZE[1], "fps": float(FPS), "frame_count": 120}
    return HeaderLine(
        source=SourceRow(**(facts | source)),
        classes=[
            ClassRow(name="hand", role="hand", identity="hand"),
            ClassRow(name="mug", role="object", identity="mug"),
        ],
        open_classes=False,
        detectors=[
            DetectorRow(
                name="hand",
                distribution="hybridtrack",
                version="0.1.0",
                bundle=None,
                sha256=None,
                every=3,
                classes=["hand"],
            )
        ],
        settings={},
    )


def track(track_id: int, left: float, top: float, **facts: Any) -> TrackRow:
    usual: dict[str, Any] = {
        "class_name": "hand",
        "origin": "tracked",
        "state": "confirmed",
        "score": 0.9,
        "confidence": 0.8,
        "unseen_s": 0.0,
        "velocity": (0.0, 0.0),
        "detector": "hand",
    }
    return TrackRow(track_id=track_id, xyxy=(left, top, left + 40, top + 40), **(usual | facts))


def frame(number: int, tracks: list[TrackRow], **facts: Any) -> FrameLine:
    usual: dict[str, Any] = {"runs": [], "relations": [], "events": []}
    if number % 3 == 0:
        usual["runs"] = [RunRow(detector="hand", trigger="interval", status="ok")]
    return FrameLine(frame_index=number, time_s=round(number / FPS, 6), tracks=tracks, **(usual | facts))


def relation(subject: int, object_: int, state: str) -> RelationRow:
    return RelationRow(
        subject=subject,
        object=object_,
        state=state,
        distance=0.0,
        overlap=0.3,
        coverage=0.5,
        offset=(0.1, 0.1),
        closing=0.0,
    )


def summary(frames: int, *, complete: bool = True) -> SummaryLine:
    return SummaryLine(
        frames=frames,
        dropped=0,
        seconds=1.0,
        fps=float(frames),
        detector_runs={"hand": frames // 3},
        failures={},
        stage_ms={"detect": 1.5},
        complete=complete,
    )


def left_of(number: int) -> int:
    """The left edge of hand 1 on a frame: it tells the number of the frame."""
    return 20 + 4 * number


def numbered_frame(number: int) -> FrameLine:
    """Hand 1 at a place that tells the number; a mug it holds from frame 30 to 59 and picks up at 1 s."""
    origin = "detected" if number % 3 == 0 else "tracked"
    tracks = [track(1, left_of(number), 100, origin=origin), track(2, 300, 200, class_name="mug")]
    relations = [relation(1, 2, "holding")] if 30 <= number < 60 else [relation(1, 2, "near")]
    events = [EventRow(kind="pick_up", time_s=1.0, subject=1, object=2)] if number == 36 else []
    return frame(number, tracks, relations=relations, events=events)


def write_tracks(path: Path, lines: list[FrameLine], *, is_whole: bool = True, head: HeaderLine | None = None) -> Path:
    ends = [summary(len(lines))] if is_whole else []
    path.write_bytes(b"".join(map(encode_line, [head or header(), *lines, *ends])))
    return path


def numbered_picture(number: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A grey picture, RGB, whose lower edge has the number in squares: white is 1, the greatest bit on the left."""
    picture = np.full((size[1], size[0], 3), 70, np.uint8)
    for bit in range(BITS):
        level = 255 if number >> (BITS - 1 - bit) & 1 else 0
        picture[-SQUARE_PX:, bit * SQUARE_PX : (bit + 1) * SQUARE_PX] = level
    return picture


def write_numbers(path: Path, count: int = 120, *, codec: str = "libx264", size: tuple[int, int] = SIZE) -> Path:
    """Write a video whose pictures have their number in them."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=Fraction(FPS), options={"g": "25", "deadline": "realtime"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number in range(count):
            picture = av.VideoFrame.from_ndarray(numbered_picture(number, size), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="session")
def numbers_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_numbers(tmp_path_factory.mktemp("video") / "numbers.mp4")


@pytest.fixture
def numbers_tracks(tmp_path: Path) -> Path:
    return write_tracks(tmp_path / "numbers.jsonl", [numbered_frame(number) for number in range(120)])


@pytest.fixture
def serve() -> Iterator[Callable[..., PageServer]]:
    """Serve a track file, with a video or without; all is stopped when the test ends."""
    undo: list[Callable[[], None]] = []

    def start(tracks: Path, video: Video | None = None, **where: Any) -> PageServer:
        store = FileStore(tracks)
        undo.append(store.close)
        conversions = {} if video is None else {name: Conversion(video, form) for name, form in FORMS.items()}
        undo.extend(conversion.close for conversion in conversions.values())
        notes = [] if video is None else differences(video, store.header)
        show = Show(store=store, title=tracks.name, video=video, conversions=conversions, notes=notes)
        server = PageServer(show, **where)
        undo.append(server.stop)
        store.follow()
        server.start()
        return server

    yield start
    for one in reversed(undo):
        one()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium of the system; the test is skipped where there is none."""
    path = os.environ.get("HYBRIDTRACK_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if path is None:
        pytest.skip(f"needs a Chromium: none of {', '.join(CHROMIUMS)} is installed, HYBRIDTRACK_CHROMIUM is not set")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def look(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open a page and wait until it knows all frames; what goes wrong in its scripts fails the test."""
    pages: list[Any] = []
    wrong: list[str] = []

    def open_page(url: str, *, is_whole: bool = True, **options: Any) -> Any:
        page = browser.new_page(viewport={"width": 1280, "height": 900}, **options)
        pages.append(page)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(url)
        if is_whole:
            page.wait_for_selector("html[data-whole]")
        return page

    yield open_page
    for page in pages:
        page.close()
    assert wrong == []


def said_in(block: bytes) -> dict[str, Any]:
    """Return what is said in a packed block."""
    found: dict[str, Any] = msgspec.json.decode(block[4 : 4 + int.from_bytes(block[:4], "little")])
    return found
