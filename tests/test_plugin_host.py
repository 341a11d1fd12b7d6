"""Plugins here are real distributions in small: a module and its metadata on the import path."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridtrack.errors import BundleError, MissingPackageError, PluginError, UsageError
from hybridtrack.plugin_host import PluginHost

HEAD = "from hybridtrack.hookspecs import DetectorSpec, Option, TrackerSpec, hookimpl\n"
MUG = HEAD + (
    "class Mugs:\n"
    "    classes, supports_region = (), False\n"
    "    def __init__(self, options): self.options = options\n"
    "    def detect(self, frame, region_xyxy=None): raise AssertionError('nothing is detected here')\n"
    "    def reset(self): pass\n"
    "    def close(self): pass\n"
    "@hookimpl\ndef hybridtrack_detectors():\n"
    "    option = Option(name='size', type=int, default=300)\n"
    "    return [DetectorSpec(name='mug', summary='mugs', create=Mugs, options=(option,))]\n"
)

Install = Callable[[str, str], None]


def spec(**parts: str) -> str:
    """Return the code of a plugin that offers a detector of mugs, some parts of its spec as given."""
    words = {"name": "'mug'", "summary": "'mugs'", "create": "dict", **parts}
    arguments = ", ".join(f"{key}={value}" for key, value in words.items())
    return HEAD + f"@hookimpl\ndef hybridtrack_detectors(): return [DetectorSpec({arguments})]\n"


def test_built_in_offers_come_through_the_hooks() -> None:
    host = PluginHost.load({})
    assert list(host.detectors) == ["hand", "ssd", "replay"]
    assert list(host.trackers) == ["flow", "kalman", "hold", "none", "medianflow", "mosse", "kcf", "csrt"]
    assert list(host.sinks) == ["json", "mot", "video", "image", "display", "table"]
    assert host.detector("hand").plugin.distribution == "hybridtrack"


@pytest.mark.parametrize("name", ["flow", "kalman", "hold", "none", "medianflow", "mosse", "kcf", "csrt"])
def test_built_in_tracker_can_be_built(name: str) -> None:
    offer = PluginHost.load({}).tracker(name)
    assert offer.build(offer.read_options({})).measure


@pytest.mark.parametrize(
    ("name", "file"),
    [("json", "out.jsonl"), ("mot", "out.txt"), ("video", "out.mp4"), ("image", "out.png"), ("table", None)],
)
def test_built_in_sink_can_be_built(name: str, file: str | None, tmp_path: Path) -> None:
    offer = PluginHost.load({}).sink(name)
    texts = {"path": str(tmp_path / file)} if file else {}
    assert offer.build(offer.read_options(texts)).open


def test_installed_plugin_is_found_with_its_distribution(install: Install) -> None:
    install("cups", MUG)
    offer = PluginHost.load({}).detector("mug")
    assert str(offer.plugin) == "plugin 'cups' of dist-cups 1.2"
    assert offer.build(offer.read_options({"size": "64"})).options == {"size": 64}
    assert offer.read_options({}) == {"size": 300}


def test_one_plugin_may_offer_a_tracker_and_a_sink(install: Install) -> None:
    code = (
        "from hybridtrack.hookspecs import SinkSpec, TrackerSpec, hookimpl\n"
        "@hookimpl\ndef hybridtrack_trackers(): yield TrackerSpec(name='still', summary='nothing moves', create=dict)\n"
        "@hookimpl\ndef hybridtrack_sinks(): yield SinkSpec(name='csv', summary='a table', create=dict)\n"
    )
    install("tables", code)
    host = PluginHost.load({})
    assert host.tracker("still").plugin.name == host.sink("csv").plugin.name == "tables"
    assert [(offer.kind, offer.spec.name) for offer in host.offers if offer.plugin.name == "tables"] == [
        ("tracker", "still"),
        ("sink", "csv"),
    ]


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("import no_such_package", "ModuleNotFoundError: No module named 'no_such_package'"),
        ("raise SystemExit('bye')", "SystemExit: bye"),
        ("class Panic(BaseException): pass\nraise Panic('in Rust')", "Panic: in Rust"),
        ("1 +", "SyntaxError"),
        (HEAD + "@hookimpl\ndef hybridtrack_detector(): return []", "unknown hook 'hybridtrack_detector'"),
        (HEAD + "@hookimpl\ndef hybridtrack_detectors(): raise KeyError('weights')", "KeyError: 'weights'"),
        (HEAD + "@hookimpl\ndef hybridtrack_detectors(): return ['mug']", "gave 'mug', expected DetectorSpec"),
        (HEAD + "@hookimpl\ndef hybridtrack_trackers(): yield 1 / 0", "ZeroDivisionError"),
        (HEAD + "@hookimpl\ndef hybridtrack_detectors(): return 7", "TypeError: 'int' object is not iterable"),
        (spec(name="None"), "detector None: expected a name of letters"),
        (spec(name="'a mug'"), "detector 'a mug': expected a name of letters"),
        (spec(name="'+mug'"), "detector '+mug': expected a name of letters"),
        (spec(summary="None"), "detector 'mug': expected a text as summary and a function as create"),
        (spec(create="None"), "detector 'mug': expected a text as summary and a function as create"),
        (spec(options="['size']"), "detector 'mug': options is ['size'], expected a tuple of Option"),
        (
            spec(options="(Option(name='limit'),)"),
            "option 'limit' is taken: every, phase, limit, birth are of every detector",
        ),
        (spec(default_every="'often'"), "detector 'mug': default_every 'often' is no cadence"),
    ],
)
def test_broken_plugin_stops_nobody_else_and_is_named_when_selected(install: Install, code: str, cause: str) -> None:
    install("broken", code)
    install("cups", MUG)
    host = PluginHost.load({})
    assert {"hand", "mug", "replay", "ssd"} == set(host.detectors)
    (broken,) = host.broken
    assert cause in broken.error
    with pytest.raises(PluginError, match=r"plugin 'broken' of dist-broken 1.2 cannot be used") as refusal:
        host.detector("broken")
    assert cause in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_name_that_a_broken_plugin_may_have_offered_is_refused_with_its_error(install: Install) -> None:
    install("broken", "import no_such_package")
    with pytest.raises(
        UsageError, match=r"unknown detector 'mug'; known: hand, replay, ssd; plugin 'broken' of dist-broken 1\.2 can"
    ):
        PluginHost.load({}).detector("mug")


def test_strict_mode_lets_the_error_of_a_plugin_through(install: Install) -> None:
    install("broken", "import no_such_package")
    with pytest.raises(ModuleNotFoundError):
        PluginHost.load({"HYBRIDTRACK_STRICT_PLUGINS": "1"})
    assert PluginHost.load({"HYBRIDTRACK_STRICT_PLUGINS": "0"}).broken


def test_disabled_plugin_is_not_imported(install: Install) -> None:
    install("cups", MUG)
    install("noisy", "raise SystemExit('imported')")
    host = PluginHost.load({"HYBRIDTRACK_DISABLE_PLUGINS": "cups, noisy", "HYBRIDTRACK_STRICT_PLUGINS": "1"})
    assert list(host.detectors) == ["hand", "ssd", "replay"]
    assert {"plugin_cups", "plugin_noisy"}.isdisjoint(sys.modules)
    with pytest.raises(PluginError, match="disabled by HYBRIDTRACK_DISABLE_PLUGINS"):
        host.detector("cups")


def test_two_offers_of_one_name_are_an_error_that_names_both(install: Install) -> None:
    install("cups", MUG)
    install("bowls", MUG)
    host = PluginHost.load({})
    assert host.detector("hand").spec.name == "hand"  # others are not touched
    with pytest.raises(PluginError, match=r"'mug' is offered by .*dist-(cups|bowls) 1.2 and .*dist-(cups|bowls) 1.2"):
        host.detector("mug")
    with pytest.raises(PluginError, match="'mug' is offered by"):
        _ = host.detectors


def test_plugin_cannot_take_the_place_of_a_built_in_one(install: Install) -> None:
    install("other", MUG.replace("'mug'", "'hand'"))
    with pytest.raises(PluginError, match="'hand' is offered by plugin 'builtin' of hybridtrack"):
        PluginHost.load({}).detector("hand")


@pytest.mark.parametrize(
    ("select", "message"),
    [
        (lambda host: host.detector("hnad"), "unknown detector 'hnad'; known: hand, replay, ssd; did you mean 'hand'?"),
        (lambda host: host.tracker("flwo"), "did you mean 'flow'?"),
        (lambda host: host.sink("xml"), "unknown sink 'xml'; known: display, image, json, mot, table, video"),
        (lambda host: host.detector("hand").read_options({"thread": "2"}), "did you mean 'threads'?"),
        (lambda host: host.detector("hand").read_options({"threads": "two"}), "cannot use threads=two: invalid"),
    ],
)
def test_unknown_name_or_value_is_refused_with_the_nearest(
    select: Callable[[PluginHost], object], message: str
) -> None:
    with pytest.raises(UsageError) as refusal:
        select(PluginHost.load({}))
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("body", "error", "cause"),
    [
        ("import no_such_package", MissingPackageError, "'no_such_package'; pip install mugs"),
        ("raise ValueError('no weights')", PluginError, "cannot be built: ValueError: no weights"),
        ("raise SystemExit(3)", PluginError, "cannot be built: SystemExit: 3"),
        ("raise BaseException('panic')", PluginError, "cannot be built: BaseException: panic"),
        (
            "return None",
            PluginError,
            "create gave NoneType, which has no classes and no detect and no reset and no close",
        ),
        (
            "made = Mugs({}); made.classes = ['mug']; return made",
            PluginError,
            "its classes is .'mug'., expected a tuple",
        ),
    ],
)
def test_failing_factory_is_refused_with_plugin_and_cause(
    install: Install, body: str, error: type[Exception], cause: str
) -> None:
    create = f"def create(options):\n    {body}\n"
    install("cups", create + MUG.replace("create=Mugs", "create=create, install_hint='pip install mugs'"))
    offer = PluginHost.load({}).detector("mug")
    with pytest.raises(error, match=cause) as refusal:
        offer.build({})
    assert "plugin 'cups' of dist-cups 1.2" in str(refusal.value)


def test_factory_that_explains_itself_is_quoted_as_it_is(install: Install) -> None:
    create = (
        "def create(options):\n    from hybridtrack.errors import BundleError\n    raise BundleError('own words')\n"
    )
    install("cups", create + MUG.replace("create=Mugs", "create=create"))
    with pytest.raises(BundleError, match=r"^own words$"):
        PluginHost.load({}).detector("mug").build({})


def test_option_whose_type_fails_is_refused_with_its_plugin(install: Install) -> None:
    install("cups", MUG.replace("type=int", "type=[].index"))
    with pytest.raises(UsageError, match="cannot use size=64: '64' is not in list"):  # a ValueError refuses the text
        PluginHost.load({}).detector("mug").read_options({"size": "64"})
    install("bowls", MUG.replace("type=int", "type={}.__getitem__").replace("'mug'", "'bowl'"))
    with pytest.raises(PluginError, match=r"\(plugin 'bowls' of dist-bowls 1.2\): option size fails on '64': KeyError"):
        PluginHost.load({}).detector("bowl").read_options({"size": "64"})


def test_interruption_by_the_user_is_no_error_of_the_plugin(install: Install) -> None:
    install("slow", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        PluginHost.load({})


@pytest.mark.parametrize(
    ("kind", "lacks"),
    [
        ("tracker", "no fills and no filters and no measure and no settle and no reset"),
        ("relation", "no step and no reset"),
        ("sink", "no open and no write and no close"),
    ],
)
def test_factory_that_makes_something_else_is_refused(install: Install, kind: str, lacks: str) -> None:
    spec = f"{kind.title()}Spec"
    code = f"from hybridtrack.hookspecs import {spec}, hookimpl\n@hookimpl\ndef hybridtrack_{kind}s():\n"
    install("odd", code + f"    yield {spec}(name='odd', summary='odd', create=dict)\n")
    offer = getattr(PluginHost.load({}), kind)("odd")
    with pytest.raises(PluginError, match=rf"^{kind} 'odd' .*cannot be built: TypeError: create gave dict, .*{lacks};"):
        offer.build({})
