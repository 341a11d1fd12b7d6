"""What every source has to keep to, whatever its frames come from."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from hybridtrack.errors import SourceError, UsageError
from hybridtrack.sources import Source, open_source

COUNT, WIDTH, HEIGHT = 6, 64, 48


def _pictures() -> Iterator[np.ndarray]:
    for number in range(COUNT):
        yield np.full((HEIGHT, WIDTH, 3), 40 * number, np.uint8)


def _write_video(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for picture in _pictures():
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode())
    return path


@contextmanager
def _video(folder: Path) -> Iterator[Source]:
    with open_source(str(_write_video(folder / "clip.mp4"))) as source:
        yield source


@contextmanager
def _looped(folder: Path) -> Iterator[Source]:
    with open_source(str(_write_video(folder / "clip.mkv")), loop=2) as source:
        yield source


@contextmanager
def _images(folder: Path) -> Iterator[Source]:
    for number, picture in enumerate(_pictures()):
        cv2.imwrite(str(folder / f"{number}.png"), picture)
    with open_source(str(folder)) as source:
        yield source


@contextmanager
def _glob(folder: Path) -> Iterator[Source]:
    for number, picture in enumerate(_pictures()):
        cv2.imwrite(str(folder / f"{number}.jpg"), picture)
    with open_source(str(folder / "*.jpg"), fps=5) as source:
        yield source


@contextmanager
def _blank(folder: Path) -> Iterator[Source]:
    with open_source(f"blank:{WIDTH}x{HEIGHT}@29.97:{COUNT}") as source:
        yield source


@contextmanager
def _paced(folder: Path) -> Iterator[Source]:
    with open_source(str(_write_video(folder / "clip.mp4")), pace=True) as source:
        yield source


@contextmanager
def _stream(folder: Path) -> Iterator[Source]:
    contents = _write_video(folder / "clip.ts").read_bytes()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(contents)

        thread = threading.Thread(target=serve)
        thread.start()
        with open_source(f"tcp://127.0.0.1:{server.getsockname()[1]}") as source:
            yield source
        thread.join()


@pytest.fixture(params=[_video, _looped, _images, _glob, _blank, _paced, _stream])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Source]:
    opener: Callable[[Path], contextmanager[Source]] = request.param
    with opener(tmp_path) as opened:
        yield opened


def test_numbers_and_times_grow_and_gaps_are_what_was_dropped(source: Source) -> None:
    frames = [(frame.index, frame.time_s) for frame in source]
    indices, times = [index for index, _ in frames], [time_s for _, time_s in frames]
    assert indices == sorted(set(indices))
    assert times == sorted(set(times))
    assert min(times) >= 0
    assert indices[-1] + 1 == len(indices) + source.dropped
    if not source.is_live:
        assert (frames[0], source.dropped) == ((0, 0.0), 0)


def test_info_matches_the_frames(source: Source) -> None:
    info = source.info
    frames = list(source)
    assert {frame.size_px for frame in frames} == {(info.width_px, info.height_px)} == {(WIDTH, HEIGHT)}
    assert info.frame_count in (None, COUNT)
    assert info.fps is not None
    assert frames[-1].time_s == pytest.approx(frames[-1].index / info.fps, abs=2e-3)


def test_iteration_can_be_broken_off_and_taken_up_again(source: Source) -> None:
    first = next(iter(source))
    assert all(frame.index > first.index for frame in source)
    assert list(source) == []


def test_closing_ends_iteration_and_may_be_done_twice(source: Source) -> None:
    next(source)
    source.close()
    source.close()
    assert list(source) == []


def test_frames_can_be_read_in_another_thread_and_converted_in_several(source: Source) -> None:
    frames = []
    reader = threading.Thread(target=lambda: frames.extend(source))
    reader.start()
    reader.join()
    made: list[tuple[int, bytes]] = []

    def convert() -> None:
        made.extend((frame.index, frame.rgb((30, 20)).tobytes() + frame.gray((16, 12)).tobytes()) for frame in frames)

    threads = [threading.Thread(target=convert) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 3 * len(frames)
    assert len(set(made)) == len(frames)


def test_pictures_outlive_their_source(source: Source) -> None:
    frame = next(source)
    source.close()
    assert frame.rgb().shape == (HEIGHT, WIDTH, 3)


def test_no_note_is_made_of_a_sound_recording(source: Source) -> None:
    list(source)
    assert source.notes == [] or source.uri.startswith("tcp:")


@pytest.mark.parametrize(
    ("uri", "options", "message"),
    [
        ("missing.mp4", {}, "no such file 'missing.mp4'"),
        ("missing.jpg", {}, "no such file 'missing.jpg'"),
        ("gopher://x", {}, "no such file 'gopher://x'"),
        ("missing*.jpg", {}, "no image in glob 'missing*.jpg'"),
    ],
)
def test_what_is_not_there_is_refused_by_name(uri: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(SourceError) as refusal:
        open_source(uri, **options)
    assert str(refusal.value).startswith(message)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("uri", "options", "message"),
    [
        ("a.mp4", {"fps": 30}, "a frame rate can be given to images"),
        ("a.mp4", {"width_px": 640}, "a width and a height can be asked of a camera"),
        ("a.mp4", {"start_s": -1}, "start -1 is no time in a recording"),
        ("a.mp4", {"start_s": 2, "end_s": 2}, "end 2 is not after start 2"),
        ("a.mp4", {"loop": 0}, "loop 0 plays nothing"),
        ("a*.png", {"fps": 0}, "0 frames a second is no frame rate"),
        ("a*.png", {"fps": 1e-9}, "1e-09 frames a second is no frame rate"),
        ("a*.png", {"fps": float("nan")}, "nan frames a second is no frame rate"),
        ("0", {"loop": 2}, "start, end and loop are for recordings"),
        ("0", {"pace": True}, "a pace is for recordings, and '0' is a camera, which has its own"),
        (
            "a*.png",
            {"pace": True},
            "a pace can be kept where frames have times, and images have none; give 'a*.png' fps",
        ),
        ("blank:64x48@30:6", {"fps": 30}, "a frame rate can be given to images"),
        ("blank:64x48@30:6", {"width_px": 32}, "a width and a height can be asked of a camera"),
    ],
)
def test_options_that_a_source_cannot_have_are_refused(uri: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as refusal:
        open_source(uri, **options)
    assert str(refusal.value).startswith(message)
