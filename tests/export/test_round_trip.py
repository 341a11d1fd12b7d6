"""Exports read back by our own readers, and by those of others where there are any."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pandas
import pyarrow.parquet
import pympi
import pytest
from faster_coco_eval import COCO
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridtrack.cli import exit_code
from hybridtrack.errors import HybridTrackError
from hybridtrack.export.dataframe import to_pandas
from hybridtrack.export.exporting import export_tracks
from hybridtrack.export.importing import Video, imported_lines, video_of_tracks
from hybridtrack.export.voc import voc_box
from hybridtrack.export.xml_text import read_xml
from hybridtrack.track_file import read_tracks
from hybridtrack.wire import FrameLine, HeaderLine, TrackRow
from tests.export.files import FRAMES, TIMES_S, frames, header, track, write

CLASSES_LOST = ("mot",)
WAYS = {"mot": "mot", "mot-folder": "mot", "coco": "coco", "coco-vid": "coco", "cvat": "cvat"}  #: to -> from


def back(tracks: Path, to: str, video: Video | None = None) -> tuple[HeaderLine, list[FrameLine]]:
    """Return header and frames of a track file that was exported and imported again."""
    done = export_tracks(str(tracks), to)
    known = video_of_tracks(str(tracks)) if video is None else video
    head, *lines, _ = imported_lines(done.path, WAYS[to], known)
    assert isinstance(head, HeaderLine)
    return head, [line for line in lines if isinstance(line, FrameLine)]


def shown(lines: list[FrameLine]) -> list[FrameLine]:
    for line in lines:
        line.tracks = sorted((row for row in line.tracks if row.state == "confirmed"), key=lambda row: row.track_id)
    return lines


def place(row: TrackRow, has_class: bool) -> tuple[object, ...]:
    return (row.track_id, row.xyxy, row.class_name if has_class else None)


@pytest.mark.parametrize("to", WAYS)
def test_tracks_come_back_with_their_boxes(to: str, tmp_path: Path) -> None:
    head, lines = back(write(tmp_path / "table.jsonl"), to)
    has_class = to not in CLASSES_LOST
    assert [line.frame_index for line in lines] == [*FRAMES]
    assert [line.time_s for line in lines] == [*TIMES_S]
    for line, before in zip(lines, shown(frames()), strict=True):
        assert [place(row, has_class) for row in line.tracks] == [place(row, has_class) for row in before.tracks]
    assert (head.source.width_px, head.source.height_px, head.source.fps) == (64, 48, 25.0)
    assert [one.role for one in head.classes][:2] == ["hand", "object"]


@pytest.mark.parametrize("to", ["coco", "coco-vid", "cvat"])
def test_annotations_come_back_with_what_they_hold(to: str, tmp_path: Path) -> None:
    _, lines = back(write(tmp_path / "table.jsonl"), to)
    rows = [row for line in lines for row in line.tracks]
    before = [row for line in shown(frames()) for row in line.tracks]
    for name in ("confidence", "origin", "occluded_by", "attributes"):
        assert [getattr(row, name) for row in rows] == [getattr(row, name) for row in before]


def test_velocities_are_made_of_where_boxes_were(tmp_path: Path) -> None:
    lines = [
        FrameLine(frame_index=i, time_s=i / 10, runs=[], tracks=[track(1, "hand", left)], relations=[], events=[])
        for i, left in enumerate((5.0, 7.5, 7.5))
    ]
    _, found = back(write(tmp_path / "table.jsonl", lines), "mot")
    assert [line.tracks[0].velocity for line in found] == [(0.0, 0.0), (25.0, 0.0), (0.0, 0.0)]


boxes = st.lists(
    st.tuples(st.integers(0, 5), st.integers(1, 3), *([st.integers(-2000, 9000)] * 2), *([st.integers(1, 9000)] * 2)),
    max_size=12,
    unique_by=lambda row: row[:2],
)


@pytest.mark.parametrize("to", WAYS)
@settings(max_examples=25, deadline=None)
@given(boxes)
def test_any_boxes_come_back_to_the_hundredth(
    to: str, tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, ...]]
) -> None:
    lines = [FrameLine(frame_index=i, time_s=i / 25, runs=[], tracks=[], relations=[], events=[]) for i in range(6)]
    for index, track_id, left, top, width, height in rows:
        xyxy = (left / 100, top / 100, (left + width) / 100, (top + height) / 100)
        lines[index].tracks.append(track(track_id, "hand", 0.0, xyxy=xyxy))
    _, found = back(write(tmp_path_factory.mktemp("round") / "table.jsonl", lines), to)
    assert [[place(row, False) for row in line.tracks] for line in found] == [
        [place(row, False) for row in line.tracks] for line in shown(lines)
    ]


def test_coco_is_read_by_a_library_of_coco(tmp_path: Path) -> None:
    path = export_tracks(str(write(tmp_path / "table.jsonl")), "coco-vid").path
    coco = COCO(path)
    assert [one["file_name"] for one in coco.loadImgs(coco.getImgIds())] == [f"frame_{i:06d}.jpg" for i in FRAMES]
    assert {one["id"]: one["name"] for one in coco.loadCats(coco.getCatIds())} == {
        1: "hand",
        2: "coffee <cup>",
        3: "brush",
    }
    found = coco.loadAnns(coco.getAnnIds(imgIds=[4]))
    assert [(one["category_id"], one["bbox"], one["track_id"], one["iscrowd"]) for one in found] == [
        (1, [6.0, 10.5, 12.25, 19.51], 1, 0),
        (3, [-4.0, 10.5, 12.25, 19.51], 12, 0),
    ]
    (video,) = json.loads(Path(path).read_text())["videos"]
    assert (video["fps"], video["width"], video["height"]) == (25.0, 64, 48)


def test_pictures_are_called_after_the_images_of_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("left_10.png", "left_9.png", "notes.txt"):
        (folder / name).touch()
    tracks = write(tmp_path / "table.jsonl", frames()[:2], header(str(folder)))
    document = json.loads(Path(export_tracks(str(tracks), "coco").path).read_text())
    assert [one["file_name"] for one in document["images"]] == ["left_9.png", "left_10.png"]


def test_voc_has_whole_pixels_of_what_is_in_the_picture(tmp_path: Path) -> None:
    folder = Path(export_tracks(str(write(tmp_path / "table.jsonl")), "voc").path)
    root = read_xml(folder / "Annotations" / "frame_000003.xml")
    assert (root.findtext("filename"), root.findtext("size/width"), root.findtext("size/height")) == (
        "frame_000003.jpg",
        "64",
        "48",
    )
    found = [
        (one.findtext("name"), one.findtext("truncated"), *(int(edge.text) for edge in one.find("bndbox")))
        for one in root.iter("object")
    ]
    # the edges 6, 10.5, 18.25, 30.01 (a half goes to the even number); of the brush, -4 to 8.25, what is in the picture
    assert found == [("hand", "0", 7, 11, 18, 30), ("brush", "1", 1, 11, 8, 30)]
    assert (folder / "labelmap.txt").read_text().splitlines()[1:] == ["hand:::", "coffee <cup>:::", "brush:::"]
    assert (folder / "ImageSets/Main/default.txt").read_text().split() == [f"frame_{i:06d}" for i in FRAMES]


@pytest.mark.parametrize(
    ("xyxy", "voc"),
    [
        ((0.0, 0.0, 64.0, 48.0), (1, 1, 64, 48)),
        ((10.2, 4.0, 11.1, 5.0), (11, 5, 11, 5)),
        ((10.6, 4.0, 11.1, 5.0), None),
        ((-9.0, -9.0, 0.4, 5.0), None),
        ((60.0, 40.0, 99.0, 99.0), (61, 41, 64, 48)),
    ],
)
def test_voc_boxes_are_first_and_last_pixels(
    xyxy: tuple[float, float, float, float], voc: tuple[int, int, int, int] | None
) -> None:
    assert voc_box(xyxy, (64, 48)) == voc


def test_tables_say_the_same_in_every_library(tmp_path: Path) -> None:
    tracks = str(write(tmp_path / "table.jsonl"))
    frame = to_pandas(tracks)
    assert len(frame) == 8
    row = frame.iloc[3]
    assert (row["frame"], row["time_s"], row["track_id"], row["class"]) == (1, 0.04, 2, "coffee <cup>")
    assert (row["occluded_by"], row["unseen_s"], row["velocity_y_px_s"]) == (1, 0.04, -3.0)
    assert pandas.isna(frame["score"][2])
    assert frame["attributes"][1] == '{"side":"left","marker":"7"}'
    assert frame["position_y_cm"].dropna().tolist() == [2.25]
    parquet = pyarrow.parquet.read_table(export_tracks(tracks, "parquet", has_all_states=True).path).to_pylist()
    with open(export_tracks(tracks, "csv", has_all_states=True).path, encoding="utf-8", newline="") as file:
        text = list(csv.DictReader(file))
    known = [
        {name: None if pandas.isna(value) else value for name, value in one.items()} for one in frame.to_dict("records")
    ]
    assert parquet == known
    assert text == [{name: "" if value is None else str(value) for name, value in one.items()} for one in known]


def test_relations_and_events_are_tables_too(tmp_path: Path) -> None:
    tracks = str(write(tmp_path / "table.jsonl"))
    relations, events = to_pandas(tracks, "relations"), to_pandas(frames(), "events")
    assert pandas.isna(relations.pop("offset_y")).all()
    assert relations.iloc[0].to_dict() == {
        **{"frame": 1, "time_s": 0.04, "subject": 1, "object": 2, "state": "holding", "distance": 0.0},
        **{"overlap": 0.25, "coverage": 0.5, "offset_x": 0.5, "closing": 0.0},
        "distance_cm": 1.25,
    }
    assert events[["decided_frame", "time_s", "kind", "subject", "object"]].values.tolist() == [
        [1, 0.02, "pick_up", 1, 2],
        [3, 0.1, "put_down", 1, 2],
    ]
    with pytest.raises(HybridTrackError, match=r"unknown table 'track'; .*did you mean 'tracks'"):
        to_pandas(tracks, "track")
    assert to_pandas([]).empty


def test_elan_gets_the_hold(tmp_path: Path) -> None:
    path = export_tracks(str(write(tmp_path / "table.jsonl")), "elan").path
    document = pympi.Elan.Eaf(path)
    assert document.get_annotation_data_for_tier("hand 1 holds coffee <cup> 2") == [(20, 100, "holds")]


CVAT = """<annotations><version>1.1</version><meta><task><size>9</size><original_size><width>64</width>
<height>48</height></original_size></task></meta>
<track id="0" label="hand" source="manual">
<box frame="1" outside="0" occluded="0" keyframe="1" xtl="2" ytl="3" xbr="6" ybr="9" z_order="0"/>
<box frame="3" outside="0" occluded="1" keyframe="1" xtl="4" ytl="3" xbr="8" ybr="8" z_order="0"/>
<box frame="5" outside="1" occluded="0" keyframe="1" xtl="4" ytl="3" xbr="8" ybr="8" z_order="0"/>
<box frame="7" outside="0" occluded="0" keyframe="0" xtl="1" ytl="1" xbr="2" ybr="2" z_order="0">
<attribute name="side">left</attribute></box>
</track></annotations>"""


def test_cvat_is_interpolated_between_keyframes_and_ends_outside(tmp_path: Path) -> None:
    (tmp_path / "table.xml").write_text(CVAT)
    _, *lines, _ = imported_lines(str(tmp_path / "table.xml"), "cvat", Video(fps=10.0))
    found = {line.frame_index: line.tracks for line in lines if isinstance(line, FrameLine)}
    assert [*found] == [*range(9)]
    assert {index: rows[0].xyxy for index, rows in found.items() if rows} == {
        1: (2.0, 3.0, 6.0, 9.0),
        2: (3.0, 3.0, 7.0, 8.5),
        3: (4.0, 3.0, 8.0, 8.0),
        4: (4.0, 3.0, 8.0, 8.0),
        7: (1.0, 1.0, 2.0, 2.0),
    }
    assert {row.track_id for rows in found.values() for row in rows} == {1}  # CVAT counts from 0
    assert [rows[0].origin for rows in found.values() if rows] == [
        *("detected", "interpolated", "detected", "interpolated", "interpolated")
    ]
    assert [rows[0].unseen_s for rows in found.values() if rows] == [0.0, 0.1, 0.0, 0.1, 0.4]
    assert found[3][0].attributes == {"occluded": True}
    assert found[7][0].attributes == {"side": "left"}


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (('xtl="2"', 'xtl="two"'), "track 1 of .*: xtl of a <box> is 'two', expected a number"),
        (('frame="3"', 'frame="1"'), "track 1 of .* has two boxes on frame 1: expected one"),
        (('xbr="6"', 'xbr="2"'), "track 1 of .* has a box without area on frame 1"),
        (('frame="7"', 'frame="-7"'), "frame of a <box> is '-7', expected a whole number from 0"),
        (("<size>9", "<size>nine"), "its size is 'nine', expected a number of frames"),
        (("<width>64", "<width>0"), "its original_size is '0' by '48', expected pixels"),
        (("<annotations>", '<!DOCTYPE a [<!ENTITY b "c">]><annotations>'), "declares a DTD or entities"),
        (("<annotations>", "<annotations><track "), "is no XML that can be read"),
    ],
)
def test_cvat_that_is_not_right_is_refused(change: tuple[str, str], wanted: str, tmp_path: Path) -> None:
    assert change[0] in CVAT
    (tmp_path / "table.xml").write_text(CVAT.replace(*change, 1))
    with pytest.raises(HybridTrackError, match=wanted):
        list(imported_lines(str(tmp_path / "table.xml"), "cvat", Video(fps=10.0)))


def test_cvat_for_images_has_no_tracks_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "table.xml").write_text('<annotations><image id="0" name="a.png"/></annotations>')
    with pytest.raises(HybridTrackError, match="'CVAT for images', without tracks: export it as 'CVAT for video"):
        list(imported_lines(str(tmp_path / "table.xml"), "cvat", Video(fps=10.0)))


def test_boxes_without_identity_become_detections_to_replay(tmp_path: Path) -> None:
    images = [{"id": 7, "file_name": "frame_000002.png", "width": 32, "height": 24}]
    boxes = [
        {"image_id": 7, "category_id": 3, "bbox": [1, 2, 3, 4]},
        {"image_id": 7, "category_id": 3, "bbox": [1, 2, 30, 20], "iscrowd": 1},
    ]
    document = {"images": images, "annotations": boxes, "categories": [{"id": 3, "name": "mug"}]}
    (tmp_path / "boxes.json").write_text(json.dumps(document))
    out = tmp_path / "boxes.jsonl"
    # the pictures that were annotated are half as large as the video's
    arguments = ["--from", "coco", "--size", "64x48", "--fps", "10", "-o", str(out)]
    assert exit_code(["import", str(tmp_path / "boxes.json"), *arguments]) == 0
    with read_tracks(out) as file:
        lines = list(file)
    assert [line.frame_index for line in lines] == [0, 1, 2]
    assert [len(line.runs) for line in lines] == [0, 0, 1]  # nobody looked at the others
    assert lines[2].tracks == []
    assert isinstance(lines[2].detections, dict)
    (row,) = lines[2].detections["coco"]
    assert (row.class_name, row.xyxy, row.score) == ("mug", (2.0, 4.0, 8.0, 12.0), 1.0)
    replay = f"replay,path={out},every=3,phase=2"
    arguments = ["--detector", replay, "--tracker", "kalman", "--mot", str(tmp_path / "boxes.txt")]
    assert exit_code(["run", "blank:64x48@10:3", *arguments]) == 0
    assert (tmp_path / "boxes.txt").read_text().startswith("3,1,2.00,4.00,6.00,8.00,")


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("--from", "mot"), "does not say how large the pictures are: give --size WxH, --video or --like"),
        (("--from", "mot", "--size", "64x48"), "does not say how many frames a second there are: give --fps"),
        (("--from", "mut"), "unknown format to import 'mut'; known: coco, cvat, mot; did you mean 'mot'?"),
        (("--from", "mot", "--size", "64"), "--size"),
        (("--from", "mot", "--like", "a", "--video", "b"), "--like and --video both say what the video is"),
        (("--from", "mot", "--like", "short.jsonl"), "has a box on frame 2, which the track file of --like"),
        (("--from", "mot", "--size", "64x48", "--fps", "9", "-o", "table.mot.txt"), "it is what is read"),
        (("--from", "coco"), "is not COCO annotations"),
    ],
)
def test_import_says_what_it_lacks(
    arguments: tuple[str, ...],
    wanted: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    export_tracks(str(write(Path("table.jsonl"))), "mot")
    write(Path("short.jsonl"), frames()[:2])
    assert exit_code(["import", "table.mot.txt", *arguments]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert wanted in err


def test_one_class_for_a_file_without_any(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    tracks = write(tmp_path / "table.jsonl", frames()[:1])
    path = export_tracks(str(tracks), "mot").path
    assert exit_code(["import", path, "--from", "mot", "--size", "64x48", "--class", "hand"]) == 0
    head, line, _ = capfd.readouterr().out.splitlines()
    assert json.loads(head)["classes"] == [{"name": "hand", "role": "hand", "identity": "hand"}]
    assert [row["class"] for row in json.loads(line)["tracks"]] == ["hand", "hand"]
    folder = export_tracks(str(tracks), "mot-folder").path
    assert exit_code(["import", folder, "--from", "mot", "--class", "hand"]) == 2
    assert "has classes with names: leave --class hand out" in capfd.readouterr().err
