"""The commands of data_tools/README.md, run as they stand there."""

from __future__ import annotations

import importlib
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("tensorflow")

from click.testing import CliRunner

from data_tools.annotation import Annotation, DataSet, Picture
from data_tools.coco import read_coco, write_coco
from hybridtrack.cli import exit_code
from tests.data_tools.egohands_archive import write_egohands, zip_folder

pytestmark = pytest.mark.tensorflow


def run_blocks(readme: Path, section: str, before: Callable[[str], None] = lambda line: None) -> list[str]:
    """Run the lines of a section's code blocks in the current folder, and return them."""
    text = readme.read_text(encoding="utf-8").split(f"## {section}\n")[1].split("\n## ")[0]
    lines = [line for block in re.findall(r"```\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    for line in lines:
        before(line)
        words = shlex.split(line, comments=True)
        if words[0] == "hybridtrack":
            assert exit_code(words[1:]) == 0, line
        else:
            assert words[:2] == ["python", "-m"]
            done = CliRunner().invoke(importlib.import_module(words[2]).main, words[3:])
            assert done.exit_code == 0, f"{line}: {done.output} {done.exception}"
    return lines


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_way_from_egohands_to_records(root: Path, tmp_path: Path) -> None:
    zip_folder(write_egohands(tmp_path / "ego").parent, tmp_path / "egohands_data.zip")
    assert len(run_blocks(root / "data_tools/README.md", "EgoHands")) == 3
    for name in ("train", "val"):
        assert (tmp_path / f"out/egohands/records/{name}.tfrecord-00000-of-00001").stat().st_size > 10_000


def test_way_from_other_data_to_records(root: Path, tmp_path: Path, draw: Callable[..., Path]) -> None:
    hand = Annotation(label="hand", xyxy=(10, 10, 40, 40))
    names = [draw(tmp_path / f"photos/{number}.jpg", seed=number).name for number in range(10)]
    pictures = (Picture(name=name, size_px=(80, 60), annotations=(hand,), folder=Path("photos")) for name in names)
    write_coco(DataSet(labels=("hand",), pictures=tuple(pictures)), Path("labels.json"))
    assert len(run_blocks(root / "data_tools/README.md", "Other data")) == 3
    assert (tmp_path / "out/records/train.tfrecord-00000-of-00001").is_file()


def test_way_from_a_video_to_records(root: Path, tmp_path: Path, table_clip: Path) -> None:
    shutil.copy(table_clip, "table.mp4")

    def correct(line: str) -> None:
        if "corrected.xml" in line:
            shutil.copy("for-cvat.xml", "corrected.xml")

    assert len(run_blocks(root / "data_tools/README.md", "Your own videos", correct)) == 4
    data = read_coco(tmp_path / "out/table/annotations.json")
    assert [picture.frame_number for picture in data.pictures] == list(range(0, 360, 15))
    assert (tmp_path / "out/table/records/train.tfrecord-00000-of-00001").is_file()
