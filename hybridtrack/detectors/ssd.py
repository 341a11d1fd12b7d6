"""An SSD of a bundle as a detector: picture -> network -> boxes in source pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hybridtrack import boxes
from hybridtrack.detectors.box_coder import decode
from hybridtrack.detectors.bundle import Bundle, find_bundle
from hybridtrack.detectors.runtime import open_network
from hybridtrack.errors import DetectorError, UsageError
from hybridtrack.types import Array, Box, ClassInfo, Detections, Frame

CANDIDATES = 200  #: best boxes that go into suppression, whose time grows with their square; hands need about 30


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
    ) -> None:
        """Load the network. ``min_score``: least score of a box, in 0..1; None: the bundle's.

        Raises BundleError, MissingPackageError and UsageError (see ``open_network``).
        """
        self._network = open_network(bundle, precision=precision, runtime=runtime, threads=threads)
        self._anchors = bundle.manifest.anchors.boxes()
        self._scales = bundle.manifest.box_coder.scales
        self._nms_iou = bundle.manifest.thresholds.nms_iou
        self._classes = bundle.classes
        identities = [info.identity for info in bundle.classes]
        self._identity_id = np.array([identities.index(identity) for identity in identities], np.float32)
        self._size_px = bundle.input_size_px
        score = bundle.manifest.thresholds.score if min_score is None else min_score
        if not 0 < score < 1:
            raise UsageError(f"min_score is {score:g}, expected a number between 0 and 1")
        least_logit = float(np.log(score / (1 - score)))
        self._least_stored = self._network.logits.least_stored(least_logit)
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
        rows, class_id, score = self._candidates(logits)
        if not len(rows):
            return Detections.empty()
        norm = decode(self._network.encodings.real(encodings[rows]), self._anchors[rows], self._scales)
        width, height = frame.size_px
        xyxy = boxes.clip(norm * np.array([width, height, width, height], np.float32), frame.size_px)
        has_area = np.flatnonzero((xyxy[:, 2:] > xyxy[:, :2]).all(axis=1))
        xyxy, class_id, score = xyxy[has_area], class_id[has_area], score[has_area]
        # identities lie side by side, too far apart to overlap: one suppression serves them all
        aside = (self._identity_id[class_id] * (2 * max(width, height)))[:, None]
        kept = boxes.nms(xyxy + aside, score, self._nms_iou)
        return Detections(xyxy=xyxy[kept], score=score[kept], class_id=class_id[kept])

    def _candidates(self, logits: Array) -> tuple[Array, Array, Array]:
        """Return anchor rows, class ids and scores (K,) of the logits that are high enough, at most ``CANDIDATES``."""
        foreground = logits[:, 1:]
        found = np.flatnonzero(foreground >= self._least_stored)
        rows, class_id = np.divmod(found, foreground.shape[1])
        stored = foreground[rows, class_id]
        if len(found) > CANDIDATES:
            best = np.argsort(-stored.astype(np.float32), kind="stable")[:CANDIDATES]
            rows, class_id, stored = rows[best], class_id[best], stored[best]
        score = 1 / (1 + np.exp(-self._network.logits.real(stored)))
        return rows, class_id, score

    def reset(self) -> None:
        """Do nothing: every frame is looked at on its own."""

    def close(self) -> None:
        """Do nothing: the network goes with the detector."""


def create_hand(options: Mapping[str, Any]) -> SsdDetector:
    """Return the hand detector. Options, all with a default: bundle (name or folder), precision, runtime, threads."""
    return SsdDetector(
        find_bundle(options.get("bundle")),
        precision=options.get("precision"),
        runtime=options.get("runtime"),
        threads=options.get("threads", 1),
    )
