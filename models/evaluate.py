"""Judge detectors by one ruler: AP as COCO has it, mAP@.5 as Pascal VOC has it, by class and by video.

    python -m models.evaluate SUBJECT... --data PATH... [--class NAME]... [--out FOLDER] [--json FILE]

A subject is a folder of a training (the Keras network), a bundle (each of its precisions, a SavedModel too), or a
detector by name with its options, as `hybridtrack run --detector` takes it: `hand`, `ssd,bundle=FOLDER,precision=fp16`.
Data are TFRecords, folders with COCO's annotations.json beside images/, or MOTChallenge truth with its clip. A class of
the truth is found by the detector's class, or classes of an identity, of that name.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hybridtrack.config import parse_choice
from hybridtrack.detectors.bundle import MANIFEST, load_bundle
from hybridtrack.detectors.ssd import SsdDetector
from hybridtrack.errors import HybridTrackError, UsageError
from hybridtrack.hookspecs import Detector
from hybridtrack.plugin_host import PluginHost
from hybridtrack.types import Array, Detections
from models import network, plots
from models.average_precision import COCO_FIGURES, Figures, Judged, figures
from models.truth import TruePicture, class_names, read_truth
from models.validation import judged

DATA = (Path("examples/data/table"),)
COLUMNS = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100")
SAVED_MODEL = "saved_model"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Subject:
    """What is judged: a detector, what it is called, and how large its network is (None: not known)."""

    name: str
    detector: Detector
    megabytes: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Verdict:
    """What a subject found in all pictures, and the milliseconds of each ``detect``, resizing excluded."""

    subject: Subject
    pictures: list[Judged] = field(default_factory=list)
    taken_ms: list[float] = field(default_factory=list)


def open_subjects(text: str, *, threads: int = 1) -> Iterator[Subject]:
    """Yield what a text names: one for each precision of a bundle. Raises HybridTrackError."""
    folder = Path(text)
    if (folder / "best" / MANIFEST).is_file():
        folder = folder / "best"
    if not (folder / MANIFEST).is_file():
        offer_name = parse_choice(text, where="subject", has_cadence=False)
        offer = PluginHost.load().detector(offer_name.name)
        yield Subject(name=text, detector=offer.build(offer.read_options(dict(offer_name.options))))
        return
    bundle = load_bundle(folder)
    for precision, model in bundle.manifest.models.items():
        name = f"{bundle.name} {precision}"
        if precision == network.KERAS:
            trained = network.load(folder)
            yield Subject(name=name, detector=network.detector(trained), megabytes=_megabytes(folder / model))
            continue
        runtime = "tensorflow" if precision == SAVED_MODEL else None
        detector = SsdDetector(bundle, precision=precision, runtime=runtime, threads=threads)
        yield Subject(name=name, detector=detector, megabytes=_megabytes(folder / model))


def _megabytes(path: Path) -> float:
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    return sum(one.stat().st_size for one in files) / 1e6


def evaluate(subjects: Sequence[Subject], data: Sequence[Path], names: Sequence[str]) -> list[Verdict]:
    """Return what each subject found in the data; they take turns picture by picture. Raises SourceError."""
    places = [_places(subject.detector, names) for subject in subjects]
    verdicts = [Verdict(subject=subject) for subject in subjects]
    for path in data:
        for one in read_truth(path, names):
            for verdict, place in zip(verdicts, places, strict=True):
                _look(verdict, one, place)
    return verdicts


def _look(verdict: Verdict, one: TruePicture, place: Array) -> None:
    detector = verdict.subject.detector
    detector.detect(one.frame)  # the frame keeps its small picture
    begin = time.perf_counter()
    found = detector.detect(one.frame)
    verdict.taken_ms.append((time.perf_counter() - begin) * 1e3)
    verdict.pictures.append(judged(one, renamed(found, place)))


def _places(detector: Detector, names: Sequence[str]) -> Array:
    """Return, for each class of the detector, its place among ``names``; -1 where it is none of them."""
    places = []
    for info in detector.classes:
        own = [name for name in (info.name, info.identity) if name in names]
        places.append(names.index(own[0]) if own else -1)
    return np.array(places, int)


def renamed(found: Detections, place: Array) -> Detections:
    """Return the detections of classes that have a place, under the number of it."""
    kept = np.flatnonzero(place[found.class_id] >= 0)
    return Detections(
        xyxy=found.xyxy[kept], score=found.score[kept], class_id=place[found.class_id[kept]].astype(np.int32)
    )


def choose_names(wanted: Sequence[str], data: Sequence[Path], subjects: Sequence[Subject]) -> list[str]:
    """Return the classes to judge: those asked for, or all that the truth and some detector know.

    Raises UsageError when nobody knows one.
    """
    known = {name for subject in subjects for info in subject.detector.classes for name in (info.name, info.identity)}
    true = list(dict.fromkeys(name for path in data for name in class_names(path)))
    for name in wanted:
        if name not in known:
            raise UsageError(f"no detector here has a class {name!r}; choose from {', '.join(sorted(known))}")
        if name not in true:
            raise UsageError(f"the truth has no class {name!r}; choose from {', '.join(true)}")
    names = list(wanted) or [name for name in true if name in known]
    if not names:
        raise UsageError(
            f"truth ({', '.join(true)}) and detectors ({', '.join(sorted(known))}) have no class in common"
        )
    return names


def report(verdicts: Sequence[Verdict], names: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """Return Markdown tables and the same as JSON: all figures, by class, by video or folder."""
    results = [figures(verdict.pictures, names) for verdict in verdicts]
    rows = [["detector", "MB", "ms", *COLUMNS, "VOC AP50"]]
    content: dict[str, Any] = {}
    for verdict, result in zip(verdicts, results, strict=True):
        subject, median = verdict.subject, statistics.median(verdict.taken_ms or [0.0])
        megabytes = "" if subject.megabytes is None else f"{subject.megabytes:.2f}"
        values = [_cell(result.coco[name]) for name in COLUMNS]
        rows.append([subject.name, megabytes, f"{median:.1f}", *values, _cell(result.voc)])
        content[subject.name] = {"ms": median, "megabytes": subject.megabytes, **_numbers(result)}
        content[subject.name]["groups"] = {
            name: _numbers(figures(part, names)) for name, part in _groups(verdict.pictures).items()
        }
    first = content[verdicts[0].subject.name]
    parts = [table(rows)]
    if len(names) > 1:
        parts.append(table(_breakdown("class", results, verdicts)))
    if len(first["groups"]) > 1:
        parts.append(table(_group_rows(content)))
    return "\n\n".join(parts), content


def _numbers(result: Figures) -> dict[str, Any]:
    known = {name: None if math.isnan(result.coco[name]) else round(result.coco[name], 4) for name in COCO_FIGURES}
    by_class = {
        name: dict(zip(("AP", "AP50", "AP75"), values, strict=True)) for name, values in result.by_class.items()
    }
    return {**known, "VOC AP50": result.voc, "boxes": result.boxes, "classes": by_class}


def _groups(pictures: Sequence[Judged]) -> dict[str, list[Judged]]:
    groups: dict[str, list[Judged]] = {}
    for one in pictures:
        groups.setdefault(one.group, []).append(one)
    return groups


def _breakdown(head: str, results: Sequence[Figures], verdicts: Sequence[Verdict]) -> list[list[str]]:
    rows = [[head, *(f"{one.subject.name} {name}" for one in verdicts for name in ("AP", "AP50", "AP75"))]]
    shown = results[0].by_class
    return rows + [[name, *(_cell(value) for one in results for value in one.by_class[name])] for name in shown]


def _group_rows(content: Mapping[str, Any]) -> list[list[str]]:
    shown = ("AP", "AP50", "AP75")
    rows = [["video", "boxes", *(f"{name} {figure}" for name in content for figure in shown)]]
    for group, first in next(iter(content.values()))["groups"].items():
        values = [_cell(one["groups"][group][figure]) for one in content.values() for figure in shown]
        rows.append([group, str(first["boxes"]), *values])
    return rows


def _cell(value: float | None) -> str:
    return "-" if value is None or math.isnan(value) else f"{value:.3f}"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table, the first row its head."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models.evaluate", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("subject", nargs="*", default=["hand"], help="folder or detector (default: hand)")
    parser.add_argument("--data", type=Path, nargs="+", default=DATA, help="truth (default: the demo clip)")
    parser.add_argument("--class", dest="names", action="append", default=[], help="default: all that both sides know")
    parser.add_argument("--out", type=Path, help="folder for precision-recall curves and the worst pictures (PNG)")
    parser.add_argument("--json", type=Path, help="file for all figures")
    parser.add_argument("--threads", type=int, default=1, help="of an inference")
    options = parser.parse_args(arguments)
    try:
        subjects = [one for text in options.subject for one in open_subjects(text, threads=options.threads)]
        names = choose_names(options.names, options.data, subjects)
        verdicts = evaluate(subjects, options.data, names)
        text, content = report(verdicts, names)
        if options.out:
            plots.write(options.out, verdicts, names, options.data)
        if options.json:
            options.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    except HybridTrackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
