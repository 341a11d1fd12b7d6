"""What is left of a run that does not come to its end."""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest

from hybridtrack.track_file import read_tracks
from tests.integration.conftest import PROGRAM, Finished

resource = pytest.importorskip("resource", reason="limits and signals of POSIX systems")

Start = Callable[..., subprocess.Popen[bytes]]
ReadValid = Callable[[Path], list[dict[str, Any]]]


def read_lines(process: subprocess.Popen[bytes], count: int) -> list[bytes]:
    assert process.stdout is not None
    return [process.stdout.readline() for _ in range(count)]


def write_transport_stream(path: Path, clip_path: Path) -> Path:
    with av.open(str(clip_path)) as clip, av.open(str(path), "w") as container:
        stream = container.add_stream_from_template(clip.streams.video[0])
        for packet in clip.demux(clip.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                container.mux(packet)
    return path


@pytest.mark.parametrize("lines", [1, 3, 80])
def test_ctrl_c_closes_every_output_at_the_same_frame(
    place: Path, table_clip: Path, start: Start, read_valid: ReadValid, lines: int
) -> None:
    process = start(
        *("run", table_clip, "--start", "1", "--loop", "100"),
        *("--json", "out.jsonl", "--mot", "-", "--video", "out.mp4", "--image", "out.png"),
    )
    mot = read_lines(process, lines)
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None
    assert process.stderr is not None
    mot += process.stdout.readlines()
    assert process.stderr.read().decode().strip() == "hybridtrack: interrupted; what was written so far is kept"
    assert process.wait(60) == 130
    _, *frames, summary = read_valid(place / "out.jsonl")
    assert (summary["type"], summary["complete"], summary["frames"]) == ("summary", False, len(frames))
    assert len(mot) == sum(track["state"] == "confirmed" for frame in frames for track in frame["tracks"])
    with av.open(str(place / "out.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == len(frames)
    assert sorted(path.name for path in place.iterdir()) == ["out.jsonl", "out.mp4", "out.png"]


def test_ctrl_c_writes_the_frames_that_two_way_fill_holds_back(
    place: Path, table_clip: Path, start: Start, read_valid: ReadValid
) -> None:
    process = start(
        *("run", table_clip, "--start", "1", "--loop", "100", "--fill", "two-way", "--detect-every", "10"),
        *("--json", "out.jsonl", "--mot", "-"),
    )
    mot = read_lines(process, 3)
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None
    mot += process.stdout.readlines()
    assert process.wait(60) == 130
    _, *frames, summary = read_valid(place / "out.jsonl")
    assert (summary["complete"], summary["frames"]) == (False, len(frames))
    assert [frame["frame"] for frame in frames] == list(range(30, 30 + len(frames)))
    assert any(frame["runs"] for frame in frames[10:])  # frame 30 waits for a run, which is told, too
    assert len(mot) == sum(track["state"] == "confirmed" for frame in frames for track in frame["tracks"])


def test_ctrl_c_before_the_first_frame_leaves_no_file(place: Path, start: Start) -> None:
    os.mkfifo(place / "endless.mp4")
    process = start("run", place / "endless.mp4", "--json", "out.jsonl")
    with open(place / "endless.mp4", "wb"):  # opens when the program has opened it too: it waits for a first byte
        process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, b"")
    assert err.decode().strip() == "hybridtrack: interrupted; what was written so far is kept"
    assert [path.name for path in place.iterdir()] == ["endless.mp4"]


@pytest.mark.parametrize("flags", [(), ("--fill", "two-way")], ids=["forward", "two-way"])
def test_ctrl_c_ends_a_stream_that_sends_nothing_more(
    place: Path, table_clip: Path, start: Start, flags: tuple[str, ...]
) -> None:
    part = write_transport_stream(place / "part.ts", table_clip)
    with socket.create_server(("127.0.0.1", 0)) as server:
        process = start("run", f"tcp://127.0.0.1:{server.getsockname()[1]}", "--json", "-", *flags)
        server.settimeout(60)
        connection, _ = server.accept()
        with connection:
            connection.sendall(part.read_bytes())
            header, *told = read_lines(process, 3)
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 130
    assert json.loads(header)["source"]["uri"].startswith("tcp:")
    assert process.stdout is not None
    *told, summary = map(json.loads, [*told, *process.stdout.readlines()])
    assert (summary["type"], summary["complete"]) == ("summary", False)
    frames = [line["frame"] for line in told]  # a stream drops what comes too fast
    assert (frames, len(frames)) == (sorted({*frames}), summary["frames"])


def test_stream_that_breaks_off_keeps_the_tracks_so_far_and_says_so_in_one_line(
    place: Path, table_clip: Path, start: Start, read_valid: ReadValid
) -> None:
    part = write_transport_stream(place / "part.ts", table_clip)
    with socket.create_server(("127.0.0.1", 0)) as server:
        process = start("run", f"tcp://127.0.0.1:{server.getsockname()[1]}", "--json", "out.jsonl", "--mot", "-")
        server.settimeout(60)
        connection, _ = server.accept()
        with connection:
            connection.sendall(part.read_bytes())
            read_lines(process, 1)  # a reset throws away what has arrived and was not read
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset ends it
    assert process.stderr is not None
    err = process.stderr.read().decode()
    assert process.wait(60) == 2
    assert err.startswith("hybridtrack run: the stream 'tcp://")
    assert err.endswith("; check the sender\n")
    assert err.count("\n") == 1
    _, *frames, summary = read_valid(place / "out.jsonl")
    assert len(frames) >= 1
    assert (summary["frames"], summary["complete"]) == (len(frames), False)
    assert "broke off" in summary["notes"][-1]


def test_killed_run_leaves_a_file_that_can_be_read(place: Path, table_clip: Path, start: Start) -> None:
    process = start("run", table_clip, "--start", "1", "--loop", "100", "--json", "out.jsonl", "--mot", "-")
    read_lines(process, 30)  # a frame's line is in the track file before its boxes are here
    process.kill()
    process.communicate()
    with read_tracks(place / "out.jsonl") as tracks:
        frames = list(tracks)
    assert [frame.frame_index for frame in frames] == list(range(30, 30 + len(frames)))
    assert len(frames) >= 15
    assert tracks.summary is None


def run_limited(*arguments: object, file_bytes: int) -> Finished:
    """Run the program where no file can grow beyond a size, as on a disk that is full."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))

    command = [*PROGRAM, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, preexec_fn=limit)


@pytest.mark.parametrize("other", [(), ("--video", "out.mp4", "--image", "out.png")], ids=["alone", "with a video"])
def test_full_disk_ends_with_one_line_and_keeps_the_tracks_so_far(
    place: Path, table_clip: Path, other: tuple[str, ...]
) -> None:
    flags = ("run", table_clip, "--start", "1", "--max-frames", "60", "--json", "out.jsonl", *other)
    done = run_limited(*flags, file_bytes=6_000)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("hybridtrack run: cannot write 'out.")
    assert done.stderr.count("\n") == 1
    with read_tracks(place / "out.jsonl") as tracks:
        frames = list(tracks)
    assert len(frames) > 3
    assert sorted(path.name for path in place.iterdir()) == ["out.jsonl"]


def test_full_disk_of_the_video_leaves_no_half_video_and_says_so_in_the_tracks(
    place: Path, table_clip: Path, read_valid: ReadValid
) -> None:
    done = run_limited("run", table_clip, "--json", "out.jsonl", "--video", "out.mp4", file_bytes=120_000)
    assert done.returncode == 2
    assert done.stderr.startswith("hybridtrack run: cannot write 'out.mp4': ")
    assert done.stderr.count("\n") == 1
    _, *frames, summary = read_valid(place / "out.jsonl")
    assert (summary["type"], summary["complete"]) == ("summary", False)
    assert len(frames) > 10
    assert sorted(path.name for path in place.iterdir()) == ["out.jsonl"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs the device that is always full")
def test_device_without_room_is_refused(table_clip: Path, start: Start) -> None:
    process = start("run", table_clip, "--json", "/dev/full")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err.count(b"\n")) == (2, b"", 1)
    assert b"cannot write '/dev/full': No space left on device" in err


def test_reader_that_goes_away_ends_the_run_in_order(place: Path, table_clip: Path, start: Start) -> None:
    process = start("run", table_clip, "--loop", "100", "--json", "-", "--mot", "out.txt")
    (header,) = read_lines(process, 1)
    assert json.loads(header)["type"] == "header"
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read()
    assert process.wait(60) == 0
    assert err.decode() == "hybridtrack run: stopped: nobody reads '-' any more\n"


def test_run_whose_table_nobody_reads_is_done_without_a_word(table_clip: Path, place: Path) -> None:
    command = [*PROGRAM, "run", str(table_clip), "--max-frames", "3"]
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(command, stdout=write_end, stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(write_end)
    assert (done.returncode, done.stderr) == (0, "")


def test_program_ends_although_a_detector_never_answers() -> None:
    code = """
import threading
import numpy as np
from hybridtrack.detector_runner import DetectorRunner
from hybridtrack.detectors.function import FunctionDetector
from hybridtrack.types import Frame

never = FunctionDetector(lambda frame: threading.Event().wait())
runner = DetectorRunner("never", never, hang_limit_s=0.1)
print(runner.wait(runner.submit(Frame.from_array(np.zeros((9, 9), np.uint8)))).detections)
runner.close()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "None\n", "")


def test_program_ends_although_a_run_was_neither_finished_nor_closed(table_clip: Path) -> None:
    code = f"""
from hybridtrack.engine import Engine
results = Engine(detectors=[lambda frame: [[10, 10, 60, 60]]]).run({str(table_clip)!r})
print(next(results)[1].frame_index)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0\n", "")
