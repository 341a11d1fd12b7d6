"""Measure what training reaches, from records to figures; each prints what it takes and what it found.

    python -m tests.benchmarks.training_bars overfit --data FOLDER       # 16 pictures of COCO, two classes
    python -m tests.benchmarks.training_bars fine-tune --data CUPS --other COFFEE
    python -m tests.benchmarks.training_bars drawn                       # generated pictures, random weights

The first two start from the imported hand weights (`python -m models.import_handtrackjs`). ``CPU`` is the processor
time of all threads, in which other programs on the machine do not count; on two free cores a training takes about half.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from models import drawn, network
from models.average_precision import Figures, figures
from models.run_folder import RunFolder
from models.settings import Settings, parse_settings, read_settings
from models.training import train
from models.truth import TruePicture, read_truth
from models.validation import judge

IMPORTED = Path("out/models/hand-ssdlite-mobilenetv2")
OVERFIT_CLASSES = ("cup", "bottle")
OVERFIT_PICTURES = 16
TRAINED_SHARE = 2 / 3  #: of the clip that is tuned on, from its beginning
EVERY = 2  #: neighbouring frames are nearly the same


def write_records(path: Path, pictures: Sequence[TruePicture], labels: Sequence[str]) -> None:
    """Write pictures with their boxes, crowds left out."""
    with tf.io.TFRecordWriter(str(path)) as writer:
        for one in pictures:
            sure = ~one.is_crowd
            drawing = drawn.Drawing(one.frame.bgr(), one.xyxy[sure].astype(np.float32), one.class_id[sure])
            writer.write(drawn.example(one.name, drawing, labels).SerializeToString())


def settings_for(labels: Sequence[str], role: str, train_file: Path, **tables: dict[str, Any]) -> Settings:
    """Return settings that start from the imported weights."""
    content: dict[str, Any] = {
        "bundle": {"name": "bar", "summary": "a measurement"},
        "labels": [{"name": name, "role": role} for name in labels],
        "data": {"train": [str(train_file)]},
        "network": {"start": str(IMPORTED), "batch_norm": "frozen"},
    }
    return parse_settings(content | tables, where="here")


class Clock:
    """Wall and processor time since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def __str__(self) -> str:
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        return f"{wall / 60:.1f} min, CPU {cpu / 60:.1f} min"


def overfit(data: Path, folder: Path) -> None:
    """Print AP50 on the pictures that were trained on."""
    pictures = [one for one in read_truth(data, OVERFIT_CLASSES) if len(one.xyxy) and not one.is_crowd.any()]
    both = sorted(pictures, key=lambda one: -len({*one.class_id.tolist()}))[:OVERFIT_PICTURES]
    write_records(folder / "train.tfrecord", both, OVERFIT_CLASSES)
    settings = settings_for(
        OVERFIT_CLASSES,
        "object",
        folder / "train.tfrecord",
        data={"train": [str(folder / "train.tfrecord")], "validation": [str(folder / "train.tfrecord")]},
        anchors={"fit": True},
        augmentation={"crop": 0, "zoom_out": 0, "flip": 0, "colour": 0, "blur": 0},
        training={
            "steps": 400,
            "batch_size": 8,
            "learning_rate": 0.001,
            "warm_up_steps": 20,
            "average_decay": 0.9,
            "weight_decay": 0.0,
            "validate_every": 50,
            "checkpoint_every": 400,
        },
    )
    clock = Clock()
    best = train(settings, RunFolder(folder / "run"))
    boxes = sum(len(one.xyxy) for one in both)
    print(
        f"overfit: {len(both)} pictures, {boxes} boxes of {', '.join(OVERFIT_CLASSES)}: AP50 {best.ap50:.3f}; {clock}"
    )


def fine_tune(data: Path, other: Path, folder: Path) -> None:
    """Print AP50 and AP75 of hands before and after, on the last third of the clip and on another one."""
    pictures = list(read_truth(data, ["hand"]))
    cut = round(TRAINED_SHARE * len(pictures))
    write_records(folder / "train.tfrecord", pictures[:cut:EVERY], ["hand"])
    unseen = {f"last third of {data.name}": pictures[cut:], other.name: list(read_truth(other, ["hand"]))[::EVERY]}
    settings = settings_for(
        ["hand"],
        "hand",
        folder / "train.tfrecord",
        augmentation={"crop": 0.5, "zoom_out": 0.3},
        training={
            "steps": 300,
            "batch_size": 8,
            "learning_rate": 0.0002,
            "warm_up_steps": 30,
            "average_decay": 0.98,
            "checkpoint_every": 300,
        },
    )
    before = {name: hands(network.load(IMPORTED), part) for name, part in unseen.items()}
    clock = Clock()
    train(settings, RunFolder(folder / "run"))
    print(f"fine-tune: {len(pictures[:cut:EVERY])} pictures; {clock}")
    trained = network.load(folder / "run")
    for name, part in unseen.items():
        after = hands(trained, part)
        changes = (f"{key} {before[name].coco[key]:.3f} -> {after.coco[key]:.3f}" for key in ("AP50", "AP75"))
        print(f"fine-tune, {name}: {', '.join(changes)}")


def hands(trained: network.TrainedNetwork, pictures: Sequence[TruePicture]) -> Figures:
    return figures(judge(network.detector(trained), pictures), ["hand"])


def from_nothing(folder: Path) -> None:
    """Print AP50 on the unseen quarter of 400 generated pictures."""
    drawn.write(folder, 400, (320, 240), 0)
    parts = {name: f'data.{name}=["{folder / name}.tfrecord"]' for name in ("train", "validation")}
    settings = read_settings(Path("models/configs/drawn.toml"), list(parts.values()))
    clock = Clock()
    best = train(settings, RunFolder(folder / "run"))
    print(f"drawn: 300 pictures from random weights: AP50 {best.ap50:.3f} on 100 others at step {best.step}; {clock}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("bar", choices=("overfit", "fine-tune", "drawn"))
    parser.add_argument("--data", type=Path)
    parser.add_argument("--other", type=Path)
    parser.add_argument("--keep", type=Path, help="folder for records and training (default: a temporary one)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        if options.bar == "overfit":
            overfit(options.data, folder)
        elif options.bar == "fine-tune":
            fine_tune(options.data, options.other, folder)
        else:
            from_nothing(folder)


if __name__ == "__main__":
    main()
