"""Cameras, through OpenCV, which knows how to ask each system's own for a size."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from fractions import Fraction

import cv2

from hybridtrack.errors import SourceError
from hybridtrack.sources.live import LiveSource
from hybridtrack.types import ArrayPicture, Frame


def open_camera(number: int, *, width_px: int | None = None, height_px: int | None = None) -> LiveSource:
    """Return the source of a camera, asked for pictures of a size. Raises SourceError when it is not there."""
    with _quiet_opencv():
        capture = cv2.VideoCapture(number)
    if not capture.isOpened():
        capture.release()
        raise SourceError(
            f"cannot open camera {number}: there is none that can be used; plug it in, close what else uses it, "
            "or name another number, a file or a stream"
        )
    for wanted, what in ((width_px, cv2.CAP_PROP_FRAME_WIDTH), (height_px, cv2.CAP_PROP_FRAME_HEIGHT)):
        if wanted is not None:
            capture.set(what, wanted)
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    notes: list[str] = []
    source = LiveSource(
        str(number), _capture(number, capture, time.monotonic), fps=_stated_rate(capture), notes=notes.copy
    )
    found = source.info
    if (width_px or found.width_px, height_px or found.height_px) != (found.width_px, found.height_px):
        notes.append(
            f"camera {number} gives {found.width_px}x{found.height_px} pixels, not the size that was asked for"
        )
    return source


def _capture(number: int, capture: cv2.VideoCapture, clock: Callable[[], float]) -> Generator[Frame, None, None]:
    """Yield what the camera sees until it stops; times are those of arrival."""
    begin_s = None
    index = 0
    try:
        while True:
            is_read, picture = capture.read()
            now_s = clock()
            if not is_read:
                raise SourceError(f"camera {number} stopped after {index} frames; check its cable")
            begin_s = now_s if begin_s is None else begin_s
            yield Frame(ArrayPicture(picture), index=index, time_s=now_s - begin_s)
            index += 1
    finally:
        capture.release()


def _stated_rate(capture: cv2.VideoCapture) -> Fraction | None:
    rate = capture.get(cv2.CAP_PROP_FPS)
    return Fraction(rate).limit_denominator(1001) or None if rate > 0 else None


@contextmanager
def _quiet_opencv() -> Iterator[None]:
    """Keep OpenCV from writing to stderr which back ends it tried in vain."""
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)
