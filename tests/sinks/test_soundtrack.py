"""Sound in step with pictures: a recording that flashes and beeps at once, and what a video sink makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from hybridtrack.engine import Engine
from hybridtrack.run import write_run
from hybridtrack.sinks.video import VideoSink
from hybridtrack.sources import open_source
from hybridtrack.types import Array, Tracks
from tests.sinks.results import result_of, run_info, run_summary

FPS = 25
FRAME_S = 1 / FPS
RATE = 48_000
FLASHES = (10, 35, 62)  #: numbers of the frames that flash, of ``COUNT``
COUNT = 75  #: 3 s


def samples() -> Array:
    """Return sound that beeps for 20 ms as each flash begins: float32 (1, N)."""
    time_s = np.arange(round(COUNT * FRAME_S * RATE)) / RATE
    beeps = sum(((time_s >= n * FRAME_S) & (time_s < n * FRAME_S + 0.02)).astype(np.float32) for n in FLASHES)
    return np.float32(0.8 * np.sin(2 * np.pi * 1000 * time_s) * beeps)[None]


def make_recording(path: Path, codec: str = "aac", *, first_s: float = 0.0) -> Path:
    """Write the recording; ``first_s``: timestamp of its beginning."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=FPS, options={"g": "10"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = container.add_stream(codec, rate=RATE)
        audio.layout = "mono"
        for number in range(COUNT):
            grey = 255 if number in FLASHES else 0
            picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), grey, np.uint8), format="bgr24")
            picture.pts, picture.time_base = round((number / FPS + first_s) * 1000), Fraction(1, 1000)
            container.mux(video.encode(picture))
        container.mux(video.encode())
        wave = samples()
        size = audio.codec_context.frame_size or 1024
        for start in range(0, wave.shape[1], size):
            heard = av.AudioFrame.from_ndarray(np.ascontiguousarray(wave[:, start : start + size]), "fltp", "mono")
            heard.sample_rate, heard.time_base = RATE, Fraction(1, RATE)
            heard.pts = start + round(first_s * RATE)
            for converted in av.AudioResampler(audio.format, "mono", RATE).resample(heard):
                converted.pts = heard.pts
                container.mux(audio.encode(converted))
        container.mux(audio.encode())
    return path


@dataclass(frozen=True)
class Played:
    """What is seen and heard of a video; times in s."""

    codec: str
    flashes_s: list[float]
    beeps_s: list[float]
    seen_until_s: float
    heard_until_s: float


def played(path: Path) -> Played:
    with av.open(str(path)) as container:
        # its middle: the clock stands in the corner
        seen = [
            (float(frame.time), frame.to_ndarray(format="gray")[30:, 20:].mean()) for frame in container.decode(video=0)
        ]
    with av.open(str(path)) as container:
        codec = container.streams.audio[0].codec_context.name
        heard = [(float(frame.time), frame.to_ndarray()[0]) for frame in container.decode(audio=0)]
    scale = 1.0 if heard[0][1].dtype.kind == "f" else float(np.iinfo(heard[0][1].dtype).max)
    loud_s = [
        start_s + row / RATE for start_s, wave in heard for row in np.flatnonzero(np.abs(wave / scale) > 0.4).tolist()
    ]
    beeps_s = loud_s[:1] + [later for earlier, later in pairwise(loud_s) if later - earlier > 0.1]
    flashes_s = [time_s for time_s, grey in seen if grey > 200]
    return Played(codec, flashes_s, beeps_s, seen[-1][0] + FRAME_S, heard[-1][0] + len(heard[-1][1]) / RATE)


def annotate(
    recording: Path, path: Path, *, start_s: float | None = None, end_s: float | None = None, loop: int = 1
) -> tuple[str, ...]:
    """Run the frames of a part of the recording through a sink; return what it noted."""
    sink = VideoSink(path)
    with open_source(str(recording), start_s=start_s, end_s=end_s, loop=loop) as source:
        info = run_info(uri=source.uri, settings={"loop": loop}, video=source.info)
        sink.open(info)
        for frame in source:
            sink.write(frame, result_of(frame, Tracks.empty()))
    notes = sink.notes
    sink.close(run_summary())
    return notes


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize(
    ("start_s", "end_s", "flashes"),
    [
        (None, None, [10, 35, 62]),
        (0.7, None, [35 - 18, 62 - 18]),  # the first frame from .7 s on is number 18
        (None, 2.0, [10, 35]),
        (1.1, 2.6, [35 - 28, 62 - 28]),
        (1.4, 1.5, [0]),
    ],
)
def test_sound_is_kept_and_in_step(
    suffix: str, start_s: float | None, end_s: float | None, flashes: list[int], tmp_path: Path
) -> None:
    recording = make_recording(tmp_path / "recording.mp4")
    assert annotate(recording, tmp_path / f"out{suffix}", start_s=start_s, end_s=end_s) == ()
    found = played(tmp_path / f"out{suffix}")
    assert found.codec == "aac"
    assert found.flashes_s == pytest.approx([number * FRAME_S for number in flashes], abs=0.001)
    # Matroska cannot say that a packet is cut: up to 21 ms are missing at the beginning
    assert found.beeps_s == pytest.approx(found.flashes_s, abs=FRAME_S / 2 if start_s == 1.4 else FRAME_S / 4)
    assert found.heard_until_s == pytest.approx(found.seen_until_s, abs=2 * 1024 / RATE)


@pytest.mark.parametrize(
    ("source", "codec", "output"),
    [
        ("in.ts", "aac", "out.mp4"),
        ("in.ts", "aac", "out.mkv"),
        ("in.mkv", "libopus", "out.mkv"),
        ("in.mkv", "libopus", "out.mp4"),
        ("in.mkv", "pcm_s16le", "out.mov"),
        ("in.mov", "pcm_s16le", "out.mkv"),
        ("in.mkv", "flac", "out.mp4"),
        ("in.mp4", "libmp3lame", "out.mov"),
    ],
)
def test_sound_of_other_kinds_is_kept_and_in_step(source: str, codec: str, output: str, tmp_path: Path) -> None:
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV has no {codec}")
    recording = make_recording(tmp_path / source, codec, first_s=2.0)
    for start_s in (None, 1.1):
        assert annotate(recording, tmp_path / output, start_s=start_s) == ()
        found = played(tmp_path / output)
        first = 28 if start_s else 0
        flashes_s = [(number - first) * FRAME_S for number in FLASHES if number >= first]
        assert found.flashes_s == pytest.approx(flashes_s, abs=0.001)
        assert found.beeps_s == pytest.approx(found.flashes_s, abs=FRAME_S / 4)


def test_sound_that_the_file_cannot_hold_is_left_out_and_said(tmp_path: Path) -> None:
    recording = make_recording(tmp_path / "in.mov", "pcm_mulaw")
    (note,) = annotate(recording, tmp_path / "out.mp4")
    assert note == (
        f"no sound: such a file cannot hold the pcm_mulaw of {str(recording)!r}; "
        "give a name that ends in .mov to keep it"
    )
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert [stream.type for stream in container.streams] == ["video"]
        assert sum(1 for _ in container.decode(video=0)) == COUNT


def test_video_that_is_played_twice_has_no_sound(tmp_path: Path) -> None:
    recording = make_recording(tmp_path / "in.mp4")
    assert annotate(recording, tmp_path / "out.mp4", loop=2) == ("no sound: the video plays 2 times",)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert not container.streams.audio


def test_sound_of_a_recording_that_is_cut_off_ends_early(tmp_path: Path) -> None:
    recording = make_recording(tmp_path / "in.ts")
    content = recording.read_bytes()
    recording.write_bytes(content[: len(content) * 2 // 3])
    annotate(recording, tmp_path / "out.mp4")
    found = played(tmp_path / "out.mp4")
    assert found.beeps_s
    assert found.beeps_s == pytest.approx(found.flashes_s[: len(found.beeps_s)], abs=FRAME_S / 4)


def test_summary_of_a_run_repeats_what_a_sink_notes(tmp_path: Path) -> None:
    recording = make_recording(tmp_path / "in.mov", "pcm_mulaw")
    with Engine(detectors=["hand"]) as engine, open_source(str(recording), end_s=0.1) as source:
        summary = write_run(engine, source, [VideoSink(tmp_path / "out.mp4")])
    assert [note.split(":")[0] for note in summary.notes] == ["no sound"]
