from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridtrack import wire
from hybridtrack.sinks.jsonl import JsonLinesSink
from hybridtrack.types import (
    ClassInfo,
    Detections,
    DetectorInfo,
    DetectorRun,
    Event,
    Frame,
    FrameResult,
    Origin,
    Relations,
    RunInfo,
    Scene,
    Tracks,
    TrackState,
    VideoInfo,
)
from tests.sinks.results import CLASSES, run_info, run_summary, tracks_at

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "docs/tracks.schema.json"
GOLDEN = ROOT / "tests/golden/tracks/every_key.jsonl"
LINE_VALIDATOR = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))


def one_track(**changes: object) -> Tracks:
    """Return a hand whose numbers are no round ones in float32."""
    values: dict[str, object] = {
        "track_id": [7],
        "xyxy": [[31.53, 80.254, 140.0, 201.756]],
        "velocity": [[12.0, -0.001]],
        "score": [0.98],
        "confidence": [0.97654],
        "class_id": [0],
        "origin": [Origin.TRACKED],
        "state": [TrackState.CONFIRMED],
        "last_detected_s": [0.1],
        "detector": ("hand",),
    }
    return Tracks(**(values | changes))  # type: ignore[arg-type]


def result(tracks: Tracks, **changes: object) -> FrameResult:
    values: dict[str, object] = {"frame_index": 4, "time_s": 1 / 3, "runs": (), "detections": {}, "tracks": tracks}
    return FrameResult(**(values | changes))  # type: ignore[arg-type]


def as_json(line: wire.Line) -> dict:
    text = wire.encode_line(line)
    assert text.endswith(b"}\n")
    assert text.count(b"\n") == 1
    return json.loads(text)


def test_frame_line_says_all_of_a_track() -> None:
    line = wire.frame_line(result(one_track()), CLASSES)
    assert wire.encode_line(line).decode() == (
        '{"type":"frame","frame":4,"time":0.333333,"runs":[],"tracks":[{"id":7,"class":"hand",'
        '"box":[31.53,80.25,140.0,201.76],"score":0.98,"confidence":0.9765,"origin":"tracked","state":"confirmed",'
        '"unseen":0.233333,"velocity":[12.0,0.0],"detector":"hand"}],"relations":[],"events":[]}\n'
    )


def test_names_of_origins_and_states_stand_at_their_values() -> None:
    assert [name.upper() for name in wire.ORIGIN_NAMES] == [origin.name for origin in Origin]
    assert [name.upper() for name in wire.STATE_NAMES] == [state.name for state in TrackState]


def test_missing_numbers_are_null() -> None:
    tracks = one_track(score=[math.nan], last_detected_s=[math.nan], velocity=[[math.nan, math.nan]])
    row = as_json(wire.frame_line(result(tracks), CLASSES))["tracks"][0]
    assert (row["score"], row["unseen"], row["velocity"]) == (None, None, [None, None])
    info = RunInfo(
        uri="rtsp://camera",
        video=VideoInfo(width_px=4, height_px=3),
        classes=(),
        detectors=(DetectorInfo(name="x", classes=()),),
    )
    header = as_json(wire.header_line(info))
    assert (header["source"]["fps"], header["source"]["frame_count"]) == (None, None)
    assert header["detectors"][0]["every"] is None


def test_run_that_failed_and_run_that_came_late_are_told_apart() -> None:
    runs = (
        DetectorRun(detector="hand", trigger="interval", status="failed"),
        DetectorRun(detector="mug", trigger="interval", status="late", frame_index=2),
    )
    assert as_json(wire.frame_line(result(Tracks.empty(), runs=runs), CLASSES))["runs"] == [
        {"detector": "hand", "trigger": "interval", "status": "failed"},
        {"detector": "mug", "trigger": "interval", "status": "late", "frame": 2},
    ]


def test_detections_stand_there_on_request_for_each_detector_that_ran() -> None:
    found = Detections(xyxy=[[1, 2, 3, 4.006]], score=[0.05], class_id=[1])
    frame = result(Tracks.empty(), detections={"hand": found, "mug": Detections.empty(), "book": None})
    assert "detections" not in as_json(wire.frame_line(frame, CLASSES))
    assert as_json(wire.frame_line(frame, CLASSES, with_detections=True))["detections"] == {
        "hand": [{"class": "mug", "box": [1.0, 2.0, 3.0, 4.01], "score": 0.05}],
        "mug": [],
    }


def test_attributes_keep_the_digits_of_their_own_precision() -> None:
    attributes = {
        "side": np.array(["left"]),
        "corners": np.array([[[1.1, 2.2], [3.3, math.nan]]], np.float32),
        "wet": np.array([True]),
        "marker": np.array([17], np.int16),
        "depth_m": np.array([0.123456789012]),
    }
    row = as_json(wire.frame_line(result(one_track(attributes=attributes)), CLASSES))["tracks"][0]
    assert row["attributes"] == {
        "side": "left",
        "corners": [[1.1, 2.2], [3.3, None]],
        "wet": True,
        "marker": 17,
        "depth_m": 0.123456789012,
    }


def test_class_that_came_up_after_the_header_is_named_in_its_row() -> None:
    classes = [*CLASSES, ClassInfo(name="stapler")]
    row = as_json(wire.frame_line(result(one_track(class_id=[2])), classes))["tracks"][0]
    assert row["class"] == "stapler"


def test_header_says_paths_as_text_and_escapes_names_that_are_no_utf_8() -> None:
    name = os.fsdecode(b"caf\xe9/\xe6\xb0\xb4.mp4")
    info = RunInfo(
        uri=name,
        video=VideoInfo(width_px=4, height_px=3),
        classes=(),
        detectors=(),
        settings={"source": Path(name), "size": (320, 180), "json": None, "detectors": {"hand": {"every": 3}}},
    )
    header = as_json(wire.header_line(info))
    assert header["source"]["uri"] == "caf\\udce9/水.mp4"
    assert header["settings"] == {
        "source": "caf\\udce9/水.mp4",
        "size": [320, 180],
        "json": None,
        "detectors": {"hand": {"every": 3}},
    }


def test_summary_line_has_notes_only_when_there_are_any() -> None:
    assert wire.encode_line(wire.summary_line(run_summary())).decode() == (
        '{"type":"summary","frames":3,"dropped":0,"seconds":0.5,"fps":6.0,"detector_runs":{"hand":1},"failures":{},'
        '"stage_ms":{"detect":5.25,"track":0.5},"complete":true}\n'
    )
    noted = as_json(wire.summary_line(run_summary(complete=False, notes=("truncated: …",))))
    assert (noted["complete"], noted["notes"]) == (False, ["truncated: …"])


finite = st.floats(-1e6, 1e6, width=32)


@given(
    xyxy=st.lists(st.tuples(finite, finite, finite, finite), max_size=4),
    time_s=st.floats(0, 1e6),
    score=st.floats(0, 1, width=32),
    origin=st.sampled_from(Origin),
    state=st.sampled_from(TrackState),
)
def test_every_frame_line_fulfils_the_schema_and_reads_back_rounded(
    xyxy: list[tuple[float, ...]], time_s: float, score: float, origin: Origin, state: TrackState
) -> None:
    n = len(xyxy)
    tracks = Tracks(
        track_id=np.arange(1, n + 1),
        xyxy=np.array(xyxy).reshape(n, 4),
        velocity=np.array(xyxy).reshape(n, 4)[:, :2],
        score=np.full(n, score),
        confidence=np.full(n, score),
        class_id=np.zeros(n),
        origin=np.full(n, origin),
        state=np.full(n, state),
        last_detected_s=np.zeros(n),
        detector=("hand",) * n,
    )
    line = wire.frame_line(result(tracks, time_s=time_s), CLASSES)
    text = wire.encode_line(line)
    assert wire.decode_line(text) == line
    LINE_VALIDATOR.validate(json.loads(text))
    for number in re.findall(r"-?\d+\.(\d+)", str(json.loads(text)["tracks"])):
        assert len(number) <= 6
    assert b"-0.0," not in text
    for row, box in zip(line.tracks, tracks.xyxy.astype(float), strict=True):
        assert np.abs(np.array(row.xyxy) - box).max() <= 0.005 + 1e-9
        assert [round(x, 2) for x in row.xyxy] == list(row.xyxy)


def golden_run(path: Path) -> None:
    """Write a run in which every key and every kind of value occurs once."""
    info = run_info(uri="Tisch ⟨1⟩.mp4")
    sink = JsonLinesSink(path, with_detections=True)
    sink.open(info)
    hand = DetectorRun(detector="hand", trigger="interval")
    failed = DetectorRun(detector="hand", trigger="interval", status="failed")
    late = DetectorRun(detector="hand", trigger="interval", status="late", frame_index=1)
    seen = Detections(xyxy=[[31.53, 80.25, 140, 201.75], [0, 0, 9, 9]], score=[0.98, 0.06], class_id=[0, 1])
    followed = one_track(attributes={"side": np.array(["left"])}, last_detected_s=[0.0])
    unknown = one_track(score=[math.nan], origin=[Origin.PREDICTED], state=[TrackState.LOST], last_detected_s=[0.0])
    filled = one_track(class_id=[1], origin=[Origin.INTERPOLATED], state=[TrackState.TENTATIVE])
    first = tracks_at([(31.53, 80.25, 140, 201.75), (200, 10, 230, 40)])
    steps = (
        ((hand,), {"hand": seen}, first),
        ((), {"hand": None}, followed),
        ((failed,), {"hand": None}, unknown),
        ((hand,), {"hand": Detections.empty()}, Tracks.empty()),
        ((late,), {"hand": None}, filled),
    )
    for index, (runs, detections, tracks) in enumerate(steps):
        frame = Frame.from_array(np.zeros((4, 4, 3), np.uint8), index=index, time_s=index * 1001 / 30000)
        values = {"frame_index": frame.index, "time_s": frame.time_s, "runs": runs, "detections": detections}
        sink.write(frame, result(tracks, **values))
    sink.close(run_summary(frames=5, notes=("truncated: 5 of 9 frames",)))


def test_track_file_is_the_stored_one_byte_for_byte(tmp_path: Path) -> None:
    """``HYBRIDTRACK_UPDATE_GOLDEN=1 pytest tests/test_wire.py`` stores it anew."""
    golden_run(tmp_path / "tracks.jsonl")
    if os.environ.get("HYBRIDTRACK_UPDATE_GOLDEN") == "1":
        GOLDEN.write_bytes((tmp_path / "tracks.jsonl").read_bytes())
    assert (tmp_path / "tracks.jsonl").read_bytes() == GOLDEN.read_bytes()


def test_every_line_of_the_stored_file_fulfils_the_schema() -> None:
    LINE_VALIDATOR.check_schema(LINE_VALIDATOR.schema)
    for text in GOLDEN.read_text("utf-8").splitlines():
        LINE_VALIDATOR.validate(json.loads(text))


@pytest.mark.parametrize(
    ("key", "value"),
    [("box", [1, 2, 3]), ("box", [1, 2, 3, None]), ("origin", "guessed"), ("id", "7"), ("unseen", "0.1")],
)
def test_schema_and_reader_refuse_a_wrong_value(key: str, value: object) -> None:
    line = as_json(wire.frame_line(result(one_track()), CLASSES))
    line["tracks"][0][key] = value
    assert not LINE_VALIDATOR.is_valid(line)
    with pytest.raises(ValueError, match=r"\$\.tracks\[0\]"):
        wire.decode_line(json.dumps(line))


def test_keys_that_a_later_version_adds_are_read_over() -> None:
    line = as_json(wire.frame_line(result(one_track()), CLASSES))
    line["tracks"][0]["mood"] = "calm"
    LINE_VALIDATOR.validate(line)
    assert wire.decode_line(json.dumps(line)) == wire.frame_line(result(one_track()), CLASSES)


def test_stored_schema_is_what_the_module_prints() -> None:
    printed = subprocess.run([sys.executable, "-m", "hybridtrack.wire"], capture_output=True, check=True, cwd=ROOT)
    assert printed.stdout.decode() == SCHEMA.read_text(), "python -m hybridtrack.wire > docs/tracks.schema.json"


def test_example_of_the_format_page_reads_the_stored_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/tracks.md").read_text("utf-8"), re.DOTALL)
    (tmp_path / "table.jsonl").write_bytes(GOLDEN.read_bytes())
    monkeypatch.chdir(tmp_path)
    assert len(blocks) == 2
    for block in blocks:
        exec(compile(block, "docs/tracks.md", "exec"), {})
    by_module, by_hand = (part for part in capsys.readouterr().out.split("--\n"))
    assert by_module.splitlines() == [
        "Tisch ⟨1⟩.mp4 64 48",
        "0.0 1 hand detected",
        "0.0 2 hand detected",
        "0.033367 7 hand tracked",
        "5 frames, complete: True",
    ]
    assert by_hand.splitlines() == ["3 boxes of 2 frames", "[31.53, 80.25, 140.0, 201.75]"]


def test_lines_of_the_format_page_fulfil_the_schema() -> None:
    block = re.search(r"```json\n(.*?)```", (ROOT / "docs/tracks.md").read_text("utf-8"), re.DOTALL)
    assert block is not None
    lines = [json.loads(text) for text in re.split(r"\n(?=\{)", block.group(1).strip())]
    assert [line["type"] for line in lines] == ["header", "frame", "summary"]
    for line in lines:
        LINE_VALIDATOR.validate(line)
        wire.decode_line(json.dumps(line))


def test_scene_that_relations_see_is_the_one_that_a_file_tells_of_later() -> None:
    camera = np.eye(3) + np.arange(9).reshape(3, 3) / 7e3
    tracks = one_track(class_id=[1], velocity=[[1 / 3, -0.001]], xyxy=[[31.538, 80.254, 140 + 1 / 3, 201.756]])
    seen = wire.rounded_scene(Scene(frame_index=4, time_s=1 / 3, tracks=tracks, classes=CLASSES, camera=camera))
    line = wire.decode_line(wire.encode_line(wire.frame_line(result(tracks, camera=camera), CLASSES)))
    assert isinstance(line, wire.FrameLine)
    told = wire.scene_of(line, list(CLASSES))
    assert (seen.frame_index, seen.time_s) == (told.frame_index, told.time_s) == (4, 0.333333)
    np.testing.assert_array_equal(seen.camera, told.camera)
    for name in ("track_id", "xyxy", "velocity", "class_id", "origin", "state", "occluded_by"):
        np.testing.assert_array_equal(getattr(seen.tracks, name), getattr(told.tracks, name))
    np.testing.assert_array_equal(seen.tracks.xyxy, np.float32([[31.54, 80.25, 140.33, 201.76]]))
    np.testing.assert_array_equal(tracks.xyxy, np.float32([[31.538, 80.254, 140.33333, 201.756]]))
    assert not seen.tracks.xyxy.flags.writeable


def test_relations_and_events_of_a_line_are_replaced() -> None:
    line = wire.frame_line(result(one_track()), CLASSES)
    pairs = Relations(subject=[7], object=[9], state=("on_top_of",))
    again = wire.with_relations(line, pairs, [Event(kind="placed_on", time_s=1 / 3, subject=7, object=9)])
    assert [(row.subject, row.object, row.state) for row in again.relations] == [(7, 9, "on_top_of")]
    assert [(row.kind, row.time_s) for row in again.events] == [("placed_on", 0.333333)]
    assert (again.tracks, line.relations, line.events) == (line.tracks, [], [])
