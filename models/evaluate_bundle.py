"""Measure a bundle: size, latency, and AP50 and AP75 of each precision on folders with ground truth.

    python -m models.evaluate_bundle BUNDLE --data FOLDER... [--class hand] [--threads 1]

Pictures take the way of the product (decoder -> small RGB -> detector). AP is COCO's (faster-coco-eval); latency is
the median over all pictures, precisions taking turns, resizing excluded.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hybridtrack.detectors.bundle import Bundle, find_bundle
from hybridtrack.detectors.ssd import SsdDetector
from hybridtrack.errors import HybridTrackError
from hybridtrack.evaluate import precision
from hybridtrack.types import Detections
from models.truth import TrueBoxes, read_truth

DATA = (Path("examples/data/table"),)


def average_precisions(
    pictures: Iterable[tuple[TrueBoxes, Detections]], class_ids: Sequence[int]
) -> tuple[float, float]:
    """Return COCO's AP at IoU .5 and at .75 of the detections of these classes, taken as one."""
    pairs = [(truth, found[np.isin(found.class_id, class_ids)]) for truth, found in pictures]
    judged = precision.Judged(
        class_name="object",
        frames=range(len(pairs)),
        truth_frame=np.repeat(np.arange(len(pairs)), [len(truth.xyxy) for truth, _ in pairs]),
        truth_xyxy=np.concatenate([np.empty((0, 4)), *(truth.xyxy for truth, _ in pairs)]),
        is_ignored=np.concatenate([np.empty(0, bool), *(truth.ignored for truth, _ in pairs)]),
        found_frame=np.repeat(np.arange(len(pairs)), [len(found) for _, found in pairs]),
        found_xyxy=np.concatenate([np.empty((0, 4)), *(found.xyxy for _, found in pairs)]),
        score=np.concatenate([np.empty(0), *(found.score for _, found in pairs)]),
    )
    return precision.average_precisions([judged]) or (0.0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What one precision did on one folder."""

    pairs: list[tuple[TrueBoxes, Detections]] = field(default_factory=list)
    taken_ms: list[float] = field(default_factory=list)  #: ``detect`` without resizing


def measure(detectors: Mapping[str, SsdDetector], folder: Path, class_name: str) -> dict[str, Measured]:
    """Return what each detector found in a folder, and how long it took; they take turns frame by frame."""
    measured = {name: Measured() for name in detectors}
    for frame, truth in read_truth(folder, class_name):
        for name, detector in detectors.items():
            detector.detect(frame)  # the frame keeps its small picture
            begin = time.perf_counter()
            detections = detector.detect(frame)
            measured[name].taken_ms.append((time.perf_counter() - begin) * 1e3)
            measured[name].pairs.append((truth, detections))
    return measured


def evaluate(bundle: Bundle, folders: Iterable[Path], class_name: str, threads: int) -> list[list[str]]:
    """Return a table: a row for each precision with its size, median latency and, for each folder, AP50 and AP75."""
    class_ids = [row for row, label in enumerate(bundle.classes) if label.identity == class_name]
    detectors = {name: SsdDetector(bundle, precision=name, threads=threads) for name in bundle.manifest.models}
    taken_ms: dict[str, list[float]] = {name: [] for name in detectors}
    precisions: dict[str, list[str]] = {name: [] for name in detectors}
    header = ["precision", "MB", "ms"]
    for folder in folders:
        header += [f"{folder.resolve().name} AP50", "AP75"]
        for name, measured in measure(detectors, folder, class_name).items():
            taken_ms[name] += measured.taken_ms
            precisions[name] += [f"{value:.3f}" for value in average_precisions(measured.pairs, class_ids)]
    sizes = {name: f"{len(bundle.read(bundle.model(name))) / 1e6:.2f}" for name in detectors}
    return [
        header,
        *([name, sizes[name], f"{statistics.median(taken_ms[name]):.1f}", *precisions[name]] for name in detectors),
    ]


def print_table(table: list[list[str]]) -> None:
    """Print a Markdown table."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for number, row in enumerate(table):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |")
        if number == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m models.evaluate_bundle", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("bundle", nargs="?", help="name or folder (default: the one that ships)")
    parser.add_argument(
        "--data", type=Path, nargs="+", default=DATA, help="folders with truth (default: the demo clip)"
    )
    parser.add_argument("--class", dest="class_name", default="hand", help="identity of the classes that count")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    try:
        print_table(evaluate(find_bundle(options.bundle), options.data, options.class_name, options.threads))
    except HybridTrackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
