from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hybridtrack.boxes import iou
from hybridtrack.engine import Engine
from hybridtrack.errors import UsageError
from hybridtrack.past import Past
from hybridtrack.run import write_run
from hybridtrack.sinks.jsonl import JsonLinesSink
from hybridtrack.sources import open_source
from hybridtrack.tracking.codec import BoxMotion, CodecTracker, box_motion, weighted_median
from hybridtrack.types import Frame, MotionVectors, Tracks
from tests.moving_clip import CODECS, SIDE, STEP, square_at, write_moving_square

SIZE = (320, 240)
STILL = np.zeros(2)
ID = np.array([7])


def blocks(box: tuple[int, int, int, int], shift: tuple[float, float], *, side: int = 8) -> MotionVectors:
    """Return the vectors of square blocks that fill a box, all alike."""
    x, y = (
        axis.ravel()
        for axis in np.meshgrid(
            np.arange(box[0] + side // 2, box[2], side, np.int16), np.arange(box[1] + side // 2, box[3], side, np.int16)
        )
    )
    dx, dy = (np.full(len(x), way, np.float32) for way in shift)
    return MotionVectors(frames_back=1, x_px=x, y_px=y, area_px=np.full(len(x), side**2, np.int32), dx_px=dx, dy_px=dy)


def together(*parts: MotionVectors) -> MotionVectors:
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("x_px", "y_px", "area_px", "dx_px", "dy_px")
    }
    return MotionVectors(frames_back=1, **columns)


def box_of(*edges: float) -> np.ndarray:
    return np.array(edges, np.float64)


def went(motion: MotionVectors, *edges: float) -> BoxMotion:
    found = box_motion(motion, box_of(*edges), STILL, SIZE)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("values", "weight", "expected"),
    [
        ([5], [1], 5),
        ([1, 2, 3], [1, 1, 1], 2),
        ([1, 2, 3], [9, 1, 1], 1),
        ([3, 1, 2], [1, 1, 4], 2),
        ([1, 2], [1, 1], 1),  # the lower of two
    ],
)
def test_median_counts_each_value_by_its_weight(values: list[int], weight: list[int], expected: int) -> None:
    assert weighted_median(np.array(values), np.array(weight)) == expected


def test_box_goes_as_its_blocks_do() -> None:
    found = went(blocks((80, 80, 160, 160), (4, -2)), 80, 80, 160, 160)
    assert found.shift is not None
    assert found.shift.tolist() == [4, -2]
    assert (found.scale, found.error_px) == (1.0, 0.0)
    assert found.cover >= 1


def test_background_in_the_box_does_not_hold_it_back() -> None:
    """Two fifths of the box go their own way, and the rest rests as all of the picture does."""
    motion = together(blocks((80, 80, 112, 160), (6, 0)), blocks((112, 80, 160, 160), (0, 0)))
    assert went(motion, 80, 80, 160, 160).shift == pytest.approx([6, 0])


def test_few_blocks_that_go_astray_do_not_carry_the_box_along() -> None:
    motion = together(blocks((80, 80, 96, 160), (50, 50)), blocks((96, 80, 160, 160), (0, 0)))
    assert went(motion, 80, 80, 160, 160).shift == pytest.approx([0, 0])


def test_blocks_that_go_apart_make_the_box_grow() -> None:
    still = blocks((80, 80, 160, 160), (0, 0))
    grown = MotionVectors(
        frames_back=1,
        x_px=still.x_px,
        y_px=still.y_px,
        area_px=still.area_px,
        dx_px=((still.x_px - 120) * (0.1 / 1.1)).astype(np.float32),
        dy_px=((still.y_px - 120) * (0.1 / 1.1)).astype(np.float32),
    )
    assert went(grown, 80, 80, 160, 160).scale == pytest.approx(1.1, abs=0.01)


def test_box_of_blocks_from_nowhere_is_not_measured() -> None:
    found = went(blocks((100, 100, 124, 116), (1, 1)), 80, 80, 160, 160)
    assert found.cover == pytest.approx(24 * 16 / 60**2)
    assert found.shift is None


@pytest.mark.parametrize("edges", [(-90, -90, -10, -10), (200, 100, 280, 180), (119.5, 119.5, 120, 120)])
def test_box_without_blocks_says_nothing(edges: tuple[float, ...]) -> None:
    assert box_motion(blocks((80, 80, 160, 160), (1, 1)), box_of(*edges), STILL, SIZE) is None


@pytest.mark.parametrize("name", CODECS)
def test_square_is_followed_within_a_few_pixels(tmp_path: Path, name: str) -> None:
    """Where nothing is measured, the boxes go on as a motion model has it that knows how fast they are."""
    file, encoder, options = CODECS[name]
    tracker, ids, measured = CodecTracker(), np.array([7, 8]), 0
    boxes, velocity = np.concatenate([square_at(0), [box_of(0, 150, 90, 240)]]), np.array([STEP * 2, (0, 0, 0, 0)])
    with open_source(write_moving_square(tmp_path / file, encoder, options), motion=True) as source:
        for frame in source:
            if frame.index:
                found = tracker.measure(frame, ids, boxes + velocity)
                boxes = found.xyxy
                measured += bool(found.is_measured[0])
            tracker.settle(frame, ids, boxes, np.zeros(2, bool))
            np.testing.assert_allclose(boxes[:1], square_at(frame.index), atol=5)
    assert frame.index == 23
    assert measured >= 7
    np.testing.assert_allclose(boxes[1], (0, 150, 90, 240), atol=3)


@pytest.fixture
def frames(tmp_path: Path) -> list[Frame]:
    """The frames of a clip whose every fifth is a key frame."""
    options = {"bf": "0", "x264-params": "scenecut=0"}
    with open_source(
        write_moving_square(tmp_path / "clip.mp4", "libx264", options, count=8, gop=5), motion=True
    ) as source:
        return list(source)


def test_nothing_is_measured_on_a_key_frame_and_on_the_next_one_again(frames: list[Frame]) -> None:
    tracker = CodecTracker()
    measured = []
    for frame in frames:
        found = tracker.measure(frame, ID, square_at(frame.index - 1))
        measured.append(bool(found.is_measured[0]))
        if not measured[-1]:
            assert np.array_equal(found.xyxy, square_at(frame.index - 1))
            assert found.quality.tolist() == [1.0]
        tracker.settle(frame, ID, square_at(frame.index), np.ones(1, bool))
    assert measured == [False, True, True, True, True, False, True, True]


def test_nothing_is_measured_from_a_frame_that_was_dropped(frames: list[Frame]) -> None:
    tracker = CodecTracker()
    tracker.settle(frames[0], ID, square_at(0), np.ones(1, bool))
    assert not tracker.measure(frames[2], ID, square_at(0)).is_measured.any()


def test_box_goes_on_from_where_it_was_settled_last(frames: list[Frame]) -> None:
    """A late result settles the boxes of a frame a second time."""
    tracker = CodecTracker()
    tracker.settle(frames[0], ID, square_at(0) + 20, np.ones(1, bool))
    tracker.settle(frames[0], ID, square_at(0), np.ones(1, bool))
    found = tracker.measure(frames[1], ID, square_at(0))
    np.testing.assert_allclose(found.xyxy, square_at(1), atol=1.5)
    assert (found.std_px < SIDE / 10).all()


def test_reset_forgets_what_was_settled(frames: list[Frame]) -> None:
    tracker = CodecTracker()
    tracker.settle(frames[0], ID, square_at(0), np.ones(1, bool))
    tracker.reset()
    assert not tracker.measure(frames[1], ID, square_at(0)).is_measured.any()


def test_frames_may_come_once_more(frames: list[Frame]) -> None:
    tracker = CodecTracker()
    tracker.settle(frames[0], ID, square_at(0), np.ones(1, bool))
    moment = tracker.remember()
    first = tracker.measure(frames[1], ID, square_at(0)).xyxy
    for _ in range(2):
        tracker.settle(frames[1], ID, square_at(1) + 50, np.ones(1, bool))
        tracker.settle(frames[0], ID, square_at(0) + 50, np.ones(1, bool))
        tracker.recall(moment)
        assert np.array_equal(tracker.measure(frames[1], ID, square_at(0)).xyxy, first)


def test_box_that_is_new_since_then_is_not_measured(frames: list[Frame]) -> None:
    tracker = CodecTracker()
    tracker.settle(frames[0], ID, square_at(0), np.ones(1, bool))
    found = tracker.measure(frames[1], np.array([8, 7]), np.concatenate([square_at(0), square_at(0)]))
    assert found.is_measured.tolist() == [False, True]


def square(frame: Frame) -> np.ndarray:
    return square_at(frame.index)


def lines_of(clip: str, file: Path, **options: Any) -> list[Any]:
    """Return the lines of a run with the detector on the first frame alone, without what it took."""
    with (
        Engine(detectors=[square], tracker="codec", detect_every=1000, **options) as engine,
        open_source(clip, motion=engine.needs_motion) as source,
    ):
        write_run(engine, source, [JsonLinesSink(file)])
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    timed = {"stage_ms", "runs", "seconds", "fps"}
    return [{key: value for key, value in line.items() if key not in timed} for line in lines]


@pytest.mark.parametrize("name", ["H.264, P frames alone", "H.264, B frames as references"])
def test_run_follows_the_square_and_is_the_same_with_threads_and_without(tmp_path: Path, name: str) -> None:
    file, encoder, options = CODECS[name]
    clip = write_moving_square(tmp_path / file, encoder, options)
    runs = [lines_of(clip, tmp_path / "out.jsonl", overlap=overlap) for overlap in (False, True, True)]
    assert runs[0] == runs[1] == runs[2]
    frames = [line for line in runs[0] if line["type"] == "frame"]
    origins = [line["tracks"][0]["origin"] for line in frames]
    assert origins[0] == "detected"
    assert origins.count("tracked") >= 12
    assert iou(np.array([frames[-1]["tracks"][0]["box"]]), square_at(23))[0, 0] > 0.8
    assert not runs[0][-1].get("notes")


@pytest.mark.parametrize("options", [{"fill": "two-way"}, {"live": True}])
def test_other_ways_to_run_take_it_too(tmp_path: Path, options: dict[str, Any]) -> None:
    clip = write_moving_square(tmp_path / "clip.mp4", "libx264", CODECS["H.264, P frames alone"][2])
    last = lines_of(clip, tmp_path / "out.jsonl", **options)[-2]
    assert iou(np.array([last["tracks"][0]["box"]]), square_at(23))[0, 0] > 0.8


def test_frames_that_are_kept_for_late_results_have_their_motion(frames: list[Frame]) -> None:
    past = Past()
    past.keep(frames[1], {}, Tracks.empty(), None, wanted=[1])
    (kept,) = past.since(1)
    assert kept.frame.motion is frames[1].motion is not None


def test_smaller_pictures_have_the_motion_of_the_source(tmp_path: Path) -> None:
    clip = write_moving_square(tmp_path / "clip.mp4", "libx264", CODECS["H.264, P frames alone"][2])
    last = lines_of(clip, tmp_path / "out.jsonl", size=(160, 120))[-2]
    assert iou(np.array([last["tracks"][0]["box"]]), square_at(23))[0, 0] > 0.8


def test_video_of_key_frames_alone_is_told_once_and_boxes_are_predicted(tmp_path: Path) -> None:
    clip = write_moving_square(tmp_path / "clip.mp4", "libx264", {}, count=4, gop=1)
    *lines, summary = lines_of(clip, tmp_path / "out.jsonl")
    assert [line["tracks"][0]["origin"] for line in lines[1:]] == ["detected", "predicted", "predicted", "predicted"]
    (note,) = summary["notes"]
    assert "no frame has motion vectors" in note
    assert "--tracker flow" in note


def test_source_that_was_not_opened_for_vectors_is_refused(tmp_path: Path) -> None:
    clip = write_moving_square(tmp_path / "clip.mp4", "libx264", {}, count=4)
    with (
        Engine(detectors=[square], tracker="codec") as engine,
        open_source(clip) as source,
        pytest.raises(UsageError, match="was not opened for them"),
    ):
        next(engine.run(source))


def test_engine_opens_by_name_what_the_tracker_needs(tmp_path: Path) -> None:
    clip = write_moving_square(tmp_path / "clip.mp4", "libx264", {}, count=4)
    with Engine(detectors=[square], tracker="codec") as engine:
        assert all(frame.motion for frame, _ in list(engine.run(clip))[1:])
