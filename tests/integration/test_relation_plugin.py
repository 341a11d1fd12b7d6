"""The example of a relation: what it says of scenes that are worked out by hand, and in a run."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from hybridtrack.cli import exit_code
from hybridtrack.plugin_host import PluginHost
from hybridtrack.relation_runner import RelationRunner
from hybridtrack.selection import select_relations
from hybridtrack.types import ClassInfo, Event, Scene, Tracks

CLASSES = [ClassInfo(name="hand", role="hand"), ClassInfo(name="book"), ClassInfo(name="mug")]
BOOK = (1, "book", (100, 200, 300, 280))
MUG = (2, "mug", (160, 140, 220, 240))  #: its foot in the middle of the book's box

Thing = tuple[int, str, tuple[float, float, float, float]]


@pytest.fixture(autouse=True)
def installed(install: Callable[[str, str], None], root: Path) -> None:
    path = root / "examples/relation_plugin/hybridtrack_on_top_of.py"
    install("on_top_of", path.read_text(encoding="utf-8"))
    importlib.invalidate_caches()


@pytest.fixture
def runner() -> RelationRunner:
    return RelationRunner(select_relations(["on_top_of"], PluginHost.load()))


def scene(index: int, things: Sequence[Thing], velocity: dict[int, tuple[float, float]] | None = None) -> Scene:
    """Return the scene of a frame, ten of which are a second; things rest unless they have a velocity."""
    n = len(things)
    tracks = Tracks(
        track_id=[one for one, _, _ in things],
        xyxy=[xyxy for _, _, xyxy in things],
        velocity=[(velocity or {}).get(one, (0.0, 0.0)) for one, _, _ in things],
        score=np.ones(n),
        confidence=np.ones(n),
        class_id=[[info.name for info in CLASSES].index(name) for _, name, _ in things],
        origin=np.zeros(n),
        state=np.ones(n),
        last_detected_s=np.zeros(n),
        detector=("d",) * n,
    )
    return Scene(frame_index=index, time_s=index / 10, tracks=tracks, classes=CLASSES, camera=np.eye(3))


def test_mug_stands_on_a_book_once_it_has_done_so_for_three_tenths_of_a_second(runner: RelationRunner) -> None:
    told = [runner.step(scene(index, [BOOK, MUG])) for index in range(6)]
    assert [pairs.state for pairs, _ in told] == [(), (), (), *[("on_top_of",)] * 3]
    pairs, _ = told[3]
    assert (pairs.subject.tolist(), pairs.object.tolist()) == ([2], [1])
    assert [events for _, events in told if events] == [(Event(kind="placed_on", time_s=0.0, subject=2, object=1),)]


def test_mug_that_is_taken_away_stands_there_no_more(runner: RelationRunner) -> None:
    away = (2, "mug", (400, 140, 460, 240))
    for index in range(5):
        runner.step(scene(index, [BOOK, MUG]))
    told = [runner.step(scene(index, [BOOK, away])) for index in range(5, 9)]
    assert [pairs.state for pairs, _ in told] == [*[("on_top_of",)] * 3, ()]
    assert told[-1][1] == (Event(kind="taken_off", time_s=0.4, subject=2, object=1),)


def test_mug_that_vanishes_for_a_moment_is_not_related_meanwhile(runner: RelationRunner) -> None:
    for index in range(5):
        runner.step(scene(index, [BOOK, MUG]))
    told = [runner.step(scene(5, [BOOK])), runner.step(scene(6, [])), runner.step(scene(7, [MUG, BOOK]))]
    assert [pairs.state for pairs, _ in told] == [(), (), ("on_top_of",)]
    assert not any(events for _, events in told)
    assert runner.notes == []


@pytest.mark.parametrize(
    ("things", "velocity"),
    [
        ([BOOK, (2, "mug", (160, 140, 220, 199))], {}),  # its foot above the book
        ([BOOK, (2, "mug", (160, 140, 220, 281))], {}),  # in front of it
        ([BOOK, (2, "mug", (280, 140, 340, 240))], {}),  # beside it
        ([BOOK, MUG], {2: (31.0, 0.0)}),  # it moves over the book by more than half its width a second
        ([BOOK, (2, "hand", MUG[2])], {}),  # a hand is no object
    ],
)
def test_what_does_not_stand_on_a_book(
    runner: RelationRunner, things: list[Thing], velocity: dict[int, tuple[float, float]]
) -> None:
    assert not any(len(runner.step(scene(index, things, velocity))[0]) for index in range(10))
    assert runner.notes == []


def test_book_that_is_carried_with_the_mug_on_it_keeps_it(runner: RelationRunner) -> None:
    moved = [runner.step(scene(index, [BOOK, MUG], {1: (90.0, 0.0), 2: (80.0, 9.0)})) for index in range(5)]
    assert moved[-1][0].state == ("on_top_of",)


def test_option_after_sets_the_time() -> None:
    runner = RelationRunner(select_relations(["on_top_of,after=0.5"], PluginHost.load()))
    counts = [len(runner.step(scene(index, [BOOK, MUG]))[0]) for index in range(7)]
    assert counts == [0, 0, 0, 0, 0, 1, 1]


def test_it_runs_beside_the_relations_of_hands(table_clip: Path, tmp_path: Path, root: Path) -> None:
    file = tmp_path / "table.jsonl"
    truth = f"replay,path={table_clip.parent / 'table'},every=3"
    arguments = ["--detector", truth, "--relation", "+on_top_of", "--max-frames", "90", "--json", str(file)]
    assert exit_code(["run", str(table_clip), *arguments]) == 0
    header, *frames, summary = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    assert header["settings"]["relation"] == ["hand_object", "on_top_of"]
    assert (summary["failures"], "notes" in summary) == ({}, False)
    class_of = {track["id"]: track["class"] for frame in frames for track in frame["tracks"]}
    stacks = [row for frame in frames for row in frame["relations"] if row["state"] == "on_top_of"]
    # the book stands behind the box, which boxes alone cannot tell from standing on it
    assert {(class_of[row["subject"]], class_of[row["object"]]) for row in stacks} == {("book", "box")}
    assert "near" in {row["state"] for frame in frames for row in frame["relations"]}
