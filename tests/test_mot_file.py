from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hybridtrack.errors import TrackFileError
from hybridtrack.mot_file import read_class_names, read_rows, read_sequence


@pytest.fixture
def text(tmp_path: Path) -> Path:
    return tmp_path / "boxes.txt"


def test_frames_count_from_0_and_boxes_have_edges(text: Path) -> None:
    text.write_text("1,7,10,20,30,40,1,2,0.5\n3,8,-1.5,0,2,2,0,1,1\n")
    rows = read_rows(text)
    assert (len(rows), rows.frame_index.tolist(), rows.track_id.tolist()) == (2, [0, 2], [7, 8])
    assert rows.xyxy.tolist() == [[10, 20, 40, 60], [-1.5, 0, 0.5, 2]]
    assert (rows.confidence.tolist(), rows.class_id.tolist()) == ([1, 0], [2, 1])
    assert rows.visibility.tolist() == [0.5, 1]


@pytest.mark.parametrize(
    ("line", "confidence", "class_id", "visibility"),
    [
        ("1,-1,0,0,5,5", 1, -1, 1),
        ("1,-1,0,0,5,5,.7", 0.7, -1, 1),
        ("1,-1,0,0,5,5,.7,3", 0.7, 3, 1),
        ("1,-1,0,0,5,5,.7,3,.2", 0.7, 3, 0.2),
        ("1,-1,0,0,5,5,.7,-1,-1", 0.7, -1, 1),  # -1: not known
        ("1,-1,0,0,5,5,.7,-1,-1,-1", 0.7, -1, 1),
        ("1,9,0,0,5,5,1,-4.1554,-7.3591,0", 1, -1, 1),  # x, y, z of the world
    ],
)
def test_columns_that_are_absent_have_a_value_that_says_so(
    text: Path, line: str, confidence: float, class_id: int, visibility: float
) -> None:
    text.write_text(line + "\n")
    rows = read_rows(text)
    assert (rows.confidence.item(), rows.class_id.item()) == (confidence, class_id)
    assert rows.visibility.item() == visibility


def test_lines_are_numbered_as_they_stand_in_the_file(text: Path) -> None:
    text.write_bytes(b"\xef\xbb\xbf1,1,0,0,5,5\r\n\r\n 2, 1, 0, 0, 5, 5\r\n\r\n")
    assert read_rows(text).line.tolist() == [1, 3]
    assert read_rows(text)[1:].line.tolist() == [3]


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_text_without_a_row_has_no_boxes(text: Path, content: str) -> None:
    text.write_text(content)
    rows = read_rows(text)
    assert (len(rows), rows.xyxy.shape) == (0, (0, 4))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1,1,0,0,5,5\n\n2,1,zero,0,5,5\n", r"line 3 of .*: 'zero' is no number"),
        ("1,1,0,0,5,5\n2,1,0,,5,5\n", r"line 2 of .*: '' is no number"),
        ("1,1,0,0,5,5\n2,1,0,0,5,5,1\n", r"line 2 of .* has 7 columns, 6 before it"),
        ("1,1,0,0,5\n", r"line 1 of .* has 5 columns, expected frame,id,left,top,width,height"),
        ("1 1 0 0 5 5\n", r"line 1 of .*: '1 1 0 0 5 5' is no number"),
        ("1,1,0,0,5,5\n0,1,0,0,5,5\n", r"line 2 of .* has a frame that is no whole number from 1"),
        ("1.5,1,0,0,5,5\n", r"line 1 of .* has a frame that is no whole number from 1"),
        ("1e30,1,0,0,5,5\n", r"line 1 of .* has a frame that is no whole number from 1"),
        ("1,1.5,0,0,5,5\n", r"line 1 of .* has an id that is no whole number"),
        ("1,1,0,0,5,5,1,1.5,1\n", r"line 1 of .* has a class that is no whole number"),
        ("1,1,0,0,5,5\n1,2,nan,0,5,5\n", r"line 2 of .* has a number that is not finite"),
        ("1,1,0,0,inf,5\n", r"line 1 of .* has a number that is not finite"),
    ],
)
def test_line_that_is_no_row_is_named(text: Path, content: str, message: str) -> None:
    text.write_text(content)
    with pytest.raises(TrackFileError, match=message) as refused:
        read_rows(text)
    assert "\n" not in str(refused.value)
    assert repr(str(text)) in str(refused.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("hand\n", r"line 1 of .* is 'hand': expected a number and a name"),
        ("1 hand\n2\n", r"line 2 of .* is '2': expected a number and a name"),
        ("1 hand\n\n1 mug\n", r"line 3 of .* names class 1 again"),
    ],
)
def test_line_that_names_no_class_is_named(text: Path, content: str, message: str) -> None:
    text.write_text(content)
    with pytest.raises(TrackFileError, match=message):
        read_class_names(text)


def test_class_names_may_have_blanks(text: Path) -> None:
    text.write_text("1 hand\n\n12\tcoffee cup \n")
    assert read_class_names(text) == {1: "hand", 12: "coffee cup"}


@pytest.mark.parametrize("texts", [("gt/gt.txt", "det/det.txt"), ("gt.txt", "det/det.txt"), ("det/det.txt",)])
def test_folder_stands_for_its_truth_or_else_its_detections(tmp_path: Path, texts: tuple[str, ...]) -> None:
    for name in texts:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("1,1,0,0,5,5\n")
    (tmp_path / "classes.txt").write_text("1 hand\n")
    (tmp_path / "seqinfo.ini").write_text("[Sequence]\nimWidth=320\nimHeight=180\nseqLength=9\nframeRate=12.5\n")
    for path in (tmp_path, tmp_path / texts[0]):
        found = read_sequence(path)
        assert found.path == tmp_path / texts[0]
        assert (found.class_names, found.size_px, found.frame_count) == ({1: "hand"}, (320, 180), 9)
        assert (found.fps, found.columns) == (12.5, 6)


def test_text_alone_has_neither_names_nor_size_nor_length(text: Path) -> None:
    text.write_text("1,1,0,0,5,5\n")
    found = read_sequence(text)
    assert (found.class_names, found.size_px, found.frame_count, found.fps) == ({}, None, None, None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("imWidth=640\n", r"seqinfo\.ini' cannot be read: File contains no section headers"),
        ("[Sequence]\nimWidth=wide\n", r"seqinfo\.ini' cannot be read: invalid literal .* 'wide'"),
        ("[Sequence]\nimWidth=640\nimHeight=0\n", r"seqinfo\.ini': imHeight is 0, expected 1 or more"),
        ("[Sequence]\nframeRate=0\n", r"seqinfo\.ini': frameRate is 0, expected a number above 0"),
        ("[Sequence]\nframeRate=nan\n", r"seqinfo\.ini': frameRate is nan, expected a number above 0"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_in_one_line(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "gt.txt").write_text("1,1,0,0,5,5\n")
    (tmp_path / "seqinfo.ini").write_text(content)
    with pytest.raises(TrackFileError, match=message) as refused:
        read_sequence(tmp_path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.txt", "cannot read '.*none.txt': No such file or directory"),
        (".", "no MOTChallenge text in '.*': expected one of gt/gt.txt, gt.txt, det/det.txt"),
        ("binary", "cannot read '.*binary': it is no text in UTF-8"),
    ],
)
def test_what_is_no_text_is_refused_in_one_line(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "binary").write_bytes(b"1,\xff\n")
    with pytest.raises(TrackFileError, match=message):
        read_sequence(tmp_path / name)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["PETS09-S2L1", "TUD-Campus"])
def test_real_sequence_is_read_whole(shared_data: Path, name: str) -> None:
    folder = shared_data / "mot" / name
    truth, found = read_sequence(folder), read_rows(folder / "det/det.txt")
    lines = np.loadtxt(folder / "gt/gt.txt", delimiter=",")
    assert len(truth.rows) == len(lines)
    assert (truth.rows.track_id >= 1).all()
    assert (truth.rows.class_id == -1).all()
    assert truth.frame_count == lines[:, 0].max()
    assert (found.track_id == -1).all()
    assert ((found.confidence >= 0.5) & (found.confidence <= 1)).all()
