from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from hybridtrack.plugin_host import PluginHost
from hybridtrack.relation_runner import RelationRunner
from hybridtrack.types import ClassInfo, Event, Relations, Scene
from tests.sinks.results import tracks_at


class Beside:
    """Relates the first two tracks of a scene."""

    def __init__(self) -> None:
        self.resets = 0

    def reset(self) -> None:
        self.resets += 1

    def step(self, scene: Scene) -> tuple[Relations, list[Event]]:
        first, second = scene.tracks.track_id[:2].tolist()
        pairs = Relations(subject=[first], object=[second], state=("beside",))
        return pairs, [Event(kind="met", time_s=scene.time_s, subject=first, object=second)]


class Broken(Beside):
    def __init__(self, answer: object) -> None:
        self.answer = answer

    def reset(self) -> None:
        pass

    def step(self, scene: Scene) -> tuple[Relations, list[Event]]:
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer  # type: ignore[return-value]


@pytest.fixture
def scene() -> Scene:
    tracks = tracks_at([[0, 0, 10, 10], [20, 0, 30, 10]])
    return Scene(frame_index=4, time_s=0.5, tracks=tracks, classes=[ClassInfo(name="hand")], camera=np.eye(3))


def test_pairs_and_events_of_all_relations_are_joined(scene: Scene) -> None:
    pairs, events = RelationRunner({"one": Beside(), "two": Beside()}).step(scene)
    assert pairs.state == ("beside", "beside")
    assert pairs.subject.tolist() == [scene.tracks.track_id[0]] * 2
    assert [event.kind for event in events] == ["met", "met"]


def test_no_relation_relates_nothing(scene: Scene) -> None:
    pairs, events = RelationRunner({}).step(scene)
    assert (len(pairs), events) == (0, ())


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (KeyError("weights"), "frame 4: KeyError: 'weights'"),
        (SystemExit("bye"), "frame 4: SystemExit: bye"),
        (BaseException("in Rust"), "frame 4: BaseException: in Rust"),
        (([], []), "frame 4: RelationError: gave list, expected Relations (empty when nothing is related)"),
        ((Relations.empty(), ["met"]), "frame 4: RelationError: gave str as an event, expected Event"),
        (
            (Relations(subject=[1], object=[99], state=("on",)), []),
            "frame 4: RelationError: related a track that is not on the frame",
        ),
    ],
)
def test_relation_that_fails_is_left_out_and_named_and_the_others_go_on(scene: Scene, answer: object, why: str) -> None:
    runner = RelationRunner({"bad": Broken(answer), "good": Beside()})
    for _ in range(2):
        assert runner.step(scene)[0].state == ("beside",)
    assert runner.failures == {"bad": 1}
    assert runner.notes == [f"relation 'bad' failed and was left out from then on: {why}"]
    runner.reset()
    assert (runner.failures, runner.notes) == ({}, [])


def test_installed_plugin_may_offer_a_relation(install: Callable[[str, str], None]) -> None:
    code = (
        "from hybridtrack.hookspecs import RelationSpec, hookimpl\n"
        "@hookimpl\ndef hybridtrack_relations(): yield RelationSpec(name='on_top', summary='stacks', create=dict)\n"
    )
    install("stacks", code)
    host = PluginHost.load({})
    assert host.relation("on_top").plugin.name == "stacks"
    assert set(host.relations) >= {"hand_object", "on_top"}
