"""The plugin as it is installed. Markers are rendered onto a picture of a table, so that the truth is exact."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from hybridtrack_markers import create, parse_ids

from hybridtrack.cli import exit_code
from hybridtrack.errors import UsageError
from hybridtrack.plugin_host import PluginHost
from hybridtrack.sources import open_source
from hybridtrack.testing import check_detector
from hybridtrack.types import Detections, Frame

FOLDER = Path(__file__).parents[1]
CLIP = Path(__file__).parents[3] / "examples/data/table.mp4"
FINE = 4  #: markers are drawn this many times finer than the picture, then averaged as a sensor does
CELL_PX = 16  #: a cell of a marker as it is printed
NUMBERS = (0, 7, 13, 21, 42, 49)


@pytest.fixture(scope="module")
def table() -> np.ndarray:
    """The table without hands, BGR (360, 640, 3)."""
    with open_source(str(CLIP)) as source:
        return next(iter(source)).bgr()


def shift(px: float) -> np.ndarray:
    return np.array([[1, 0, px], [0, 1, px], [0, 0, 1.0]])


def put_marker(picture: np.ndarray, number: int, corners: np.ndarray, dictionary: int = cv2.aruco.DICT_4X4_50) -> None:
    """Draw a marker with a white rim, its black corners (4, 2) where they are asked for, continuous px."""
    markers = cv2.aruco.getPredefinedDictionary(dictionary)
    side = (markers.markerSize + 2) * CELL_PX
    black = cv2.aruco.generateImageMarker(markers, number, side)
    sheet = cv2.copyMakeBorder(black, *[CELL_PX] * 4, cv2.BORDER_CONSTANT, value=(255,))
    left, top = np.floor(corners.min(axis=0)).astype(int) - 30
    right, bottom = np.ceil(corners.max(axis=0)).astype(int) + 30
    left, top = max(left, 0), max(top, 0)
    there = picture[top:bottom, left:right]
    size = there.shape[1] * FINE, there.shape[0] * FINE
    on_sheet = np.array([[0, 0], [side, 0], [side, side], [0, side]], np.float32) + CELL_PX
    way = cv2.getPerspectiveTransform(on_sheet, ((corners - (left, top)) * FINE).astype(np.float32))
    way = shift(-0.5) @ way @ shift(0.5)  # OpenCV counts from the centre of the first pixel
    paper = cv2.warpPerspective(np.full_like(sheet, 255), way, size) / 255.0
    ink = cv2.warpPerspective(sheet, way, size) * 0.8 + 15  # paper in a room is no pure white, ink no pure black
    fine = cv2.resize(there, size, interpolation=cv2.INTER_LINEAR)
    fine = fine * (1 - paper[..., None]) + (ink * paper)[..., None]
    there[:] = cv2.resize(fine, there.shape[1::-1], interpolation=cv2.INTER_AREA).round()


def square(x: float, y: float, side: float, turn: float = 0.0) -> np.ndarray:
    """Return the corners (4, 2) of a square round (x, y), px, turned by radians."""
    right, down = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    return np.array([x, y]) + side / 2 * np.array([-right - down, right - down, right + down, down - right])


def six_places(side: float, seed: int, scale: float = 1.0) -> dict[int, np.ndarray]:
    """Return where six markers lie on a table seen from the front: their near ends wider, all foreshortened."""
    rng = np.random.default_rng(seed)
    places = {}
    for row, number in enumerate(NUMBERS):
        on_table = square(0, 0, side, rng.uniform(0, 2 * np.pi))
        depth = 1 + on_table[:, 1:] / side * 0.2
        centre = np.array([110 + row % 3 * 210, 95 + row // 3 * 170]) + rng.uniform(-10, 10, 2)
        places[number] = (centre + on_table * (1, 0.75) * depth) * scale
    return places


def found_corners(found: Detections) -> dict[int, np.ndarray]:
    numbers = found.attributes["marker_id"]
    assert len(set(numbers.tolist())) == len(numbers)
    return dict(zip(numbers.tolist(), found.attributes["corners"], strict=True))


def test_plugin_is_found_and_offers_its_detector() -> None:
    offer = PluginHost.load({}).detector("markers")
    assert (offer.plugin.name, offer.plugin.distribution) == ("markers", "hybridtrack-markers")
    assert offer.spec.default_every == 1
    (info,) = offer.build(offer.read_options({})).classes
    assert (info.name, info.role, info.key) == ("marker", "object", "marker_id")


def test_naming_the_plugin_loads_nothing_heavy() -> None:
    code = "import sys, hybridtrack_markers; print(*{'numpy', 'cv2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("options", [{}, {"dictionary": "apriltag_36h11"}, {"size": 160}, {"ids": (3, 7)}])
def test_detector_keeps_the_contract(options: dict[str, object]) -> None:
    assert check_detector(create(options)) == []


@pytest.mark.parametrize(
    ("side", "blur", "noise", "mean_px", "most_px"),  # most: what 19 of 20 corners keep to
    [(40, 0, 0, 0.3, 0.5), (40, 1, 4, 0.6, 0.8), (70, 0, 0, 0.3, 0.5), (70, 1.5, 8, 0.8, 1.0)],
)
@pytest.mark.parametrize("scale", [1, 2])
def test_markers_in_perspective_are_all_read_and_their_corners_are_near_the_truth(
    table: np.ndarray, scale: int, side: float, blur: float, noise: float, mean_px: float, most_px: float
) -> None:
    detector = create({})
    errors = []
    for seed in range(4):
        picture = cv2.resize(table, None, fx=scale, fy=scale)
        truth = six_places(side, seed, scale)
        for number, corners in truth.items():
            put_marker(picture, number, corners)
        if blur:
            picture = cv2.GaussianBlur(picture, (0, 0), blur)
        grain = np.random.default_rng(seed).normal(0, noise, picture.shape)
        picture = np.clip(picture + grain, 0, 255).astype(np.uint8)
        found = detector.detect(Frame.from_array(picture))
        corners = found_corners(found)
        assert set(corners) == set(NUMBERS)
        assert found.score.tolist() == [1] * 6
        for row, number in enumerate(found.attributes["marker_id"].tolist()):
            errors.append(np.linalg.norm(corners[number] - truth[number], axis=1))
            box = [*corners[number].min(axis=0), *corners[number].max(axis=0)]
            np.testing.assert_allclose(found.xyxy[row], box, atol=1e-3)
    assert np.mean(errors) < mean_px
    assert np.percentile(errors, 95) < most_px


def test_table_without_markers_has_none(table: np.ndarray) -> None:
    found = create({}).detect(Frame.from_array(table))
    assert found.xyxy.shape == (0, 4)
    assert {name: values.shape for name, values in found.attributes.items()} == {
        "marker_id": (0,),
        "corners": (0, 4, 2),
    }


@pytest.mark.parametrize(
    ("name", "dictionary"),
    [
        ("5x5_100", cv2.aruco.DICT_5X5_100),
        ("apriltag_36h11", cv2.aruco.DICT_APRILTAG_36h11),
        ("ARUCO_ORIGINAL", cv2.aruco.DICT_ARUCO_ORIGINAL),
    ],
)
def test_dictionary_decides_which_markers_are_read(table: np.ndarray, name: str, dictionary: int) -> None:
    put_marker(table := table.copy(), 23, square(200, 150, 80), dictionary)
    frame = Frame.from_array(table)
    assert set(found_corners(create({"dictionary": name}).detect(frame))) == {23}
    assert len(create({}).detect(frame)) == 0


def test_ids_leave_the_other_markers_out(table: np.ndarray) -> None:
    for number, corners in six_places(60, 0).items():
        put_marker(table := table.copy(), number, corners)
    found = create({"ids": parse_ids("7 | 42|3")}).detect(Frame.from_array(table))
    assert found.attributes["marker_id"].tolist() == [7, 42]


def test_size_finds_large_markers_at_their_place_in_the_source_and_small_ones_no_more(table: np.ndarray) -> None:
    picture = cv2.resize(table, (1280, 720))
    places = {5: square(300, 300, 200, 0.3), 6: square(900, 400, 16)}
    for number, corners in places.items():
        put_marker(picture, number, corners)
    frame = Frame.from_array(picture)
    assert set(found_corners(create({}).detect(frame))) == {5, 6}
    small = found_corners(create({"size": 320}).detect(frame))
    assert set(small) == {5}
    assert np.abs(small[5] - places[5]).max() < 4  # one pixel of the 320 is four of the source
    everything = create({"size": 4000}).detect(frame)
    assert set(found_corners(everything)) == {5, 6}


def test_number_that_is_seen_twice_is_the_larger_one(table: np.ndarray) -> None:
    table = table.copy()
    put_marker(table, 9, square(150, 150, 50))
    put_marker(table, 9, square(450, 200, 90))
    found = create({}).detect(Frame.from_array(table))
    assert found.attributes["marker_id"].tolist() == [9]
    np.testing.assert_allclose(found.xyxy[0], [405, 155, 495, 245], atol=1)


def test_run_writes_number_and_corners_of_each_track_and_that_the_number_is_its_key(
    table: np.ndarray, tmp_path: Path
) -> None:
    for index in range(4):
        put_marker(picture := table.copy(), 4, square(220 + 5 * index, 180, 70))
        put_marker(picture, 8, square(400, 180, 70))
        cv2.imwrite(str(tmp_path / f"{index}.png"), picture)
    file = tmp_path / "tracks.jsonl"
    assert exit_code(["run", str(tmp_path), "--detector", "markers", "--json", str(file)]) == 0
    header, *frames, _ = map(json.loads, file.read_text().splitlines())
    assert header["classes"] == [{"name": "marker", "role": "object", "identity": "marker", "key": "marker_id"}]
    assert [one["every"] for one in header["detectors"]] == [1]
    for index, frame in enumerate(frames):
        tracks = sorted(frame["tracks"], key=lambda track: track["id"])
        assert [track["id"] for track in tracks] == [1, 2]
        assert [track["attributes"]["marker_id"] for track in tracks] == [4, 8]
        corners = np.array(tracks[0]["attributes"]["corners"])
        np.testing.assert_allclose(corners, square(220 + 5 * index, 180, 70), atol=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dictionary": "4x4_51"}, r"unknown marker dictionary '4x4_51'; known: 4x4_100, .*; did you mean '4x4_50'\?"),
        ({"ids": (3, 50)}, r"ids has 50, but the markers of 4x4_50 are 0 to 49: use those"),
        ({"size": 20}, r"size is 20 px, too narrow to read a marker: use 32 or more"),
    ],
)
def test_wrong_option_is_refused_with_what_there_is(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        create(options)


def test_ids_that_are_no_numbers_are_refused_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["run", str(CLIP), "--detector", "markers,ids=3|x"]) == 2
    assert "ids=3|x: write whole numbers from 0 with | between them, such as 3|7" in capsys.readouterr().err


def test_sheet_of_the_readme_holds_the_markers_it_promises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    found = create({}).detect(Frame.from_array(cv2.imread("markers.png")))
    assert found.attributes["marker_id"].tolist() == list(range(12))
