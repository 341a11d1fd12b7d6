"""Markers on a frame: the luma at some width -> OpenCV's ArUco detector -> numbers and corners in source pixels."""

from __future__ import annotations

from collections.abc import Collection

import cv2
import numpy as np

from hybridtrack import boxes
from hybridtrack.errors import DetectorError, UsageError, unknown_name
from hybridtrack.types import Array, Box, ClassInfo, Detections, Frame, Size

MIN_WIDTH_PX = 32  #: narrower pictures hold no marker that could be read
PIXEL_CENTRE_PX = 0.5  #: OpenCV's refined corners count from the centre of the first pixel, ours from its edge

# the two spellings of AprilTag's names in OpenCV are one dictionary
DICTIONARIES = {
    name.removeprefix("DICT_").lower(): value for name, value in vars(cv2.aruco).items() if name.startswith("DICT_")
}


class MarkerDetector:
    """Finds the markers of one dictionary, each at most once a frame.

    ``marker_id`` int32 (N,) and ``corners`` float32 (N, 4, 2) are in the attributes: px of the source, clockwise from
    the marker's own top left. Where one number is seen twice, the larger one stays: a copy is in a mirror, on a screen
    or on paper that lies about, farther away than the thing that is tagged.
    """

    def __init__(
        self, dictionary: str, *, marker_ids: Collection[int] | None = None, width_px: int | None = None
    ) -> None:
        """``marker_ids``: those to look for, None: all. ``width_px``: how wide the picture is looked at, None: its own.

        Raises UsageError of a dictionary that OpenCV does not have, numbers that it has not, and too small a width.
        """
        if dictionary.lower() not in DICTIONARIES:
            raise UsageError(unknown_name("marker dictionary", dictionary, DICTIONARIES))
        markers = cv2.aruco.getPredefinedDictionary(DICTIONARIES[dictionary.lower()])
        count = len(markers.bytesList)
        unknown = sorted(set(marker_ids or ()) - set(range(count)))
        if unknown:
            raise UsageError(f"ids has {unknown[0]}, but the markers of {dictionary} are 0 to {count - 1}: use those")
        if width_px is not None and width_px < MIN_WIDTH_PX:
            raise UsageError(f"size is {width_px} px, too narrow to read a marker: use {MIN_WIDTH_PX} or more")
        self._marker_ids = None if marker_ids is None else np.array(sorted(marker_ids), np.int32)
        self._width_px = width_px
        parameters = cv2.aruco.DetectorParameters()
        parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
        self._detector = cv2.aruco.ArucoDetector(markers, parameters)

    @property
    def classes(self) -> tuple[ClassInfo, ...]:
        return (ClassInfo(name="marker", role="object", key="marker_id"),)

    @property
    def supports_region(self) -> bool:
        return False

    def detect(self, frame: Frame, region_xyxy: Box | None = None) -> Detections:
        """Return the markers by their numbers, score 1. Raises DetectorError when a region is asked for."""
        if region_xyxy is not None:
            raise DetectorError("detector 'markers' looks at whole frames only; leave the region out")
        size = self._looked_at(frame)
        marker_id, corners = self._read(frame.gray(size)) if min(size) >= MIN_WIDTH_PX else _nothing()
        corners = ((corners + PIXEL_CENTRE_PX) * (np.array(frame.size_px) / size)).astype(np.float32)
        xyxy = boxes.clip(np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1), frame.size_px)
        rows = _largest_of_each(marker_id, corners)
        rows = rows[(xyxy[rows, 2:] > xyxy[rows, :2]).all(axis=1)]
        if self._marker_ids is not None:
            rows = rows[np.isin(marker_id[rows], self._marker_ids)]
        return Detections(
            xyxy=xyxy[rows],
            score=np.ones(len(rows)),
            class_id=np.zeros(len(rows)),
            attributes={"marker_id": marker_id[rows], "corners": corners[rows]},
        )

    def _read(self, gray: Array) -> tuple[Array, Array]:
        """Return numbers int32 (K,) and corners float32 (K, 4, 2) as OpenCV counts them; a number may come twice."""
        found, numbers, _ = self._detector.detectMarkers(gray)
        return (numbers.ravel().astype(np.int32), np.concatenate(found)) if found else _nothing()

    def _looked_at(self, frame: Frame) -> Size:
        """Return the (width, height) to look at: no more than the picture has detail for."""
        if self._width_px is None or self._width_px >= frame.detail_px[0]:
            return frame.detail_px
        width, height = frame.size_px
        return self._width_px, max(1, round(height * self._width_px / width))

    def reset(self) -> None:
        """Do nothing: every frame is looked at on its own."""

    def close(self) -> None:
        """Do nothing: there is nothing to release."""


def _nothing() -> tuple[Array, Array]:
    return np.empty(0, np.int32), np.empty((0, 4, 2), np.float32)


def _largest_of_each(marker_id: Array, corners: Array) -> Array:
    """Return the rows (K,) that have the largest area of their number, by ascending number."""
    ahead, behind = corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]
    area = np.abs(ahead[:, 0] * behind[:, 1] - ahead[:, 1] * behind[:, 0]) / 2  # half the diagonals' cross product
    order = np.lexsort((-area, marker_id))
    _, first = np.unique(marker_id[order], return_index=True)
    rows: Array = order[first]
    return rows
