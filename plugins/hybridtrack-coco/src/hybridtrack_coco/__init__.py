"""The 80 classes of COCO as a detector for hybridtrack: ``--detector +coco``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hybridtrack.hookspecs import DetectorSpec, Option, hookimpl

if TYPE_CHECKING:
    from hybridtrack.hookspecs import Detector

BUNDLE = Path(__file__).parent / "bundle"


def create(options: Mapping[str, Any]) -> Detector:
    """Return the detector. Raises BundleError, MissingPackageError, and UsageError of wrong options."""
    from hybridtrack.detectors.bundle import load_bundle
    from hybridtrack_coco.nanodet import NanoDetDetector

    return NanoDetDetector(
        load_bundle(BUNDLE),
        runtime=options.get("runtime"),
        threads=options.get("threads", 1),
        min_score=options.get("min_score"),
        classes=options.get("classes"),
    )


def class_names(text: str) -> tuple[str, ...]:
    """Return the names in ``cup|bottle``."""
    return tuple(text.split("|"))


@hookimpl
def hybridtrack_detectors() -> list[DetectorSpec]:
    """Return the detector of COCO's classes: most things rest most of the time, so it looks twice a second."""
    return [
        DetectorSpec(
            name="coco",
            summary="cups, bottles, bowls, phones and 76 more classes of COCO, by NanoDet",
            create=create,
            default_every="500ms",
            options=(
                Option(name="runtime", help="litert or tensorflow; default: the first of them that is installed"),
                Option(name="threads", type=int, default=1, help="threads of one inference"),
                Option(name="min_score", type=float, help="least score of a box, in 0..1; default: 0.05"),
                Option(name="classes", type=class_names, help="names of classes, such as cup|bottle; default: all"),
            ),
        )
    ]
