"""Tracks in the hands of other libraries, and their detections in ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import supervision

from hybridtrack.engine import Engine
from hybridtrack.errors import MissingPackageError
from hybridtrack.export.extra import optional
from hybridtrack.export.supervision import from_supervision, to_supervision
from hybridtrack.types import ClassInfo, Detections, Frame, Tracks
from tests.export.files import frames, header


def test_frames_of_a_file_become_detections_of_supervision() -> None:
    found = to_supervision(frames()[3], header())
    assert isinstance(found, supervision.Detections)
    assert found.xyxy.tolist() == [[6.0, 10.5, 18.25, pytest.approx(30.01)], [-4.0, 10.5, 8.25, pytest.approx(30.01)]]
    assert found.tracker_id.tolist() == [1, 12]
    assert found.data["class_name"].tolist() == ["hand", "brush"]
    assert found.data["origin"].tolist() == ["detected", "detected"]
    assert found.confidence.tolist() == [pytest.approx(0.7321)] * 2
    assert len(to_supervision(frames()[3], header(), has_all_states=True)) == 3


def test_supervision_filters_and_counts_what_it_is_given() -> None:
    found = to_supervision(frames()[0], header())
    cups = found[found.data["class_name"] == "coffee <cup>"]
    assert cups.tracker_id.tolist() == [2]
    zone = supervision.PolygonZone(polygon=np.array([[0, 0], [19, 0], [19, 47], [0, 47]]))
    assert zone.trigger(found).tolist() == [True, False]  # by the middle of the lower edge: 9.6 and 26.1
    picture = np.zeros((48, 64, 3), np.uint8)
    drawn = supervision.BoxAnnotator().annotate(picture.copy(), found)
    assert (drawn != picture).any()


def test_nothing_is_nothing() -> None:
    found = to_supervision(Tracks.empty(), [ClassInfo(name="hand")])
    assert len(found) == 0
    assert found.is_empty()
    assert len(from_supervision(supervision.Detections.empty())) == 0


def test_detections_go_there_and_back() -> None:
    given = supervision.Detections(
        xyxy=np.array([[1.0, 2.0, 3.5, 4.0]], np.float32),
        confidence=np.array([0.5], np.float32),
        class_id=np.array([1]),
    )
    back = from_supervision(given)
    assert (back.xyxy.tolist(), back.score.tolist(), back.class_id.tolist()) == ([[1.0, 2.0, 3.5, 4.0]], [0.5], [1])
    bare = from_supervision(supervision.Detections(xyxy=given.xyxy))
    assert (bare.score.tolist(), bare.class_id.tolist()) == ([1.0], [0])


def test_model_that_speaks_supervision_is_tracked_and_shown_by_supervision() -> None:
    def model(frame: Frame) -> Detections:
        left = 10.0 + frame.index
        return from_supervision(supervision.Detections(xyxy=np.array([[left, 10.0, left + 20, 30.0]], np.float32)))

    with Engine(detectors=[model], tracker="hold", detect_every=1, relations=[]) as engine:
        found = [to_supervision(result.tracks, engine.classes) for _, result in engine.run("blank:64x48@25:4")]
    assert [one.tracker_id.tolist() for one in found] == [[1]] * 4
    assert [one.data["class_name"].tolist() for one in found] == [["model"]] * 4


def test_missing_library_is_an_error_that_names_its_extra() -> None:
    with pytest.raises(MissingPackageError) as error:
        optional("nowhere_to_be_found", extra="parquet")
    wanted = "'nowhere_to_be_found' is not installed: install the extra with it, pip install 'hybridtrack[parquet]'"
    assert str(error.value) == wanted


@pytest.mark.parametrize(("name", "library"), [("parquet", "pyarrow"), ("rerun", "rerun")])
def test_export_without_its_extra_is_refused_in_one_line(name: str, library: str, tmp_path: Path) -> None:
    """A blocked module stands for one that is not installed."""
    from tests.export.files import write

    tracks = write(tmp_path / "table.jsonl")
    code = (
        f"import sys; sys.modules[{library!r}] = None; from hybridtrack.cli import exit_code; "
        f"sys.exit(exit_code(['export', {str(tracks)!r}, '--to', {name!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == (
        f"hybridtrack export: {library!r} is not installed: install the extra with it, "
        f"pip install 'hybridtrack[{name}]'\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["table.jsonl"]


@pytest.mark.parametrize("module", ["formats", "exporting", "importing", "dataframe", "supervision"])
def test_optional_libraries_are_loaded_when_they_are_used(module: str) -> None:
    libraries = {"pandas", "pyarrow", "supervision", "rerun", "cv2", "av", "defusedxml", "scipy"}
    code = f"import sys, hybridtrack.export.{module}; print(*set(sys.modules) & {libraries})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == []
