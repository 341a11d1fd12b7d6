"""From a frame to a network's input, and boxes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from hybridtrack.types import Array, Frame, Size

RIM = 114  #: grey of the rim, as YOLO networks are trained with


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """Where the picture of ``source_px`` lies in an input of ``input_px``: as ``inner_px`` at (left, top)."""

    source_px: Size
    input_px: Size
    inner_px: Size
    left: int = 0
    top: int = 0

    @classmethod
    def stretch(cls, source_px: Size, input_px: Size) -> Self:
        """Return the placing that fills the input; width and height are scaled apart."""
        return cls(source_px=source_px, input_px=input_px, inner_px=input_px)

    @classmethod
    def letterbox(cls, source_px: Size, input_px: Size) -> Self:
        """Return the placing that keeps the picture's shape, in the middle of the input."""
        ratio = min(input_px[0] / source_px[0], input_px[1] / source_px[1])
        width, height = (max(1, round(length * ratio)) for length in source_px)
        left, top = (input_px[0] - width) // 2, (input_px[1] - height) // 2
        return cls(source_px=source_px, input_px=input_px, inner_px=(width, height), left=left, top=top)

    def source_to_input(self, xyxy: Array) -> Array:
        """Return boxes (N, 4) of the source in px of the input. Inverse: ``input_to_source``."""
        placed: Array = xyxy * self._ratio() + self._corner()
        return placed

    def input_to_source(self, xyxy: Array) -> Array:
        """Return boxes (N, 4) of the input in px of the source. Inverse: ``source_to_input``."""
        there: Array = (xyxy - self._corner()) / self._ratio()
        return there

    def _ratio(self) -> Array:
        return np.tile(np.array(self.inner_px) / self.source_px, 2)

    def _corner(self) -> Array:
        return np.array([self.left, self.top, self.left, self.top])

    def pixels(self, frame: Frame, channels: str) -> Array:
        """Return the input's pixels, uint8 (H, W, 3), in the order ``rgb`` or ``bgr``; may be read-only."""
        inner = frame.rgb(self.inner_px) if channels == "rgb" else frame.bgr(self.inner_px)
        if self.inner_px == self.input_px:
            return inner
        width, height = self.input_px
        placed = np.full((height, width, 3), RIM, np.uint8)
        placed[self.top : self.top + self.inner_px[1], self.left : self.left + self.inner_px[0]] = inner
        return placed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Encoding:
    """How pixels become the numbers of an input: ``(pixel * scale - mean) / std``, then its type and order of axes."""

    dtype: np.dtype[np.generic]
    is_channels_first: bool
    is_batch: bool
    scale: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @property
    def is_plain(self) -> bool:
        """True when pixels are taken as they are."""
        return self.scale == 1 and not any(self.mean) and self.std == (1, 1, 1)

    def encode(self, pixels: Array) -> Array:
        """Return the tensor of pixels uint8 (H, W, 3)."""
        planes = pixels.transpose(2, 0, 1)
        if not self.is_plain:
            planes = np.empty(planes.shape, np.float32)
            # a plane at a time: a whole picture whose axes are exchanged takes many times as long
            for channel, (mean, std) in enumerate(zip(self.mean, self.std, strict=True)):
                np.multiply(pixels[:, :, channel], np.float32(self.scale / std), out=planes[channel])
                if mean:
                    planes[channel] -= np.float32(mean / std)
        tensor = np.ascontiguousarray(planes if self.is_channels_first else planes.transpose(1, 2, 0), self.dtype)
        return tensor[None] if self.is_batch else tensor
