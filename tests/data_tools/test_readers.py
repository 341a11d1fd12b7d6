"""What other people's tools write, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from data_tools.annotation import Annotation
from data_tools.cvat import read_cvat
from data_tools.errors import DataError
from data_tools.origin_csv import read_csv
from data_tools.oxford import read_oxford
from data_tools.voc import read_voc
from data_tools.xml_file import read_root
from data_tools.yolo import read_yolo

HEADER = "filename,width,height,class,xmin,ymin,xmax,ymax\n"
BOMB = """<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><annotation>&b;</annotation>"""
OUTSIDE = """<?xml version="1.0"?>
<!DOCTYPE x [<!ENTITY secret SYSTEM "file:///etc/passwd">]><annotation>&secret;</annotation>"""


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


# the origin's CSV


def test_rows_of_a_picture_are_joined_wherever_they_stand(tmp_path: Path) -> None:
    text = "a.jpg,8,6,hand,1,2,3,4\nb.jpg,9,7,mug,1,2,3,4\na.jpg,8,6,mug,0,0,8.5,6\n"
    data = read_csv(put(tmp_path / "a.csv", HEADER + text))
    assert data.labels == ("hand", "mug")
    assert [(x.name, x.size_px, len(x.annotations)) for x in data.pictures] == [
        ("a.jpg", (8, 6), 2),
        ("b.jpg", (9, 7), 1),
    ]
    assert data.pictures[0].annotations[1] == Annotation(label="mug", xyxy=(0, 0, 8.5, 6))


def test_rows_that_are_none_are_named(tmp_path: Path) -> None:
    text = "a.jpg,8,6,hand,1,2,3,4\na.jpg,8,6,hand,1,2,3\na.jpg,8,x,hand,1,2,3,4\na.jpg,9,6,hand,1,2,3,4\n"
    data = read_csv(put(tmp_path / "a.csv", HEADER + text))
    assert [problem.where for problem in data.problems] == ["a.csv, line 3", "a.csv, line 4", "a.csv, line 5, a.jpg"]
    assert data.problems[2].detail == "9x6, before it was 8x6"
    assert len(data.pictures[0].annotations) == 1


def test_csv_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is to have the columns filename,width.* found a,b"):
        read_csv(put(tmp_path / "a.csv", "a,b\n1,2\n"))
    with pytest.raises(DataError, match="cannot read"):
        read_csv(tmp_path / "b.csv")


# Pascal VOC

OBJECT = (
    "<object><name>{}</name><difficult>{}</difficult>"
    "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30.5</xmax><ymax>{}</ymax></bndbox></object>"
)


def voc(name: str, objects: str, size: str = "<size><width>80</width><height>60</height></size>") -> str:
    return f"<annotation><folder>f</folder><filename>{name}</filename>{size}{objects}</annotation>"


def test_voc_is_read_below_its_folders(tmp_path: Path) -> None:
    put(tmp_path / "Annotations/sub/1.xml", voc(r"C:\pictures\1.jpg", OBJECT.format("mug", 1, 40)))
    put(tmp_path / "Annotations/2.xml", voc("2.jpg", ""))
    (tmp_path / "JPEGImages").mkdir()
    data = read_voc(tmp_path)
    assert [picture.path for picture in data.pictures] == [
        tmp_path / "JPEGImages/2.jpg",
        tmp_path / "JPEGImages/sub/1.jpg",
    ]
    assert data.pictures[1].annotations == (Annotation(label="mug", xyxy=(1, 2, 30.5, 40), is_ignored=True),)
    assert data.labels == ("mug",)


def test_size_that_voc_does_not_tell_is_that_of_the_picture(tmp_path: Path, draw: Callable[..., Path]) -> None:
    draw(tmp_path / "1.png", (40, 30))
    put(tmp_path / "1.xml", voc("1.png", "", "<size><width>0</width><height>0</height></size>"))
    put(tmp_path / "2.xml", voc("2.png", "", ""))
    data = read_voc(tmp_path)
    assert [picture.size_px for picture in data.pictures] == [(40, 30)]
    assert [str(problem) for problem in data.problems] == ["picture without a size: 2.xml: 2.png"]


def test_problems_of_voc_are_named(tmp_path: Path) -> None:
    put(tmp_path / "1.xml", voc("1.jpg", OBJECT.format("", 0, 40) + OBJECT.format("mug", 0, "?")))
    put(tmp_path / "2.xml", "<annotation><filename>2.jpg")
    put(tmp_path / "3.xml", "<other/>")
    put(tmp_path / "4.xml", BOMB)
    kinds = [(problem.kind, problem.where) for problem in read_voc(tmp_path).problems]
    assert kinds == [
        ("object without a name", "1.xml, object 1"),
        ("box that is none", "1.xml, object 2"),
        ("file that cannot be read", "2.xml"),
        ("file that is no VOC", "3.xml"),
        ("file that cannot be read", "4.xml"),
    ]


def test_folder_without_xml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no XML files in"):
        read_voc(tmp_path)


# XML


@pytest.mark.parametrize("text", [BOMB, OUTSIDE], ids=["growing", "outside"])
def test_xml_that_attacks_its_reader_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match="declares a DTD or entities"):
        read_root(put(tmp_path / "a.xml", text))


def test_file_that_is_no_xml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no XML"):
        read_root(put(tmp_path / "a.xml", "<a>"))
    with pytest.raises(DataError, match="cannot read"):
        read_root(tmp_path / "b.xml")


# YOLO


def test_yolo_boxes_and_polygons_are_in_pixels(tmp_path: Path, draw: Callable[..., Path]) -> None:
    draw(tmp_path / "images/train/1.jpg")
    put(tmp_path / "labels/train/1.txt", "1 0.5 0.5 0.25 0.1\n\n0 0.1 0.1 0.5 0.1 0.5 0.5\n")
    put(tmp_path / "data.yaml", "path: .\nnames:\n  0: hand\n  1: mug\n")
    data = read_yolo(tmp_path)
    assert (data.labels, data.problems) == (("hand", "mug"), ())
    mug, hand = data.pictures[0].annotations
    assert mug.xyxy == pytest.approx((30, 27, 50, 33))
    assert hand.xyxy == pytest.approx((8, 6, 40, 30))
    assert np.array(hand.polygons[0]) == pytest.approx(np.array([(8, 6), (40, 6), (40, 30)]))
    assert data.pictures[0].name == "train/1.jpg"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("data.yaml", "names: [hand, mug]"),
        ("classes.txt", "hand\nmug\n"),
        ("obj.names", "hand\nmug\n\n"),
        ("labels/classes.txt", "hand\nmug"),
    ],
)
def test_names_of_classes_are_found(tmp_path: Path, draw: Callable[..., Path], file: str, text: str) -> None:
    draw(tmp_path / "images/1.jpg")
    put(tmp_path / "labels/1.txt", "0 0.5 0.5 0.25 0.1\n")
    put(tmp_path / file, text)
    data = read_yolo(tmp_path)
    assert (data.labels, data.problems, len(data.pictures[0].annotations)) == (("hand", "mug"), (), 1)


def test_texts_and_pictures_may_lie_in_one_folder(tmp_path: Path, draw: Callable[..., Path]) -> None:
    draw(tmp_path / "1.jpg")
    put(tmp_path / "1.txt", "0 0.5 0.5 0.25 0.1\n")
    put(tmp_path / "classes.txt", "hand\n")
    data = read_yolo(tmp_path)
    assert (len(data.pictures), len(data.pictures[0].annotations), data.problems) == (1, 1, ())


def test_problems_of_yolo_are_named(tmp_path: Path, draw: Callable[..., Path]) -> None:
    for name in ("1", "2"):
        draw(tmp_path / f"images/{name}.jpg")
    put(tmp_path / "images/3.jpg", "no picture")
    lines = ("7 0.5 0.5 0.1 0.1", "0 0.5 0.5 0.1", "x 0.5 0.5 0.1 0.1", "0 nan 0.5 0.1 0.1", "0 0.1 0.1 0.2 0.2 0.3")
    put(tmp_path / "labels/1.txt", "\n".join(lines))
    put(tmp_path / "labels/4.txt", "")
    put(tmp_path / "classes.txt", "hand\n")
    data = read_yolo(tmp_path)
    assert [(problem.kind, problem.where) for problem in data.problems] == [
        ("unknown label", "1.txt, line 1"),
        *(("line that is none", f"1.txt, line {number}") for number in (2, 3, 4, 5)),
        ("picture without a text, taken as empty", "2.jpg"),
        ("picture that cannot be decoded", "3.jpg"),
        ("text without a picture", "4.txt"),
    ]
    assert len(data.pictures) == 2


@pytest.mark.parametrize(
    ("names", "message"),
    [("names: {1: hand}", "are to be numbered 0, 1"), ("nc: 1", "has no names of classes"), ("[", "has no names")],
)
def test_classes_that_cannot_be_used_are_refused(tmp_path: Path, names: str, message: str) -> None:
    put(tmp_path / "data.yaml", names)
    with pytest.raises(DataError, match=message):
        read_yolo(tmp_path)


def test_yolo_without_names_or_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no names of classes in"):
        read_yolo(tmp_path)
    with pytest.raises(DataError, match="no folder"):
        read_yolo(tmp_path / "nowhere")


# Oxford


def corners(*yx: tuple[float, float]) -> dict[str, Any]:
    return {name: np.array([pair], float) for name, pair in zip("abcd", yx, strict=False)}


def write_mat(path: Path, *structs: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = np.empty((1, len(structs)), object)
    cells[0, :] = structs
    savemat(path, {"boxes": cells})


def test_turned_boxes_of_oxford_are_polygons_and_the_boxes_round_them(
    tmp_path: Path, draw: Callable[..., Path]
) -> None:
    top = tmp_path / "training_dataset/training_data"
    draw(top / "images/Buffy_1.jpg")
    diamond = ((10.0, 30.0), (20.0, 40.0), (30.0, 30.0), (20.0, 20.0))  # (y, x)
    write_mat(top / "annotations/Buffy_1.mat", corners(*diamond), corners(*diamond[:3]))
    data = read_oxford(tmp_path)
    assert data.problems == ()
    assert data.pictures[0].name == "training_dataset/training_data/images/Buffy_1.jpg"
    polygon = ((30, 10), (40, 20), (30, 30), (20, 20))
    assert data.pictures[0].annotations == (Annotation(label="hand", xyxy=(20, 10, 40, 30), polygons=(polygon,)),) * 2


def test_problems_of_oxford_are_named(tmp_path: Path, draw: Callable[..., Path]) -> None:
    for name in ("1", "2", "3"):
        draw(tmp_path / f"images/{name}.jpg")
    good, flat = corners((1, 1), (1, 9), (9, 9)), corners((1, 1), (5, 5), (9, 9))
    write_mat(tmp_path / "annotations/1.mat", good, flat, {"x": 1.0})
    (tmp_path / "annotations/2.mat").write_bytes(b"no MATLAB")
    write_mat(tmp_path / "annotations/4.mat", good)
    data = read_oxford(tmp_path)
    assert [(problem.kind, problem.where) for problem in data.problems] == [
        ("box that is none", "annotations/1.mat, box 2"),
        ("box that is none", "annotations/1.mat, box 3"),
        ("file that cannot be read", "annotations/2.mat"),
        ("annotation without a picture", "annotations/4.mat"),
        ("picture without annotations, left out", "images/3.jpg"),
    ]
    assert len(data.pictures) == 1
    with pytest.raises(DataError, match=r"no \.mat files in"):
        read_oxford(tmp_path / "images")


# CVAT

TASK = (
    "<meta><task><size>4</size><source>table.mp4</source><labels><label><name>mug</name></label></labels>"
    "<original_size><width>80</width><height>60</height></original_size></task></meta>"
)
CORNERS = 'xtl="1" ytl="2" xbr="30.5" ybr="40"'


def test_cvat_for_images_is_read(tmp_path: Path) -> None:
    shapes = f'<box label="hand" occluded="0" {CORNERS}/><polygon label="mug" points="1,2;5,2.5;5,6"/><tag label="x"/>'
    text = f'<annotations>{TASK}<image id="0" name="sub\\1.jpg" width="80" height="60">{shapes}</image></annotations>'
    data = read_cvat(put(tmp_path / "a.xml", text))
    assert (data.labels, data.problems) == (("mug", "hand"), ())
    assert data.pictures[0].name == "sub/1.jpg"
    polygon = ((1, 2), (5, 2.5), (5, 6))
    assert data.pictures[0].annotations == (
        Annotation(label="hand", xyxy=(1, 2, 30.5, 40)),
        Annotation(label="mug", xyxy=(1, 2, 5, 6), polygons=(polygon,)),
    )


def test_tracks_of_cvat_become_boxes_on_frames(tmp_path: Path) -> None:
    boxes = (
        f'<box frame="{frame}" keyframe="{1 - frame % 2}" outside="{int(frame == 2)}" {CORNERS}/>' for frame in range(3)
    )
    text = f'<annotations>{TASK}<track id="7" label="mug">{"".join(boxes)}</track></annotations>'
    data = read_cvat(put(tmp_path / "a.xml", text))
    assert [len(picture.annotations) for picture in data.pictures] == [1, 1, 0, 0]
    picture = data.pictures[1]
    assert (picture.name, picture.group, picture.frame_number) == ("table/frame_000001.jpg", "table", 1)
    assert picture.size_px == (80, 60)


def test_shapes_that_are_not_read_are_named(tmp_path: Path) -> None:
    broken = CORNERS.replace("40", "nan")
    shapes = f'<ellipse label="hand" cx="1"/><box label="mug" rotation="12.5" {CORNERS}/><box label="mug" {broken}/>'
    text = f'<annotations><image id="0" name="1.jpg" width="80" height="60">{shapes}</image></annotations>'
    data = read_cvat(put(tmp_path / "a.xml", text))
    assert [str(problem) for problem in data.problems] == [
        "shape that is not read: ellipse: 1.jpg, hand",
        "turned box, left out: 1.jpg, mug",
        "box that is none: 1.jpg, mug",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<other/>", "expected <annotations>, found <other>"),
        ('<annotations><image name="1.jpg"/></annotations>', "is no CVAT file: KeyError 'width'"),
        ('<annotations><track label="mug"/></annotations>', "original_size"),
        (
            '<annotations><image name="1" width="8" height="6"><polygon label="a" points="1;2"/></image></annotations>',
            "ValueError",
        ),
    ],
)
def test_xml_of_something_else_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_cvat(put(tmp_path / "a.xml", text))
