"""A detector for hybridtrack: things of vivid red or yellow, by colour alone."""

from hybridtrack.hookspecs import DetectorSpec, Option, hookimpl


class VividDetector:
    supports_region = False

    def __init__(self, min_area_px: int) -> None:
        from hybridtrack.types import ClassInfo

        self.classes = (ClassInfo(name="vivid", role="object"),)
        self._min_area_px = min_area_px

    def detect(self, frame, region_xyxy=None):
        import cv2
        import numpy as np

        from hybridtrack.types import Detections

        hsv = cv2.cvtColor(frame.bgr(), cv2.COLOR_BGR2HSV)
        mask = cv2.inRange(hsv, (0, 150, 90), (28, 255, 255)) | cv2.inRange(hsv, (172, 150, 90), (180, 255, 255))
        mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
        areas = cv2.connectedComponentsWithStats(mask)[2][1:]  # the first one is the background
        left, top, width, height, area = areas[areas[:, cv2.CC_STAT_AREA] >= self._min_area_px].T
        xyxy = np.stack([left, top, left + width, top + height], axis=1)
        return Detections(xyxy=xyxy, score=area / (width * height), class_id=np.zeros(len(xyxy)))

    def reset(self) -> None:
        """Forget the past: a new source begins. There is none to forget."""

    def close(self) -> None:
        """Release what the detector holds: nothing."""


def create(options):
    return VividDetector(options["min_area_px"])


@hookimpl
def hybridtrack_detectors():
    option = Option(name="min_area_px", type=int, default=1500, help="least area of a thing, in pixels")
    return [DetectorSpec(name="vivid", summary="things of vivid red or yellow", create=create, options=(option,))]
