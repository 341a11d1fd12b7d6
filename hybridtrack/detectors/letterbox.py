"""A picture inside a network's input of other proportions, with black around it, and the way back for its boxes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hybridtrack.types import Array, Frame, Size


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterbox:
    """Where a picture lies in the input: as large as fits, its proportions kept, in the middle. Sizes are px."""

    source_px: Size
    input_px: Size
    inner_px: Size  #: of the picture inside the input
    left_px: int
    top_px: int

    @classmethod
    def fit(cls, source_px: Size, input_px: Size) -> Letterbox:
        """Return that of a picture of ``source_px``; the longer side fills the input, the other has a pixel or more."""
        scale = min(inside / outside for inside, outside in zip(input_px, source_px, strict=True))
        width, height = (max(1, round(side * scale)) for side in source_px)
        return cls(
            source_px=source_px,
            input_px=input_px,
            inner_px=(width, height),
            left_px=(input_px[0] - width) // 2,
            top_px=(input_px[1] - height) // 2,
        )

    def rgb(self, frame: Frame) -> Array:
        """Return the input, uint8 (H, W, 3), with the frame in its place."""
        (width, height), (inner_width, inner_height) = self.input_px, self.inner_px
        rgb = np.zeros((height, width, 3), np.uint8)
        rows = slice(self.top_px, self.top_px + inner_height)
        rgb[rows, self.left_px : self.left_px + inner_width] = frame.rgb(self.inner_px)
        return rgb

    def to_source(self, xyxy: Array) -> Array:
        """Return boxes (N, 4) in px of the source, given in px of the input. Inverse: ``to_input``."""
        source: Array = (xyxy - self._offset(xyxy)) / self._scale(xyxy)
        return source

    def to_input(self, xyxy: Array) -> Array:
        """Return boxes (N, 4) in px of the input, given in px of the source. Inverse: ``to_source``."""
        inside: Array = xyxy * self._scale(xyxy) + self._offset(xyxy)
        return inside

    def _scale(self, xyxy: Array) -> Array:
        scale: Array = np.array(self.inner_px * 2, xyxy.dtype) / np.array(self.source_px * 2, xyxy.dtype)
        return scale

    def _offset(self, xyxy: Array) -> Array:
        return np.array((self.left_px, self.top_px) * 2, xyxy.dtype)
