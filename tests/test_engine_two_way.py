"""Two-way fill on the whole way: what comes out, when, and what of it is written when a run breaks off."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hybridtrack.boxes import iou
from hybridtrack.cli import exit_code
from hybridtrack.engine import Engine
from hybridtrack.errors import SinkError, SourceError, StopRun, UsageError
from hybridtrack.run import write_run
from hybridtrack.sources.source import RecordedSource
from hybridtrack.tracking.flow import create_flow
from hybridtrack.types import Frame, Origin, VideoInfo
from tests.test_engine import SIZE, Collected, confirmed, generated, interrupts, pictures, results_of, square, square_at


def two_way(**options: Any) -> Engine:
    return Engine(**{"detectors": [square], "detect_every": 5, "fill": "two-way", **options})


def nothing(frame: Frame) -> list[Any]:
    return []


@pytest.mark.parametrize("tracker", ["flow", "kalman", "hold"])
def test_every_frame_comes_once_and_in_order_with_its_own_result(tracker: str) -> None:
    with two_way(tracker=tracker) as engine, closing(engine.run(generated())) as results:
        got = list(results)
    assert [frame.index for frame, _ in got] == [result.frame_index for _, result in got] == list(range(20))
    for frame, result in got:
        assert result.time_s == frame.time_s
        assert bool(result.runs) == (frame.index % 5 == 0)
        assert (result.detections["square"] is None) == (frame.index % 5 != 0)
        assert confirmed(result).track_id.tolist() == [1]
        assert {"track", "associate", "relate", "convert", "detect", "decode"} == {*result.stage_ms}
        assert min(result.stage_ms.values()) >= 0
        if frame.index <= 15:  # beyond, no run comes any more
            assert iou(square_at(frame.index), confirmed(result).xyxy)[0, 0] > 0.85
            assert (result.tracks.origin[0] == Origin.INTERPOLATED) == (frame.index % 5 != 0)


def test_result_waits_for_the_next_run_and_no_longer() -> None:
    looked: list[int] = []

    def watched() -> Iterator[Frame]:
        for frame in pictures(20):
            looked.append(frame.index)
            yield frame

    frames = watched()
    source = RecordedSource("watched", VideoInfo(width_px=SIZE[0], height_px=SIZE[1]), next(frames), frames)
    with two_way(overlap=False) as engine:
        waited = [looked[-1] - result.frame_index for _, result in engine.run(source)]
    assert waited[:15] == [5, 4, 3, 2, 1] * 3
    assert max(waited) <= 5


@pytest.mark.parametrize("tracker", ["flow", "kalman", "hold"])
def test_threads_make_no_difference(tracker: str) -> None:
    told = []
    for overlap in (True, False):
        with two_way(tracker=tracker, overlap=overlap) as engine:
            told.append(results_of(engine, generated()))
    for one, other in zip(*told, strict=True):
        for name in ("track_id", "xyxy", "velocity", "score", "confidence", "origin", "state", "last_detected_s"):
            np.testing.assert_array_equal(getattr(one.tracks, name), getattr(other.tracks, name))


def test_second_source_begins_anew_with_other_ids() -> None:
    with two_way() as engine:
        with closing(engine.run(generated())) as results:
            next(results)  # and the rest of it is given up
        ids = {tuple(result.tracks.track_id.tolist()) for result in results_of(engine, generated())}
    assert ids == {(2,)}


def test_no_detection_at_all_and_no_detector_that_runs() -> None:
    for every in (5, 1000):
        with two_way(detectors=[nothing], detect_every=every) as engine:
            results = results_of(engine, generated(70, shows=False))
        assert [result.frame_index for result in results] == list(range(70))
        assert not any(len(result.tracks) for result in results)


def test_pictures_of_another_size_in_the_middle_lose_no_frame() -> None:
    with two_way(detect_every=4) as engine:
        results = results_of(engine, generated(sizes=[(160, 120), (200, 140)]))
    assert [result.frame_index for result in results] == list(range(20))
    assert {len(confirmed(result)) for result in results[:9]} == {1}
    before = {one for result in results[:10] for one in result.tracks.track_id.tolist()}
    assert before.isdisjoint(one for result in results[10:] for one in result.tracks.track_id.tolist())


def test_source_that_breaks_off_tells_all_that_it_had() -> None:
    def broken() -> Iterator[Frame]:
        yield from pictures(8)
        raise SourceError("the file ends here")

    frames, seen = broken(), []
    source = RecordedSource("broken", VideoInfo(width_px=SIZE[0], height_px=SIZE[1]), next(frames), frames)
    with two_way() as engine, pytest.raises(SourceError):
        seen.extend(result.frame_index for _, result in engine.run(source))
    assert seen == list(range(8))


# --- what is held back when a run ends before its time


def stops(reason: Exception) -> Callable[[], None]:
    def stop() -> None:
        raise reason

    return stop


def test_stopped_run_writes_what_is_held_back() -> None:
    stopping, other = interrupts(2, stops(StopRun("window closed"))), Collected()
    with two_way(overlap=False) as engine:
        summary = write_run(engine, generated(), [stopping, other])
    assert stopping.frames == [0, 1, 2]  # it wants no more
    assert other.frames == [0, 1, 2, 3, 4, 5]  # tracked up to the run that told of frame 2
    assert (summary.frames, summary.complete, summary.notes) == (6, False, ("stopped: window closed",))


def test_interrupted_run_writes_what_is_held_back() -> None:
    first, last = interrupts(2, lambda: signal.raise_signal(signal.SIGINT)), Collected()
    with two_way(overlap=False) as engine, pytest.raises(KeyboardInterrupt):
        write_run(engine, generated(), [first, last])
    assert first.frames == last.frames == [0, 1, 2, 3, 4, 5]
    assert last.summary is not None
    assert (last.summary.frames, last.summary.complete) == (6, False)


def test_interrupt_while_frames_are_settled_loses_none() -> None:
    class Interrupting:
        """Flow that is interrupted as it carries boxes: forward and backward."""

        def __init__(self, after: int) -> None:
            self._own, self._left = create_flow({}), after
            self.fills, self.filters = self._own.fills, self._own.filters

        def __getattr__(self, name: str) -> Any:
            return getattr(self._own, name)

        def measure(self, frame: Frame, track_id: np.ndarray, xyxy: np.ndarray) -> Any:
            self._left -= 1
            if self._left == 0:
                signal.raise_signal(signal.SIGINT)
            return self._own.measure(frame, track_id, xyxy)

    for after in (1, 2, 3):
        collected = Collected()
        with two_way(overlap=False) as engine:
            engine._fill._two_way._box_tracker = Interrupting(after)  # type: ignore[union-attr,assignment]
            with pytest.raises(KeyboardInterrupt):
                write_run(engine, generated(), [collected])
        assert collected.frames == list(range(len(collected.frames)))
        assert len(collected.frames) == 6


def test_sink_that_fails_ends_the_run_and_is_named() -> None:
    failing, other = interrupts(2, stops(SinkError("disk is full"))), Collected()
    with two_way(overlap=False) as engine, pytest.raises(SinkError, match="disk is full"):
        write_run(engine, generated(), [failing, other])
    assert other.frames[:3] == [0, 1, 2]
    assert other.frames == list(range(len(other.frames)))


# --- what cannot be


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        ({"live": True}, "fill two-way waits for the next detector run, and live waits for none"),
        ({"tracker": "none"}, "fill two-way has nothing to do with tracker none"),
        ({"tracker": create_flow({})}, "fill two-way needs two trackers like"),
    ],
)
def test_engine_that_could_fill_nothing_two_way_is_refused(options: dict[str, Any], cause: str) -> None:
    with pytest.raises(UsageError, match=cause):
        two_way(**options)


# --- on the command line


def run(*arguments: object) -> int:
    return exit_code(["run", *map(str, arguments)])


def test_relations_of_a_file_are_those_of_the_run(table_clip: Path, tmp_path: Path) -> None:
    truth = f"replay,path={table_clip.parent / 'table'},every=5"
    first, again = tmp_path / "table.jsonl", tmp_path / "again.jsonl"
    assert run(table_clip, "--detector", truth, "--fill", "two-way", "--max-frames", 240, "--json", first) == 0
    assert exit_code(["relations", str(first), "--json", str(again)]) == 0
    (header, *lines), (_, *lines_again) = (
        [json.loads(line) for line in file.read_text().splitlines()] for file in (first, again)
    )
    assert header["settings"]["fill"] == "two-way"
    assert lines_again == lines
    assert [line["frame"] for line in lines[:-1]] == list(range(240))
    rows = [row for line in lines[:-1] for row in line["tracks"]]
    assert {row["origin"] for row in rows} >= {"detected", "interpolated"}
    assert all(row["unseen"] <= 0.1 + 1e-6 for row in rows if row["origin"] == "interpolated")  # 2 of 5 frames, 30/s
    assert sum(len(line["events"]) for line in lines[:-1]) > 20


def test_fill_and_live_are_not_for_one_run(table_clip: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(table_clip, "--fill", "two-way", "--live", "--max-frames", 1) == 2
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("hybridtrack run: --fill two-way waits for the next detector run, and --live waits for none")
