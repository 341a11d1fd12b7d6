from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import cv2
import pytest

from hybridtrack.errors import SourceError
from hybridtrack.sources import open_source
from hybridtrack.sources.camera import _capture


def test_a_camera_that_is_not_there_is_refused_without_any_other_word(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SourceError, match=r"^cannot open camera 91: there is none that can be used; plug it in"):
        open_source("91")
    assert capfd.readouterr() == ("", "")


def test_pictures_are_timed_when_they_arrive_and_the_end_names_the_camera(write_video: Callable[..., Path]) -> None:
    capture = cv2.VideoCapture(str(write_video(count=3)))  # to OpenCV a file is as good a camera
    arrivals = count(50)
    frames = _capture(4, capture, lambda: next(arrivals))
    assert [(frame.index, frame.time_s) for frame in (next(frames), next(frames), next(frames))] == [
        (0, 0),
        (1, 1),
        (2, 2),
    ]
    with pytest.raises(SourceError, match="camera 4 stopped after 3 frames; check its cable"):
        next(frames)
    assert not capture.isOpened()
