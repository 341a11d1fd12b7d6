"""The scenes that tracking and relations are tested on: their truth has to be exact, and to be scored as such."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from hybridtrack.sources import open_source
from tests.benchmarks.relation_scores import Count, Moment, Span, count_moments, count_spans, read_truth, score_file
from tests.scenes.camera import Camera
from tests.scenes.hand import FLAT, bones
from tests.scenes.ideal import write_ideal
from tests.scenes.scene import HEIGHT_PX, MAT_CORNERS_CM, WIDTH_PX, Scene
from tests.scenes.script import EVENTS
from tests.scenes.solid import Capsule, Frustum, Pose, Slab
from tests.scenes.truth import write_folder

FRAMES = 240
SEEDS = (0, 1, 2)
HOLDING = ("pick_and_place", "carry_with_pauses", "tilt", "carry_out", "hand_over")
AHEAD = np.array([[[0.0, 0.0, 1.0], [1.0, 0.0, 1.0]]], np.float32)  #: a ray straight ahead, and one far aside


@pytest.fixture(scope="module", params=SEEDS)
def scene(request: pytest.FixtureRequest) -> Scene:
    """A random scene, its camera swaying."""
    return Scene(request.param, frames=FRAMES, sway_cm=4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scene with one event in it, as a folder with noisy boxes."""
    folder = tmp_path_factory.mktemp("scene")
    scene = Scene(4, frames=150, events=("pick_and_place",))
    assert scene.events == ["pick_and_place"]
    write_folder(scene, folder, box_noise=0.05, misses=0.2)
    return folder


@cache
def played(event: str) -> Scene:
    """Return the first scene in which an event finds room."""
    scenes = (Scene(seed, frames=FRAMES, events=(event,)) for seed in range(20))
    return next(scene for scene in scenes if scene.events)


def test_same_seed_gives_same_scene() -> None:
    one, same, other = (Scene(seed, frames=60, sway_cm=3) for seed in (5, 5, 6))
    assert one.truth(30) == same.truth(30)
    assert one.truth(30) != other.truth(30)
    assert one.intervals == same.intervals
    assert np.array_equal(one.frame(30), same.frame(30))


def test_truth_is_the_same_with_and_without_picture(scene: Scene) -> None:
    before = scene.truth(40)
    again = Scene(scene.seed, frames=FRAMES, sway_cm=4)
    again.frame(40)
    assert again.truth(40) == before


def test_hold_and_push_lie_within_contact(scene: Scene) -> None:
    contacts = [one for one in scene.intervals if one.kind == "contact"]
    for inner in (one for one in scene.intervals if one.kind != "contact"):
        pair = (inner.side, inner.thing)
        assert any(
            (outer.side, outer.thing) == pair and outer.first <= inner.first <= inner.last <= outer.last
            for outer in contacts
        )


def test_things_move_only_while_held_or_pushed(scene: Scene) -> None:
    for number, course in enumerate(scene.stage.courses):
        moved = np.abs(np.diff(course.origin[:FRAMES], axis=0)).max(1) > 0
        moved |= np.abs(np.diff(course.rotation[:FRAMES], axis=0)).max((1, 2)) > 1e-12
        carried = np.zeros(FRAMES, bool)
        for one in scene.intervals:
            if one.thing == number and one.kind in ("hold", "push"):
                carried[one.first : one.last + 1] = True
        assert not (moved & ~carried[1:]).any()


def test_hand_touches_in_contact_and_nowhere_else(scene: Scene) -> None:
    span = slice(0, FRAMES)
    for side in scene.stage.hands:
        points, radii = scene.stage.hand_balls(side, span)
        for number in range(len(scene.stage.things)):
            gap = scene.stage.thing_gap(number, points, span, radii)
            contact = np.zeros(FRAMES, bool)
            for one in scene.intervals:
                if (one.kind, one.side, one.thing) == ("contact", side, number):
                    contact[one.first : one.last + 1] = True
            assert (gap[contact] <= 0.5).all()
            assert (gap[~contact] > 0).all()


def test_boxes_lie_in_the_picture(scene: Scene) -> None:
    seen = [box for frame_index in range(0, FRAMES, 7) for box in scene.truth(frame_index)]
    edges = np.array([box.xyxy for box in seen])
    assert (edges[:, :2] >= 0).all()
    assert (edges[:, 2] <= WIDTH_PX).all()
    assert (edges[:, 3] <= HEIGHT_PX).all()
    assert (edges[:, 2:] > edges[:, :2]).all()
    assert all(0 < box.visibility <= 1 for box in seen)


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_can_be_played(event: str) -> None:
    kinds = {one.kind for one in played(event).intervals}
    if event in HOLDING:
        assert kinds == {"contact", "hold"}
    elif event in ("push", "touch"):
        assert kinds == ({"contact", "push"} if event == "push" else {"contact"})
    else:
        assert kinds == set()


def test_both_hands_hold_at_hand_over() -> None:
    first, second = sorted((one for one in played("hand_over").intervals if one.kind == "hold"), key=lambda h: h.first)
    assert first.thing == second.thing
    assert first.side != second.side
    assert 3 < first.last - second.first < 12  # so that an event in the middle is within .2 s of both ends


def test_thing_carried_out_of_the_picture_is_unseen_for_a_while() -> None:
    scene = played("carry_out")
    (hold,) = (one for one in scene.intervals if one.kind == "hold")
    seen = [hold.thing + 3 in {box.id for box in scene.truth(k)} for k in range(hold.first, hold.last + 1)]
    assert seen[0]
    assert seen[-1]
    assert not all(seen)


def test_camera_projects_to_where_its_matrix_says() -> None:
    view = Camera(np.random.default_rng(3), sway_cm=5).view(70)
    ahead = np.column_stack([MAT_CORNERS_CM, np.ones(4)]) @ view.matrix.T
    assert view.project(MAT_CORNERS_CM) == pytest.approx(ahead[:, :2] / ahead[:, 2:], abs=1e-6)


def test_camera_without_sway_stands_still() -> None:
    camera = Camera(np.random.default_rng(3), sway_cm=0)
    assert np.array_equal(camera.view(0).matrix, camera.view(99).matrix)


def test_rays_meet_solids_at_their_near_side() -> None:
    light = np.array([0.0, 0.0, -1.0])
    # a frame whose z points at the camera: the solid's top is its near side
    towards = np.diag([1.0, -1.0, -1.0])
    slab = Slab((4, 4, 10)).cast(AHEAD, Pose(towards, np.array([0, 0, 60.0])), light)
    frustum = Frustum(3, 2, 10).cast(AHEAD, Pose(towards, np.array([0, 0, 60.0])), light)
    line = Capsule(np.array([-5.0, 0, 60]), np.array([5.0, 0, 60]), 2.0, np.array([0, 1.0, 0]))
    capsule = line.cast(AHEAD, (AHEAD**2).sum(-1), light)
    assert [float(hit.depth[0, 0]) for hit in (slab, frustum, capsule)] == pytest.approx([50, 50, 58], abs=1e-3)
    assert np.isinf([hit.depth[0, 1] for hit in (slab, frustum, capsule)]).all()


def test_left_hand_mirrors_right_hand() -> None:
    (left, _), (right, _) = (bones(side, FLAT.array()) for side in ("left", "right"))
    assert left * [-1, 1, 1] == pytest.approx(right)


def test_folder_has_the_form_of_the_demo_clip(folder: Path, root: Path) -> None:
    said, demo = (json.loads((place / "gt.json").read_text()) for place in (folder, root / "examples/data/table"))
    assert demo.keys() - said.keys() == {"notes"}
    assert said["relations"][0].keys() == demo["relations"][0].keys()
    rows = np.loadtxt(folder / "gt/gt.txt", delimiter=",")
    assert rows.shape[1] == 9
    assert set(rows[:, 1].astype(int)) <= {int(id) for id in said["ids"]}
    assert len(said["table_rectangle"]["corners_px"]) == said["frames"] == 150
    with open_source(str(folder / "clip.mp4")) as source:
        assert sum(frame.size_px == (WIDTH_PX, HEIGHT_PX) for frame in source) == 150


def test_noisy_boxes_are_fewer_and_elsewhere(folder: Path) -> None:
    true, noisy = (np.loadtxt(place / "gt/gt.txt", delimiter=",") for place in (folder, folder / "noisy"))
    assert 0.7 < len(noisy) / len(true) < 0.9
    assert not {tuple(row) for row in noisy[:, :6]} <= {tuple(row) for row in true[:, :6]}


@pytest.mark.parametrize("event", ["pick_and_place", "hand_over"])
def test_faultless_run_scores_full_marks(event: str, tmp_path: Path) -> None:
    scene = played(event)
    write_folder(scene, tmp_path, with_clip=False)
    write_ideal(scene, tmp_path / "ideal.jsonl")
    scores = score_file(tmp_path / "ideal.jsonl", read_truth(tmp_path))
    holds = 2 if event == "hand_over" else 1
    full = Count(right=holds, reported=holds, true=holds, false=0)
    assert scores.hold == scores.pick_up == scores.put_down == scores.touch == full
    assert scores.invented == 0


def test_run_that_is_late_and_mixes_up_hands_loses_marks(folder: Path, tmp_path: Path) -> None:
    truth = read_truth(folder)
    (hold,) = truth.hold
    other = Span((3 - hold.pair[0], hold.pair[1]), hold.first, hold.last)
    late = hold._replace(first=hold.last - (hold.last - hold.first) // 3)
    assert count_spans([other], truth.hold) == Count(0, 1, 1, 1)
    assert count_spans([late], truth.hold) == Count(0, 1, 1, 1)
    assert count_spans([hold, hold], truth.hold) == Count(1, 2, 1, 1)


@pytest.mark.parametrize(("late_s", "right"), [(0.0, 1), (0.19, 1), (-0.19, 1), (0.21, 0)])
def test_event_counts_within_a_fifth_of_a_second(late_s: float, right: int) -> None:
    found = [Moment((1, 3), 2.0 + late_s), Moment((2, 3), 2.0)]
    assert count_moments(found, [Moment((1, 3), 2.0)]) == Count(right, 2, 1, 2 - right)


@pytest.mark.shared
@pytest.mark.parametrize("event", ["carry_with_pauses", "hand_over"])
def test_scores_are_those_of_the_independent_scorer(event: str, tmp_path: Path, shared_data: Path) -> None:
    scene = played(event)
    write_folder(scene, tmp_path, with_clip=False)
    write_ideal(scene, tmp_path / "ideal.jsonl")
    # without every fifth frame's relations, and every second event: intervals stay joined, ends get lost
    lines = [json.loads(line) for line in (tmp_path / "ideal.jsonl").read_text().splitlines()]
    for number, line in enumerate(lines[1:-1]):
        if number % 70 > 50:
            line["relations"] = []
        line["events"] = line["events"][number % 2 :]
    (tmp_path / "ideal.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    scorer = shared_data.parent / "tools/score_relations.py"
    command = [sys.executable, str(scorer), str(tmp_path / "ideal.jsonl"), str(tmp_path)]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    scores = score_file(tmp_path / "ideal.jsonl", read_truth(tmp_path))
    for kind, count in (("hold", scores.hold), ("touch", scores.touch)):
        assert told[kind]["F1"] == pytest.approx(count.f1, abs=6e-4)
        assert (told[kind]["found"], told[kind]["true"]) == (count.reported, count.true)
    for kind, count in (("pick_up", scores.pick_up), ("put_down", scores.put_down)):
        assert told[kind] == {
            "found": count.right,
            "true": count.true,
            "reported": count.reported,
            "false": count.false,
        }
    assert len(told["holding_without_truth"]) == scores.invented
