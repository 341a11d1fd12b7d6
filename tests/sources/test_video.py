from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from hybridtrack.errors import SourceError
from hybridtrack.sources import open_source
from hybridtrack.types import Frame

WriteVideo = Callable[..., Path]
NumberIn = Callable[[Frame], int]

CONTAINERS = [
    ("clip.mp4", "libx264"),
    ("clip.mkv", "libx264"),
    ("clip.ts", "libx264"),
    ("clip.avi", "mpeg4"),
    ("clip.h264", "libx264"),
]


def _noise(count: int) -> list[np.ndarray]:
    """Return pictures that are large when coded, so that a cut falls into the pictures."""
    random = np.random.default_rng(0)
    return list(random.integers(0, 256, (count, 48, 64, 3), np.uint8))


@pytest.mark.parametrize(("name", "codec"), CONTAINERS)
def test_every_frame_has_its_picture_number_and_time(
    write_video: WriteVideo, number_in: NumberIn, name: str, codec: str
) -> None:
    with open_source(str(write_video(name, codec=codec))) as source:
        frames = [(frame.index, number_in(frame), frame.time_s) for frame in source]
    assert [index for index, _, _ in frames] == [number for _, number, _ in frames] == list(range(12))
    assert [time_s for _, _, time_s in frames] == pytest.approx([n / 30 for n in range(12)], abs=6e-4)
    assert source.info.fps == 30
    assert source.info.frame_count == (12 if name in ("clip.mp4", "clip.avi") else None)


def test_times_of_a_video_with_a_variable_frame_rate_are_its_own(write_video: WriteVideo) -> None:
    stamps_ms = [500, 600, 1000, 1001, 4000]
    with open_source(str(write_video("clip.mkv", count=5, stamps_ms=stamps_ms))) as source:
        assert [frame.time_s for frame in source] == pytest.approx([0, 0.1, 0.5, 0.501, 3.5])
    assert source.notes == []


def test_a_video_without_timestamps_counts_frame_intervals_and_says_so(write_video: WriteVideo) -> None:
    with open_source(str(write_video("clip.h264", count=3))) as source:
        assert [frame.time_s for frame in source] == pytest.approx([0, 1 / 30, 2 / 30])
    assert source.notes == ["timestamps: 3 frames without a timestamp: frame intervals counted instead"]


@pytest.mark.parametrize("size", [(2, 2), (35, 33), (3, 1000), (1, 1)])
def test_odd_sizes_are_read(write_video: WriteVideo, size: tuple[int, int]) -> None:
    with open_source(str(write_video("clip.mkv", count=3, size=size, codec="ffv1", pix_fmt="yuv444p"))) as source:
        sizes = {frame.size_px for frame in source}
    assert sizes == {size} == {(source.info.width_px, source.info.height_px)}


def test_frames_of_a_stream_that_changes_size_have_their_own_size(tmp_path: Path, write_video: WriteVideo) -> None:
    joined = tmp_path / "joined.ts"
    parts = (write_video("a.ts", 4, size=(64, 48)), write_video("b.ts", 4, size=(96, 64)))
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    with open_source(str(joined)) as source:
        frames = [(frame.size_px, frame.gray().shape, frame.rgb((30, 20)).shape, frame.time_s) for frame in source]
    sizes = [size for size, *_ in frames]
    assert sizes[:3] + sizes[-3:] == [(64, 48)] * 3 + [(96, 64)] * 3
    assert all(shape == size[::-1] and small == (20, 30, 3) for size, shape, small, _ in frames)
    times = [time_s for *_, time_s in frames]
    assert times == sorted(set(times))


@pytest.mark.parametrize(("name", "codec"), CONTAINERS)
@pytest.mark.parametrize(("start_s", "end_s"), [(0.2, None), (0.31, 0.5), (None, 0.2), (0.0, 0.1), (0.366, 0.368)])
def test_a_part_keeps_the_numbers_and_times_of_the_whole(
    write_video: WriteVideo, number_in: NumberIn, name: str, codec: str, start_s: float | None, end_s: float | None
) -> None:
    path = str(write_video(name, codec=codec))
    with open_source(path) as source:
        whole = [(frame.index, number_in(frame), frame.time_s) for frame in source]
    with open_source(path, start_s=start_s, end_s=end_s) as source:
        part = [(frame.index, number_in(frame), frame.time_s) for frame in source]
    assert part == [row for row in whole if (start_s or 0) <= row[2] < (end_s or 99)]
    assert part


@pytest.mark.parametrize("part", [{}, {"start_s": 0.2, "end_s": 0.3}])
def test_loop_plays_again_and_numbers_and_times_go_on(
    write_video: WriteVideo, number_in: NumberIn, part: dict[str, float]
) -> None:
    path = str(write_video())
    with open_source(path, **part) as source:
        once = [(frame.index, number_in(frame), frame.time_s) for frame in source]
    with open_source(path, loop=3, **part) as source:
        thrice = [(frame.index, number_in(frame), frame.time_s) for frame in source]
    n, first = len(once), once[0][0]
    assert [index for index, _, _ in thrice] == list(range(first, first + 3 * n))
    assert [number for _, number, _ in thrice] == [number for _, number, _ in once] * 3
    assert [time_s for _, _, time_s in thrice] == pytest.approx([(first + i) / 30 for i in range(3 * n)])


@pytest.mark.parametrize(
    "options", [{}, {"loop": 3}, {"start_s": 0.2}, {"start_s": 0.31, "end_s": 0.35, "loop": 2}, {"end_s": 9}], ids=str
)
def test_as_many_frames_are_expected_as_come(write_video: WriteVideo, options: dict[str, float]) -> None:
    with open_source(str(write_video()), **options) as source:  # type: ignore[arg-type]
        assert source.expected_frames == sum(1 for _ in source)


def test_no_number_of_frames_is_expected_where_the_file_tells_none(write_video: WriteVideo) -> None:
    with open_source(str(write_video("clip.mkv"))) as source:
        assert source.expected_frames is None


def test_notes_tell_what_was_read_so_far(write_video: WriteVideo) -> None:
    with open_source(str(write_video("clip.h264", count=6))) as source:
        for number in (1, 2, 3):
            next(source)
            assert source.notes[0].startswith(f"timestamps: {number} frame")


@pytest.mark.parametrize(
    ("name", "codec", "options", "note"),
    [
        ("clip.mp4", "libx264", {"movflags": "faststart"}, "truncated: the file ends after "),
        ("clip.mp4", "libx264", {"movflags": "frag_keyframe+empty_moov"}, "truncated: the file "),
        ("clip.mkv", "libx264", {}, "truncated: the file ends after "),
        ("clip.ts", "libx264", {}, "truncated: the file breaks off"),
        ("clip.avi", "mpeg4", {}, "truncated: the file breaks off"),
    ],
)
def test_a_video_cut_in_the_middle_plays_up_to_there_and_says_so(
    write_video: WriteVideo, name: str, codec: str, options: dict[str, str], note: str
) -> None:
    path = write_video(name, codec=codec, pictures=_noise(40), container_options=options)
    with open_source(str(path)) as source:
        whole = [frame.gray() for frame in source]
    assert (len(whole), source.notes) == (40, [])
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    with open_source(str(path)) as source:
        cut = [frame.gray() for frame in source]
    assert 15 <= len(cut) <= 28
    assert all(np.array_equal(a, b) for a, b in zip(cut[:-2], whole, strict=False))
    assert source.notes[0].startswith(note)


def test_sound_that_goes_on_behind_the_pictures_is_no_truncation(write_video: WriteVideo) -> None:
    with open_source(str(write_video("clip.mp4", count=12, with_sound=True))) as source:
        assert sum(1 for _ in source) == 12
    assert source.notes == []


@pytest.mark.parametrize(("name", "codec"), CONTAINERS[:4])
def test_damage_in_the_middle_of_a_video_does_not_end_it(write_video: WriteVideo, name: str, codec: str) -> None:
    path = write_video(name, codec=codec, pictures=_noise(40), container_options={"movflags": "faststart"})
    damaged = bytearray(path.read_bytes())
    middle = len(damaged) // 2
    damaged[middle : middle + 2000] = np.random.default_rng(1).bytes(2000)
    path.write_bytes(damaged)
    with open_source(str(path)) as source:
        numbers = [frame.index for frame in source]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > 35


def test_packets_that_cannot_be_decoded_are_skipped_and_counted(write_video: WriteVideo) -> None:
    path = write_video("clip.mov", pictures=_noise(12), codec="png", pix_fmt="rgb24")
    coded = path.read_bytes()
    assert coded.count(b"\x89PNG") == 12
    start = -1
    for _ in range(6):
        start = coded.index(b"\x89PNG", start + 1)
    path.write_bytes(coded[:start] + b"\0" * 8 + coded[start + 8 :])
    with open_source(str(path)) as source:
        assert sum(1 for _ in source) == 11
    assert source.notes == ["damaged: 1 packet could not be decoded"]


def test_two_readings_of_a_damaged_video_are_equal(write_video: WriteVideo) -> None:
    path = write_video(pictures=_noise(40), container_options={"movflags": "faststart"})
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2 :][:500] = b"\0" * 500
    path.write_bytes(damaged)
    readings = []
    for _ in range(4):
        with open_source(str(path)) as source:
            readings.append(([(frame.time_s, frame.gray().tobytes()) for frame in source], source.notes))
    assert all(reading == readings[0] for reading in readings)


def _write_sound(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), "fltp", "mono")
        silence.rate = 8000
        container.mux(stream.encode(silence))
        container.mux(stream.encode())


def test_a_file_that_is_no_video_is_refused_in_one_line(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).bytes(5000)
    for name, contents in (("a.mp4", b""), ("b.mp4", noise), ("c.py", b"print()\n"), ("d.txt", b"hello\n" * 99)):
        path = tmp_path / name
        path.write_bytes(contents)
        with pytest.raises(SourceError, match=rf"^cannot open '.*{name}': .*; give a video file that plays$"):
            open_source(str(path))


def test_a_video_whose_index_was_cut_off_is_refused(write_video: WriteVideo) -> None:
    path = write_video(pictures=_noise(20))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(SourceError, match="no video can be read from it"):
        open_source(str(path))


def test_sound_without_pictures_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    _write_sound(path)
    with pytest.raises(SourceError, match=r"no video stream \(found: audio\); give a file with a video stream$"):
        open_source(str(path))


def test_a_video_without_a_frame_is_refused(write_video: WriteVideo) -> None:
    path = write_video("empty.avi", count=1, codec="mpeg4")
    coded = path.read_bytes()
    path.write_bytes(coded[: coded.index(b"movi") + 4])
    with pytest.raises(SourceError, match="empty"):
        open_source(str(path))


def test_a_start_behind_the_end_is_refused(write_video: WriteVideo) -> None:
    with pytest.raises(SourceError, match=r"from 9 s to its end: no frame lies there; give another start or end$"):
        open_source(str(write_video()), start_s=9)


def test_a_file_name_with_a_colon_and_foreign_letters_is_opened(write_video: WriteVideo) -> None:
    with open_source(str(write_video("rtp:käse 手%03d.mkv"))) as source:
        assert next(source).index == 0


def test_no_frame_is_kept_once_it_was_given_away(write_video: WriteVideo) -> None:
    import gc
    import weakref

    with open_source(str(write_video(count=30)), loop=2) as source:
        pictures = [weakref.ref(picture) for picture in (np.asarray(frame.gray((8, 8))).base for frame in source)]
    gc.collect()
    assert len(pictures) == 60
    assert not any(ref() is not None for ref in pictures)


@pytest.mark.shared
def test_a_real_clip_is_read_whole(shared_data: Path) -> None:
    with open_source(str(shared_data / "cups/cups.mp4")) as source:
        assert source.info.fps == Fraction(30000, 1001)
        assert source.info.frame_count == sum(1 for _ in source) == 300
    assert source.notes == []
