"""Measure an installed detector, class by class: AP50 and AP75 on folders with ground truth, and latency.

    python -m models.evaluate_detector coco --data FOLDER... [--class cup --class bottle]

A row is a class of the detector's, or the classes of one identity, that the truth knows by this name; without --class,
all of role object. Pictures take the way of the product; AP is COCO's (faster-coco-eval); latency is the median of
``detect``, resizing excluded.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from hybridtrack.errors import HybridTrackError, UsageError
from hybridtrack.hookspecs import Detector
from hybridtrack.plugin_host import PluginHost
from hybridtrack.types import Detections
from models.evaluate_bundle import DATA, average_precisions, print_table
from models.truth import TrueBoxes, read_truth

HEADER = ["class", "boxes", "AP50", "AP75"]


def evaluate(detector: Detector, folders: Iterable[Path], class_names: Sequence[str]) -> tuple[list[list[str]], float]:
    """Return a table and the median latency, ms: a row for each class with true boxes, and the mean of all.

    Raises SourceError when a folder has no truth, and UsageError of a class that the detector has not.
    """
    found: dict[tuple[Path, int], Detections] = {}
    taken_ms: list[float] = []
    rows: list[tuple[str, int, float, float]] = []
    folders = tuple(folders)
    for name in class_names:
        class_ids = [row for row, info in enumerate(detector.classes) if name in (info.name, info.identity)]
        if not class_ids:
            raise UsageError(
                f"the detector has no class {name!r}; choose from {', '.join(x.name for x in detector.classes)}"
            )
        pairs: list[tuple[TrueBoxes, Detections]] = []
        for folder in folders:
            for frame, truth in read_truth(folder, name):
                key = folder, frame.index
                if key not in found:
                    detector.detect(frame)  # the frame keeps its small picture
                    begin = time.perf_counter()
                    found[key] = detector.detect(frame)
                    taken_ms.append((time.perf_counter() - begin) * 1e3)
                pairs.append((truth, found[key]))
        count = sum(int(np.count_nonzero(~truth.ignored)) for truth, _ in pairs)
        if count:
            rows.append((name, count, *average_precisions(pairs, class_ids)))
    if rows:
        mean = np.mean([row[2:] for row in rows], axis=0)
        rows.append(("mean", sum(row[1] for row in rows), *mean))
    table = [[name, str(count), f"{ap50:.3f}", f"{ap75:.3f}"] for name, count, ap50, ap75 in rows]
    return [HEADER, *table], statistics.median(taken_ms) if taken_ms else 0.0


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m models.evaluate_detector", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("detector", help="name of an installed detector, such as hand or coco")
    parser.add_argument(
        "--data", type=Path, nargs="+", default=DATA, help="folders with truth (default: the demo clip)"
    )
    parser.add_argument("--class", dest="class_names", action="append", help="default: every class of role object")
    options = parser.parse_args(arguments)
    try:
        offer = PluginHost.load().detector(options.detector)
        detector = offer.build(offer.read_options({}))
        names = options.class_names or [info.name for info in detector.classes if info.role == "object"]
        table, median_ms = evaluate(detector, options.data, names)
    except HybridTrackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print_table(table)
    print(f"\n{median_ms:.1f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
