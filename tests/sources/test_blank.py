from __future__ import annotations

import pytest

from hybridtrack.errors import SourceError, UsageError
from hybridtrack.sources import open_source


def test_frames_are_grey_at_whatever_size_is_asked_for() -> None:
    with open_source("blank:64x48@30:2") as source:
        frame = next(source)
    assert frame.size_px == (64, 48)
    assert (frame.gray() == 128).all()
    assert frame.gray().shape == (48, 64)
    assert (frame.rgb((8, 6)) == 128).all()
    assert frame.rgb((8, 6)).shape == (6, 8, 3)


def test_picture_takes_no_memory_until_somebody_asks() -> None:
    with open_source("blank:99999x99999@30:2") as source:  # 10 GB of grey
        assert [frame.size_px for frame in source] == [(99999, 99999)] * 2


@pytest.mark.parametrize(
    ("fps", "second_s"), [("30", 1 / 30), ("29.97", 100 / 2997), ("30000/1001", 1001 / 30000), ("0.5", 2.0)]
)
def test_frame_rate_is_whole_decimal_or_fraction(fps: str, second_s: float) -> None:
    with open_source(f"blank:64x48@{fps}:2") as source:
        assert [frame.time_s for frame in source] == pytest.approx([0.0, second_s], abs=1e-12)
    assert source.info.fps == pytest.approx(1 / second_s)


def test_part_of_it_keeps_numbers_and_times_and_goes_on_when_looped() -> None:
    with open_source("blank:64x48@10:10", start_s=0.3, end_s=0.6, loop=2) as source:
        frames = [(frame.index, frame.time_s) for frame in source]
    assert frames == [(3, 0.3), (4, 0.4), (5, 0.5), (6, 0.6), (7, 0.7), (8, 0.8)]
    assert source.expected_frames == 6
    assert source.info.frame_count == 10


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("blank:", "'blank:' is no source of blank frames: write blank:WIDTHxHEIGHT@FPS:FRAMES"),
        ("blank:640x360", "'blank:640x360' is no source of blank frames"),
        ("blank:640x360@30", "'blank:640x360@30' is no source"),
        ("blank:640x360@-30:5", "'blank:640x360@-30:5' is no source"),
        ("blank:640x360@3e1:5", "'blank:640x360@3e1:5' is no source"),
        ("blank:640x360@30:5 ", "'blank:640x360@30:5 ' is no source"),
        ("blank:0x360@30:5", "'blank:0x360@30:5' has a 0"),
        ("blank:640x360@30:0", "'blank:640x360@30:0' has a 0"),
        ("blank:640x360@30/0:5", "'blank:640x360@30/0:5' has a 0"),
        ("blank:640x360@0:5", "0 frames a second is no frame rate"),
        ("blank:640x360@30001:5", "30001 frames a second is no frame rate"),
    ],
)
def test_address_that_is_not_of_the_form_is_refused(uri: str, message: str) -> None:
    with pytest.raises(UsageError) as refusal:
        open_source(uri)
    assert str(refusal.value).startswith(message)
    assert "\n" not in str(refusal.value)


def test_part_without_a_frame_is_refused() -> None:
    with pytest.raises(SourceError, match=r"cannot play 'blank:64x48@10:10' from 1 s: its 10 frames .* end at 0.9 s"):
        open_source("blank:64x48@10:10", start_s=1)
