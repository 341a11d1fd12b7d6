"""Trainings of a tiny network on a few drawn pictures, from beginning to end."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hybridtrack.detectors.bundle import load_bundle, verify
from hybridtrack.errors import SinkError, SourceError, UsageError
from hybridtrack.types import Frame

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # of Keras, with numpy 2
]
tf = pytest.importorskip("tensorflow")

from models import drawn, network  # noqa: E402
from models import train as command  # noqa: E402
from models.run_folder import RunFolder, read_metrics  # noqa: E402
from models.settings import Settings, parse_settings  # noqa: E402
from models.training import NotFiniteError, train  # noqa: E402
from tests.models.tiny import TINY_STEPS, tiny_content  # noqa: E402


def tiny(records: Path, **tables: dict[str, Any]) -> Settings:
    return parse_settings(tiny_content(records, **tables), where="here")


def losses(folder: Path) -> list[tuple[int, float, float, float]]:
    rows = [row for row in read_metrics(folder) if "loss" in row]
    return [(row["step"], row["loss"], row["boxes"], row["learning_rate"]) for row in rows]


def test_run_folder_holds_what_the_training_was(tiny_run: Path, records: Path) -> None:
    rows = read_metrics(tiny_run)
    assert [row["step"] for row in rows if "loss" in row] == [1, 2, 3, 4, 5, 6]
    assert [row["step"] for row in rows if "AP50" in row] == [3, 6]
    about = json.loads((tiny_run / "run.json").read_text())
    assert about["data"]["training"]["pictures"] == 6
    assert len(about["data"]["training"]["sha256"]) == 64
    assert set(about["data"]["validation"]["boxes"]) == set(drawn.LABELS)
    assert {"revision", "packages", "python"} <= set(about)
    assert list((tiny_run / "tensorboard").glob("events*"))
    assert len(list((tiny_run / "checkpoints").glob("*.index"))) == 3
    from models.settings import read_settings

    assert read_settings(tiny_run / "config.toml") == tiny(records)


def test_network_that_is_kept_is_a_detector(tiny_run: Path) -> None:
    verify(load_bundle(tiny_run / "best"))
    trained = network.load(tiny_run)
    detector = network.detector(trained)
    assert [info.name for info in detector.classes] == list(drawn.LABELS)
    picture = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
    found = detector.detect(Frame.from_array(picture))
    assert ((found.xyxy >= 0) & (found.xyxy <= [160, 120, 160, 120])).all()


def test_training_that_was_stopped_goes_on_with_the_same_losses(records: Path, tiny_run: Path, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    train(tiny(records), folder, stop_at=3)  # within the second epoch
    assert [row[0] for row in losses(folder.path)] == [1, 2, 3]
    with (folder.path / "metrics.jsonl").open("a") as stream:
        stream.write(
            '{"step": 4, "loss": 9.0, "boxes": 9, "learning_rate": 9}\n{"step": 5, "lo'
        )  # killed while writing
    train(tiny(records), folder, resume=True)
    assert losses(folder.path) == losses(tiny_run)
    ours, theirs = (network.load_network(x / "last").get_weights() for x in (folder.path, tiny_run))
    for mine, its in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(mine, its)


def test_loss_that_is_no_number_stops_with_the_last_good_checkpoint(records: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    settings = tiny(records, training={"learning_rate": 1e30, "warm_up_steps": 0, "checkpoint_every": 1})
    with pytest.raises(
        NotFiniteError, match=r"^the loss is .* at step \d .* last good checkpoint is .*: lower"
    ) as stop:
        train(settings, RunFolder(folder))
    assert "\n" not in str(stop.value)
    assert len(losses(folder)) < TINY_STEPS


def test_labels_that_are_not_those_of_the_records_are_refused(records: Path, tmp_path: Path) -> None:
    wrong = tiny_content(records)
    wrong["labels"] = wrong["labels"][::-1]
    with pytest.raises(SourceError, match=r"class \d is '\w+' in the records and '\w+' in the settings"):
        train(parse_settings(wrong, where="here"), RunFolder(tmp_path / "run"))
    wrong["labels"] = [{"name": "plate", "role": "object"}]
    with pytest.raises(SourceError, match=r"a box has class 2 \('box'\), but the settings have 1 labels"):
        train(parse_settings(wrong, where="here"), RunFolder(tmp_path / "run"))


def test_data_that_are_empty_missing_or_damaged_are_refused(records: Path, tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    with pytest.raises(SourceError, match="no TFRecords at"):
        train(tiny(records, data={"train": [str(tmp_path / "none*")]}), run)
    empty = tmp_path / "empty.tfrecord"
    with tf.io.TFRecordWriter(str(empty)):
        pass
    with pytest.raises(SourceError, match="hold 0 pictures and no box"):
        train(tiny(records, data={"train": [str(empty)]}), run)
    cut = tmp_path / "cut.tfrecord"
    cut.write_bytes((records / "train.tfrecord").read_bytes()[:-9])
    with pytest.raises(SourceError, match="cannot read the TFRecords"):
        train(tiny(records, data={"train": [str(cut)]}), run)


def test_picture_that_cannot_be_decoded_stops_in_one_line(records: Path, tmp_path: Path) -> None:
    drawing = next(drawn.drawings(1, (96, 72), np.random.default_rng(0)))
    example = drawn.example("broken", drawing)
    example.features.feature["image/encoded"].bytes_list.value[0] = b"no picture"
    path = tmp_path / "broken.tfrecord"
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(example.SerializeToString())
    settings = tiny(records, data={"train": [str(path)], "validation": []})
    with pytest.raises(SourceError, match="a picture of the training records cannot be read at step 1") as stop:
        train(settings, RunFolder(tmp_path / "run"))
    assert "\n" not in str(stop.value)


def test_full_disk_stops_with_the_last_good_checkpoint(tiny_run: Path, records: Path, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    train(tiny(records, data={"validation": []}), folder, stop_at=2)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))  # files cannot grow beyond: writing fails
    try:
        with pytest.raises(SinkError, match=r"cannot write .*--resume$") as stop:
            train(tiny(records, data={"validation": []}), folder, resume=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "\n" not in str(stop.value)
    assert [path.name for path in folder.checkpoints.glob("*.index")] == ["ckpt-2.index"]
    assert losses(folder.path) == losses(tiny_run)[: len(losses(folder.path))]


def test_folder_of_another_training_is_not_overwritten(tiny_run: Path, records: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds a training: --resume"):
        train(tiny(records), RunFolder(tiny_run))
    with pytest.raises(UsageError, match="no training began there"):
        train(tiny(records), RunFolder(tmp_path), resume=True)
    other = tmp_path / "records"
    shutil.copytree(records, other)
    shutil.copy(records / "validation.tfrecord", other / "train.tfrecord")
    with pytest.raises(UsageError, match="the training data are not those that it began with"):
        train(tiny(other), RunFolder(tiny_run), resume=True)


def test_training_stops_when_validations_get_no_better(records: Path, tmp_path: Path) -> None:
    settings = tiny(records, training={"steps": 50, "validate_every": 1, "patience": 2, "learning_rate": 1e-9})
    train(settings, RunFolder(tmp_path / "run"))
    assert 2 < len(losses(tmp_path / "run")) < 50
    assert (tmp_path / "run/last/network.keras").is_file()


def test_frozen_layers_keep_their_weights(records: Path, tiny_run: Path, tmp_path: Path) -> None:
    settings = tiny(
        records,
        data={"validation": []},
        network={"start": str(tiny_run / "best"), "freeze_backbone": True, "batch_norm": "frozen"},
        training={"steps": 2},
    )
    train(settings, RunFolder(tmp_path / "run"))
    before = {x.name: x for x in network.load_network(tiny_run / "best").layers}
    changed = set()
    for layer in network.load_network(tmp_path / "run/last").layers:
        theirs = before[layer.name].get_weights()
        if any((mine != its).any() for mine, its in zip(layer.get_weights(), theirs, strict=True)):
            changed.add(layer.name)
    assert {"boxes_0", "classes_0", "extra_0_narrow"} <= changed
    assert not [name for name in changed if network.is_backbone(name) or name.endswith("_BN")]


MIRRORED = """
import sys
from pathlib import Path
import tensorflow as tf
import models
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from models.learner import open_strategy
from models.run_folder import RunFolder
from models.settings import read_settings
from models.training import train
settings = read_settings(Path(sys.argv[1]), ["training.distribute=mirrored", "network.batch_norm=frozen"])
print(open_strategy(settings).num_replicas_in_sync)
train(settings, RunFolder(Path(sys.argv[2])), stop_at=3)
train(settings, RunFolder(Path(sys.argv[2])), resume=True)
"""


def test_batches_are_spread_over_devices_and_go_on_where_they_stopped(
    tiny_run: Path, root: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", MIRRORED, str(tiny_run / "config.toml"), str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines()[0] == "2"
    curve = losses(tmp_path / "run")
    assert [row[0] for row in curve] == [1, 2, 3, 4, 5, 6]
    assert np.isfinite([row[1] for row in curve]).all()
    ours, alone = ([row["positives"] for row in read_metrics(x) if "loss" in row] for x in (tmp_path / "run", tiny_run))
    assert [2 * count for count in ours] == alone  # the mean of two devices, each with half of the batch
    assert (tmp_path / "run/best/network.keras").is_file()


@pytest.mark.parametrize(
    ("head", "loss"), [("fpnlite", "focal"), ("ssdlite", "softmax")], ids=["pyramid", "hard negatives"]
)
def test_other_heads_and_losses_learn(records: Path, tmp_path: Path, head: str, loss: str) -> None:
    settings = tiny(
        records,
        data={"validation": []},
        network={"head": head},
        loss={"kind": loss},
        anchors={"fit": True},
        training={"steps": 12, "learning_rate": 0.003, "optimizer": "sgd" if loss == "softmax" else "adam"},
    )
    train(settings, RunFolder(tmp_path / "run"))
    curve = [row[1] for row in losses(tmp_path / "run")]
    assert np.mean(curve[-3:]) < np.mean(curve[:3])
    assert load_bundle(tmp_path / "run/best").manifest.outputs.score == ("sigmoid" if loss == "focal" else "softmax")


def test_command_begins_and_refuses_in_one_line(
    records: Path, tiny_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, out = tiny_run / "config.toml", tmp_path / "run"
    without = ["--set", "data.validation=[]"]
    assert command.main(["--config", str(config), "--out", str(out), "--stop-at", "2", *without]) == 0
    assert losses(out) == losses(tiny_run)[:2]
    assert f"wrote {out}" in capsys.readouterr().out
    assert command.main(["--config", str(config), "--out", str(out)]) == 2
    assert command.main(["--config", str(config), "--set", "training.stpes=3"]) == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith("did you mean 'steps'?")
    assert command.main(["--config", str(config), "--resume", str(out)]) == 2
