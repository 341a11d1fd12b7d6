from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from data_tools.annotation import Annotation, DataSet, Picture
from data_tools.coco import read_coco, write_coco
from data_tools.contact_sheet import draw_cell, join, write_sheets
from data_tools.look import main
from data_tools.plots import covering
from data_tools.statistics import box_table, measure


def hand(*xyxy: float, label: str = "hand") -> Annotation:
    x1, y1, x2, y2 = xyxy
    return Annotation(label=label, xyxy=(x1, y1, x2, y2))


@pytest.fixture
def table() -> DataSet:
    """Hands of 20×10, 40×40 and 200×100, a mug of 40×20, on three pictures of 400×200; one is empty."""
    pictures = (
        Picture(name="a", size_px=(400, 200), group="v", annotations=(hand(10, 10, 30, 20), hand(50, 50, 90, 90))),
        Picture(
            name="b",
            size_px=(400, 200),
            group="v",
            annotations=(hand(200, 100, 400, 200), hand(0, 60, 40, 80, label="mug")),
        ),
        Picture(name="c", size_px=(400, 200), group="w"),
    )
    return DataSet(labels=("hand", "mug"), pictures=pictures)


def test_figures_are_as_worked_out_by_hand(table: DataSet) -> None:
    figures = measure(table)
    assert (figures["pictures"], figures["groups"], figures["boxes"]) == (3, 2, 4)
    assert figures["boxes_a_picture"] == {"0": 1, "2": 2}
    assert figures["pictures_without_boxes"] == ["c"]
    assert figures["picture_sizes"] == {"400x200": 3}
    hands = figures["labels"]["hand"]
    assert (hands["boxes"], hands["pictures_without"]) == (3, 1)
    assert (hands["width_px"]["min"], hands["width_px"]["p50"], hands["width_px"]["max"]) == (20, 40, 200)
    assert (hands["width_norm"]["p50"], hands["height_norm"]["max"]) == (0.1, 0.5)
    assert (hands["aspect"]["min"], hands["aspect"]["max"]) == (1, 2)
    assert hands["area_norm"]["max"] == 0.25
    assert (hands["small"], hands["medium"], hands["large"]) == (1, 1, 1)
    assert (hands["at_border"], figures["labels"]["mug"]["at_border"], figures["all"]["at_border"]) == (1, 1, 2)


def test_data_set_without_boxes_has_figures_too() -> None:
    figures = measure(DataSet(labels=("hand",), pictures=()))
    assert (figures["all"]["boxes"], figures["all"]["width_px"]) == (0, {})


def test_cells_count_the_boxes_over_their_centres(table: DataSet) -> None:
    boxes = box_table(table.pictures, "hand")
    # of 4×2 cells, centres at 50, 150, 250, 350 and 50, 150
    assert covering(boxes, (4, 2)).tolist() == [[1, 0, 0, 0], [0, 0, 1, 1]]
    assert covering(boxes[:0], (4, 2)).tolist() == [[0] * 4] * 2


def test_cell_shows_box_where_it_is_in_colour() -> None:
    picture = Picture(name="", size_px=(400, 200), annotations=(hand(100, 50, 300, 150),))
    cell = draw_cell(np.zeros((200, 400, 3), np.uint8), picture, ("hand",), (200, 200))
    assert cell.shape == (200, 200, 3)
    assert cell[0, 0].tolist() == [64, 64, 64]  # grey above the picture, 200×100 in the middle
    assert cell[50 + 60, 50].tolist() == [0, 200, 255]
    assert cell[50 + 60, 149].tolist() == [0, 200, 255]
    assert cell[50 + 60, 100].tolist() == [0, 0, 0]


@pytest.mark.parametrize(("count", "size"), [(1, (1, 1)), (5, (1, 5)), (7, (2, 5))])
def test_cells_are_joined_row_by_row(count: int, size: tuple[int, int]) -> None:
    sheet = join([np.full((2, 3, 3), number, np.uint8) for number in range(count)])
    assert sheet.shape == (2 * size[0], 3 * size[1], 3)
    assert sheet[2 * ((count - 1) // 5), 3 * ((count - 1) % 5), 0] == count - 1


def test_picture_that_cannot_be_read_is_named_and_not_shown(small: DataSet, tmp_path: Path) -> None:
    small.pictures[0].path.write_text("no picture")
    paths, problems = write_sheets(small, tmp_path, sheets=3)
    assert [problem.where for problem in problems] == ["a/1.jpg"]
    assert [path.name for path in paths] == ["sheet-01.png"]
    assert cv2.imread(str(paths[0])).shape == (216, 768, 3)


def test_command_writes_figures_plots_and_sheets_and_tells_what_is_wrong(small: DataSet, tmp_path: Path) -> None:
    flat = Picture(name="c.jpg", size_px=(80, 60), folder=small.pictures[0].folder, annotations=(hand(1, 1, 1, 9),))
    write_coco(DataSet(labels=small.labels, pictures=(*small.pictures[:2], flat)), tmp_path / "all.json")
    done = CliRunner().invoke(main, [str(tmp_path / "all.json"), "--out", str(tmp_path / "look")])
    assert done.exit_code == 0, done.output
    assert "box of no area: 1\n  c.jpg, box 1" in done.output
    names = {"statistics.json", "box_sizes.png", "box_aspects.png", "box_places.png", "boxes_a_picture.png"}
    assert {path.name for path in (tmp_path / "look").iterdir()} == {*names, "sheet-01.png"}
    assert all(cv2.imread(str(tmp_path / "look" / name)) is not None for name in names if name.endswith("png"))


@pytest.mark.shared
def test_figures_of_the_real_annotations(shared_data: Path) -> None:
    figures = measure(read_coco(shared_data / "egohands_annotations/annotations.json"))
    assert (figures["pictures"], figures["boxes"], figures["groups"]) == (4780, 14878, 48)
    assert figures["picture_sizes"] == {"1280x720": 4780}
    assert sum(int(number) * count for number, count in figures["boxes_a_picture"].items()) == 14878
    assert max(map(int, figures["boxes_a_picture"])) <= 4
