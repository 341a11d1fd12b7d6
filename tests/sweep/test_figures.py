from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hybridtrack.cadence import Cadence
from hybridtrack.cli import exit_code
from hybridtrack.config import parse_choice
from hybridtrack.errors import DetectorError, TrackFileError, UsageError
from hybridtrack.sweep.figures import Conditions, Figures, figures_of, with_truth
from hybridtrack.sweep.material import Material, detect_once, is_recorded, read_material
from hybridtrack.sweep.settings import Setting
from hybridtrack.sweep.verdict import front_by_cost, front_by_runs, verdict
from tests.sweep.conftest import COUNT

HOLD_3 = Setting(tracker="hold", detect_every=Cadence(frames=3))


def material_of(folder: Path, place: Path, *, max_frames: int | None = None) -> Material:
    return with_truth(read_material(str(folder)), None, max_frames=max_frames, folder=place / "truth")


def test_scores_are_means_over_the_phases(still: Path, tmp_path: Path) -> None:
    figures = figures_of(HOLD_3, [material_of(still, tmp_path)], Conditions(), folder=tmp_path)
    # with the first run on frame p the thing is missed p times: DetA, AssA and so HOTA are (24 - p) / 24
    assert figures.hota == pytest.approx(23 / 24)
    assert (figures.hota_least, figures.hota_most) == (pytest.approx(22 / 24), 1.0)
    assert (figures.det_a, figures.ass_a) == (pytest.approx(23 / 24), pytest.approx(23 / 24))
    assert (figures.phases, figures.frames, figures.runs, figures.id_switches) == (3, COUNT, 8, 0)
    # of 16 frames without a run, p are missed: F1 is 2 (16 - p) / (2 (16 - p) + p)
    assert figures.filled_f1 == pytest.approx((1 + 30 / 31 + 28 / 30) / 3)
    assert figures.track_ms > 0
    assert figures.cost_ms is None
    assert figures.sequences == {"still": pytest.approx(23 / 24)}


def test_phases_may_be_fewer(still: Path, tmp_path: Path) -> None:
    figures = figures_of(HOLD_3, [material_of(still, tmp_path)], Conditions(phases=1), folder=tmp_path)
    assert (figures.hota, figures.phases) == (1.0, 1)


def test_sequences_are_added_up(still: Path, tmp_path: Path) -> None:
    both = [material_of(still, tmp_path), material_of(still, tmp_path, max_frames=12)]
    figures = figures_of(replace(HOLD_3, detect_every=Cadence(frames=1)), both, Conditions(), folder=tmp_path)
    assert (figures.hota, figures.frames, figures.runs) == (1.0, COUNT + 12, COUNT + 12)


def test_what_is_not_played_is_not_missed(still: Path, tmp_path: Path) -> None:
    figures = figures_of(HOLD_3, [material_of(still, tmp_path, max_frames=9)], Conditions(), folder=tmp_path)
    assert (figures.hota_most, figures.frames) == (1.0, 9)


def test_cost_is_that_of_tracking_and_of_detector_runs(still: Path, tmp_path: Path) -> None:
    material = replace(material_of(still, tmp_path), detect_ms=30.0)
    figures = figures_of(HOLD_3, [material], Conditions(), folder=tmp_path)
    assert figures.cost_ms == pytest.approx(figures.track_ms + 10.0)


def test_detections_that_do_not_reach_are_refused(still: Path, tmp_path: Path) -> None:
    words = ["run", f"blank:640x360@30:{COUNT}", "--detector", f"replay,path={still / 'det/det.txt'},every=2"]
    raw = tmp_path / "raw.jsonl"
    assert exit_code([*words, "--tracker", "none", "--with-detections", "--json", str(raw)]) == 0
    material = with_truth(read_material(str(raw)), str(still), max_frames=None, folder=tmp_path / "truth")
    every_2 = Setting(tracker="hold", detect_every=Cadence(frames=2))
    assert figures_of(every_2, [material], Conditions(phases=1), folder=tmp_path).hota == 1.0
    with pytest.raises(
        DetectorError, match=r"do not reach for hold 3 with the first run on frame 0: .*every= and phase="
    ):
        figures_of(HOLD_3, [material], Conditions(phases=1), folder=tmp_path)


def test_track_file_has_all_that_frames_need(still: Path, tmp_path: Path) -> None:
    raw = tmp_path / "raw.jsonl"
    words = ["run", f"blank:640x360@12.5:{COUNT}", "--detector", f"replay,path={still / 'det/det.txt'},every=1"]
    assert exit_code([*words, "--tracker", "none", "--with-detections", "--json", str(raw)]) == 0
    material = read_material(str(raw))
    assert material.info is not None
    assert (material.info.width_px, material.info.height_px, material.info.fps) == (640, 360, 12.5)
    with material.open(needs_pictures=False) as source:
        assert [(frame.index, frame.time_s) for frame in source] == [(n, n / 12.5) for n in range(COUNT)]
    assert material.detect_ms is not None
    assert material.detect_ms > 0


def test_pictures_are_looked_at_once(table_clip: Path, root: Path, tmp_path: Path) -> None:
    detectors = (parse_choice("hand", where="test", has_cadence=True),)
    material = detect_once(str(table_clip), detectors, tmp_path / "0", max_frames=40)
    truth = with_truth(material, str(root / "examples/data/table"), max_frames=40, folder=tmp_path / "truth")
    notes: list[str] = []
    flow = Setting(tracker="flow", detect_every=Cadence(frames=5))
    figures = figures_of(flow, [truth], Conditions(phases=1), folder=tmp_path, note=notes.append)
    assert (figures.frames, figures.runs) == (40, 8)
    assert figures.hota > 0.4
    assert figures.cost_ms is not None
    assert material.detect_ms is not None
    assert figures.cost_ms == pytest.approx(figures.track_ms + material.detect_ms * 8 / 40)
    assert notes == ["table: left out, as the tracks have no such class: mug, bottle, box, book"]


def test_tracker_that_looks_at_pictures_is_refused_without_them(still: Path, tmp_path: Path) -> None:
    flow = Setting(tracker="flow", detect_every=Cadence(frames=3))
    with pytest.raises(UsageError, match=r"still' has no pictures to look at: give the video as SOURCE"):
        figures_of(flow, [material_of(still, tmp_path)], Conditions(), folder=tmp_path)


def test_material_needs_a_truth(still: Path, tmp_path: Path) -> None:
    material = read_material(str(still / "det/det.txt"))
    assert (material.truth, read_material(str(still)).truth) == (None, str(still))
    with pytest.raises(UsageError, match=r"no truth of '.*det\.txt': give --gt"):
        with_truth(material, None, max_frames=None, folder=tmp_path)


def test_detections_that_do_not_say_when_their_frames_are_need_a_source(still: Path, tmp_path: Path) -> None:
    (still / "seqinfo.ini").unlink()
    text = str(still / "det/det.txt")
    with pytest.raises(UsageError, match=r"put a seqinfo\.ini beside it, or give --detections"):
        read_material(text)
    blank = f"blank:640x360@25:{COUNT}"
    material = read_material(blank, parse_choice(f"{text},class=person,limit=5s", where="test", has_cadence=True))
    assert str(material.replay) == f"replay,path={text},class=person,limit=5s"
    with material.open(needs_pictures=False) as source:
        assert [frame.time_s for frame in source][-1] == pytest.approx((COUNT - 1) / 25)


def test_boxes_of_all_sources_can_be_shown_alike(still: Path, tmp_path: Path) -> None:
    material = read_material(str(still)).told(
        parse_choice("replay,min_score=0.5,birth=0.9", where="test", has_cadence=True)
    )
    assert str(material.replay) == f"replay,path={still / 'det/det.txt'},min_score=0.5,birth=0.9"
    material = material.told(parse_choice("replay,min_score=2", where="test", has_cadence=True))
    assert str(material.replay) == f"replay,path={still / 'det/det.txt'},min_score=2,birth=0.9"
    blind = with_truth(material, None, max_frames=None, folder=tmp_path)
    assert figures_of(HOLD_3, [blind], Conditions(phases=1), folder=tmp_path).det_a == 0  # no score is that high


def test_file_without_frames_is_refused(still: Path, tmp_path: Path) -> None:
    raw = tmp_path / "raw.jsonl"
    words = ["run", "blank:640x360@30:2", "--detector", f"replay,path={still / 'det/det.txt'}", "--json", str(raw)]
    assert exit_code(words) == 0
    raw.write_text(raw.read_text().splitlines()[0] + "\n")
    with pytest.raises(TrackFileError, match="has no frames: there is nothing to sweep"):
        read_material(str(raw))


def test_folder_of_pictures_is_none_of_boxes(still: Path, tmp_path: Path) -> None:
    assert is_recorded(str(still))
    assert is_recorded("det.txt")
    assert is_recorded("raw.jsonl")
    assert not is_recorded(str(tmp_path))
    assert not is_recorded("clip.mp4")


def row(tracker: str, n: int, runs: float, hota: float, track_ms: float, cost_ms: float | None = None) -> Figures:
    return Figures(
        tracker=tracker,
        detect_every=n,
        fill="forward",
        phases=n,
        frames=360,
        runs=runs,
        hota=hota,
        hota_least=hota,
        hota_most=hota,
        det_a=0.5,
        ass_a=0.5,
        idf1=0.5,
        mota=0.5,
        id_switches=1,
        filled_f1=None,
        track_ms=track_ms,
        cost_ms=cost_ms,
        sequences={},
    )


def test_fronts_are_by_runs_and_by_cost() -> None:
    rows = [
        row("flow", 1, 360, 0.63, 1.0, 9.0),
        row("hold", 1, 360, 0.6, 0.5, 8.5),
        row("flow", 3, 120, 0.62, 1.0, 3.6),
        row("hold", 3, 120, 0.55, 0.5, 3.1),
        row("kalman", 3, 120, 0.54, 0.6, 3.2),
    ]
    assert front_by_runs(rows) == [True, False, True, False, False]
    assert front_by_cost(rows) == [True, False, True, True, False]
    assert verdict(rows, margin=1.5) == [
        "Best at each N: flow 1 63.0, flow 3 62.0.",
        "Most accurate for their detector runs: flow 1, flow 3.",
        "Fewest detector runs for a HOTA within 1.5 of the best (flow 1 63.0): flow 3 62.0, 120 runs on 360 frames.",
    ]
    unknown = [replace(one, cost_ms=None) for one in rows]
    assert front_by_cost(unknown) == [True, True, False, False, False]  # by tracking alone hold 1 costs as hold 3 does
