from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from data_tools.annotation import DataSet, Picture
from data_tools.coco import read_coco
from data_tools.cvat import read_cvat
from data_tools.errors import DataError
from data_tools.frames import cut, main
from data_tools.tracks import read_track_file
from hybridtrack.engine import Engine
from hybridtrack.export.exporting import export_tracks
from hybridtrack.run import write_run
from hybridtrack.sinks.jsonl import JsonLinesSink
from hybridtrack.sources import open_source
from hybridtrack.track_file import read_tracks


@pytest.fixture(scope="module")
def tracks(table_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The track file of the demo clip's first two seconds."""
    path = tmp_path_factory.mktemp("tracks") / "tracks.jsonl"
    with Engine(detect_every="3") as engine, open_source(str(table_clip)) as source:
        write_run(engine, source, [JsonLinesSink(path)], max_frames=60)
    return path


def test_boxes_of_frames_are_the_confirmed_tracks(tracks: Path) -> None:
    data = read_track_file(tracks)
    with read_tracks(tracks) as lines:
        frames = list(lines)
    assert [picture.frame_number for picture in data.pictures] == list(range(60))
    for picture, frame in zip(data.pictures, frames, strict=True):
        rows = [(row.class_name, row.xyxy) for row in frame.tracks if row.state == "confirmed"]
        assert [(row.label, row.xyxy) for row in picture.annotations] == rows
    assert sum(1 for _ in data.annotations()) > 30
    assert (data.pictures[7].name, data.pictures[7].group) == ("table/frame_000007.jpg", "table")


def test_tracks_come_back_from_cvat(tracks: Path, tmp_path: Path) -> None:
    export_tracks(str(tracks), "cvat", str(tmp_path / "cvat.xml"))
    found, wanted = read_cvat(tmp_path / "cvat.xml"), read_track_file(tracks)
    assert found.labels == wanted.labels
    for a, b in zip(found.pictures, wanted.pictures, strict=True):
        assert (a.name, a.size_px, a.group, a.frame_number) == (b.name, b.size_px, b.group, b.frame_number)
        boxes = [sorted(row.xyxy for row in x.annotations) for x in (a, b)]
        assert np.array(boxes[0]) == pytest.approx(np.array(boxes[1]), abs=0.01)


def test_command_cuts_frames_out_of_their_video(tracks: Path, table_clip: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(main, [str(tracks), str(table_clip), "--out", str(tmp_path), "--every", "0.5"])
    assert done.exit_code == 0, done.output
    data = read_coco(tmp_path / "annotations.json")
    assert [picture.frame_number for picture in data.pictures] == [0, 15, 30, 45]
    assert {picture.group for picture in data.pictures} == {"table"}
    with open_source(str(table_clip)) as source:
        frame = next(frame for frame in source if frame.index == 30)
    written = cv2.imread(str(data.pictures[2].path))
    assert written.shape == (360, 640, 3)
    assert np.abs(written.astype(int) - frame.bgr()).mean() < 3  # JPEG


def test_what_was_corrected_in_cvat_is_cut_too(tracks: Path, table_clip: Path, tmp_path: Path) -> None:
    export_tracks(str(tracks), "cvat", str(tmp_path / "cvat.xml"))
    done = CliRunner().invoke(
        main, [str(tmp_path / "cvat.xml"), str(table_clip), "--out", str(tmp_path / "out"), "--every", "1"]
    )
    assert done.exit_code == 0, done.output
    data = read_coco(tmp_path / "out/annotations.json")
    assert [picture.frame_number for picture in data.pictures] == [0, 30]
    assert all(picture.path.is_file() for picture in data.pictures)


def frame(number: int | None, folder: Path, size_px: tuple[int, int] = (640, 360)) -> Picture:
    return Picture(name=f"{number}.jpg", size_px=size_px, folder=folder, frame_number=number)


def test_frames_that_the_video_does_not_have_are_named(table_clip: Path, tmp_path: Path) -> None:
    data = DataSet(labels=(), pictures=(frame(0, tmp_path), frame(400, tmp_path)))
    done = cut(data, str(table_clip))
    assert [picture.name for picture in done.pictures] == ["0.jpg"]
    assert [str(problem) for problem in done.problems] == ["frame that the video does not have: 400.jpg"]


def test_video_of_another_size_and_frames_without_numbers_are_refused(table_clip: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is 640x360, its annotations are for 80x60"):
        cut(DataSet(labels=(), pictures=(frame(0, tmp_path, (80, 60)),)), str(table_clip))
    with pytest.raises(DataError, match="a number for each of its frames"):
        cut(DataSet(labels=(), pictures=(frame(None, tmp_path),)), str(table_clip))
