from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import numpy as np
import pytest

from hybridtrack.errors import SinkError, StopRun, UsageError
from hybridtrack.hookspecs import Sink
from hybridtrack.sinks.image import ImageSink, create_image
from hybridtrack.sinks.jsonl import JsonLinesSink, create_jsonl
from hybridtrack.sinks.mot import MotSink, create_mot
from hybridtrack.sinks.output import LineFile, check_not_source, check_writable, whole_file
from hybridtrack.sinks.video import VideoSink, create_video
from hybridtrack.track_file import read_tracks
from hybridtrack.types import Frame
from tests.sinks.results import frames_of, result_of, run_info, run_summary, tracks_at, write_run

needs_dev_full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
needs_posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX limits and signals")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing/tracks.jsonl", "there is no folder '{}/missing'; make it first"),
        ("", "it is a folder; give the name of a file"),
        ("file.txt/tracks.jsonl", "'{}/file.txt' is not a folder; give another one"),
        ("x" * 300, "File name too long; give another name"),
        ("nul\0.jsonl", "embedded null byte; give another name"),
    ],
)
def test_refusal_says_what_is_wrong_with_a_path(name: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "file.txt").touch()
    path = tmp_path / name
    with pytest.raises(SinkError) as refused:
        check_writable(path)
    assert str(refused.value) == f"cannot write {str(path)!r}: " + message.format(tmp_path)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_file_and_folder_without_permission_are_refused(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    with pytest.raises(SinkError, match=r"no permission to write in .*locked"):
        check_writable(locked / "tracks.jsonl")
    own = tmp_path / "own.jsonl"
    own.touch(mode=0o400)
    with pytest.raises(SinkError, match="no permission to write to it"):
        check_writable(own)


@needs_posix
def test_device_is_fine_to_grow_and_refused_to_be_replaced() -> None:
    check_writable("/dev/null")
    with pytest.raises(SinkError, match="it is not an ordinary file"):
        check_writable("/dev/null", is_replaced=True)


@needs_posix
def test_growing_output_may_be_a_device() -> None:
    write_run(JsonLinesSink("/dev/null"), [(64, 48)])


@pytest.mark.parametrize(
    ("uri", "output", "is_refused"),
    [
        ("clip.mp4", "clip.mp4", True),
        ("clip.mp4", "pics/../clip.mp4", True),
        ("clip.mp4", "pics/0.png", False),
        ("pics", "pics/0.png", True),
        ("pics", "link.png", True),  # to pics/0.png
        ("pics", "pics/tracks.jsonl", False),  # of an earlier run; no image
        ("pics", "pics/new.png", False),
        ("pics", "pics/deep/1.png", False),  # a folder is not read into its folders
        ("[pics]", "[pics]/0.png", True),
        ("pics/*.png", "pics/0.png", True),
        ("pics/1*.png", "pics/0.png", False),
        ("pics/**/*.png", "pics/deep/1.png", True),
        ("0", "0.png", False),
        ("rtsp://camera/*", "pics/0.png", False),
    ],
)
def test_output_never_replaces_a_file_that_the_run_reads(
    uri: str, output: str, is_refused: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("clip.mp4", "0.png", "pics/0.png", "pics/tracks.jsonl", "pics/deep/1.png", "[pics]/0.png"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    Path("link.png").symlink_to("pics/0.png")
    Path("pics/gone.png").symlink_to("nowhere.png")
    with pytest.raises(SinkError, match="the run reads its pictures from it") if is_refused else nullcontext():
        check_not_source(output, uri)


@pytest.mark.parametrize("create", [create_jsonl, create_mot, create_video, create_image])
@pytest.mark.parametrize("options", [{}, {"path": None}, {"path": ""}])
def test_file_sink_without_a_path_says_how_to_give_it(create: Callable[[dict[str, str]], Sink], options: dict) -> None:
    with pytest.raises(UsageError, match=r"needs the file to write: give path=FILE"):
        create(options)


@pytest.mark.parametrize("create", [create_jsonl, create_mot])
def test_line_for_standard_output_is_there_when_write_returns(
    create: Callable[[dict[str, str]], Sink], capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    sink = create({"path": "-"})
    sink.open(run_info())
    capfdbinary.readouterr()
    frame = next(frames_of([(64, 48)]))
    sink.write(frame, result_of(frame, tracks_at([(10, 10, 30, 30)])))
    assert capfdbinary.readouterr().out.count(b"\n") == 1
    sink.close(None)
    print("standard output is still open")
    assert b"still open" in capfdbinary.readouterr().out


@needs_dev_full
@pytest.mark.parametrize("make", [JsonLinesSink, MotSink])
def test_full_disk_is_one_line_and_the_sink_can_be_closed(make: Callable[[str], Sink]) -> None:
    sink = make("/dev/full")
    with pytest.raises(SinkError) as failed:
        write_run(sink, [(64, 48)])
    message = "cannot write '/dev/full': No space left on device; the lines so far are kept"
    assert str(failed.value) == message
    sink.close(run_summary(complete=False))


@contextmanager
def small_files() -> Iterator[None]:
    """Limit every file that this process writes to 8,000 bytes: also the log of the tests, so nothing may be said."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def noise_frames(n: int) -> Iterator[Frame]:
    """Yield pictures that no codec can make small."""
    rng = np.random.default_rng(1)
    for index in range(n):
        yield Frame.from_array(rng.integers(0, 256, (240, 320, 3), np.uint8), index=index, time_s=index / 30)


def write_noise(sink: Sink, n: int) -> None:
    sink.open(run_info())
    for frame in noise_frames(n):
        sink.write(frame, result_of(frame, tracks_at([(10, 10, 30, 30)] * 4)))
    sink.close(run_summary())


def test_lines_before_the_disk_was_full_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "tracks.jsonl"
    sink = JsonLinesSink(path)
    with small_files(), pytest.raises(SinkError, match="File too large; the lines so far are kept"):
        write_noise(sink, 100)
    sink.close(run_summary(complete=False))
    with read_tracks(path) as tracks:
        frames = list(tracks)
    assert [frame.frame_index for frame in frames] == list(range(len(frames)))
    assert len(frames) >= 5
    assert tracks.is_cut
    assert tracks.summary is None


@pytest.mark.parametrize(("make", "name"), [(VideoSink, "v.mp4"), (VideoSink, "v.mkv"), (ImageSink, "i.png")])
def test_video_or_picture_that_does_not_fit_leaves_nothing(
    make: Callable[[Path], Sink], name: str, tmp_path: Path
) -> None:
    sink = make(tmp_path / name)
    with small_files(), pytest.raises(SinkError, match=rf"cannot write '.*{name}': File too large"):
        write_noise(sink, 60)
    sink.close(None)
    assert list(tmp_path.iterdir()) == []


ROOT = Path(__file__).parents[2]


@needs_posix
def test_killed_run_leaves_every_line_that_was_written(tmp_path: Path) -> None:
    path = tmp_path / "tracks.jsonl"
    program = f"""
        import os, signal
        from hybridtrack.sinks.jsonl import JsonLinesSink
        from tests.sinks.results import *
        sink = JsonLinesSink({str(path)!r})
        sink.open(run_info())
        for frame in frames_of([(64, 48)] * 7):
            sink.write(frame, result_of(frame, tracks_at([(10, 10, 30, 30)])))
        os.kill(os.getpid(), signal.SIGKILL)
    """
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    with read_tracks(path) as tracks:
        assert [frame.frame_index for frame in tracks] == list(range(7))
    assert tracks.summary is None


@needs_posix
def test_reader_that_goes_away_ends_the_run_in_order() -> None:
    program = """
        from hybridtrack.errors import StopRun
        from hybridtrack.sinks.jsonl import JsonLinesSink
        from tests.sinks.results import *
        sink = JsonLinesSink("-")
        sink.open(run_info())
        try:
            for frame in frames_of([(64, 48)] * 2000):
                sink.write(frame, result_of(frame, tracks_at([(10, 10, 30, 30)])))
        except StopRun:
            sink.close(run_summary(complete=False))
            raise SystemExit(7)
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b'{"type":"header"')
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 7


@needs_posix
def test_reader_of_a_pipe_that_goes_away_is_told_as_stop(tmp_path: Path) -> None:
    fifo = tmp_path / "tracks.jsonl"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    file = LineFile(fifo)
    file.open("table.mp4")
    file.write(b"one\n")
    assert os.read(reader, 100) == b"one\n"
    os.close(reader)
    with pytest.raises(StopRun, match="nobody reads"):
        file.write(b"two\n")
    file.write(b"three\n")
    file.close()


def test_whole_file_stands_under_its_name_once_all_is_written(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"old")
    with whole_file(str(path), "table.mp4") as write:
        write(b"one,")
        write(b"two")
        assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["table.csv"]
    assert path.read_bytes() == b"one,two"


def test_whole_file_that_is_not_finished_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"old")

    def begin() -> None:
        with whole_file(str(path), "table.mp4") as write:
            write(b"one,")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        begin()
    assert [file.name for file in tmp_path.iterdir()] == ["table.csv"]
    assert path.read_bytes() == b"old"
