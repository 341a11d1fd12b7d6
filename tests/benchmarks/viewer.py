"""Print how soon the viewer shows a long track file, how fluidly its timeline moves, and what memory the page takes.

    python -m tests.benchmarks.viewer [--tracks 8] [--rounds 3]

Files of 10,000 and 100,000 frames are made; a headless Chromium of the system looks at each anew in every round.
Printed are medians. First boxes: from asking for the page until a frame with its boxes is drawn, the server's reading
of the file included. Frames a second: pictures of the screen while every one of them moves the timeline. Memory: of the
page's process, shared libraries in part (PSS), and of its JavaScript heap, after moving about and playing.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import shutil
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hybridtrack.view.server import Show
from hybridtrack.view.serving import PageServer
from hybridtrack.view.store import FileStore
from hybridtrack.wire import EventRow, FrameLine, encode_line
from tests.view.conftest import CHROMIUMS, frame, header, relation, summary, track

LENGTHS = (10_000, 100_000)
SECONDS = 3.0  #: that the timeline is moved for

#: notes when boxes were drawn for the first time
WATCH = """
new MutationObserver(() => {
  if (!window.firstBoxes && document.documentElement.dataset.drawn)
    requestAnimationFrame(() => { window.firstBoxes = performance.now(); });
}).observe(document, { subtree: true, attributes: true, attributeFilter: ["data-drawn"] });
"""

#: moves the timeline on every picture of the screen, to and fro; returns pictures a second
MOVE = """
(seconds) => new Promise((resolve) => {
  const base = document.getElementById("lanes-base");
  const start = performance.now();
  let pictures = 0;
  const move = (now) => {
    if (now - start > seconds * 1000) return resolve(pictures / ((now - start) / 1000));
    pictures += 1;
    const facts = { deltaX: Math.sin(pictures / 40) > 0 ? 40 : -40, clientX: 700, clientY: innerHeight - 60 };
    base.dispatchEvent(new WheelEvent("wheel", { ...facts, bubbles: true, cancelable: true }));
    requestAnimationFrame(move);
  };
  requestAnimationFrame(move);
})
"""


def frames(count: int, tracks: int) -> Iterator[FrameLine]:
    """Yield frames on which so many tracks move about; every third is detected, each track rests now and then."""
    for number in range(count):
        rows = []
        for one in range(tracks):
            if (number // 300 + one) % 5 == 4:
                continue
            origin = "detected" if number % 3 == 0 else ("tracked", "tracked", "tracked", "predicted")[number // 50 % 4]
            left, top = 600 + 500 * math.sin(number / 90 + one), 300 + 250 * math.cos(number / 70 + 2 * one)
            track_id = 1 + one + tracks * (number // 3000)
            rows.append(track(track_id, left, top, class_name="mug" if one > 1 else "hand", origin=origin))
        has_pair = len(rows) > 1 and number // 120 % 2
        state = ("near", "overlapping", "holding")[number // 40 % 3]
        first, last = (rows[0].track_id, rows[-1].track_id) if rows else (0, 0)
        yield frame(
            number,
            rows,
            relations=[relation(first, last, state)] if has_pair else [],
            events=[EventRow(kind="pick_up", time_s=number / 30, subject=first, object=last)]
            if has_pair and number % 120 == 80
            else [],
        )


def write_long(path: Path, count: int, tracks: int) -> Path:
    head = header(width_px=1280, height_px=720, frame_count=count)
    with path.open("wb") as stream:
        stream.write(encode_line(head))
        for line in frames(count, tracks):
            stream.write(encode_line(line))
        stream.write(encode_line(summary(count)))
    return path


def measure(path: Path, chromium: str) -> dict[str, float]:
    """Return the figures of one look at a file, by a server and a browser of its own."""
    from playwright.sync_api import sync_playwright

    store = FileStore(path)
    server = PageServer(Show(store=store, title=path.name))
    store.follow()
    server.start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.add_init_script(WATCH)
            page.goto(server.url)
            page.wait_for_selector("html[data-whole]", timeout=60_000)
            figures = {"first boxes, s": page.evaluate("window.firstBoxes") / 1000}
            for zooms, words in ((0, "all"), (3, "an eighth"), (4, "1/128")):
                for _ in range(zooms):
                    page.keyboard.press("+")
                figures[f"frames/s, {words} shown"] = page.evaluate(MOVE, SECONDS)
            page.keyboard.press(" ")
            page.wait_for_timeout(3000)
            figures["memory, MB"] = memory_mb(browser)
            figures["heap, MB"] = page.evaluate("performance.memory.usedJSHeapSize") / 1e6
            browser.close()
    finally:
        server.stop()
        store.close()
    return figures


def memory_mb(browser: Any) -> float:
    """Return the memory of the largest page's process."""
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    rollups = [Path(f"/proc/{one['id']}/smaps_rollup").read_text() for one in processes if one["type"] == "renderer"]
    sizes = [re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE) for text in rollups]
    return max(int(size[1]) for size in sizes if size) * 1024 / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tracks", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    chromium = os.environ.get("HYBRIDTRACK_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUMS)))
    with tempfile.TemporaryDirectory() as folder:
        for count in LENGTHS:
            path = write_long(Path(folder) / f"{count}.jsonl", count, asked.tracks)
            rounds = [measure(path, chromium) for _ in range(asked.rounds)]
            print(f"{count} frames, {path.stat().st_size / 1e6:.0f} MB")
            for name in rounds[0]:
                print(f"  {name:<28}{statistics.median(one[name] for one in rounds):8.2f}")


if __name__ == "__main__":
    main()
