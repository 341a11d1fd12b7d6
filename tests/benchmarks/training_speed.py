"""Measure how fast training is: steps alone, and the input pipeline alone, on this machine.

    python -m tests.benchmarks.training_speed [--size 300] [--width 1.0] [--batch 8] [--batch-norm trained]

The pictures are generated, 640x360, and kept in memory after the first epoch, as in a training; a step is forward,
backward, optimiser and weight average at full precision.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import tensorflow as tf

from models import drawn
from models.learner import Learner, open_strategy
from models.network import build
from models.records import find_records, summarise
from models.settings import parse_settings
from models.training import make_pipeline

PICTURES = 64
STEPS = 12
WARM_UP = 2
PIPELINE_PICTURES = 512
ORIGIN_IMAGES_PER_S = 4.8
CORES = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--size", type=int, default=300)
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--head", default="ssdlite")
    parser.add_argument("--batch-norm", default="trained", choices=("trained", "frozen"))
    parser.add_argument("--nondeterministic", action="store_true")
    options = parser.parse_args()
    tf.random.set_seed(1)
    if not options.nondeterministic:
        tf.config.experimental.enable_op_determinism()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        drawn.write(folder, PICTURES, (640, 360), 0)
        settings = parse_settings(
            {
                "bundle": {"name": "speed", "summary": ""},
                "labels": [{"name": name, "role": "object"} for name in drawn.LABELS],
                "data": {"train": [str(folder / "train.tfrecord")]},
                "network": {
                    "head": options.head,
                    "size_px": options.size,
                    "width": options.width,
                    "batch_norm": options.batch_norm,
                },
                "training": {"steps": 1000, "batch_size": options.batch},
            },
            where="here",
        )
        data = summarise(find_records(settings.data.train), list(drawn.LABELS))
        trained = build(settings, data.size_norm)
        pipeline = make_pipeline(settings, data, trained)
        learner = Learner(trained.network, settings, open_strategy(settings))
        batch = next(iter(pipeline.batches()))
        taken, cpu_s = [], []
        for _ in range(WARM_UP + STEPS):
            begin, cpu_begin = time.perf_counter(), time.process_time()
            learner.learn(batch)
            taken.append(time.perf_counter() - begin)
            cpu_s.append(time.process_time() - cpu_begin)
        training = options.batch / statistics.median(taken[WARM_UP:])
        batches = iter(pipeline.batches())
        for _ in range(-(-data.pictures // options.batch)):
            next(batches)  # the first epoch decodes
        begin = time.perf_counter()
        for _ in range(PIPELINE_PICTURES // options.batch):
            rgb, _ = next(batches)
        reading = PIPELINE_PICTURES / (time.perf_counter() - begin)
        assert np.isfinite(rgb.numpy()).all()
    print(f"steps alone: {training:.1f} images/s, {training / ORIGIN_IMAGES_PER_S:.1f} times {ORIGIN_IMAGES_PER_S}")
    free = CORES * options.batch / statistics.median(cpu_s[WARM_UP:])
    print(f"steps alone by CPU time, on {CORES} cores that nobody else uses: at most {free:.1f} images/s")
    print(f"input alone: {reading:.1f} images/s, {reading / training:.1f} times the steps")


if __name__ == "__main__":
    main()
