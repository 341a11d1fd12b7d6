"""From a network's raw outputs to detections, whatever its boxes are made of: candidates before, suppression after.

Only candidates are decoded: of thousands of anchors or cells a few dozen speak of something.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hybridtrack import boxes
from hybridtrack.detectors.runtime import Quantisation
from hybridtrack.errors import UsageError
from hybridtrack.types import Array, ClassInfo, Detections, Size

LIMIT = 200  #: best candidates that go into suppression, whose time grows with their square; hands need about 30


class CandidateFilter:
    """Finds what is likely enough among a network's logits, as stored, and settles which boxes are one thing."""

    def __init__(self, classes: Sequence[ClassInfo], logits: Quantisation, *, min_score: float, nms_iou: float) -> None:
        """``classes``: of the logits. ``min_score``: least score of a box. Raises UsageError unless it is in 0..1."""
        if not 0 < min_score < 1:
            raise UsageError(f"min_score is {min_score:g}, expected a number between 0 and 1")
        identities = [info.identity for info in classes]
        self._identity_id = np.array([identities.index(identity) for identity in identities], np.float32)
        self._logits = logits
        self._least_stored = logits.least_stored(float(np.log(min_score / (1 - min_score))))
        self._nms_iou = nms_iou

    def find(self, logits: Array) -> tuple[Array, Array, Array]:
        """Return rows, class ids and scores (K,) of the logits (A, classes) that are high enough, at most ``LIMIT``."""
        found = np.flatnonzero(logits >= self._least_stored)
        rows, class_id = np.divmod(found, logits.shape[1])
        stored = logits[rows, class_id]
        if len(found) > LIMIT:
            best = np.argsort(-stored.astype(np.float32), kind="stable")[:LIMIT]
            rows, class_id, stored = rows[best], class_id[best], stored[best]
        return rows, class_id, 1 / (1 + np.exp(-self._logits.real(stored)))

    def distinct(self, xyxy: Array, score: Array, class_id: Array, size_px: Size) -> Detections:
        """Return boxes (K, 4) cut at the edges of the picture, weaker duplicates suppressed, the best first.

        A duplicate is a box of the same identity: a mug that is called a coffee cup as well is one box.
        """
        xyxy = boxes.clip(xyxy, size_px)
        has_area = np.flatnonzero((xyxy[:, 2:] > xyxy[:, :2]).all(axis=1))
        xyxy, class_id, score = xyxy[has_area], class_id[has_area], score[has_area]
        # identities lie side by side, too far apart to overlap: one suppression serves them all
        aside = (self._identity_id[class_id] * (2 * max(size_px)))[:, None]
        kept = boxes.nms(xyxy + aside, score, self._nms_iou)
        return Detections(xyxy=xyxy[kept], score=score[kept], class_id=class_id[kept])
