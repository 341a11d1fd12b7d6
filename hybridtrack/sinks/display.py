"""A window that shows the frames with their tracks, where the OpenCV build has one."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from importlib import metadata
from typing import Any

import cv2

from hybridtrack.errors import MissingPackageError, SinkError, StopRun
from hybridtrack.sinks.drawing import Drawing
from hybridtrack.sinks.frame_rate import FrameRate
from hybridtrack.types import Frame, FrameResult, RunInfo, RunSummary

_STOP_KEYS = (ord("q"), ord("Q"), 27)  #: 27: Esc


class DisplaySink:
    """Shows every frame as it comes; q, Esc or closing the window ends the run."""

    def __init__(self, title: str = "hybridtrack", *, clock: Callable[[], float] = time.monotonic) -> None:
        check_display()
        self._title = title
        self._rate = FrameRate(clock)
        self._drawing: Drawing | None = None

    def open(self, info: RunInfo) -> None:
        """Open the window."""
        cv2.namedWindow(self._title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
        cv2.resizeWindow(self._title, info.video.width_px, info.video.height_px)
        self._drawing = Drawing(info.classes)

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Show one frame. Raises StopRun when the user ends the run."""
        assert self._drawing is not None, "a sink is opened before it is written to"
        self._drawing.follow(result)
        cv2.imshow(self._title, self._drawing.draw(frame, result, note=self._rate.caption()))
        key = cv2.waitKey(1)
        if key in _STOP_KEYS or cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1:
            raise StopRun("the user ended the run in its window")

    def close(self, summary: RunSummary | None) -> None:
        """Close the window."""
        if self._drawing is not None:
            self._drawing = None
            cv2.destroyAllWindows()


def check_display() -> None:
    """Raise MissingPackageError when this OpenCV has no windows, SinkError when there is no screen to show them on."""
    if not cv2.currentUIFramework():
        headless = sorted(
            name
            for name in metadata.packages_distributions().get("cv2", ())
            if name.lower().replace("_", "-").startswith("opencv") and name.endswith("headless")
        )
        uninstall = " ".join(headless) or "opencv-contrib-python-headless"
        raise MissingPackageError(
            f"cannot open a window: this OpenCV ({uninstall}) is built without; "
            f"pip uninstall {uninstall}, then pip install opencv-contrib-python"
        )
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise SinkError("cannot open a window: neither DISPLAY nor WAYLAND_DISPLAY names a screen; use --video FILE")


def create_display(options: Mapping[str, Any]) -> DisplaySink:
    """Return the sink; it has no options."""
    return DisplaySink()
