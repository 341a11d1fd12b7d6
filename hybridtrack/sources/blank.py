"""Frames without a picture, for runs that look at none: detections of a file, and trackers that know motion alone."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np

from hybridtrack.errors import UsageError
from hybridtrack.sources.extent import Extent
from hybridtrack.sources.source import RecordedSource
from hybridtrack.sources.timeline import check_rate
from hybridtrack.types import Array, Frame, Size, VideoInfo

SCHEME: Final = "blank:"
GREY: Final = 128  #: level of every pixel
_FORM: Final = "blank:WIDTHxHEIGHT@FPS:FRAMES, such as blank:640x360@30:300"
_URI: Final = re.compile(
    rf"{SCHEME}(?P<width>\d{{1,5}})x(?P<height>\d{{1,5}})@(?P<fps>\d{{1,9}}(\.\d{{1,9}}|/\d{{1,9}})?):(?P<count>\d{{1,9}})"
)


class BlankPicture:
    """A grey picture that takes no memory until somebody asks for pixels."""

    __slots__ = ("_size_px",)

    def __init__(self, size_px: Size) -> None:
        self._size_px = size_px

    @property
    def size_px(self) -> Size:
        return self._size_px

    def gray(self, size: Size) -> Array:
        return np.full((size[1], size[0]), GREY, np.uint8)

    def rgb(self, size: Size) -> Array:
        return np.full((size[1], size[0], 3), GREY, np.uint8)


@dataclass(frozen=True, slots=True)
class _Blank:
    """What a ``blank:`` address asks for."""

    size_px: Size
    fps: Fraction
    count: int


def open_blank(uri: str, extent: Extent) -> RecordedSource:
    """Return the source of ``blank:WIDTHxHEIGHT@FPS:FRAMES``: nothing is decoded, and nothing is there to see.

    Frame i is at i / FPS s; FPS may be a decimal (29.97) or a fraction (30000/1001). Raises UsageError for an address
    that is not of this form, SourceError when no frame lies in ``extent``.
    """
    asked = _read(uri)
    chosen = extent.frames(asked.count, asked.fps, uri=uri)
    step, rounds = len(chosen), range(extent.loop)
    numbers = (number + round_number * step for round_number in rounds for number in chosen)
    moments = ((number, float(number / asked.fps)) for number in numbers)
    info = VideoInfo(width_px=asked.size_px[0], height_px=asked.size_px[1], fps=asked.fps, frame_count=asked.count)
    return blank_frames(uri, info, moments, count=step * extent.loop)


def blank_frames(uri: str, info: VideoInfo, moments: Iterable[tuple[int, float]], *, count: int) -> RecordedSource:
    """Return a source called ``uri`` of ``count`` frames without a picture, one or more, of these numbers and times, s,
    both of which grow."""

    def play() -> Generator[Frame, None, None]:
        picture = BlankPicture((info.width_px, info.height_px))
        for index, time_s in moments:
            yield Frame(picture, index=index, time_s=time_s)

    frames = play()
    return RecordedSource(uri, info, next(frames), frames, expected_frames=count)


def _read(uri: str) -> _Blank:
    found = _URI.fullmatch(uri)
    if found is None:
        raise UsageError(f"{uri!r} is no source of blank frames: write {_FORM}")
    numerator, _, denominator = found["fps"].partition("/")
    width, height, count = (int(found[name]) for name in ("width", "height", "count"))
    if not all((width, height, count, int(denominator or 1))):
        raise UsageError(f"{uri!r} has a 0 where there has to be more: write {_FORM}")
    return _Blank((width, height), check_rate(Fraction(numerator) / int(denominator or 1)), count)
