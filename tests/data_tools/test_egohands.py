from __future__ import annotations

import csv
import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from scipy.io import savemat

from data_tools.annotation import Annotation, DataSet
from data_tools.coco import read_coco
from data_tools.egohands import main, part
from data_tools.egohands_folder import SIDES, parse_video, read_egohands
from data_tools.errors import DataError
from data_tools.leaks import find_leaks
from tests.data_tools.egohands_archive import VIDEOS, square, write_egohands, write_metadata, write_video, zip_folder

CARDS = "CARDS_OFFICE_B_T"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def ego(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An unpacked archive of 48 videos of two frames."""
    folder = tmp_path_factory.mktemp("ego")
    write_egohands(folder)
    return folder


def test_polygons_become_boxes_of_one_class_or_four(ego: Path) -> None:
    hands = read_egohands(ego)
    sides = read_egohands(ego / "_LABELLED_SAMPLES", has_sides=True)
    assert (hands.labels, sides.labels, hands.problems) == (("hand",), SIDES, ())
    assert len(hands.pictures) == 96
    picture = next(x for x in sides.pictures if x.name == f"{CARDS}/frame_0031.jpg")
    corners: Any = tuple(map(tuple, square(4, 40).tolist()))
    assert picture.annotations[0] == Annotation(label="myleft", xyxy=(4, 40, 24, 60), polygons=(corners,))
    assert (picture.annotations[1].label, picture.annotations[1].xyxy) == ("yourright", (81, 2, 91, 12))
    assert (picture.size_px, picture.group, picture.frame_number) == ((128, 72), CARDS, 31)
    assert {annotation.label for _, annotation in hands.annotations()} == {"hand"}


def test_boxes_at_the_border_are_kept(tmp_path: Path) -> None:
    rows = [{"myleft": square(0, 0), "myright": square(108, 52)}]
    write_video(tmp_path / "_LABELLED_SAMPLES", CARDS, [11], rows)
    boxes = [annotation.xyxy for _, annotation in read_egohands(tmp_path).annotations()]
    assert boxes == [(0, 0, 20, 20), (108, 52, 128, 72)]


def test_frame_that_is_missing_is_named_and_the_others_keep_their_polygons(tmp_path: Path) -> None:
    samples = tmp_path / "_LABELLED_SAMPLES"
    rows = [{"myleft": square(x, 0)} for x in (10, 20, 30)]
    write_video(samples, CARDS, [11, 51, 99], rows)  # 31 is missing, 99 is too much
    write_metadata(samples, {CARDS: [11, 31, 51]})
    data = read_egohands(tmp_path)
    assert [(x.frame_number, x.annotations[0].xyxy[0]) for x in data.pictures] == [(11, 10), (51, 30)]
    assert [str(problem) for problem in data.problems] == [
        f"frame without polygons: {CARDS}/frame_0099.jpg",
        f"frame that is missing: {CARDS}/frame_0031.jpg",
    ]


def test_video_whose_polygons_cannot_be_told_to_frames_is_left_out_and_named(tmp_path: Path) -> None:
    samples = tmp_path / "_LABELLED_SAMPLES"
    write_video(samples, CARDS, [11, 31], [{"myleft": square(0, 0)}] * 3)
    write_video(samples, "CHESS_OFFICE_B_T", [11], [{}])
    write_video(samples, "JENGA_OFFICE_B_T", [11], [{}])
    (samples / "JENGA_OFFICE_B_T/polygons.mat").write_bytes(b"no MATLAB")
    (samples / "PUZZLE_OFFICE_B_T").mkdir()
    savemat(samples / "PUZZLE_OFFICE_B_T/polygons.mat", {"polygons": 3})
    data = read_egohands(tmp_path)
    assert [picture.group for picture in data.pictures] == ["CHESS_OFFICE_B_T"]
    assert [(problem.kind, problem.where) for problem in data.problems] == [
        ("video with a wrong count of polygons, left out", CARDS),
        ("video without polygons, left out", "JENGA_OFFICE_B_T"),
        ("video without polygons, left out", "PUZZLE_OFFICE_B_T"),
    ]


@pytest.mark.parametrize(
    "corners",
    [
        np.array([(1, 1), (5, 5)], float),
        np.array([(1, 1), (5, 5), (9, 9)], float),
        np.array([(1, 1), (5, np.nan), (9, 9)]),
        np.ones((4, 3)),
    ],
    ids=["two corners", "a line", "not finite", "three columns"],
)
def test_polygon_that_is_none_is_named(tmp_path: Path, corners: Any) -> None:
    rows = [{"myleft": corners, "myright": square(0, 0)}]
    write_video(tmp_path / "_LABELLED_SAMPLES", CARDS, [11], rows)
    data = read_egohands(tmp_path)
    assert len(data.pictures[0].annotations) == 1
    assert [(problem.kind, problem.where) for problem in data.problems] == [
        ("polygon that is none", f"{CARDS}/frame_0011.jpg")
    ]
    assert "myleft" in data.problems[0].detail


def test_broken_picture_and_metadata_are_named(tmp_path: Path) -> None:
    samples = tmp_path / "_LABELLED_SAMPLES"
    write_video(samples, CARDS, [11, 31], [{}, {}])
    (samples / CARDS / "frame_0031.jpg").write_text("no picture")
    (tmp_path / "metadata.mat").write_text("no MATLAB")
    data = read_egohands(tmp_path)
    assert [problem.kind for problem in data.problems] == [
        "metadata.mat that cannot be read",
        "frame that is no picture",
    ]
    assert len(data.pictures) == 1


def test_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no EgoHands in"):
        read_egohands(tmp_path)
    with pytest.raises(DataError, match="expected ACTIVITY_PLACE_VIEWER_PARTNER"):
        parse_video("CARDS_OFFICE")


def test_session_is_the_same_from_both_sides() -> None:
    assert parse_video("CARDS_OFFICE_B_T").session == parse_video("CARDS_OFFICE_T_B").session == "CARDS_OFFICE_B_T"


@pytest.fixture(scope="module")
def data(ego: Path) -> DataSet:
    return read_egohands(ego)


def test_split_by_video_is_spread_over_activities_and_places(data: DataSet) -> None:
    for seed in range(10):
        parts = part(data, "video", shares=None, held_out=None, seed=seed)
        assert [len(x.pictures) for x in parts.values()] == [76, 10, 10]
        assert find_leaks(parts) == []
        for name in ("val", "test"):
            videos = [parse_video(str(picture.group)) for picture in parts[name].pictures]
            assert len({video.activity for video in videos}) == 4
            assert len({video.place for video in videos}) == 3


def test_split_by_session_keeps_both_sides_of_a_game_together(data: DataSet) -> None:
    parts = part(data, "session", shares=None, held_out=None, seed=0)
    assert find_leaks(parts, lambda picture: parse_video(str(picture.group)).session) == []
    by_video = part(data, "video", shares=None, held_out=None, seed=0)
    assert find_leaks(by_video, lambda picture: parse_video(str(picture.group)).session) != []


@pytest.mark.parametrize(
    ("by", "name", "count"), [("place", None, 32), ("place", "COURTYARD", 32), ("viewer", "H", 24)]
)
def test_place_or_viewer_is_held_out(data: DataSet, by: str, name: str | None, count: int) -> None:
    parts = part(data, by, shares=None, held_out=name, seed=0)
    test = {getattr(parse_video(str(picture.group)), by) for picture in parts["test"].pictures}
    others = {
        getattr(parse_video(str(picture.group)), by) for other in ("train", "val") for picture in parts[other].pictures
    }
    assert test == {name or "OFFICE"}
    assert not test & others
    assert len(parts["test"].pictures) == count


def test_split_of_the_origin_shares_videos(data: DataSet) -> None:
    parts = part(data, "origin", shares=None, held_out=None, seed=0)
    assert {name: len(x.pictures) for name, x in parts.items()} == {"train": 86, "test": 10}
    assert find_leaks(parts)


@pytest.mark.parametrize(
    ("by", "shares", "held_out", "message"),
    [
        ("place", None, "MOON", "no place 'MOON' to hold out; there are COURTYARD, LIVINGROOM, OFFICE"),
        ("place", "80,10,10", None, "--shares is not for --split place"),
        ("video", None, "OFFICE", "--hold-out is for"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    data: DataSet, by: str, shares: str | None, held_out: str | None, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        part(data, by, shares=shares, held_out=held_out, seed=0)


def test_command_prepares_an_archive(ego: Path, tmp_path: Path) -> None:
    archive = zip_folder(ego, tmp_path / "egohands_data.zip")
    out = tmp_path / "out"
    done = run(archive, "--out", out, "--sides", "--sheets", "1")
    assert done.exit_code == 0, done.output
    assert "train: 76 pictures, 152 hands, 38 videos" in done.output
    every = read_coco(out / "annotations.json")
    assert (len(every.pictures), every.labels) == (96, SIDES)
    assert all(picture.path.is_file() and picture.path.parent == out / "images" for picture in every.pictures)
    assert f"{CARDS}_frame_0011.jpg" in {picture.name for picture in every.pictures}
    assert every.pictures[0].annotations[0].polygons
    parts = {name: read_coco(out / f"{name}.json") for name in ("train", "val", "test")}
    assert find_leaks(parts) == []
    with (out / "test.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["filename", "width", "height", "class", "xmin", "ymin", "xmax", "ymax"]
    assert len(rows) == 20
    told = json.loads((out / "egohands.json").read_text())
    assert (told["problems"], told["videos_in_several_parts"]) == ([], [])
    assert told["parts"]["train"]["videos"] == sorted({str(x.group) for x in parts["train"].pictures})
    assert {path.name for path in (out / "look").iterdir()} >= {"statistics.json", "box_sizes.png", "sheet-01.png"}
    again = run("--out", out, "--sheets", "0")
    assert again.exit_code == 0, again.output
    assert "from an earlier run" in again.output


def test_split_of_the_origin_is_to_be_asked_for_twice_and_says_so(ego: Path, tmp_path: Path) -> None:
    refused = run(ego, "--out", tmp_path / "out", "--split", "origin")
    assert isinstance(refused.exception, DataError)
    assert "--allow-leaks" in str(refused.exception)
    assert not (tmp_path / "out").exists()
    done = run(ego, "--out", tmp_path / "out", "--split", "origin", "--allow-leaks", "--sheets", "0")
    assert done.exit_code == 0, done.output
    assert "videos stand in more than one part: figures on these parts flatter" in done.output
    assert json.loads((tmp_path / "out/egohands.json").read_text())["videos_in_several_parts"]


def test_strict_refuses_what_is_incomplete(tmp_path: Path) -> None:
    samples = write_egohands(tmp_path / "ego", VIDEOS[:6])
    next(samples.glob("*/frame_0011.jpg")).unlink()
    refused = run(tmp_path / "ego", "--out", tmp_path / "out", "--strict")
    assert isinstance(refused.exception, DataError)
    assert [problem.kind for problem in refused.exception.problems] == ["frame that is missing"]
    lenient = run(tmp_path / "ego", "--out", tmp_path / "out", "--shares", "60,20,20")
    assert lenient.exit_code == 0, lenient.output
    assert "frame that is missing: 1" in lenient.output


@pytest.fixture
def served(ego: Path, tmp_path: Path) -> Iterator[str]:
    """The address of a server that has the archive and a page instead of it."""
    folder = tmp_path / "served"
    folder.mkdir()
    zip_folder(ego, folder / "egohands_data.zip")
    (folder / "moved.zip").write_text("<html>moved</html>")

    class Silent(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_command_downloads_what_is_not_there(served: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = run("--out", out, "--url", f"{served}/egohands_data.zip", "--sheets", "0")
    assert done.exit_code == 0, done.output
    assert (out / "egohands_data.zip.sha256").read_text().split()[0] in done.output
    assert len(read_coco(out / "annotations.json").pictures) == 96


def test_page_in_place_of_the_archive_is_told(served: str, tmp_path: Path) -> None:
    refused = run("--out", tmp_path / "out", "--url", f"{served}/moved.zip")
    assert isinstance(refused.exception, DataError)
    assert "is no archive" in str(refused.exception)


@pytest.mark.shared
def test_figures_and_split_of_the_real_annotations(shared_data: Path) -> None:
    real = read_coco(shared_data / "egohands_annotations/annotations.json")
    assert {str(picture.group) for picture in real.pictures} <= {
        f"{parse_video(str(x.group)).activity}_{str(x.group).split('_', 1)[1]}" for x in real.pictures
    }
    parts = part(real, "video", shares=None, held_out=None, seed=0)
    assert find_leaks(parts) == []
    assert [len({x.group for x in its.pictures}) for its in parts.values()] == [38, 5, 5]
    assert sum(len(its.pictures) for its in parts.values()) == 4780
    origin = part(real, "origin", shares=None, held_out=None, seed=0)
    assert len(find_leaks(origin)) == 48
    place = part(real, "place", shares=None, held_out="OFFICE", seed=0)
    assert len({x.group for x in place["test"].pictures}) == 16
