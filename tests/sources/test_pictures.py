from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from hybridtrack.sources import open_source
from hybridtrack.sources.pictures import AvPicture

BT709, BT601, UNSAID = 1, 5, 2
LIMITED, FULL = 1, 2


def _smooth_picture(width: int = 128, height: int = 96) -> np.ndarray:
    """Return a colourful picture, RGB, whose colours change so slowly that no resizing differs much from another."""
    random = np.random.default_rng(0)
    return cv2.resize(random.integers(40, 215, (3, 4, 3), np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)


def _frame(picture: np.ndarray, pix_fmt: str, colorspace: int = UNSAID, color_range: int = 0) -> av.VideoFrame:
    matrix = {BT709: "ITU709", BT601: "ITU601", UNSAID: None}[colorspace]
    coded = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(
        format=pix_fmt, dst_colorspace=matrix, dst_color_range=color_range, interpolation="BICUBIC"
    )
    coded.colorspace, coded.color_range = colorspace, color_range
    return coded


@pytest.mark.parametrize("colorspace", [BT601, BT709, UNSAID])
@pytest.mark.parametrize("color_range", [LIMITED, FULL])
def test_small_rgb_has_the_matrix_and_the_range_of_the_stream(colorspace: int, color_range: int) -> None:
    picture = _smooth_picture()
    small = AvPicture(_frame(picture, "yuv444p", colorspace, color_range)).rgb((40, 30))
    expected = cv2.resize(picture, (40, 30), interpolation=cv2.INTER_LINEAR).astype(int)
    assert np.abs(small - expected).mean() < 1.5


@pytest.mark.parametrize(
    ("yuv", "colorspace", "color_range", "rgb"),
    [
        ((16, 128, 128), BT601, LIMITED, (0, 0, 0)),
        ((235, 128, 128), BT709, LIMITED, (255, 255, 255)),
        ((0, 128, 128), BT601, FULL, (0, 0, 0)),
        ((255, 128, 128), BT709, FULL, (255, 255, 255)),
        ((81, 90, 240), BT601, LIMITED, (254, 0, 0)),  # the red of the colour bars of BT.601
        ((63, 102, 240), BT709, LIMITED, (255, 1, 0)),  # the red of the colour bars of BT.709
    ],
)
def test_rgb_of_known_colours(yuv: tuple[int, int, int], colorspace: int, color_range: int, rgb: tuple) -> None:
    planes = np.broadcast_to(np.array(yuv, np.uint8)[:, None, None], (3, 32, 32)).copy()
    frame = av.VideoFrame.from_ndarray(planes, "yuv444p")
    frame.colorspace, frame.color_range = colorspace, color_range
    assert np.abs(AvPicture(frame).rgb((16, 16)).astype(int) - rgb).max() <= 1


@pytest.mark.parametrize(
    "pix_fmt",
    [
        "yuv420p",
        "yuvj420p",
        "yuv422p",
        "yuv444p",
        "yuva420p",
        "nv12",
        "yuv420p10le",
        "yuv444p12le",
        "yuyv422",
        "rgb24",
        "bgra",
        "rgb48le",
        "gbrp",
    ],
)
def test_every_pixel_format_gives_the_same_picture(pix_fmt: str) -> None:
    picture = _smooth_picture()
    small = cv2.resize(picture, (40, 30), interpolation=cv2.INTER_AREA)
    made = AvPicture(_frame(picture, pix_fmt, UNSAID, FULL if pix_fmt == "yuvj420p" else 0))
    assert np.abs(made.rgb((40, 30)).astype(int) - small).mean() < 2.5
    assert np.abs(made.rgb((128, 96)).astype(int) - picture).mean() < 3.5
    assert np.abs(made.gray((40, 30)).astype(int) - cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)).mean() < 7
    assert made.gray((128, 96)).shape == (96, 128)


@pytest.mark.parametrize("pix_fmt", ["gray", "gray10le", "gray16le", "ya8"])
def test_grey_formats_give_grey(pix_fmt: str) -> None:
    level = np.full((48, 64, 3), 100, np.uint8)
    made = AvPicture(_frame(level, pix_fmt))
    assert np.abs(made.gray((32, 24)).astype(int) - 100).max() <= 2
    assert np.abs(made.rgb((32, 24)).astype(int) - 100).max() <= 2


def test_small_rgb_is_the_full_size_rgb_resized_plain_bilinear() -> None:
    random = np.random.default_rng(0)
    planes = random.integers(16, 236, (3, 90, 160), np.uint8)
    planes[1:] = 128 + (planes[1:].astype(int) - 126) // 8  # pale: no colour leaves 0..255
    frame = av.VideoFrame.from_ndarray(planes, "yuv444p")
    picture = AvPicture(frame)
    full = frame.reformat(format="rgb24", interpolation=av.video.reformatter.Interpolation.BICUBIC).to_ndarray()
    expected = cv2.resize(full, (37, 31), interpolation=cv2.INTER_LINEAR).astype(int)
    assert np.abs(picture.rgb((37, 31)) - expected).mean() < 2


def test_full_size_grey_is_a_view_on_the_luma_plane() -> None:
    frame = _frame(_smooth_picture(), "yuv420p")
    picture = AvPicture(frame)
    gray = picture.gray((128, 96))
    assert gray.base is not None
    assert np.shares_memory(gray, picture.gray((128, 96)))


def test_luma_of_an_odd_width_leaves_out_the_padding_of_its_lines() -> None:
    picture = np.full((33, 35, 3), 200, np.uint8)
    frame = _frame(picture, "yuv420p", BT601, LIMITED)
    assert frame.planes[0].line_size > 35
    gray = AvPicture(frame).gray((35, 33))
    assert gray.shape == (33, 35)
    assert np.abs(gray - (16 + 200 * 219 / 255)).max() <= 1


@pytest.mark.parametrize("size", [(80, 60), (40, 30), (100, 70), (160, 7), (10, 30)])
def test_small_grey_has_the_mean_of_each_area(size: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    luma = random.integers(0, 256, (120, 160), np.uint8)
    gray = AvPicture(av.VideoFrame.from_ndarray(luma, "gray")).gray(size)
    expected = cv2.resize(luma.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    assert np.abs(gray - expected).max() < 2.5


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (3, 1000), (33, 35)])
def test_tiny_and_odd_pictures_can_be_had_at_any_size(size: tuple[int, int]) -> None:
    frame = _frame(np.full((size[1], size[0], 3), 128, np.uint8), "yuv420p")
    for wanted in (size, (1, 1), (300, 300)):
        assert AvPicture(frame).rgb(wanted).shape == (wanted[1], wanted[0], 3)
        assert AvPicture(frame).gray(wanted).shape == (wanted[1], wanted[0])


@pytest.mark.parametrize(
    ("counterclockwise", "upright_size", "bright_corner"),
    [(0, (64, 48), (0, 0)), (90, (48, 64), (-1, 0)), (180, (64, 48), (-1, -1)), (-90, (48, 64), (0, -1))],
)
def test_rotation_metadata_turns_pictures_upright(
    write_video: Callable[..., Path],
    counterclockwise: int,
    upright_size: tuple[int, int],
    bright_corner: tuple[int, int],
) -> None:
    coded = np.full((48, 64, 3), 30, np.uint8)
    coded[:24, :32] = 220  # top left as coded
    with open_source(str(write_video(pictures=[coded] * 3, rotation=counterclockwise))) as source:
        frame = next(source)
    assert (source.info.width_px, source.info.height_px) == frame.size_px == upright_size
    for picture in (frame.gray(), frame.rgb()[..., 0], frame.gray((30, 40)), frame.rgb((30, 40))[..., 0]):
        assert picture[bright_corner] > 150
        assert sum(int(picture[corner]) > 150 for corner in ((0, 0), (0, -1), (-1, 0), (-1, -1))) == 1
