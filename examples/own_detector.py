"""Track what a plain function finds, beside the hands: ``python examples/own_detector.py [VIDEO]``.

A detector is a function that takes a frame and returns its boxes, float (N, 4): left, top, right, bottom in pixels. The
function's name is the name of the class.
"""

import sys

import cv2
import numpy as np

from hybridtrack.engine import Engine
from hybridtrack.types import Frame, TrackState

MIN_AREA_PX = 1500


def striped_box(frame: Frame) -> np.ndarray:
    """Return the boxes (N, 4) around large areas of saturated red and yellow."""
    hsv = cv2.cvtColor(frame.bgr(), cv2.COLOR_BGR2HSV)
    mask = cv2.inRange(hsv, (0, 150, 90), (28, 255, 255)) | cv2.inRange(hsv, (172, 150, 90), (180, 255, 255))
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    areas = cv2.connectedComponentsWithStats(mask)[2][1:]  # the first one is the background
    left, top, width, height, _ = areas[areas[:, cv2.CC_STAT_AREA] >= MIN_AREA_PX].T
    return np.stack([left, top, left + width, top + height], axis=1)


def main(video: str = "examples/data/table.mp4") -> None:
    with Engine(detectors=["hand", striped_box], detect_every=3) as engine:
        for frame, result in engine.run(video):
            shown = result.tracks[result.tracks.state == TrackState.CONFIRMED]
            for track_id, class_id, xyxy in zip(shown.track_id, shown.class_id, shown.xyxy, strict=True):
                print(f"{frame.time_s:.3f} s  {engine.classes[class_id].name} {track_id}  {xyxy.astype(int).tolist()}")


if __name__ == "__main__":
    main(*sys.argv[1:])
