"""A network in an ONNX file as a detector: picture -> input -> ONNX Runtime -> boxes in source pixels."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as runtime_errors

from hybridtrack import boxes
from hybridtrack.errors import DetectorError, UsageError, one_line
from hybridtrack.types import Array, Box, ClassInfo, Detections, Frame, Size
from hybridtrack_onnx.labels import check_roles, class_infos, read_labels
from hybridtrack_onnx.layouts import Candidates, find_layout
from hybridtrack_onnx.picture import Encoding, Placing
from hybridtrack_onnx.settings import Settings

CANDIDATES = 300  #: best boxes that go into suppression, whose time grows with their square
CLASSES = 10_000  #: a class number beyond is none: another layout was meant
TYPES = {"tensor(uint8)": np.uint8, "tensor(float)": np.float32, "tensor(float16)": np.float16}
RUNTIME_ERRORS = (
    *(runtime_errors.Fail, runtime_errors.InvalidArgument, runtime_errors.InvalidGraph, runtime_errors.InvalidProtobuf),
    *(runtime_errors.NoSuchFile, runtime_errors.NotImplemented, runtime_errors.RuntimeException),
)


class OnnxDetector:
    """Finds what the network was trained on. Looks at the whole frame, resized to the network's input."""

    def __init__(self, settings: Settings) -> None:
        """Load the network and try it on a black picture: what it gives there tells the layout.

        Raises UsageError of a file that is no network, has an input that is no picture, or does not fit the settings,
        and DetectorError when the network fails.
        """
        path = Path(settings.model or "").expanduser()
        if not path.is_file():
            raise UsageError(f"model {settings.model!r} is no file: give the path of an ONNX file")
        self._name = path.name
        self._session = _open(path, settings.threads)
        self.model_sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        self._input_name, self._input_px, self._encoding = _picture_input(self._session, settings)
        self._output_names = [output.name for output in self._session.get_outputs()]
        self._settings = settings
        self._roles = settings.roles or {}
        names = read_labels(settings.labels, self._session.get_modelmeta().custom_metadata_map)
        outputs = self._outputs(np.zeros((self._input_px[1], self._input_px[0], 3), np.uint8))
        self._layout = find_layout(settings.layout, outputs, None if names is None else len(names), settings.boxes)
        count = self._layout.class_count(outputs)
        if names is not None and count is not None and len(names) != count:
            raise UsageError(
                f"model {self._name!r} has {count} classes as {self._layout.name}, but there are {len(names)} labels:"
                " give as many labels, or another layout="
            )
        is_ssd = self._layout.name == "ssd"
        is_stretched = (settings.resize or ("stretch" if is_ssd else "letterbox")) == "stretch"
        self._place = Placing.stretch if is_stretched else Placing.letterbox
        self._first = (1 if is_ssd else 0) if settings.first is None else settings.first
        self.open_classes = names is None and count is None
        self._names = list(names or (f"class{number}" for number in range(count or 0)))
        if not self.open_classes:
            check_roles(self._roles, self._names)
        self._classes = class_infos(self._names, self._roles)

    @property
    def classes(self) -> tuple[ClassInfo, ...]:
        return self._classes

    @property
    def supports_region(self) -> bool:
        return False

    def detect(self, frame: Frame, region_xyxy: Box | None = None) -> Detections:
        """Return the boxes with at least the least score, weaker ones of their class suppressed, the best first.

        Raises DetectorError when a region is asked for, the network fails, or gives classes or scores that are none.
        """
        if region_xyxy is not None:
            raise DetectorError("detector 'onnx' looks at whole frames only; leave the region out")
        placing = self._place(frame.size_px, self._input_px)
        outputs = self._outputs(placing.pixels(frame, self._settings.channels))
        found = self._layout.read(outputs, self._settings.min_score, self._input_px)
        class_id = self._class_ids(found)
        order = np.argsort(-found.score, kind="stable")[:CANDIDATES]
        xyxy = boxes.clip(placing.input_to_source(found.xyxy[order]).astype(np.float32), frame.size_px)
        order, xyxy = (rows[(xyxy[:, 2:] > xyxy[:, :2]).all(axis=1)] for rows in (order, xyxy))
        score, class_id = found.score[order], class_id[order]
        if not self._layout.suppresses:
            # classes lie side by side, too far apart to overlap: one suppression serves them all
            aside = class_id.astype(np.float64)[:, None] * (2 * max(frame.size_px))
            kept = boxes.nms(xyxy + aside, score, self._settings.iou)
            xyxy, score, class_id = xyxy[kept], score[kept], class_id[kept]
        return Detections(xyxy=xyxy, score=score, class_id=class_id)

    def _outputs(self, pixels: Array) -> dict[str, Array]:
        tensor = self._encoding.encode(pixels)
        try:
            arrays = self._session.run(self._output_names, {self._input_name: tensor})
        except RUNTIME_ERRORS as error:
            raise DetectorError(
                f"model {self._name!r} fails on an input of {list(tensor.shape)}: {one_line(error)}; give another size="
            ) from error
        return dict(zip(self._output_names, arrays, strict=True))

    def _class_ids(self, found: Candidates) -> Array:
        """Return rows of ``classes`` (N,); classes without a name come up as they are seen."""
        class_id = found.number - self._first
        least, most = int(class_id.min(initial=0)), int(class_id.max(initial=-1))
        if least < 0 or most >= (CLASSES if self.open_classes else len(self._names)):
            number = (least if least < 0 else most) + self._first
            raise DetectorError(
                f"model {self._name!r} gave class {number}, but labels count {len(self._names)} from {self._first}:"
                " give all labels=, or the first one's number with first="
            )
        if most >= len(self._names):
            self._names += [f"class{number + self._first}" for number in range(len(self._names), most + 1)]
            self._classes = class_infos(self._names, self._roles)
        return class_id

    def reset(self) -> None:
        """Do nothing: every frame is looked at on its own."""

    def close(self) -> None:
        """Do nothing: the network goes with the detector."""


def _open(path: Path, threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what fails comes as an error as well
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except RUNTIME_ERRORS as error:
        raise UsageError(f"model {str(path)!r} cannot be loaded: {one_line(error)}; give a valid ONNX file") from error


def _picture_input(session: Any, settings: Settings) -> tuple[str, Size, Encoding]:
    """Return name, (width, height) and encoding of the one input, a picture. Raises UsageError."""
    inputs = session.get_inputs()
    told = ", ".join(f"{one.name} {one.shape} {one.type}" for one in inputs)
    wanted = "one picture [1, 3, H, W] or [1, H, W, 3], or without the 1, of uint8, float or float16"
    refusal = UsageError(f"the network's input is {told}, expected {wanted}: export it so")
    if len(inputs) != 1 or inputs[0].type not in TYPES or len(inputs[0].shape) not in (3, 4):
        raise refusal
    *batch, first, middle, last = inputs[0].shape
    is_channels_first = first == 3
    if is_channels_first == (last == 3) or (batch and isinstance(batch[0], int) and batch[0] != 1):
        raise refusal
    height, width = (middle, last) if is_channels_first else (first, middle)
    encoding = Encoding(
        dtype=np.dtype(TYPES[inputs[0].type]),
        is_channels_first=is_channels_first,
        is_batch=bool(batch),
        scale=settings.scale or (1.0 if inputs[0].type == "tensor(uint8)" else 1 / 255),
        mean=settings.mean or (0.0, 0.0, 0.0),
        std=settings.std or (1.0, 1.0, 1.0),
    )
    if encoding.dtype == np.uint8 and not encoding.is_plain:
        raise UsageError(
            f"the network's input is {told}, which takes pixels as they are: leave scale, mean and std out"
        )
    return inputs[0].name, _input_size(width, height, settings.size, told), encoding


def _input_size(width: int | str | None, height: int | str | None, asked: Size | None, told: str) -> Size:
    """Return (width, height) of the input: what the file fixes, or what is ``asked`` for. Raises UsageError."""
    fixed = [length if isinstance(length, int) else None for length in (width, height)]
    if asked is None:
        if not (isinstance(width, int) and isinstance(height, int)):
            raise UsageError(f"the network's input is {told}, its size left open: give size=640 or size=WxH")
        return width, height
    if any(length not in (None, wanted) for length, wanted in zip(fixed, asked, strict=True)):
        raise UsageError(f"size is {asked[0]}x{asked[1]}, but the network's input is {told}: leave size out")
    return asked
