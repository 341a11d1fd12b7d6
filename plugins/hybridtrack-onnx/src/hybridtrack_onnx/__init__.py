"""Networks in ONNX files as a detector for hybridtrack: ``--detector +onnx,model=cups.onnx``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hybridtrack.hookspecs import DetectorSpec, hookimpl
from hybridtrack_onnx.settings import OPTIONS, Settings

if TYPE_CHECKING:
    from hybridtrack.hookspecs import Detector


def create(options: Mapping[str, Any]) -> Detector:
    """Return the detector. Raises UsageError of options, and of a file that they do not fit or that is no network."""
    settings = Settings(**{option.name: options.get(option.name, option.default) for option in OPTIONS})
    from hybridtrack_onnx.detector import OnnxDetector

    return OnnxDetector(settings)


@hookimpl
def hybridtrack_detectors() -> list[DetectorSpec]:
    """Return the detector of whatever the user's network finds; it looks as often as ``--detect-every`` says."""
    return [
        DetectorSpec(
            name="onnx",
            summary="what a YOLO-style or SSD network of yours in an ONNX file finds",
            create=create,
            options=OPTIONS,
            install_hint="pip install onnxruntime",
        )
    ]
