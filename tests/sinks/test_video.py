from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from hybridtrack.errors import SinkError
from hybridtrack.sinks.ink import PALETTE
from hybridtrack.sinks.video import VideoSink
from hybridtrack.types import Array, Frame, Tracks
from tests.sinks.results import frames_of, result_of, run_info, run_summary, tracks_at, write_run


def decoded(path: Path) -> tuple[list[float], list[Array]]:
    """Return the times, s, and the pictures of a video."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    return [float(frame.pts * frame.time_base) for frame in frames], [f.to_ndarray(format="bgr24") for f in frames]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".MP4"])
def test_frames_keep_the_times_that_they_have(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"tracks{suffix}"
    times_s = [5.0, 5.04, 5.05, 5.4, 7.0, 7.0333]
    sink = VideoSink(path)
    sink.open(run_info())
    for frame, time_s in zip(frames_of([(64, 48)] * 6), times_s, strict=True):
        timed = Frame.from_array(frame.bgr(), index=frame.index, time_s=time_s)
        sink.write(timed, result_of(timed, Tracks.empty()))
    sink.close(run_summary())
    assert decoded(path)[0] == pytest.approx([time_s - 5 for time_s in times_s], abs=0.001)


def test_video_is_h264_that_every_player_shows(tmp_path: Path) -> None:
    path = tmp_path / "tracks.mp4"
    write_run(VideoSink(path), [(64, 48)] * 3)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")


def test_frames_at_one_time_are_all_kept_in_order(tmp_path: Path) -> None:
    path = tmp_path / "tracks.mp4"
    sink = VideoSink(path)
    sink.open(run_info())
    for frame in frames_of([(64, 48)] * 4, interval_s=0.0):
        sink.write(frame, result_of(frame, Tracks.empty()))
    sink.close(run_summary())
    times_s, _ = decoded(path)
    assert len(times_s) == 4
    assert times_s == sorted(set(times_s))


@pytest.mark.parametrize(
    ("size", "expected"), [((65, 47), (66, 48)), ((3, 1000), (4, 1000)), ((1, 1), (2, 2)), ((64, 48), (64, 48))]
)
def test_odd_sizes_are_made_even_without_losing_a_pixel(
    size: tuple[int, int], expected: tuple[int, int], tmp_path: Path
) -> None:
    path = tmp_path / "tracks.mp4"
    write_run(VideoSink(path), [size] * 2)
    _, pictures = decoded(path)
    assert [picture.shape[1::-1] for picture in pictures] == [expected] * 2


def test_frame_of_another_size_is_scaled_to_that_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "tracks.mp4"
    sink = VideoSink(path)
    sink.open(run_info())
    for index, (width, height) in enumerate([(320, 240), (640, 480)]):
        frame = Frame.from_array(np.full((height, width, 3), 90, np.uint8), index=index, time_s=index / 30)
        box = (width * 0.25, height * 0.5, width * 0.75, height * 0.9)
        sink.write(frame, result_of(frame, tracks_at([box])))
    sink.close(run_summary())
    _, (first, second) = decoded(path)
    assert first.shape == second.shape == (240, 320, 3)
    for picture in (first, second):
        line, inside = picture[216, 150].astype(int), picture[180, 150].astype(int)
        assert np.abs(line - PALETTE[0]).max() < 60
        assert np.abs(inside - 90).max() < 10


def test_colours_come_back_as_they_went_in(tmp_path: Path) -> None:
    path = tmp_path / "tracks.mp4"
    sink = VideoSink(path)
    sink.open(run_info(size_px=(320, 240)))
    bgr = np.zeros((240, 320, 3), np.uint8)
    bgr[:, :160], bgr[:, 160:] = (30, 60, 220), (200, 160, 20)
    for index in range(3):
        frame = Frame.from_array(bgr, index=index, time_s=index / 30)
        sink.write(frame, result_of(frame, Tracks.empty()))
    sink.close(run_summary())
    with av.open(str(path)) as container:
        decoded_frame = next(container.decode(video=0))
        assert decoded_frame.colorspace == 1  # BT.709, and so says the file
        picture = decoded_frame.to_ndarray(format="bgr24", src_colorspace="ITU709")
    assert np.abs(picture[200, 80].astype(int) - (30, 60, 220)).max() <= 6
    assert np.abs(picture[200, 240].astype(int) - (200, 160, 20)).max() <= 6


def test_same_frames_make_the_same_video(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("one.mp4", "other.mp4")]
    for path in paths:
        write_run(VideoSink(path), [(64, 48)] * 3)
    first, second = (decoded(path)[1] for path in paths)
    assert np.array_equal(first, second)


def test_interrupted_video_appears_with_what_there_is(tmp_path: Path) -> None:
    path = tmp_path / "tracks.mp4"
    sink = VideoSink(path)
    sink.open(run_info())
    for frame in frames_of([(64, 48)] * 5):
        sink.write(frame, result_of(frame, Tracks.empty()))
    assert not path.exists()
    sink.close(None)
    assert len(decoded(path)[0]) == 5
    assert list(tmp_path.iterdir()) == [path]


def test_video_that_exists_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "tracks.mp4"
    path.write_bytes(b"an older one")
    sink = VideoSink(path)
    sink.open(run_info())
    for frame in frames_of([(64, 48)] * 5):
        sink.write(frame, result_of(frame, Tracks.empty()))
    assert path.read_bytes() == b"an older one"
    sink.close(run_summary())
    assert len(decoded(path)[0]) == 5


def test_video_that_cannot_be_opened_is_one_line_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise av.error.MemoryError(12, "Cannot allocate memory")

    sink = VideoSink(tmp_path / "tracks.mp4")
    monkeypatch.setattr(av, "open", fail)
    with pytest.raises(SinkError, match=r"cannot write '.*tracks\.mp4': Cannot allocate memory"):
        sink.open(run_info())
    sink.close(None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["tracks.avi", "tracks", "tracks.jsonl"])
def test_file_name_that_is_no_video_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"a video file ends in \.mp4, \.mov, \.mkv; give such a name"):
        VideoSink(tmp_path / name)


def test_frame_rate_of_the_source_may_be_unknown(tmp_path: Path) -> None:
    path = tmp_path / "tracks.mp4"
    info = run_info()
    write_run(VideoSink(path), [(64, 48)] * 3, info=replace(info, video=replace(info.video, fps=None)))
    assert decoded(path)[0] == pytest.approx([0, 0.04, 0.08], abs=0.001)
