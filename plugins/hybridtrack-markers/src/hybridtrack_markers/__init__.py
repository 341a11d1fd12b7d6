"""ArUco and AprilTag markers as a detector for hybridtrack: ``--detector +markers``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hybridtrack.hookspecs import DetectorSpec, Option, hookimpl

if TYPE_CHECKING:
    from hybridtrack.hookspecs import Detector

DICTIONARY = "4x4_50"


def parse_ids(text: str) -> tuple[int, ...]:
    """Return the numbers in ``3|7``. Raises ValueError."""
    words = [word.strip() for word in text.split("|")]
    if not all(word.isdecimal() for word in words):
        raise ValueError("write whole numbers from 0 with | between them, such as 3|7")
    return tuple(map(int, words))


def create(options: Mapping[str, Any]) -> Detector:
    """Return the detector. Raises UsageError of wrong options."""
    from hybridtrack_markers.detector import MarkerDetector

    return MarkerDetector(
        options.get("dictionary", DICTIONARY), marker_ids=options.get("ids"), width_px=options.get("size")
    )


@hookimpl
def hybridtrack_detectors() -> list[DetectorSpec]:
    """Return the detector of markers: it is exact and quick, so it looks at every frame."""
    return [
        DetectorSpec(
            name="markers",
            summary="ArUco and AprilTag markers, each known by its number",
            create=create,
            default_every=1,
            options=(
                Option(name="dictionary", default=DICTIONARY, help="their kind, such as 5x5_100 or apriltag_36h11"),
                Option(name="ids", type=parse_ids, help="numbers to look for, such as 3|7; default: all"),
                Option(name="size", type=int, help="width to look at, in px; default: the picture's own"),
            ),
        )
    ]
