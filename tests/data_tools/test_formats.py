"""Every format that can be written gives back what it has a place for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_tools.annotation import Annotation, DataSet, Picture
from data_tools.convert import main
from data_tools.errors import DataError
from data_tools.formats import FORMATS, detect, find_format, read

SIZE_PX = (80, 60)
WHOLE = ("csv", "voc")  #: formats of whole pixels
OUT = {"coco": "all.json", "csv": "labels.csv", "cvat": "all.xml", "voc": "", "yolo": ""}


@st.composite
def boxes(draw: st.DrawFn) -> tuple[float, float, float, float]:
    """A box with an area inside the picture, in quarters of a pixel."""
    x1, x2 = sorted(draw(st.lists(st.integers(0, SIZE_PX[0] * 4), min_size=2, max_size=2, unique=True)))
    y1, y2 = sorted(draw(st.lists(st.integers(0, SIZE_PX[1] * 4), min_size=2, max_size=2, unique=True)))
    return x1 / 4, y1 / 4, x2 / 4, y2 / 4


#: what is in other people's names: characters that XML, CSV and YAML write in a way of their own
LABELS = ("hand", "mug & <cup>", 'a "b", c', "tasse à café", "yes")
ROWS = st.lists(st.tuples(st.sampled_from(LABELS), boxes(), st.booleans()), min_size=1, max_size=4)


def kept(data: DataSet, name: str, folder: Path) -> DataSet:
    """Return what a format has a place for, in the order in which it gives it back."""

    def annotation(row: Annotation) -> Annotation:
        if name in ("csv", "yolo", "cvat"):
            row = replace(row, is_ignored=False)
        if name in ("csv", "yolo", "voc"):
            row = replace(row, polygons=())
        if name in WHOLE:
            x1, y1, x2, y2 = map(round, row.xyxy)
            row = replace(row, xyxy=(x1, y1, x2, y2))
        return row

    def picture(its: Picture) -> Picture:
        rows = tuple(map(annotation, its.annotations))
        if name == "coco":
            return replace(its, annotations=rows, folder=folder)
        return replace(its, annotations=rows, folder=folder, group=None, frame_number=None)

    pictures = tuple(map(picture, data.pictures))
    if name == "csv":
        pictures = tuple(its for its in pictures if its.annotations)
    used = {row.label for _, row in data.annotations()}
    labels = tuple(sorted(used)) if name in WHOLE else data.labels
    return DataSet(labels=labels, pictures=pictures)


def same(found: DataSet, wanted: DataSet) -> None:
    """Fail where two data sets differ by more than a hundredth of a pixel."""
    assert (found.labels, found.problems) == (wanted.labels, wanted.problems)
    assert [replace(x, annotations=()) for x in found.pictures] == [replace(x, annotations=()) for x in wanted.pictures]
    for (_, a), (_, b) in zip(found.annotations(), wanted.annotations(), strict=True):
        assert replace(a, xyxy=(0, 0, 0, 0)) == replace(b, xyxy=(0, 0, 0, 0))
        assert a.xyxy == pytest.approx(b.xyxy, abs=0.01)


def write(data: DataSet, name: str, folder: Path) -> Path:
    writer = find_format(name).write
    assert writer is not None
    writer(data, folder / OUT[name])
    return folder / OUT[name]


@pytest.mark.parametrize("name", OUT)
def test_data_set_comes_back(name: str, small: DataSet) -> None:
    folder = small.pictures[0].folder
    path = write(small, name, folder.parent)
    same(read(path, name, folder), kept(small, name, folder))


@pytest.mark.parametrize("name", OUT)
@given(rows=ROWS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_boxes_and_labels_come_back(
    name: str,
    rows: list[tuple[str, tuple[float, float, float, float], bool]],
    tmp_path: Path,
    draw: Callable[..., Path],
) -> None:
    folder = tmp_path / "images"
    if not folder.exists():
        draw(folder / "a.png", SIZE_PX)
    annotations = tuple(Annotation(label=label, xyxy=box, is_ignored=flag) for label, box, flag in rows)
    picture = Picture(name="a.png", size_px=SIZE_PX, annotations=annotations, folder=folder)
    data = DataSet(labels=LABELS, pictures=(picture,))
    same(read(write(data, name, tmp_path), name, folder), kept(data, name, folder))


def test_every_format_that_can_be_written_is_tested_here() -> None:
    assert {name for name, its in FORMATS.items() if its.write is not None} == set(OUT)


@pytest.mark.parametrize("name", OUT)
def test_format_is_found_out(name: str, small: DataSet, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    assert detect(write(small, name, tmp_path / name)) == name


def test_what_has_no_known_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot tell the format of"):
        detect(tmp_path)
    (tmp_path / "a.jsonl").touch()
    with pytest.raises(DataError, match=r"data_tools\.frames"):
        detect(tmp_path / "a.jsonl")
    with pytest.raises(DataError, match=r"unknown format 'vok'; known: .*; did you mean 'voc'"):
        find_format("vok")


@pytest.mark.parametrize("to", OUT)
def test_command_converts(to: str, small: DataSet, tmp_path: Path) -> None:
    source = write(small, "coco", tmp_path)
    out = tmp_path / "out" / (OUT[to] or "folder")
    done = CliRunner().invoke(main, [str(source), "--to", to, "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "wrote 3 pictures, 3 boxes" in done.output
    same(read(out, to, tmp_path / "images"), kept(small, to, tmp_path / "images"))


def test_strict_conversion_refuses_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,8,6,hand,1,2,x,4\n")
    arguments = [str(tmp_path / "a.csv"), "--to", "coco", "--out", str(tmp_path / "a.json")]
    assert isinstance(CliRunner().invoke(main, [*arguments, "--strict"]).exception, DataError)
    assert "row that is none: 1" in CliRunner().invoke(main, arguments).output
