"""The plugin as it is installed. The demo clip and its truth are those of the checkout."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hybridtrack_tabletop import BUNDLE, create

from hybridtrack.boxes import iou
from hybridtrack.cli import exit_code
from hybridtrack.detectors.bundle import load_bundle, verify
from hybridtrack.plugin_host import PluginHost
from hybridtrack.sources import open_source
from hybridtrack.testing import check_detector

FOLDER = Path(__file__).parents[1]
DATA = Path(__file__).parents[3] / "examples/data"
CLIP = DATA / "table.mp4"
MUG, BOTTLE = 3, 4  #: ids in the truth


def true_boxes(object_id: int) -> dict[int, np.ndarray]:
    """Return the boxes xyxy (1, 4) of an object of the demo clip by frame, from 0."""
    rows = np.loadtxt(DATA / "table/gt/gt.txt", delimiter=",")
    mine = rows[rows[:, 1] == object_id]
    return {int(f) - 1: np.array([[x, y, x + w, y + h]]) for f, _, x, y, w, h in mine[:, :6]}


def test_plugin_is_found_and_offers_its_detector() -> None:
    offer = PluginHost.load({}).detector("tabletop")
    assert (offer.plugin.name, offer.plugin.distribution) == ("tabletop", "hybridtrack-tabletop")
    assert offer.spec.default_every == "500ms"
    assert offer.read_options({"classes": "mug|coffee cup"})["classes"] == ("mug", "coffee cup")


def test_naming_the_plugin_loads_nothing_heavy() -> None:
    code = "import sys, hybridtrack_tabletop; print(*{'numpy', 'cv2', 'ai_edge_litert'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_bundle_is_whole_and_names_23_classes() -> None:
    bundle = load_bundle(BUNDLE)
    assert set(verify(bundle)) == {"model_fp16.tflite", "LICENSE"}
    classes = {info.name: info for info in bundle.classes}
    assert len(classes) == 23
    assert classes["mug"].identity == classes["coffee cup"].identity == "mug"
    assert {name for name, info in classes.items() if info.role == "object"} >= {"mug", "bottle", "book", "box"}
    assert {classes[name].role for name in ("person", "table", "chair", "car")} == {"other"}


def test_detector_keeps_the_contract() -> None:
    assert check_detector(create({})) == []


def test_mug_and_bottle_of_the_demo_clip_are_found_where_they_are() -> None:
    detector = create({"min_score": 0.5})
    names = [info.identity for info in detector.classes]
    truth = {"mug": true_boxes(MUG), "bottle": true_boxes(BOTTLE)}
    with open_source(str(CLIP)) as source:
        frame = next(iter(source))
    found = detector.detect(frame)
    for name in ("mug", "bottle"):
        rows = [row for row, class_id in enumerate(found.class_id) if names[class_id] == name]
        assert len(rows) == 1  # a mug that is a coffee cup as well is one box
        assert iou(found.xyxy[rows], truth[name][0])[0, 0] > 0.7
    assert found.score.min() >= 0.5


def test_run_writes_hands_mugs_and_bottles_with_ids(tmp_path: Path) -> None:
    file = tmp_path / "table.jsonl"
    arguments = ["run", str(CLIP), "--detector", "hand,every=3", "--detector", "tabletop,every=15", "--json", str(file)]
    assert exit_code(arguments) == 0
    header, *frames, summary = map(json.loads, file.read_text().splitlines())
    assert [(one["name"], one["distribution"]) for one in header["detectors"]] == [
        ("hand", "hybridtrack"),
        ("tabletop", "hybridtrack-tabletop"),
    ]
    assert summary["complete"]
    assert summary["detector_runs"] == {"hand": 120, "tabletop": 24}
    identity = {info["name"]: info["identity"] for info in header["classes"]}
    rows: dict[str, dict[int, np.ndarray]] = {"hand": {}, "mug": {}, "bottle": {}}
    for frame in frames:
        for track in frame["tracks"]:
            name = identity[track["class"]]
            if name in rows and track["state"] == "confirmed":
                rows[name][frame["frame"]] = np.array([track["box"]])
    truth = true_boxes(BOTTLE)
    followed = [frame for frame, box in rows["bottle"].items() if iou(box, truth[frame])[0, 0] > 0.5]
    assert len(followed) > 300  # of 360
    assert len(rows["mug"]) > 150
    assert len(rows["hand"]) > 200
    mugs = {track["id"] for frame in frames for track in frame["tracks"] if identity[track["class"]] == "mug"}
    assert len(mugs) == 1  # also while the hand hides it
    events = [event for frame in frames for event in frame["events"] if event["kind"] in ("pick_up", "put_down")]
    assert [(event["kind"], event["object"]) for event in events] == [("pick_up", *mugs), ("put_down", *mugs)]
    assert events[0]["time"] == pytest.approx(55 / 30, abs=0.3)  # of the true hold, frames 55 to 102
    assert events[1]["time"] == pytest.approx(102 / 30, abs=0.3)


@pytest.mark.packaging
def test_wheel_holds_the_plugin_alone_and_is_small(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path, FOLDER]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"hybridtrack_tabletop"}
    assert {f"hybridtrack_tabletop/bundle/{name}" for name in ("bundle.toml", "model_fp16.tflite", "LICENSE")} <= {
        *names
    }
    assert {"LICENSE", "NOTICE.md"} <= {name.split("/")[-1] for name in names if "/licenses/" in name}
    assert wheel.stat().st_size < 15e6
