from __future__ import annotations

from pathlib import Path

import av
import av.codec.context
import numpy as np
import pytest
from av.sidedata.sidedata import SideDataContainer

from hybridtrack.errors import UsageError
from hybridtrack.sources import open_source
from hybridtrack.sources.motion_vectors import VECTOR, is_reference
from hybridtrack.types import Frame, MotionVectors
from tests.moving_clip import CODECS, HEIGHT, STEP, WIDTH, square_at, write_moving_square

X264_B = CODECS["H.264, B frames as references"][2]


def motions(clip: str, **options: float) -> dict[int, MotionVectors | None]:
    """Return the motion of each frame of a clip by its number."""
    with open_source(clip, motion=True, **options) as source:  # type: ignore[arg-type]
        return {frame.index: frame.motion for frame in source}


def median_shift(motion: MotionVectors, box: np.ndarray, rim: float = 16) -> tuple[float, float] | None:
    """Return how the blocks within a box (4,), but for its rim, have gone, px; None where there are none."""
    x, y = motion.x_px, motion.y_px
    inside = (x > box[0] + rim) & (x < box[2] - rim) & (y > box[1] + rim) & (y < box[3] - rim)
    if not inside.any():
        return None
    return float(np.median(motion.dx_px[inside])), float(np.median(motion.dy_px[inside]))


def same(a: MotionVectors | None, b: MotionVectors | None) -> bool:
    """Return whether two are equal in every part."""
    if a is None or b is None:
        return a is b
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in MotionVectors.__slots__)


@pytest.mark.parametrize("name", CODECS)
def test_vectors_say_how_far_a_square_came_since_the_frame_that_they_start_from(tmp_path: Path, name: str) -> None:
    file, encoder, options = CODECS[name]
    found = motions(write_moving_square(tmp_path / file, encoder, options))
    assert found[0] is None
    shifts = []
    for index, motion in found.items():
        if motion is None:
            continue
        assert median_shift(motion, np.array([0, HEIGHT - 80, 80, HEIGHT])) in (None, pytest.approx((0, 0), abs=0.3))
        if (shift := median_shift(motion, square_at(index)[0])) is not None:
            shifts.append(np.divide(shift, motion.frames_back))
    assert len(shifts) >= 7  # the rest came from a later frame
    np.testing.assert_allclose(shifts, [STEP] * len(shifts), atol=0.3)


@pytest.mark.parametrize(
    ("name", "frames_back"),
    [
        ("H.264, P frames alone", [1] * 12),
        ("H.264, B frames", [1, 2, 3, 4] * 3),
        ("H.264, B frames as references", [1, 2, 1, 4] * 3),
        ("H.264 with start codes", [1, 2, 1, 4] * 3),
        ("MPEG-4, B frames", [None, None, 3] * 4),
        ("MPEG-2, B frames", [1, 2, 3] * 4),
    ],
)
def test_frame_that_vectors_start_from_is_the_nearest_reference_before(
    tmp_path: Path, name: str, frames_back: list[int | None]
) -> None:
    file, encoder, options = CODECS[name]
    found = motions(write_moving_square(tmp_path / file, encoder, options))
    assert [motion and motion.frames_back for motion in list(found.values())[1:13]] == frames_back


@pytest.mark.parametrize(
    ("packet", "length_bytes", "expected"),
    [
        (b"\0\0\0\1\x65\x88", 0, True),  # a key frame
        (b"\0\0\1\x41\x9a", 0, True),
        (b"\0\0\1\x01\x9a", 0, False),
        (b"\0\0\1\x09\xf0\0\0\1\x06\x01\0\0\1\x01\x9a", 0, False),  # after a delimiter and SEI
        (b"\0\0\0\2\x65\x88", 4, True),
        (b"\0\0\0\2\x06\x05\0\0\0\2\x01\x9a", 4, False),
        (b"\0\2\x01\x9a", 2, False),
        (b"\2\x21\x9a", 1, True),
        (b"", 4, True),
        (b"\0\0\0\2\x06\x05", 4, True),  # no slice
        (b"\0\0\xff\xff\x06", 4, True),  # cut
        (b"\x12\x34", 0, True),
    ],
)
def test_header_of_a_slice_tells_whether_others_refer_to_it(packet: bytes, length_bytes: int, expected: bool) -> None:
    assert is_reference(packet, length_bytes) is expected


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_vectors_are_turned_as_the_picture_is(tmp_path: Path, rotation: int) -> None:
    """As numpy turns a picture counterclockwise: (x, y) goes to (y, width - x), and so on."""
    options = {"bf": "0"}
    plain = motions(write_moving_square(tmp_path / "plain.mp4", "libx264", options, count=6))[5]
    turned = motions(write_moving_square(tmp_path / "turned.mp4", "libx264", options, count=6, rotation=rotation))[5]
    assert plain is not None
    assert turned is not None
    x, y, dx, dy, size = plain.x_px, plain.y_px, plain.dx_px, plain.dy_px, (WIDTH, HEIGHT)
    for _ in range(rotation // 90):
        x, y, dx, dy, size = y, size[0] - x, dy, -dx, size[::-1]
    for found, expected in ((turned.x_px, x), (turned.y_px, y), (turned.dx_px, dx), (turned.dy_px, dy)):
        np.testing.assert_array_equal(found, expected)


def test_source_that_was_not_asked_has_no_vectors(tmp_path: Path) -> None:
    with open_source(write_moving_square(tmp_path / "clip.mp4", "libx264", {}, count=6)) as source:
        assert [frame.motion for frame in source] == [None] * 6


@pytest.mark.parametrize(("file", "encoder"), [("clip.avi", "mjpeg"), ("clip.mkv", "ffv1")])
def test_codec_that_stores_no_vectors_is_refused(tmp_path: Path, file: str, encoder: str) -> None:
    clip = write_moving_square(tmp_path / file, encoder, {}, count=6)
    with pytest.raises(UsageError, match=f"{file}' has none that can be read \\({encoder}\\); take another"):
        open_source(clip, motion=True)


def test_video_of_key_frames_alone_has_no_vectors(tmp_path: Path) -> None:
    assert set(motions(write_moving_square(tmp_path / "clip.mp4", "libx264", {}, count=6, gop=1)).values()) == {None}


def test_reduced_frame_and_one_of_an_array_say_the_same_of_motion(tmp_path: Path) -> None:
    with open_source(write_moving_square(tmp_path / "clip.mp4", "libx264", {}, count=6), motion=True) as source:
        frame = list(source)[5]
    assert frame.motion is not None
    assert frame.motion is frame.motion is frame.reduced((80, 60)).motion
    assert Frame.from_array(frame.bgr()).motion is None


def test_vectors_are_the_same_every_time_and_from_any_start(tmp_path: Path) -> None:
    clip = write_moving_square(tmp_path / "clip.mp4", "libx264", X264_B, gop=12, count=36)
    whole, again, part = motions(clip), motions(clip), motions(clip, start_s=0.5)
    assert min(part) == 15
    assert all(same(motion, again[index]) for index, motion in whole.items())
    assert all(same(motion, whole[index]) for index, motion in part.items())


def test_rounds_do_not_refer_to_the_round_before(tmp_path: Path) -> None:
    found = motions(write_moving_square(tmp_path / "clip.mp4", "libx264", X264_B, count=9), loop=2)
    assert found[9] is None
    assert all(same(found[index], found[index + 9]) for index in range(9))


def test_two_sources_side_by_side_do_not_mix(tmp_path: Path) -> None:
    clips = [
        write_moving_square(tmp_path / f"{number}.mp4", "libx264", options)
        for number, options in enumerate(({"bf": "0"}, X264_B))
    ]
    alone = [list(motions(clip).values()) for clip in clips]
    with open_source(clips[0], motion=True) as one, open_source(clips[1], motion=True) as other:
        together = list(zip(*((a.motion, b.motion) for a, b in zip(one, other, strict=True)), strict=True))
    assert all(same(a, b) for two in zip(alone, together, strict=True) for a, b in zip(*two, strict=True))


@pytest.mark.parametrize("uri", ["blank:64x48@30:9", "0", "{folder}"])
def test_source_that_is_no_video_is_refused(tmp_path: Path, uri: str) -> None:
    with pytest.raises(UsageError, match="has none; take another, such as flow"):
        open_source(uri.format(folder=tmp_path), motion=True)


def test_layout_of_a_vector_is_that_of_libav(tmp_path: Path) -> None:
    with av.open(write_moving_square(tmp_path / "clip.mp4", "libx264", {}, count=2)) as container:
        container.streams.video[0].codec_context.flags2 |= av.codec.context.Flags2.export_mvs
        *_, frame = container.decode(video=0)
        side = SideDataContainer(frame).get("MOTION_VECTORS")  # type: ignore[call-arg]  # the stub knows no frame
        assert side is not None
        assert side.to_ndarray().dtype == VECTOR


def test_blocks_cover_the_picture_once(tmp_path: Path) -> None:
    motion = motions(write_moving_square(tmp_path / "clip.mp4", "libx264", {"bf": "0"}, count=6))[5]
    assert motion is not None
    assert 0.8 * WIDTH * HEIGHT < motion.area_px.sum() <= WIDTH * HEIGHT
    assert motion.x_px.min() >= 0
    assert motion.y_px.max() < HEIGHT
