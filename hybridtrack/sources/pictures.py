"""Pictures in the form that the decoder left them in, converted to grey or RGB at the size that is asked for.

Small RGB is made from the Y, U and V planes one by one: each is resized first (plain bilinear, as the published hand
detector was trained with ``tf.image.resize``) and the small planes are converted. That is what resizing the full-size
RGB picture gives, at a tenth of the cost. What is not 8-bit planar YUV goes through swscale.
"""

from __future__ import annotations

import functools
from types import MappingProxyType
from typing import Final

import av
import av.video.reformatter
import cv2
import numpy as np

from hybridtrack.types import Array, Size

_ROTATIONS: Final = (None, cv2.ROTATE_90_COUNTERCLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_CLOCKWISE)
_LUMA_WEIGHTS: Final = MappingProxyType(  #: matrix coefficients of ITU-T H.273 -> weights of red and blue in the luma
    {
        1: (0.2126, 0.0722),  # BT.709
        2: (0.299, 0.114),  # not said: BT.601, as swscale and so OpenCV take it
        5: (0.299, 0.114),  # BT.601, 625 lines
        6: (0.299, 0.114),  # BT.601, 525 lines
        9: (0.2627, 0.0593),  # BT.2020
    }
)
_FULL_RANGE: Final = 2  #: AVCOL_RANGE_JPEG


@functools.cache
def _has_luma_plane(format_name: str) -> bool:
    """Return whether plane 0 of a pixel format is the luma, one byte a pixel."""
    pixels = av.VideoFormat(format_name)
    components = pixels.components
    if pixels.is_rgb or pixels.has_palette or pixels.is_bit_stream or components[0].bits != 8:
        return False
    return [component.plane for component in components].count(0) == 1


@functools.cache
def _has_yuv_planes(format_name: str) -> bool:
    """Return whether planes 0, 1 and 2 of a pixel format are Y, U and V, one byte a sample."""
    components = av.VideoFormat(format_name).components
    return _has_luma_plane(format_name) and [c.plane for c in components[:3]] == [0, 1, 2]


@functools.cache
def _yuv_to_rgb(coefficients: int, is_full_range: bool) -> Array:
    """Return the float64 (3, 4) matrix that takes (Y, U, V, 1) in 0..255 to red, green and blue in 0..255."""
    red, blue = _LUMA_WEIGHTS[coefficients]
    green = 1 - red - blue
    y_gain, c_gain, black = (1.0, 1.0, 0.0) if is_full_range else (255 / 219, 255 / 224, 16.0)
    u_gain, v_gain = 2 * (1 - blue) * c_gain, 2 * (1 - red) * c_gain
    matrix = np.array(
        [[y_gain, 0, v_gain], [y_gain, -u_gain * blue / green, -v_gain * red / green], [y_gain, u_gain, 0]]
    )
    return np.column_stack([matrix, -matrix @ (black, 128, 128)])


def _plane(frame: av.VideoFrame, number: int) -> Array:
    """Return a view, uint8 (H, W), on a plane of one byte a sample; it keeps the frame's memory alive."""
    plane = frame.planes[number]
    rows: Array = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    return rows[:, : plane.width]


def _shrink(plane: Array, size: Size) -> Array:
    """Return the plane at ``size``, each pixel the mean of the area it covers (bilinear where the plane grows)."""
    height, width = plane.shape
    while width >= 2 * size[0] and height >= 2 * size[1] and width % 2 == 0 and height % 2 == 0:
        width, height = width // 2, height // 2  # exact halves have a kernel of their own: 1/4 in .16 ms, not .58
        plane = cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA)
    if (width, height) == size:
        return plane
    shrinks = size[0] <= width and size[1] <= height
    small: Array = cv2.resize(plane, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return small


def _swscale(frame: av.VideoFrame, size: Size, format_name: str) -> Array:
    """Return the picture of any pixel format as ``format_name`` at ``size``."""
    ways = av.video.reformatter.Interpolation
    careful = ways.AREA | ways.ACCURATE_RND | ways.FULL_CHR_H_INT  # or it is too dark and too grey
    is_resized = size != (frame.width, frame.height)  # where the size stays, the careful way costs ten times as much
    converted = frame.reformat(
        *size,
        format=format_name,
        interpolation=careful if is_resized else ways.BILINEAR,
        threads=1,  # swscale's own threads cost more than they save
    )
    array: Array = converted.to_ndarray()
    return array


class AvPicture:
    """A decoded ``av.VideoFrame``, shown upright whatever its rotation metadata says."""

    __slots__ = ("_frame", "_quarter_turns")

    def __init__(self, frame: av.VideoFrame) -> None:
        self._frame = frame
        self._quarter_turns = round(frame.rotation / 90) % 4  # counterclockwise

    @property
    def size_px(self) -> Size:
        return self._turned((self._frame.width, self._frame.height))

    def gray(self, size: Size) -> Array:
        """Return the luma as coded (limited range stays limited), uint8 (H, W)."""
        frame, coded_size = self._frame, self._turned(size)
        if _has_luma_plane(frame.format.name) and frame.planes[0].line_size > 0:
            return self._upright(_shrink(_plane(frame, 0), coded_size))
        return self._upright(_swscale(frame, coded_size, "gray"))

    def rgb(self, size: Size) -> Array:
        """Return red, green and blue with the stream's own matrix and range, uint8 (H, W, 3)."""
        frame, coded_size = self._frame, self._turned(size)
        is_resized = coded_size != (frame.width, frame.height)  # swscale is quickest where the size stays
        if is_resized and self._has_known_planes():
            return self._upright(self._rgb_from_planes(coded_size))
        return self._upright(_swscale(frame, coded_size, "rgb24"))

    def _has_known_planes(self) -> bool:
        frame = self._frame
        return (
            _has_yuv_planes(frame.format.name)
            and frame.colorspace in _LUMA_WEIGHTS
            and all(plane.line_size > 0 for plane in frame.planes)
        )

    def _rgb_from_planes(self, coded_size: Size) -> Array:
        frame = self._frame
        yuv = cv2.merge([cv2.resize(_plane(frame, n), coded_size, interpolation=cv2.INTER_LINEAR) for n in range(3)])
        is_full_range = frame.color_range == _FULL_RANGE or frame.format.name.startswith("yuvj")
        rgb: Array = cv2.transform(yuv, _yuv_to_rgb(frame.colorspace, is_full_range))
        return rgb

    def _turned(self, size: Size) -> Size:
        """Return an upright size as coded, or the reverse."""
        return (size[1], size[0]) if self._quarter_turns % 2 else size

    def _upright(self, coded: Array) -> Array:
        rotation = _ROTATIONS[self._quarter_turns]
        if rotation is None:
            return coded
        upright: Array = cv2.rotate(coded, rotation)
        return upright
