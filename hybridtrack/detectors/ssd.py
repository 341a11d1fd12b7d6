"""An SSD of a bundle as a detector: picture -> network -> boxes in source pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hybridtrack.detectors.box_coder import decode
from hybridtrack.detectors.bundle import Bundle, find_bundle
from hybridtrack.detectors.candidates import CandidateFilter
from hybridtrack.detectors.runtime import FLOAT32, Network, open_network
from hybridtrack.errors import BundleError, DetectorError, UsageError
from hybridtrack.types import Array, Box, ClassInfo, Detections, Frame


class SsdDetector:
    """Finds what a bundle's SSD was trained on. Looks at the whole frame, resized to the network's input."""

    def __init__(
        self,
        bundle: Bundle,
        *,
        precision: str | None = None,
        runtime: str | None = None,
        threads: int = 1,
        min_score: float | None = None,
        classes: Sequence[str] | None = None,
        network: Network | None = None,
    ) -> None:
        """Load the network. ``min_score``: least score of a box, in 0..1; None: the bundle's.

        ``classes``: names of those that count; None: all. ``network``: one that is loaded already, in place of the
        bundle's own.

        Raises BundleError, MissingPackageError and UsageError (see ``open_network``).
        """
        anchors, box_coder = bundle.manifest.anchors, bundle.manifest.box_coder
        if anchors is None or box_coder is None:
            raise BundleError(
                f"bundle {bundle.name!r} has no anchors or no box_coder, so it is not an SSD's; "
                "use the detector that it was made for"
            )
        self._network = network or open_network(bundle, precision=precision, runtime=runtime, threads=threads)
        self._anchors = anchors.boxes()
        self._scales = box_coder.scales
        class_ids = bundle.class_ids(classes)
        self._columns = slice(1, None) if classes is None else class_ids + 1  # the first one is the background
        self._classes = tuple(bundle.classes[row] for row in class_ids)
        self._size_px = bundle.input_size_px
        self._is_softmax = bundle.manifest.outputs.score == "softmax"
        self._filter = CandidateFilter(
            self._classes,
            FLOAT32 if self._is_softmax else self._network.logits,
            min_score=bundle.manifest.thresholds.score if min_score is None else min_score,
            nms_iou=bundle.manifest.thresholds.nms_iou,
        )
        self.bundle_name = bundle.name
        self.model_sha256 = bundle.manifest.sha256.get(bundle.model(precision))  #: None for a SavedModel, of many files

    @property
    def classes(self) -> tuple[ClassInfo, ...]:
        return self._classes

    @property
    def supports_region(self) -> bool:
        return False

    def detect(self, frame: Frame, region_xyxy: Box | None = None) -> Detections:
        """Return the boxes with at least the bundle's score, weaker duplicates suppressed, the best first.

        A duplicate is a box of the same identity: a mug that is called a coffee cup as well is one box.
        Raises DetectorError when a region is asked for.
        """
        if region_xyxy is not None:
            raise DetectorError(f"detector {self.bundle_name!r} looks at whole frames only; leave the region out")
        encodings, logits = self._network.run(frame.rgb(self._size_px))
        if self._is_softmax:
            logits = log_odds(self._network.logits.real(logits))
        rows, class_id, score = self._filter.find(logits[:, self._columns])
        if not len(rows):
            return Detections.empty()
        norm = decode(self._network.encodings.real(encodings[rows]), self._anchors[rows], self._scales)
        xyxy = norm * np.array(frame.size_px * 2, np.float32)
        return self._filter.distinct(xyxy, score, class_id, frame.size_px)

    def reset(self) -> None:
        """Do nothing: every frame is looked at on its own."""

    def close(self) -> None:
        """Do nothing: the network goes with the detector."""


def log_odds(logits: Array) -> Array:
    """Return float32 (A, C) whose sigmoids are the softmax of each row of ``logits`` (A, C)."""
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    share = exponentials / exponentials.sum(axis=1, keepdims=True)
    odds: Array = np.log(share.clip(1e-12) / (1 - share).clip(1e-7)).astype(np.float32)
    return odds


def create_hand(options: Mapping[str, Any]) -> SsdDetector:
    """Return the hand detector. Options, all with a default: bundle (name or folder), precision, runtime, threads."""
    return SsdDetector(
        find_bundle(options.get("bundle")),
        precision=options.get("precision"),
        runtime=options.get("runtime"),
        threads=options.get("threads", 1),
    )


def create_ssd(options: Mapping[str, Any]) -> SsdDetector:
    """Return the detector of any SSD's bundle.

    Options: ``bundle`` (name or folder), needed; precision, runtime, threads, min_score; ``classes``, with ``|``
    between them. Raises UsageError without a bundle.
    """
    if not options.get("bundle"):
        raise UsageError("detector 'ssd' needs a model bundle: give bundle=FOLDER")
    classes = options.get("classes")
    return SsdDetector(
        find_bundle(options["bundle"]),
        precision=options.get("precision"),
        runtime=options.get("runtime"),
        threads=options.get("threads", 1),
        min_score=options.get("min_score"),
        classes=None if classes is None else classes.split("|"),
    )
