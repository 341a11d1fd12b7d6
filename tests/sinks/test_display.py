from __future__ import annotations

import os
import sys

import cv2
import pytest

from hybridtrack.errors import MissingPackageError, SinkError
from hybridtrack.sinks.display import create_display

has_windows = bool(cv2.currentUIFramework())


@pytest.mark.skipif(has_windows, reason="this OpenCV has windows")
def test_opencv_without_windows_says_what_to_uninstall_and_install() -> None:
    with pytest.raises(MissingPackageError) as refused:
        create_display({})
    assert str(refused.value) == (
        "cannot open a window: this OpenCV (opencv-contrib-python-headless) is built without; "
        "pip uninstall opencv-contrib-python-headless, then pip install opencv-contrib-python"
    )


@pytest.mark.skipif(not has_windows or not sys.platform.startswith("linux"), reason="needs an OpenCV with windows")
def test_machine_without_a_screen_is_refused_before_the_window_system_ends_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delitem(os.environ, name, raising=False)
    with pytest.raises(SinkError, match="neither DISPLAY nor WAYLAND_DISPLAY names a screen"):
        create_display({})
