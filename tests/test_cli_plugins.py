"""``hybridtrack plugins`` with real distributions in small on the import path."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from hybridtrack.cli import exit_code

HEAVY = {"numpy", "cv2", "scipy", "av", "tensorflow", "ai_edge_litert"}

MUG = """
from hybridtrack.hookspecs import DetectorSpec, Option, hookimpl

def create(options):
    from hybridtrack.detectors.function import FunctionDetector
    from hybridtrack.types import ClassInfo
    classes = (ClassInfo(name="mug"), ClassInfo(name="coffee cup", identity="mug"))
    return FunctionDetector(lambda frame: BOXES, classes)

@hookimpl
def hybridtrack_detectors():
    size = Option(name="size", type=int, default=300, help="pixels")
    return [DetectorSpec(name="mug", summary="mugs", create=create, options=(size,), default_every="500ms")]
"""
GOOD = MUG.replace("BOXES", "[]")
BAD = MUG.replace("BOXES", "[[0, 0, 9999, 9999]]").replace('"mug", summary', '"bad", summary')

Install = Callable[[str, str], None]
Output = Callable[..., Any]


@pytest.fixture
def output(capfd: pytest.CaptureFixture[str]) -> Output:
    """Return a function that runs ``hybridtrack plugins`` and returns what it prints, read when that is JSON."""

    def output(*arguments: str, code: int = 0) -> Any:
        assert exit_code(["plugins", *arguments]) == code
        out, err = capfd.readouterr()
        assert err == ""
        return json.loads(out) if "--json" in arguments else out

    return output


def test_list_is_the_default_and_names_every_plugin_with_its_state(
    install: Install, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("cups", GOOD)
    install("broken", "import no_such_package")
    install("off", "raise SystemExit")
    monkeypatch.setenv("HYBRIDTRACK_DISABLE_PLUGINS", "off")
    lines = output().splitlines()
    assert output("list").splitlines() == lines
    cells = {line.split("  ")[0].strip(): line for line in lines}
    assert "hybridtrack 0" in cells["builtin"]
    assert "detectors: hand, ssd, replay; trackers: flow, " in cells["builtin"]
    assert cells["cups"].split() == ["cups", "dist-cups", "1.2", "ok", "detectors:", "mug"]
    assert cells["broken"].endswith("broken    ModuleNotFoundError: No module named 'no_such_package'")
    assert cells["off"].endswith("disabled  disabled by HYBRIDTRACK_DISABLE_PLUGINS")


def test_list_as_json_has_what_each_plugin_offers(install: Install, output: Output) -> None:
    install("cups", GOOD)
    rows = {row["name"]: row for row in output("--json")}
    assert output("list", "--json") == list(rows.values())
    assert rows["cups"] == {
        "name": "cups",
        "distribution": "dist-cups",
        "version": "1.2",
        "state": "ok",
        "error": "",
        "detectors": ["mug"],
        "trackers": [],
        "relations": [],
        "sinks": [],
    }


def test_plugin_that_takes_a_taken_name_clashes_and_what_was_there_does_not(install: Install, output: Output) -> None:
    install("thief", GOOD.replace('name="mug", summary', 'name="hand", summary'))
    rows = {row["name"]: row for row in output("--json")}
    assert rows["builtin"]["state"] == "ok"
    assert rows["thief"]["state"] == "clash"
    assert "detector 'hand' is offered by plugin 'builtin'" in rows["thief"]["error"]


def test_two_plugins_that_offer_one_name_both_clash_and_one_that_is_disabled_clashes_with_nobody(
    install: Install, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("cups", GOOD)
    install("bowls", GOOD)
    rows = {row["name"]: row for row in output("--json")}
    assert (rows["cups"]["state"], rows["bowls"]["state"]) == ("clash", "clash")
    for name in ("cups", "bowls"):
        assert f"plugin '{name}' of dist-{name} 1.2" in rows["cups"]["error"]
        assert rows[name]["error"] == rows["cups"]["error"]
    monkeypatch.setenv("HYBRIDTRACK_DISABLE_PLUGINS", "bowls")
    rows = {row["name"]: row for row in output("--json")}
    assert (rows["cups"]["state"], rows["bowls"]["state"]) == ("ok", "disabled")


def test_list_loads_nothing_heavy() -> None:
    code = "import sys; from hybridtrack.cli import exit_code; exit_code(['plugins']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert HEAVY.isdisjoint(done.stdout.split())


@pytest.mark.parametrize("name", ["cups", "mug"])
def test_info_names_classes_and_options_of_a_plugin_or_of_what_it_offers(
    install: Install, output: Output, name: str
) -> None:
    install("cups", GOOD)
    assert output("info", name).splitlines() == [
        "cups  dist-cups 1.2  ok",
        "  detector mug: mugs",
        "    every    500ms",
        "    classes  mug (object), coffee cup (object, kept as mug)",
        "    option   size= (default 300)  pixels",
    ]
    ((row,),) = [row["offers"] for row in output("info", name, "--json")]
    assert row["classes"][1] == {"name": "coffee cup", "role": "object", "identity": "mug"}
    assert row["options"] == [{"name": "size", "default": 300, "help": "pixels"}]


def test_info_says_why_a_detector_cannot_be_built(install: Install, output: Output) -> None:
    install("cups", GOOD.replace("    classes =", "    raise OSError('no weights')\n    classes ="))
    assert "    error    detector 'mug' (plugin 'cups' of dist-cups 1.2) cannot be built" in output("info", "mug")


def test_info_of_a_broken_plugin_is_its_error(install: Install, output: Output) -> None:
    install("broken", "import no_such_package")
    assert "No module named 'no_such_package'" in output("info", "broken")


def test_check_of_a_good_detector_says_so(install: Install, output: Output) -> None:
    install("cups", GOOD)
    assert output("check", "mug,size=64") == "detector 'mug' (plugin 'cups' of dist-cups 1.2) keeps all rules\n"
    assert output("check", "mug", "--json") == {"detector": "mug", "plugin": "cups", "broken": []}


def test_check_prints_each_broken_rule_and_exits_2(install: Install, capfd: pytest.CaptureFixture[str]) -> None:
    install("cups", BAD)
    assert exit_code(["plugins", "check", "bad"]) == 2
    out, err = capfd.readouterr()
    assert out.startswith("gave a box that reaches out of the picture (on 320x240, 1x1, ")
    assert out.count("\n") == 1
    assert err == (
        "hybridtrack plugins check: detector 'bad' (plugin 'cups' of dist-cups 1.2) breaks 1 rule; mend it\n"
    )


def test_check_waits_no_longer_than_it_is_told(install: Install, capfd: pytest.CaptureFixture[str]) -> None:
    install("cups", GOOD.replace("lambda frame: []", "lambda frame: __import__('threading').Event().wait()"))
    assert exit_code(["plugins", "check", "mug,limit=50ms"]) == 2
    assert capfd.readouterr().out.startswith("no answer within 0.05 s")


def test_what_a_plugin_prints_is_no_part_of_the_output(install: Install, capfd: pytest.CaptureFixture[str]) -> None:
    install("cups", "import os\nprint('loaded')\nos.write(1, b'natively\\n')" + GOOD)
    assert exit_code(["plugins", "list", "--json"]) == 0
    out, err = capfd.readouterr()
    assert {"builtin", "cups"} <= {row["name"] for row in json.loads(out)}
    assert sorted(err.splitlines()) == ["loaded", "natively"]


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (["info", "hnad"], "hybridtrack plugins info: unknown plugin 'hnad'"),
        (
            ["check", "hnad"],
            "hybridtrack plugins check: unknown detector 'hnad'; known: hand, replay, ssd; did you mean 'hand'?",
        ),
        (["check", "hand,thread=2"], "hybridtrack plugins check: detector 'hand': unknown option 'thread'"),
        (["check"], "hybridtrack plugins check: Missing argument"),
        (["lsit"], "hybridtrack plugins: No such command 'lsit'"),
    ],
)
def test_what_the_user_can_mend_is_one_line(
    capfd: pytest.CaptureFixture[str], arguments: list[str], cause: str
) -> None:
    assert exit_code(["plugins", *arguments]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith(cause)
    assert err.count("\n") == 1
