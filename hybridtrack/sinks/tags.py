"""Lines of text on a ground that lets them be read on any picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2

from hybridtrack.sinks.ink import BLACK, WHITE, Colour
from hybridtrack.types import Array, Size

_FONT = cv2.FONT_HERSHEY_SIMPLEX  #: OpenCV 5 takes its own outline font for it
_SCALE = 0.45  #: of the font, in a picture of ``_HEIGHT_PX``: capitals 10 px high
_HEIGHT_PX = 400
_MIN_SCALE = 0.4  #: smaller text cannot be read
_SHADE = 0.35  #: how much of the picture shows through the ground of a shaded tag


@dataclass(frozen=True, slots=True)
class Typeface:
    """Text of one size."""

    scale: float

    @classmethod
    def fitting(cls, size_px: Size) -> Typeface:
        """Return what can be read in a picture of this size."""
        return cls(max(_MIN_SCALE, _SCALE * min(size_px) / _HEIGHT_PX))

    @property
    def margin_px(self) -> int:
        return max(2, round(9 * self.scale))

    @property
    def weight(self) -> int:
        """Thickness of the strokes, as OpenCV counts it: 1 normal, 2 bold."""
        return max(1, round(1.4 * self.scale))

    def tag_size_px(self, text: str) -> Size:
        """Return (width, height) of the tag for a line of text."""
        (width_px, height_px), baseline_px = cv2.getTextSize(text, _FONT, self.scale, self.weight)
        return width_px + 2 * self.margin_px, height_px + baseline_px + self.margin_px

    def draw(self, picture: Array, text: str, corner: tuple[int, int], ground: Colour | None) -> None:
        """Draw a tag with its upper left ``corner`` there: black on ``ground``, or white on the darkened picture."""
        width_px, height_px = self.tag_size_px(text)
        x, y = corner
        end = (x + width_px - 1, y + height_px - 1)
        if ground is None:
            under = picture[max(y, 0) : end[1] + 1, max(x, 0) : end[0] + 1]
            cv2.convertScaleAbs(under, dst=under, alpha=_SHADE)
        else:
            cv2.rectangle(picture, corner, end, ground, cv2.FILLED)
            cv2.rectangle(picture, corner, end, BLACK)
        (_, text_height_px), _ = cv2.getTextSize(text, _FONT, self.scale, self.weight)
        foot = (x + self.margin_px, y + (self.margin_px + 1) // 2 + text_height_px)
        colour = WHITE if ground is None else BLACK
        cv2.putText(picture, text, foot, _FONT, self.scale, colour, self.weight, cv2.LINE_AA)


def one_line(text: str) -> str:
    """Return a text without line breaks and other gaps."""
    return " ".join(text.split())
