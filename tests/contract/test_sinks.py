"""What every sink does, whatever it writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hybridtrack.errors import HybridTrackError, SinkError
from hybridtrack.hookspecs import Sink
from hybridtrack.sinks.display import DisplaySink, check_display
from hybridtrack.sinks.image import ImageSink
from hybridtrack.sinks.jsonl import JsonLinesSink
from hybridtrack.sinks.mot import MotSink
from hybridtrack.sinks.table import TableSink
from hybridtrack.sinks.video import VideoSink
from hybridtrack.types import Tracks
from tests.sinks.results import frames_of, result_of, run_info, run_summary, tracks_at, write_run

FILE_SINKS: dict[str, Callable[[Path], Sink]] = {
    "tracks.jsonl": JsonLinesSink,
    "detections.jsonl": lambda path: JsonLinesSink(path, with_detections=True),
    "tracks.txt": MotSink,
    "tracks.mp4": VideoSink,
    "tracks.mkv": VideoSink,
    "tracks.png": ImageSink,
    "last.jpg": lambda path: ImageSink(path, frame_index=1),
}
SINKS: dict[str, Callable[[Path], Sink]] = {
    **FILE_SINKS,
    "table": lambda path: TableSink(),
    "display": lambda path: DisplaySink(),
}
NEEDS_A_FRAME = ("tracks.mp4", "tracks.mkv", "tracks.png", "last.jpg")


@pytest.fixture(params=SINKS)
def make_sink(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Sink]:
    """Build the sink of one kind; files lie alone in a folder whose name is not ASCII."""
    if request.param == "display":
        try:
            check_display()
        except HybridTrackError as error:
            pytest.skip(str(error))
    folder = tmp_path / "Tische – 食卓"
    folder.mkdir()
    return lambda: SINKS[request.param](folder / request.param)


def files_of(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in tmp_path.rglob("*") if path.is_file())


def test_sink_takes_a_run(make_sink: Callable[[], Sink]) -> None:
    write_run(make_sink(), [(64, 48)] * 3)


def test_sink_is_built_without_making_a_file(make_sink: Callable[[], Sink], tmp_path: Path) -> None:
    make_sink()
    assert files_of(tmp_path) == []


def test_sink_takes_a_run_without_frames(make_sink: Callable[[], Sink]) -> None:
    write_run(make_sink(), [])


def test_sink_takes_frames_without_tracks(make_sink: Callable[[], Sink]) -> None:
    sink = make_sink()
    sink.open(run_info())
    for frame in frames_of([(64, 48)] * 2):
        sink.write(frame, result_of(frame, Tracks.empty()))
    sink.close(run_summary())


def test_sink_takes_frames_that_change_size(make_sink: Callable[[], Sink]) -> None:
    write_run(make_sink(), [(64, 48), (65, 47), (30, 90), (1, 1)])


def test_sink_takes_boxes_that_lie_outside_the_picture(make_sink: Callable[[], Sink]) -> None:
    sink = make_sink()
    sink.open(run_info())
    wild = [(-500, -500, -400, -400), (-1e9, -1e9, 1e9, 1e9), (60, 40, 4000, 47.5), (64, 0, 65, 48)]
    for frame in frames_of([(64, 48)]):
        sink.write(frame, result_of(frame, tracks_at(wild)))
    sink.close(run_summary())


def test_sink_is_closed_without_a_summary_after_a_break(make_sink: Callable[[], Sink]) -> None:
    sink = make_sink()
    sink.open(run_info())
    for frame in frames_of([(64, 48)] * 2):
        sink.write(frame, result_of(frame, tracks_at([(10, 10, 30, 30)])))
    sink.close(None)


def test_sink_closed_twice_changes_nothing(
    make_sink: Callable[[], Sink], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sink = make_sink()
    write_run(sink, [(64, 48)] * 2)
    before = [(path, path.read_bytes()) for path in tmp_path.rglob("*") if path.is_file()]
    capsys.readouterr()
    sink.close(run_summary())
    sink.close(None)
    assert [(path, path.read_bytes()) for path in tmp_path.rglob("*") if path.is_file()] == before
    assert capsys.readouterr().out == ""


def test_sink_that_was_never_opened_is_closed_without_a_trace(
    make_sink: Callable[[], Sink], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_sink().close(run_summary())
    assert files_of(tmp_path) == []
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", FILE_SINKS)
def test_run_leaves_its_file_and_nothing_else(name: str, tmp_path: Path) -> None:
    write_run(FILE_SINKS[name](tmp_path / name), [(64, 48)] * 3)
    assert files_of(tmp_path) == [name]
    assert (tmp_path / name).stat().st_size > 0


@pytest.mark.parametrize("name", NEEDS_A_FRAME)
def test_run_without_frames_leaves_no_picture(name: str, tmp_path: Path) -> None:
    write_run(FILE_SINKS[name](tmp_path / name), [])
    assert files_of(tmp_path) == []


@pytest.mark.parametrize("name", FILE_SINKS)
def test_file_that_exists_is_replaced(name: str, tmp_path: Path) -> None:
    write_run(FILE_SINKS[name](tmp_path / name), [(64, 48)] * 2)
    once = (tmp_path / name).stat().st_size
    (tmp_path / name).write_bytes(b"x" * 100_000)
    write_run(FILE_SINKS[name](tmp_path / name), [(64, 48)] * 2)
    assert abs((tmp_path / name).stat().st_size - once) < 500  # a video shows its frame rate, which varies


@pytest.mark.parametrize("name", FILE_SINKS)
def test_output_in_a_folder_that_does_not_exist_is_refused_at_once(name: str, tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"there is no folder '.*nowhere'; make it first"):
        FILE_SINKS[name](tmp_path / "nowhere" / name)


@pytest.mark.parametrize("name", FILE_SINKS)
def test_output_that_is_a_folder_is_refused_at_once(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(SinkError, match="it is a folder; give the name of a file"):
        FILE_SINKS[name](tmp_path / name)


@pytest.mark.parametrize("name", FILE_SINKS)
def test_output_that_is_the_source_is_refused_and_the_source_kept(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"pictures")
    with pytest.raises(SinkError, match="the run reads its pictures from it"):
        FILE_SINKS[name](tmp_path / name).open(run_info(uri=str(tmp_path / name)))
    assert (tmp_path / name).read_bytes() == b"pictures"
    assert files_of(tmp_path) == [name]


@pytest.mark.parametrize("name", FILE_SINKS)
def test_folder_that_vanishes_before_the_run_is_one_line(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    sink = FILE_SINKS[name](folder / name)
    folder.rmdir()
    with pytest.raises(SinkError) as refused:
        sink.open(run_info())
    assert "No such file or directory" in str(refused.value)
    assert "\n" not in str(refused.value)
    sink.close(None)
