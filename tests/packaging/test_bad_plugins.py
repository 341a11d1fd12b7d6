"""Plugins that misbehave, each an installed distribution: the run goes on without them, or says who it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import textwrap
import venv
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest

pytestmark = pytest.mark.packaging

VERSION = "1.0"
PART = ("--start", "1", "--max-frames", "12")  #: of the demo clip: frames 30 to 41, a hand on each
EMPTY = "from hybridtrack.types import Detections; return Detections.empty()"
GIVES = (
    "from hybridtrack.types import Detections; return Detections(xyxy=[{xyxy}], score=[{score}], class_id=[{klass}])"
)


def gives(xyxy: str = "(1, 2, 3, 4)", score: float = 0.9, klass: int = 0) -> str:
    """Return the code of a detector that finds one box."""
    return GIVES.format(xyxy=xyxy, score=score, klass=klass)


@dataclass(frozen=True, kw_only=True)
class Culprit:
    """What a plugin does, as code, and what is to be said of it.

    top: of the module. create, detect: bodies. hook: name of the hook. offers: what it returns. state, error: what
    ``plugins list`` says. refused: what a run says that selects it; where empty, the run goes on, and ``failures`` and
    ``note`` stand in its summary. rule: what ``plugins check`` prints. printed: what goes to standard error.
    """

    top: str = ""
    create: str = "return Detector()"
    detect: str = EMPTY
    hook: str = "hybridtrack_detectors"
    offers: str = "[DetectorSpec(name=NAME, summary='bad', create=create)]"
    state: str = "ok"
    error: str = ""
    refused: str = ""
    failures: int = 0
    note: str = ""
    rule: str = ""
    printed: tuple[str, ...] = ()


def broken(error: str, **parts: Any) -> Culprit:
    """Return a culprit that offers nothing because of ``error``, which is what a run that selects it says as well."""
    return Culprit(state="broken", error=error, refused=f"cannot be used: {error}", **parts)


def unbuilt(error: str, **parts: Any) -> Culprit:
    """Return a culprit that is listed as it should be and whose detector cannot be built."""
    return Culprit(refused=error, **parts)


def invalid(rule: str, detect: str) -> Culprit:
    """Return a culprit whose every result breaks a rule: after five in a row it is left out."""
    note = f"failed on 5 frames and was left out from then on: frame 34: {rule}"
    return Culprit(detect=detect, failures=5, note=note, rule=rule.removeprefix("DetectorError: "))


def once(error: str, detect: str) -> Culprit:
    """Return a culprit that fails on its sixth frame alone."""
    return Culprit(
        detect=f"if frame.index % 30 == 5: {detect}\n{EMPTY}",
        failures=1,
        note=f"failed on 1 frame: frame 35: {error}",
        rule=f"{error} (on grey)",
    )


TAKEN = "detector 'hand' is offered by plugin 'builtin' of hybridtrack "
RIVALS = "detector 'mug' is offered by plugin "

CULPRITS = {
    "lacks-module": broken("ModuleNotFoundError: No module named 'no_such_package'", top="import no_such_package"),
    "raises-on-import": broken("RuntimeError: no licence", top="raise RuntimeError('no\\nlicence')"),
    "exits-on-import": broken("SystemExit: 3", top="import sys; sys.exit(3)"),
    "panics-on-import": broken("Panic: in Rust", top="class Panic(BaseException): pass\nraise Panic('in Rust')"),
    "no-python": broken("SyntaxError: ", top="1 +"),
    "misspelt-hook": broken("PluginValidationError: unknown hook 'hybridtrack_detector'", hook="hybridtrack_detector"),
    "raises-in-hook": broken("ZeroDivisionError: ", offers="1 / 0"),
    "wrong-hook": broken("TypeError: hybridtrack_detectors gave 'mug', expected DetectorSpec", offers="['mug']"),
    "nothing-from-hook": broken("TypeError: 'int' object is not iterable", offers="7"),
    "wrong-spec": broken(
        "ValueError: detector None: expected a name", offers="[DetectorSpec(name=None, summary='', create=create)]"
    ),
    "lacks-package": unbuilt(
        "lacks a package: ModuleNotFoundError: No module named 'no_such_package'", create="import no_such_package"
    ),
    "raises-in-factory": unbuilt("cannot be built: ValueError: no weights", create="raise ValueError('no weights')"),
    "exits-in-factory": unbuilt("cannot be built: SystemExit: 3", create="import sys; sys.exit(3)"),
    "wrong-factory": unbuilt("cannot be built: TypeError: create gave dict, which has no classes", create="return {}"),
    "wrong-classes": unbuilt(
        "its classes is ['mug'], expected a tuple of ClassInfo",
        create="made = Detector(); made.classes = ['mug']; return made",
    ),
    "raises-once": once("ValueError: no colours", "raise ValueError('no colours')"),
    "exits-once": once("SystemExit: 3", "import sys; sys.exit(3)"),
    "panics-once": once("BaseException: in Rust", "raise BaseException('in Rust')"),
    "interrupts-once": once("KeyboardInterrupt", "raise KeyboardInterrupt"),
    "raises-always": invalid("ValueError: no colours", "raise ValueError('no colours')"),
    "nan": invalid("DetectorError: gave a box that is not finite", gives(xyxy="(1, 2, float('nan'), 4)")),
    "wrong-shape": invalid("ValueError: xyxy has shape (1, 3), expected (-1, 4)", gives(xyxy="(1, 2, 3)")),
    "no-area": invalid("DetectorError: gave a box without area", gives(xyxy="(3, 2, 1, 4)")),
    "wrong-class": invalid("DetectorError: gave a class_id outside its 1 classes", gives(klass=1)),
    "wrong-score": invalid("DetectorError: gave a score outside 0..1", gives(score=1.5)),
    "list": invalid("DetectorError: gave list, expected Detections", "return [(1, 2, 3, 4)]"),
    "none": invalid("DetectorError: gave NoneType, expected Detections", "return None"),
    "hangs": Culprit(
        detect="import threading; threading.Event().wait()",
        failures=1,
        note="failed on 1 frame and was left out from then on: no answer within 1 s; how fast it is decides, so this "
        "run is not repeatable",
        rule="no answer within 1 s",
    ),
    "prints": Culprit(
        top="print('printed on import')",
        create="print('printed in factory'); return Detector()",
        detect=f"print('printed in detect')\n{EMPTY}",
        rule="prints to standard output",
        printed=("printed on import", "printed in factory", "printed in detect"),
    ),
    "prints-natively": Culprit(
        top="import atexit, os, subprocess, sys; os.write(1, b'natively on import\\n')\n"
        "subprocess.run([sys.executable, '-c', 'print(\"by a child\")'])\n"
        "atexit.register(print, 'at exit')\n"
        "if os.name == 'posix': import ctypes; ctypes.CDLL(None).printf(b'from a buffer of C\\n')",
        detect=f"os.write(1, b'natively in detect\\n')\n{EMPTY}",
        rule="prints to standard output",
        printed=(
            "natively on import",
            "by a child",
            "natively in detect",
            "at exit",
            *(["from a buffer of C"] if os.name == "posix" else []),
        ),
    ),
    "closes-stdout": Culprit(top="import sys; sys.stdout.close()"),
    "thief": Culprit(
        offers="[DetectorSpec(name='hand', summary='bad', create=create)]", state="clash", error=TAKEN, refused=TAKEN
    ),
    "rival-one": Culprit(
        offers="[DetectorSpec(name='mug', summary='bad', create=create)]", state="clash", error=RIVALS, refused=RIVALS
    ),
    "rival-two": Culprit(
        offers="[DetectorSpec(name='mug', summary='bad', create=create)]", state="clash", error=RIVALS, refused=RIVALS
    ),
}
#: what is asked for where that is not the plugin's own name, and who else has to be there
ASKED = {"thief": "hand", "rival-one": "mug", "rival-two": "mug"}
RIVAL_OF = {"rival-one": "rival-two", "rival-two": "rival-one"}

RUNNING = [name for name, culprit in CULPRITS.items() if not culprit.refused]
REFUSED = [name for name, culprit in CULPRITS.items() if culprit.refused]
CHECKED = [name for name in RUNNING if CULPRITS[name].rule]

MODULE = """
from hybridtrack.hookspecs import DetectorSpec, hookimpl

NAME = {name!r}
{top}

class Detector:
    supports_region = False

    def __init__(self):
        from hybridtrack.types import ClassInfo
        self.classes = (ClassInfo(name=NAME),)

    def detect(self, frame, region_xyxy=None):
{detect}

    def reset(self): pass

    def close(self): pass

def create(options):
{create}

@hookimpl
def {hook}():
    return {offers}
"""

#: what trackers measure on the first frame that has a track to carry, as code, and what is said of it
TRACKERS = {
    "raising-tracker": ("raise ValueError('no texture')", "ValueError: no texture"),
    "nan-tracker": (
        "none = Measurement.none(xyxy * float('nan')); none.is_measured[:] = True; return none",
        "ValueError: measured a box or a deviation that is not finite",
    ),
}

TRACKER_MODULE = """
from hybridtrack.hookspecs import Measurement, TrackerSpec, hookimpl

class Tracker:
    fills = filters = True

    def __init__(self, options): pass

    def measure(self, frame, track_id, xyxy):
        {measure}

    def settle(self, frame, track_id, xyxy, detected): pass

    def reset(self): pass

@hookimpl
def hybridtrack_trackers():
    return [TrackerSpec(name={name!r}, summary="bad", create=Tracker)]
"""

Finished: TypeAlias = "subprocess.CompletedProcess[str]"
Hybridtrack: TypeAlias = Callable[..., Finished]


def module_of(name: str, culprit: Culprit) -> str:
    bodies = {part: textwrap.indent(getattr(culprit, part), " " * 8) for part in ("create", "detect")}
    return MODULE.format(name=name, top=culprit.top, hook=culprit.hook, offers=culprit.offers, **bodies)


def modules() -> dict[str, str]:
    """Return the code of every plugin by its name."""
    detectors = {name: module_of(name, culprit) for name, culprit in CULPRITS.items()}
    trackers = {name: TRACKER_MODULE.format(name=name, measure=code) for name, (code, _) in TRACKERS.items()}
    return detectors | trackers


def write_wheel(folder: Path, name: str, code: str) -> Path:
    """Return the wheel of a distribution ``bad-NAME`` with a plugin of that name."""
    module = "bad_" + name.replace("-", "_")
    info = f"{module}-{VERSION}.dist-info"
    files = {
        f"{module}.py": code,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: bad-{name}\nVersion: {VERSION}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: hybridtrack-tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[hybridtrack]\n{name} = {module}\n",
    }
    record = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    wheel = folder / f"{module}-{VERSION}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(path, text)
    return wheel


@pytest.fixture(scope="module")
def python(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a fresh environment: all culprits are installed, hybridtrack and what it needs are lent."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=os.name != "nt")
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)}))
    lent = dict.fromkeys([str(root), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    (site / "lent.pth").write_text("".join(f"{path}\n" for path in lent), encoding="utf-8")
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    wheels = [write_wheel(tmp_path_factory.mktemp("wheel"), name, code) for name, code in modules().items()]
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check", "--quiet"]
    done = subprocess.run(
        list(map(str, [*pip, "install", "--no-deps", "--no-index", "--no-compile", *wheels])),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return python


@pytest.fixture(scope="module")
def hybridtrack(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Hybridtrack:
    """Run the program with some of the culprits, the others disabled."""
    folder = tmp_path_factory.mktemp("empty")

    def run(*arguments: object, culprits: Sequence[str] = (), **environ: str) -> Finished:
        disabled = ",".join(name for name in modules() if name not in culprits)
        command = [str(python), "-m", "hybridtrack", *map(str, arguments)]
        environ = {**os.environ, "HYBRIDTRACK_DISABLE_PLUGINS": disabled, **environ}
        return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=folder, env=environ)

    return run


@pytest.fixture
def read_lines(read_valid: Callable[[Path], list[dict[str, Any]]], tmp_path: Path) -> Callable[[str], Any]:
    """Return the lines of a run's standard output, held to the schema, in three: header, frames, summary."""

    def read(out: str) -> Any:
        path = tmp_path / "out.jsonl"
        path.write_text(out, encoding="utf-8")
        header, *frames, summary = read_valid(path)
        assert summary["type"] == "summary"
        return header, frames, summary

    return read


@pytest.fixture(scope="module")
def undisturbed(hybridtrack: Hybridtrack, table_clip: Path) -> list[Any]:
    """The tracks on each frame of a run without any culprit."""
    done = hybridtrack("run", table_clip, *PART, "--json", "-")
    assert (done.returncode, done.stderr) == (0, "")
    tracks = [json.loads(line)["tracks"] for line in done.stdout.splitlines()[1:-1]]
    assert len(tracks) == 12
    assert all(tracks)
    return tracks


@pytest.fixture(scope="module")
def listed(hybridtrack: Hybridtrack) -> dict[str, dict[str, Any]]:
    """What ``plugins list`` says of all culprits, by name."""
    done = hybridtrack("plugins", "list", "--json", culprits=list(CULPRITS))
    assert done.returncode == 0, done.stderr
    return {row["name"]: row for row in json.loads(done.stdout)}


def present_with(name: str) -> list[str]:
    return [name, *filter(None, [RIVAL_OF.get(name)])]


def detectors_with(name: str) -> list[str]:
    """Return the flags that select a culprit beside hands, on every frame; one that hangs is waited for a second."""
    words = [f"{ASKED.get(name, name)},every=1" + (",limit=1s" if name == "hangs" else "")]
    if ASKED.get(name) != "hand":
        words.insert(0, "hand")
    return [part for word in words for part in ("--detector", word)]


@pytest.mark.parametrize("name", RUNNING)
def test_run_goes_on_without_a_detector_that_fails_and_names_it(
    name: str, hybridtrack: Hybridtrack, table_clip: Path, read_lines: Callable[[str], Any], undisturbed: list[Any]
) -> None:
    culprit = CULPRITS[name]
    done = hybridtrack("run", table_clip, *PART, *detectors_with(name), "--json", "-", culprits=[name])
    assert done.returncode == 0, done.stderr
    header, frames, summary = read_lines(done.stdout)
    assert (header["detectors"][1]["name"], header["detectors"][1]["distribution"]) == (name, f"bad-{name}")
    assert header["settings"]["detector"] == ["hand", detectors_with(name)[-1]]
    assert [frame["tracks"] for frame in frames] == undisturbed
    assert summary["complete"]
    assert summary["failures"] == ({name: culprit.failures} if culprit.failures else {})
    said = done.stderr.splitlines()
    if culprit.note:
        (note,) = summary["notes"]
        assert note.startswith(f"detector {name!r} (bad-{name} {VERSION}) {culprit.note}")
        assert said == [f"hybridtrack run: {note}"]
    else:
        assert "notes" not in summary
        assert set(said) == set(culprit.printed)


@pytest.mark.parametrize("name", REFUSED)
def test_run_that_selects_a_plugin_that_cannot_be_used_is_refused_in_one_line(
    name: str, hybridtrack: Hybridtrack, table_clip: Path
) -> None:
    done = hybridtrack("run", table_clip, *PART, *detectors_with(name), "--json", "-", culprits=present_with(name))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert done.stderr.startswith("hybridtrack run: ")
    assert CULPRITS[name].refused in done.stderr
    for culprit in present_with(name):
        assert f"plugin {culprit!r} of bad-{culprit} {VERSION}" in done.stderr


def test_run_that_selects_none_of_them_goes_on_as_if_they_were_not_there(
    hybridtrack: Hybridtrack, table_clip: Path, read_lines: Callable[[str], Any], undisturbed: list[Any]
) -> None:
    present = [name for name in CULPRITS if name != "thief"]
    done = hybridtrack("run", table_clip, *PART, "--json", "-", culprits=present)
    assert done.returncode == 0, done.stderr
    _, frames, summary = read_lines(done.stdout)
    assert [frame["tracks"] for frame in frames] == undisturbed
    assert (summary["failures"], "notes" in summary) == ({}, False)
    printed = {line for name in present for line in CULPRITS[name].printed}
    assert set(done.stderr.splitlines()) == {line for line in printed if "factory" not in line and "detect" not in line}


def test_who_takes_a_taken_name_stops_no_other_detector(
    hybridtrack: Hybridtrack, table_clip: Path, read_lines: Callable[[str], Any]
) -> None:
    present = ["thief", "nan", "raises-once"]
    flags = ["--detector", "raises-once,every=1"]
    done = hybridtrack("run", table_clip, *PART, *flags, "--json", "-", culprits=present)
    assert done.returncode == 0, done.stderr
    _, _, summary = read_lines(done.stdout)
    assert summary["detector_runs"] == {"raises-once": 11}


@pytest.mark.parametrize("name", TRACKERS)
def test_run_whose_tracker_fails_ends_with_one_line_and_keeps_what_was_written(
    name: str, hybridtrack: Hybridtrack, table_clip: Path, read_lines: Callable[[str], Any]
) -> None:
    done = hybridtrack("run", table_clip, *PART, "--tracker", name, "--json", "-", culprits=[name])
    assert done.returncode == 2
    assert done.stderr == (
        f"hybridtrack run: tracker {name!r} (plugin {name!r} of bad-{name} {VERSION}) fails on frame 31: "
        f"{TRACKERS[name][1]}; mend it or take another\n"
    )
    _, frames, summary = read_lines(done.stdout)
    assert [frame["frame"] for frame in frames] == [30]
    assert (summary["complete"], summary["frames"]) == (False, 1)


@pytest.mark.parametrize("name", CULPRITS)
def test_list_names_plugin_distribution_state_and_error(name: str, listed: dict[str, dict[str, Any]]) -> None:
    row, culprit = listed[name], CULPRITS[name]
    assert (row["distribution"], row["version"], row["state"]) == (f"bad-{name}", VERSION, culprit.state)
    assert culprit.error in row["error"]
    assert bool(culprit.error) == bool(row["error"])
    assert "\n" not in row["error"]
    if culprit.state == "clash":
        assert f"plugin {name!r} of bad-{name} {VERSION}" in row["error"]
    assert row["detectors"] == ([] if culprit.state == "broken" else [ASKED.get(name, name)])


def test_list_calls_the_built_in_plugin_fine_whatever_others_do(listed: dict[str, dict[str, Any]]) -> None:
    assert (listed["builtin"]["state"], listed["builtin"]["error"]) == ("ok", "")


@pytest.mark.parametrize("name", CHECKED)
def test_check_prints_the_rule_that_a_detector_breaks(name: str, hybridtrack: Hybridtrack) -> None:
    limit = ",limit=1s" if name == "hangs" else ""
    done = hybridtrack("plugins", "check", f"{name}{limit}", "--json", culprits=[name])
    assert done.returncode == 2, done.stderr
    (rule,) = json.loads(done.stdout)["broken"]
    assert rule.startswith(CULPRITS[name].rule)
    said = [line for line in done.stderr.splitlines() if line not in CULPRITS[name].printed]
    assert said == [
        f"hybridtrack plugins check: detector {name!r} (plugin {name!r} of bad-{name} {VERSION}) breaks 1 rule; mend it"
    ]


@pytest.mark.parametrize("name", ["raises-on-import", "raises-in-factory", "raises-once"])
def test_strict_mode_shows_where_a_plugin_raised(name: str, hybridtrack: Hybridtrack, table_clip: Path) -> None:
    flags = ["run", table_clip, *PART, *detectors_with(name), "--json", "-"]
    done = hybridtrack(*flags, culprits=[name], HYBRIDTRACK_STRICT_PLUGINS="1")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert f"bad_{name.replace('-', '_')}.py" in done.stderr


def test_disabled_plugin_is_not_even_imported(hybridtrack: Hybridtrack) -> None:
    done = hybridtrack("plugins", "list", "--json")
    assert (done.returncode, done.stderr) == (0, "")  # those that print have printed nothing
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert {rows[name]["state"] for name in CULPRITS} == {"disabled"}
