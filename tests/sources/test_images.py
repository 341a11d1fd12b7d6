from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest

from hybridtrack.errors import SourceError
from hybridtrack.sources import open_source
from hybridtrack.sources.image_size import read_size
from hybridtrack.sources.images import natural_key, read_image

RED, GREEN, BLUE = (0, 0, 255), (0, 255, 0), (255, 0, 0)  # as OpenCV has them


@pytest.fixture
def write_images(tmp_path: Path) -> Callable[[Mapping[str, np.ndarray]], Path]:
    """Writes pictures under their names into a folder, and returns it."""

    def write(pictures: Mapping[str, np.ndarray]) -> Path:
        for name, picture in pictures.items():
            is_written, coded = cv2.imencode(Path(name).suffix, picture)
            assert is_written
            coded.tofile(tmp_path / name)
        return tmp_path

    return write


def _flat(colour: tuple[int, int, int] = RED, width: int = 64, height: int = 48) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


def _turned_jpeg(orientation: int) -> bytes:
    """Return a JPEG picture of 64x48 whose Exif data give its orientation."""
    coded = cv2.imencode(".jpg", _flat())[1].tobytes()
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    segment = b"Exif\0\0" + tiff
    return coded[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + coded[2:]


def test_frames_come_in_the_order_in_which_people_count() -> None:
    names = ["frame_10.png", "frame_9.png", "Frame_1.png", "frame_9b.png"]
    assert sorted(names, key=natural_key) == ["Frame_1.png", "frame_9.png", "frame_9b.png", "frame_10.png"]


def test_a_folder_plays_its_images_and_nothing_else(write_images: Callable[..., Path]) -> None:
    folder = write_images({"10.png": _flat(BLUE), "9.JPG": _flat(GREEN), "2.bmp": _flat(RED)})
    (folder / "notes.txt").write_text("not a picture")
    (folder / "._9.jpg").write_bytes(b"what a system hides")
    with open_source(str(folder)) as source:
        frames = [(frame.index, frame.time_s, int(frame.bgr()[0, 0].argmax())) for frame in source]
    assert frames == [(0, 0, 2), (1, pytest.approx(1 / 30), 1), (2, pytest.approx(2 / 30), 0)]
    assert (source.info.width_px, source.info.height_px, source.info.frame_count) == (64, 48, 3)


def test_a_glob_plays_what_it_matches_at_the_frame_rate_that_is_asked_for(write_images: Callable[..., Path]) -> None:
    folder = write_images({f"{kind}_{n}.png": _flat() for kind in ("left", "right") for n in range(3)})
    with open_source(str(folder / "left_*.png"), fps=12.5, loop=2) as source:
        assert [frame.time_s for frame in source] == pytest.approx([n / 12.5 for n in range(6)])
    assert source.info.fps == 12.5


@pytest.mark.parametrize(("fps", "last_s"), [(0.0002, 10_000), (29.97, 2 / 29.97), (29.97002997002997, 1001 / 15000)])
def test_a_frame_rate_is_taken_as_it_is_given(write_images: Callable[..., Path], fps: float, last_s: float) -> None:
    folder = write_images({f"{n}.png": _flat() for n in range(3)})
    with open_source(str(folder), fps=fps) as source:
        assert [frame.time_s for frame in source][-1] == pytest.approx(last_s)
    assert source.info.fps is not None
    assert float(source.info.fps) == pytest.approx(fps)
    assert source.info.fps.numerator < 2**31


def test_a_part_of_a_folder_keeps_the_numbers_of_the_whole(write_images: Callable[..., Path]) -> None:
    folder = write_images({f"{n}.png": _flat((n, n, n)) for n in range(10)})
    with open_source(str(folder), fps=10, start_s=0.3, end_s=0.6) as source:
        assert [(frame.index, frame.gray()[0, 0]) for frame in source] == [(3, 3), (4, 4), (5, 5)]
        assert source.expected_frames == 3
    with pytest.raises(SourceError, match=r"its 10 frames at 10 a second end at 0.9 s"):
        open_source(str(folder), fps=10, start_s=1)


def test_one_image_is_a_source(write_images: Callable[..., Path]) -> None:
    with open_source(str(write_images({"käse 手.png": _flat()}) / "käse 手.png")) as source:
        assert [frame.size_px for frame in source] == [(64, 48)]


def test_grey_deep_and_transparent_images_become_eight_bits_and_three_channels(
    write_images: Callable[..., Path],
) -> None:
    grey = np.full((48, 64), 100, np.uint8)
    folder = write_images(
        {
            "grey.png": grey,
            "deep.png": np.full((48, 64, 3), 100 * 257, np.uint16),
            "deep_grey.tiff": np.full((48, 64), 100 * 257, np.uint16),
            "alpha.png": np.full((48, 64, 4), (100, 100, 100, 128), np.uint8),
        }
    )
    for path in folder.iterdir():
        picture = read_image(path)
        assert (picture.dtype, picture.shape) == (np.uint8, (48, 64, 3))
        assert (picture == 100).all()


@pytest.mark.parametrize("size", [(1, 1), (3, 1000), (4096, 2160)])
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".webp", ".tiff"])
def test_images_of_any_size_are_read(write_images: Callable[..., Path], size: tuple[int, int], suffix: str) -> None:
    folder = write_images({f"a{suffix}": np.zeros((size[1], size[0], 3), np.uint8)})
    with open_source(str(folder)) as source:
        frame = next(source)
    assert frame.size_px == size
    assert frame.rgb((300, 300)).shape == (300, 300, 3)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp"])
def test_the_size_is_read_from_the_header_alone(write_images: Callable[..., Path], suffix: str) -> None:
    path = write_images({f"a{suffix}": _flat(width=70, height=50)}) / f"a{suffix}"
    path.write_bytes(path.read_bytes()[: 700 if suffix == ".jpg" else 60])
    assert read_size(path) == (70, 50)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_of_a_turned_photo_is_the_upright_one(tmp_path: Path, orientation: int) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(_turned_jpeg(orientation))
    height, width = read_image(path).shape[:2]
    assert read_size(path) == (width, height) == ((64, 48) if orientation < 5 else (48, 64))


@pytest.mark.parametrize(
    "contents", [b"", b"GIF89a", b"\xff\xd8", b"\xff\xd8\xff\xda\0\0", b"\x89PNG\r\n\x1a\n", b"BM"]
)
def test_a_header_that_tells_no_size_is_none(tmp_path: Path, contents: bytes) -> None:
    (tmp_path / "a").write_bytes(contents)
    assert read_size(tmp_path / "a") is None


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_images_of_different_sizes_are_refused_before_the_first_frame(
    write_images: Callable[..., Path], suffix: str
) -> None:
    pictures = {f"{n}{suffix}": _flat() for n in range(3)} | {f"3{suffix}": _flat(width=65)}
    with pytest.raises(SourceError, match=rf"'0{suffix}' has 64x48, '3{suffix}' has 65x48; give each size a folder"):
        open_source(str(write_images(pictures)))


def test_a_photo_turned_against_the_others_is_refused_before_the_first_frame(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(_turned_jpeg(1))
    (tmp_path / "b.jpg").write_bytes(_turned_jpeg(6))
    with pytest.raises(SourceError, match=r"'a.jpg' has 64x48, 'b.jpg' has 48x64"):
        open_source(str(tmp_path))


@pytest.mark.parametrize("contents", [b"", b"no picture"])
def test_an_image_that_cannot_be_decoded_is_refused_by_name(write_images: Callable[..., Path], contents: bytes) -> None:
    folder = write_images({"a.png": _flat()})
    (folder / "b.png").write_bytes(contents)
    with pytest.raises(SourceError, match=r"^cannot read image '.*b.png': .*; remove it$"):
        open_source(str(folder))


def test_pixels_that_are_no_integers_are_refused(write_images: Callable[..., Path]) -> None:
    folder = write_images({"a.tiff": np.zeros((48, 64, 3), np.float32)})
    with pytest.raises(SourceError, match="its pixels are float32; give 8 or 16 bits"):
        open_source(str(folder))


@pytest.mark.parametrize("pattern", ["", "*", "*.png"])
def test_a_place_without_images_is_refused_with_what_is_looked_for(tmp_path: Path, pattern: str) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"")
    with pytest.raises(SourceError, match=r"^no image in (folder|glob) .*none ends in \.jpg, \.jpeg, \.png"):
        open_source(str(tmp_path / pattern))
