from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from hybridtrack.cadence import Cadence
from hybridtrack.detector_runner import HANG_LIMIT_S
from hybridtrack.detectors.function import FunctionDetector
from hybridtrack.errors import DetectorError, HybridTrackError, PluginError, UsageError
from hybridtrack.hookspecs import Detector, DetectorSpec, Option, TrackerSpec, hookimpl
from hybridtrack.plugin_host import Plugin, PluginHost
from hybridtrack.selection import SelectedDetector, select_detectors, select_tracker
from hybridtrack.tracking.motion import MotionOnlyTracker
from hybridtrack.types import ClassInfo, Frame

THREE = Cadence(frames=3)


def nothing(frame: Frame) -> list[Any]:
    return []


class Marker(FunctionDetector):
    """Finds nothing; tells whether it was closed, and what it was built with."""

    def __init__(self, options: Mapping[str, Any], role: str = "object") -> None:
        super().__init__(nothing, (ClassInfo(name="marker", role=role),))
        self.options = dict(options)
        self.is_closed = False

    def __call__(self, frame: Frame) -> None:
        raise AssertionError("an object that detects is asked to detect")

    def close(self) -> None:
        self.is_closed = True


class Offers:
    """A plugin with a detector of markers, one of knuckles (hands), and one that cannot be built."""

    def __init__(self) -> None:
        self.built: list[Marker] = []

    @hookimpl
    def hybridtrack_detectors(self) -> list[DetectorSpec]:
        def create(options: Mapping[str, Any]) -> Detector:
            self.built.append(Marker(options))
            return self.built[-1]

        def refuse(options: Mapping[str, Any]) -> Detector:
            raise OSError("no weights")

        sides = Option(name="side", type=float, default=2.5)
        return [
            DetectorSpec(
                name="marker",
                summary="squares",
                create=create,
                options=(sides, Option(name="runtime")),
                default_every="500ms",
            ),
            DetectorSpec(
                name="knuckle", summary="hands", create=lambda options: Marker(options, "hand"), default_every=7
            ),
            DetectorSpec(name="broken", summary="none", create=refuse),
        ]


@pytest.fixture
def offers() -> Offers:
    return Offers()


@pytest.fixture
def host(offers: Offers) -> PluginHost:
    host = PluginHost.load({})
    host.add(offers, Plugin(name="markers", distribution="table-markers", version="1.2"))
    return host


def select(host: PluginHost, *wanted: Any, runtime: str | None = None) -> tuple[SelectedDetector, ...]:
    return select_detectors(wanted, detect_every=THREE, runtime=runtime, host=host)


def test_name_selects_an_offer_with_its_options_and_says_where_it_comes_from(host: PluginHost, offers: Offers) -> None:
    (one,) = select(host, "marker,every=4,phase=2,side=1")
    assert one.detector is offers.built[0]
    assert offers.built[0].options == {"side": 1.0, "runtime": None}
    assert one.cadence == Cadence(frames=4, phase=2)
    info = one.info
    assert (info.name, info.every, info.distribution, info.version) == ("marker", 4, "table-markers", "1.2")


@pytest.mark.parametrize(
    ("wanted", "hang_limit_s"), [("marker", HANG_LIMIT_S), ("marker,limit=500ms", 0.5), (nothing, HANG_LIMIT_S)]
)
def test_limit_of_a_choice_is_how_long_its_runs_may_take(host: PluginHost, wanted: Any, hang_limit_s: float) -> None:
    (one,) = select(host, wanted)
    assert one.hang_limit_s == hang_limit_s


@pytest.mark.parametrize(("wanted", "origin"), [("marker", "table-markers 1.2"), (nothing, "")])
def test_origin_is_the_distribution_of_what_was_named(host: PluginHost, wanted: Any, origin: str) -> None:
    (one,) = select(host, wanted)
    assert one.origin == origin


@pytest.mark.parametrize(
    ("wanted", "every"),
    [("marker", "500ms"), ("knuckle", 3), ("marker,every=9", 9), ("knuckle,every=100ms", "100ms"), (nothing, 3)],
)
def test_own_cadence_beats_that_of_hands_which_beats_the_default(
    host: PluginHost, wanted: Any, every: int | str
) -> None:
    (one,) = select(host, wanted)
    assert one.info.every == every


def test_runtime_goes_to_those_that_have_the_option_unless_they_were_told(host: PluginHost, offers: Offers) -> None:
    select(host, "marker", "knuckle", runtime="tensorflow")
    select(host, "marker,runtime=litert", runtime="tensorflow")
    assert [built.options["runtime"] for built in offers.built] == ["tensorflow", "litert"]


def test_function_becomes_a_detector_with_its_name(host: PluginHost) -> None:
    (one,) = select(host, nothing)
    assert (one.info.name, one.info.classes) == ("nothing", (ClassInfo(name="nothing"),))
    assert one.info.distribution is None


def test_object_that_detects_is_taken_as_it_is_also_when_it_can_be_called(host: PluginHost) -> None:
    marker = Marker({})
    (one,) = select(host, marker)
    assert one.detector is marker
    assert one.info.name == "Marker"


@pytest.mark.parametrize("wanted", [("marker", "marker"), (nothing, nothing), (Marker({}), Marker({}))])
def test_two_detectors_of_one_name_are_refused(host: PluginHost, wanted: tuple[Any, ...]) -> None:
    with pytest.raises(UsageError, match=r"^two detectors are called '[A-Za-z]+': give each a name of its own$"):
        select(host, *wanted)


@pytest.mark.parametrize(
    ("wanted", "error", "message"),
    [
        (
            "makrer",
            UsageError,
            "unknown detector 'makrer'; known: broken, hand, knuckle, marker, replay, ssd; did you mean 'marker'?",
        ),
        ("marker,sid=2", UsageError, "unknown option 'sid'; known: runtime, side; did you mean 'side'?"),
        ("marker,side=wide", UsageError, "cannot use side=wide"),
        ("marker,every=0", UsageError, "every '0' is no cadence"),
        ("broken", PluginError, "detector 'broken' (plugin 'markers' of table-markers 1.2) cannot be built: OSError"),
    ],
)
def test_what_cannot_be_selected_is_refused_in_one_line(
    host: PluginHost, wanted: str, error: type[HybridTrackError], message: str
) -> None:
    with pytest.raises(error) as refusal:
        select(host, wanted)
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_detectors_built_before_one_that_is_refused_are_closed(host: PluginHost, offers: Offers) -> None:
    with pytest.raises(UsageError):
        select(host, "marker", "makrer")
    assert [built.is_closed for built in offers.built] == [True]


def test_selected_detectors_stay_open(host: PluginHost, offers: Offers) -> None:
    select(host, "marker", nothing)
    assert [built.is_closed for built in offers.built] == [False]


def test_tracker_is_selected_by_name_or_given(host: PluginHost) -> None:
    own = MotionOnlyTracker(fills=True, filters=False)
    assert select_tracker(own, host) is own
    assert select_tracker("hold", host).filters is False
    with pytest.raises(UsageError, match=r"unknown tracker 'hodl'.*did you mean 'hold'"):
        select_tracker("hodl", host)
    with pytest.raises(UsageError, match="tracker 'hold': unknown option 'points'"):
        select_tracker("hold,points=3", host)


def test_detector_error_is_raised_as_it_is(host: PluginHost) -> None:
    def refuse(options: Mapping[str, Any]) -> Detector:
        raise DetectorError("its camera is covered")

    class Covered:
        @hookimpl
        def hybridtrack_detectors(self) -> list[DetectorSpec]:
            return [DetectorSpec(name="covered", summary="none", create=refuse)]

    host.add(Covered(), Plugin(name="covered", distribution="covers", version="1"))
    with pytest.raises(DetectorError, match=r"^its camera is covered$"):
        select(host, "covered")


def test_tracker_of_a_plugin_is_guarded_unless_strict_mode_lets_errors_through() -> None:
    class Tracker(MotionOnlyTracker):
        def reset(self) -> None:
            raise ValueError("no")

    class OffersTracker:
        @hookimpl
        def hybridtrack_trackers(self) -> list[TrackerSpec]:
            return [TrackerSpec(name="odd", summary="odd", create=lambda options: Tracker(fills=True, filters=True))]

    for is_strict, error, message in (
        (False, PluginError, "^tracker 'odd' .plugin 'mine' of table-odd 1.2. fails to reset: ValueError: no; mend it"),
        (True, ValueError, "^no$"),
    ):
        host = PluginHost(is_strict=is_strict)
        host.add(OffersTracker(), Plugin(name="mine", distribution="table-odd", version="1.2"))
        with pytest.raises(error, match=message):
            select_tracker("odd", host).reset()
