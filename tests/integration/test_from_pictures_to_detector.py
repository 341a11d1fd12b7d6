"""The documented path, on a few generated pictures: split, records, training with a stop, evaluation, export, run."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from hybridtrack.cli import exit_code
from tests.models.tiny import LABELS, tiny_content

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # of Keras, with numpy 2
]
pytest.importorskip("tensorflow")
pytest.importorskip("faster_coco_eval")

from data_tools import splits, tfrecords  # noqa: E402
from models import drawn, evaluate, export, train  # noqa: E402
from models.run_folder import read_metrics  # noqa: E402
from models.settings import parse_settings, settings_text  # noqa: E402

PICTURES = 20


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """A folder with generated pictures and their boxes as COCO JSON."""
    (tmp_path / "images").mkdir()
    images, annotations = [], []
    for number, drawing in enumerate(drawn.drawings(PICTURES, (160, 120), np.random.default_rng(0)), 1):
        name = f"{number:03d}.png"
        cv2.imwrite(str(tmp_path / "images" / name), drawing.bgr)
        images.append({"id": number, "file_name": name, "width": 160, "height": 120})
        for (x1, y1, x2, y2), k in zip(drawing.xyxy.tolist(), drawing.class_id.tolist(), strict=True):
            box = {"bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1), "iscrowd": 0}
            annotations.append({"id": len(annotations) + 1, "image_id": number, "category_id": k + 1, **box})
    categories = [{"id": k, "name": name} for k, name in enumerate(LABELS, 1)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (tmp_path / "annotations.json").write_text(json.dumps(content))
    return tmp_path


def test_pictures_with_boxes_become_a_detector_of_the_command_line(labelled: Path, tmp_path: Path) -> None:
    parts, records, run, bundle = (tmp_path / name for name in ("parts", "records", "run", "bundle"))
    pictures = ["--pictures", str(labelled / "images")]
    splits.main.main(
        [str(labelled / "annotations.json"), *pictures, "--out", str(parts), "--shares", "60,20,20"],
        standalone_mode=False,
    )
    for part in ("train", "val", "test"):
        tfrecords.main.main(
            [str(parts / f"{part}.json"), *pictures, "--name", part, "--out", str(records)], standalone_mode=False
        )

    data = {"train": [str(records / "train.tfrecord*")], "validation": [str(records / "val.tfrecord*")]}
    settings = parse_settings(tiny_content(records, data=data, anchors={"fit": True}), where="here")
    (tmp_path / "my.toml").write_text(settings_text(settings))
    assert train.main(["--config", str(tmp_path / "my.toml"), "--out", str(run), "--stop-at", "4"]) == 0
    assert train.main(["--resume", str(run)]) == 0
    assert [row["step"] for row in read_metrics(run) if "loss" in row] == [1, 2, 3, 4, 5, 6]

    assert export.main([str(run), "--out", str(bundle)]) == 0

    figures = tmp_path / "figures.json"
    test_records = [str(path) for path in sorted(records.glob("test.tfrecord*"))]
    assert evaluate.main([str(run), str(bundle), "--data", *test_records, "--json", str(figures)]) == 0
    judged = json.loads(figures.read_text())
    assert list(judged) == ["tiny keras", "tiny int8", "tiny fp16"]
    assert {one["boxes"] for one in judged.values()} == {judged["tiny keras"]["boxes"]}

    tracks = tmp_path / "tracks.jsonl"
    detector = f"ssd,bundle={bundle}"
    assert exit_code(["run", str(labelled / "images"), "--detector", detector, "--json", str(tracks)]) == 0
    header, *frames, summary = map(json.loads, tracks.read_text().splitlines())
    assert [one["name"] for one in header["classes"]] == [*LABELS]
    assert (len(frames), summary["detector_runs"]) == (PICTURES, {"ssd": 7})
