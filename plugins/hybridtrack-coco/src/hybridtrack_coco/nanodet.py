"""NanoDet as a detector: picture -> network -> distributions of distances -> boxes in source pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hybridtrack.detectors.bundle import Bundle
from hybridtrack.detectors.candidates import CandidateFilter
from hybridtrack.detectors.letterbox import Letterbox
from hybridtrack.detectors.runtime import open_network
from hybridtrack.errors import DetectorError
from hybridtrack.types import Array, Box, ClassInfo, Detections, Frame, Size

STRIDES_PX = (8, 16, 32)


def cells(size_px: Size, strides_px: Sequence[int] = STRIDES_PX) -> tuple[Array, Array]:
    """Return the centres x, y float32 (A, 2) and the strides float32 (A,) of an input's cells, px.

    Cells come stride by stride, each from left to right and top to bottom.
    """
    centres, strides = [], []
    for stride in strides_px:
        rows, columns = np.mgrid[: size_px[1] // stride, : size_px[0] // stride].reshape(2, -1)
        centres.append((np.stack([columns, rows], axis=1) + 0.5) * stride)
        strides.append(np.full(len(rows), stride))
    return np.concatenate(centres).astype(np.float32), np.concatenate(strides).astype(np.float32)


def decode(encodings: Array, centres: Array, strides: Array) -> Array:
    """Return the boxes xyxy float32 (N, 4) that ``encodings`` (N, 4 * bins) mean, px of the input.

    Left, top, right and bottom each have a distribution over 0, 1, 2, … strides from the cell's centre, as logits; the
    distance is its mean (Li et al. 2020, arXiv:2006.04388, equation 4).
    """
    logits = encodings.reshape(-1, 4, encodings.shape[1] // 4)
    weights = np.exp(logits - logits.max(axis=2, keepdims=True))
    bins = np.arange(logits.shape[2], dtype=np.float32)
    distances = weights @ bins / weights.sum(axis=2) * strides[:, None]
    return np.concatenate([centres - distances[:, :2], centres + distances[:, 2:]], axis=1)


class NanoDetDetector:
    """Finds the classes of a bundle. Looks at the whole frame, in proportion inside the network's input."""

    supports_region = False

    def __init__(
        self,
        bundle: Bundle,
        *,
        precision: str | None = None,
        runtime: str | None = None,
        threads: int = 1,
        min_score: float | None = None,
        classes: Sequence[str] | None = None,
    ) -> None:
        """Load the network. ``min_score``: least score of a box, in 0..1; None: the bundle's.

        ``classes``: names of those that count; None: all. Raises BundleError, MissingPackageError and UsageError.
        """
        self._network = open_network(bundle, precision=precision, runtime=runtime, threads=threads)
        self._input_px = bundle.input_size_px
        self._centres, self._strides = cells(self._input_px)
        class_ids = bundle.class_ids(classes)
        self._columns = slice(None) if classes is None else class_ids
        self.classes: tuple[ClassInfo, ...] = tuple(bundle.classes[row] for row in class_ids)
        thresholds = bundle.manifest.thresholds
        self._filter = CandidateFilter(
            self.classes,
            self._network.logits,
            min_score=thresholds.score if min_score is None else min_score,
            nms_iou=thresholds.nms_iou,
        )
        self.bundle_name = bundle.name
        self.model_sha256 = bundle.manifest.sha256.get(bundle.model(precision))

    def detect(self, frame: Frame, region_xyxy: Box | None = None) -> Detections:
        """Return the boxes with at least the least score, weaker duplicates of an identity suppressed, the best first.

        Raises DetectorError when a region is asked for.
        """
        if region_xyxy is not None:
            raise DetectorError(f"detector {self.bundle_name!r} looks at whole frames only; leave the region out")
        letterbox = Letterbox.fit(frame.size_px, self._input_px)
        encodings, logits = self._network.run(letterbox.rgb(frame))
        rows, class_id, score = self._filter.find(logits[:, self._columns])
        if not len(rows):
            return Detections.empty()
        real = self._network.encodings.real(encodings[rows])
        xyxy = letterbox.to_source(decode(real, self._centres[rows], self._strides[rows]))
        return self._filter.distinct(xyxy, score, class_id, frame.size_px)

    def reset(self) -> None:
        """Do nothing: every frame is looked at on its own."""

    def close(self) -> None:
        """Do nothing: the network goes with the detector."""
