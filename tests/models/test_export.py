"""From a training to a bundle that the command line runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from hybridtrack.boxes import iou
from hybridtrack.cli import exit_code
from hybridtrack.detectors.bundle import load_bundle, verify
from hybridtrack.types import Frame

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # of Keras, with numpy 2
]
tf = pytest.importorskip("tensorflow")

from models import drawn, evaluate, export, network  # noqa: E402
from models.frozen_graph import label_map  # noqa: E402


@pytest.fixture(scope="module")
def run(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training of seconds, whose network finds boxes everywhere."""
    folder = tmp_path_factory.mktemp("training")
    shutil.copytree(tiny_run, folder / "run")
    trained = network.load(folder / "run/best")
    for layer in trained.network.layers:
        if network.is_class_head(layer.name):
            layer.bias.assign(np.full(layer.bias.shape, -2.5))
            layer.kernel.assign(np.random.default_rng(0).normal(0, 0.3, layer.kernel.shape))
    network.save(trained, folder / "run/best")
    return folder / "run"


@pytest.fixture(scope="module")
def bundle(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bundles") / "mine"
    precisions = [x for name in ("fp16", "fp32", "int8") for x in ("--precision", name)]
    arguments = [str(run), "--out", str(out), *precisions, "--saved-model", "--frozen-graph", "--largest-fall", "1"]
    assert export.main(arguments) == 0
    return out


def test_bundle_is_whole_and_says_what_the_training_was_told(bundle: Path) -> None:
    found = load_bundle(bundle)
    verify(found)
    assert found.manifest.name == "tiny"
    assert list(found.manifest.models) == ["fp16", "fp32", "int8", "saved_model"]
    assert found.manifest.default_precision == "fp16"
    assert [info.name for info in found.classes] == list(drawn.LABELS)


def test_every_precision_finds_what_the_network_does(bundle: Path, run: Path) -> None:
    picture = next(drawn.drawings(1, (320, 240), np.random.default_rng(5))).bgr
    frame = Frame.from_array(picture)
    wanted = network.detector(network.load(run)).detect(frame)
    assert len(wanted) > 5
    subjects = {one.name: one.detector.detect(frame) for one in evaluate.open_subjects(str(bundle))}
    assert list(subjects) == [f"tiny {name}" for name in ("fp16", "fp32", "int8", "saved_model")]
    for name in ("tiny fp32", "tiny saved_model"):
        found = subjects[name]
        np.testing.assert_allclose(found.score, wanted.score, atol=1e-3)
        # boxes of equal scores may change places
        best = iou(wanted.xyxy.astype(float), found.xyxy.astype(float)).max(axis=1)
        assert np.mean(best > 0.98) > 0.95
    assert abs(subjects["tiny fp16"].score[0] - wanted.score[0]) < 0.02
    assert abs(subjects["tiny int8"].score[0] - wanted.score[0]) < 0.2


def test_command_line_runs_the_bundle(bundle: Path, table_clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "tracks.jsonl"
    arguments = ["run", str(table_clip), "--detector", f"ssd,bundle={bundle}", "--max-frames", "4", "--json", str(out)]
    assert exit_code(arguments) == 0
    header, *_, summary = map(json.loads, out.read_text().splitlines())
    assert header["detectors"][0]["bundle"] == "tiny"
    assert [one["name"] for one in header["classes"]] == list(drawn.LABELS)
    assert summary["detector_runs"] == {"ssd": 2}


def test_frozen_graph_finds_what_the_network_does(bundle: Path, run: Path) -> None:
    picture = next(drawn.drawings(1, (192, 192), np.random.default_rng(5))).bgr
    graph = tf.compat.v1.GraphDef.FromString((bundle / "frozen_inference_graph.pb").read_bytes())
    function = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(graph, name=""), [])
    names = ("detection_boxes", "detection_scores", "detection_classes", "num_detections")
    detect = function.prune("image_tensor:0", [f"{name}:0" for name in names])
    boxes, scores, classes, count = (x.numpy()[0] for x in detect(tf.constant(picture[None, ..., ::-1])))
    wanted = network.detector(network.load(run)).detect(Frame.from_array(picture))
    assert count >= min(len(wanted), 100)
    np.testing.assert_allclose(scores[0], wanted.score[0], atol=1e-3)
    xyxy = np.clip(boxes[:20], 0, 1)[:, [1, 0, 3, 2]] * 192
    assert np.mean(iou(xyxy.astype(float), wanted.xyxy.astype(float)).max(axis=1) > 0.98) > 0.8
    assert {*classes[:20].tolist()} <= {1, 2}
    assert (bundle / "label_map.pbtxt").read_text() == label_map(drawn.LABELS)


def test_label_map_numbers_from_one() -> None:
    assert label_map(["cup", "hand"]) == "item {\n  id: 1\n  name: 'cup'\n}\nitem {\n  id: 2\n  name: 'hand'\n}\n"


def judged(fall: float) -> export.Judged:
    return export.Judged(precision="int8", megabytes=1, milliseconds=1, ap50=0.5, fall=fall)


@pytest.mark.parametrize(("fall", "is_good"), [(-0.1, True), (0.02, True), (0.021, False), (float("nan"), False)])
def test_precision_whose_ap_falls_too_far_is_refused(fall: float, is_good: bool) -> None:
    if is_good:
        export.check([judged(0.0), judged(fall)], 0.02)
    else:
        with pytest.raises(export.QualityError, match=r"int8: AP50 is 0\.500, .* at most 0\.02 is allowed"):
            export.check([judged(0.0), judged(fall)], 0.02)


def test_nothing_is_written_when_a_precision_is_no_good(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(run), "--out", str(tmp_path / "bundle"), "--precision", "fp16", "--largest-fall", "-2"]
    assert export.main(arguments) == 1
    assert not (tmp_path / "bundle").exists()
    assert "AP50" in capsys.readouterr().err
    assert export.main([str(run)]) == 2
    assert "--out FOLDER" in capsys.readouterr().err
