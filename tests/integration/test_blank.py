"""Boxes of a file, tracked without a network and without a picture."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from hybridtrack.cli import exit_code
from hybridtrack.engine import Engine
from hybridtrack.sources.source import RecordedSource
from hybridtrack.types import Array, Frame, FrameResult, Size, VideoInfo

COUNT = 20
BOXES = [(10.0 + 4 * n, 20.0, 70.0 + 4 * n, 90.0) for n in range(COUNT)]  # one thing that goes right, 4 px a frame


class Unseen:
    """A picture of which only the size may be asked."""

    size_px = (640, 360)

    def gray(self, size: Size) -> Array:
        raise AssertionError("the luma was asked for")

    def rgb(self, size: Size) -> Array:
        raise AssertionError("the colours were asked for")


def as_mot(path: Path) -> Path:
    rows = [f"{n},-1,{x1},{y1},{x2 - x1},{y2 - y1},0.9" for n, (x1, y1, x2, y2) in enumerate(BOXES, 1)]
    path.write_text("\n".join(rows) + "\n")
    return path


def as_coco(path: Path) -> Path:
    rows = [
        {"image_id": n, "category_id": 1, "bbox": [x1, y1, x2 - x1, y2 - y1], "score": 0.9}
        for n, (x1, y1, x2, y2) in enumerate(BOXES, 1)
    ]
    path.write_text(json.dumps(rows))
    return path


def tracked(detector: str, source: str, tracker: str, file: Path) -> list[dict[str, Any]]:
    """Return what the frames of a run say but for how long it took."""
    words = ["run", source, "--detector", detector, "--tracker", tracker, "--no-relations", "--with-detections"]
    assert exit_code([*words, "--json", str(file)]) == 0
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line["type"] == "frame"]


@pytest.mark.parametrize("tracker", ["hold", "kalman"])
def test_file_of_any_kind_is_tracked_alike(tmp_path: Path, tracker: str) -> None:
    blank = f"blank:640x360@30:{COUNT}"
    mot, coco = as_mot(tmp_path / "det.txt"), as_coco(tmp_path / "results.json")
    first = tracked(f"replay,path={mot},every=1", blank, tracker, tmp_path / "raw.jsonl")
    assert [line["detections"]["replay"][0]["box"] for line in first] == [pytest.approx(box) for box in BOXES]
    kinds = [str(mot), f"{coco},class=object", str(tmp_path / "raw.jsonl")]
    runs = [
        tracked(f"replay,path={kind},every=3,phase=1", blank, tracker, tmp_path / f"{number}.jsonl")
        for number, kind in enumerate(kinds)
    ]
    assert runs[0] == runs[1] == runs[2]
    assert [bool(line["runs"]) for line in runs[0][:5]] == [False, True, False, False, True]
    assert {track["id"] for line in runs[0] for track in line["tracks"]} == {1}
    assert all(line["tracks"] for line in runs[0][1:])


@pytest.mark.parametrize("tracker", ["hold", "kalman"])
def test_tracks_are_those_of_the_video(tmp_path: Path, table_clip: Path, root: Path, tracker: str) -> None:
    detector = f"replay,path={root / 'examples/data/table'},every=5"
    video = tracked(detector, str(table_clip), tracker, tmp_path / "video.jsonl")
    blank = tracked(detector, "blank:640x360@30:360", tracker, tmp_path / "blank.jsonl")
    assert sum(len(line["tracks"]) for line in video) > 1000
    for of_video, of_blank in zip(video, blank, strict=True):
        assert of_blank == of_video


@pytest.mark.parametrize("tracker", ["hold", "kalman", "none"])
def test_nobody_asks_for_the_picture(tmp_path: Path, tracker: str) -> None:
    def frames() -> Generator[Frame, None, None]:
        for number in range(COUNT):
            yield Frame(Unseen(), index=number, time_s=number / 30)

    played = frames()
    source = RecordedSource("unseen", VideoInfo(width_px=640, height_px=360), next(played), played)
    detector = f"replay,path={as_mot(tmp_path / 'det.txt')},every=3"
    with Engine(detectors=[detector], tracker=tracker, relations=()) as engine:
        results: list[FrameResult] = [result for _, result in engine.run(source)]
    assert sum(bool(result.runs) for result in results) == 7
    assert engine.failures == {}
