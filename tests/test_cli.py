from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hybridtrack.cli import exit_code
from hybridtrack.cli.run import run
from hybridtrack.detectors.bundle import default_bundle

PROGRAM = (sys.executable, "-m", "hybridtrack")


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table_clip: Path) -> Path:
    """An own folder with ``clip.mp4`` and things that are not as they should be."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clip.mp4").symlink_to(table_clip)
    (tmp_path / "text.mp4").write_text("no video\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "run.toml").write_text("detekt-every = 3\n")
    (tmp_path / "no.toml").write_text("detect-every 3\n")
    shutil.copytree(default_bundle().folder, tmp_path / "altered")
    model = tmp_path / "altered" / default_bundle().model()
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    model.write_bytes(content)
    return tmp_path


REFUSALS = [
    ("none.mp4", "none.mp4"),
    ("folder", "folder"),
    ("text.mp4", "text.mp4"),
    ("'*.png'", "*.png"),
    ("clip.mp4 --source clip.mp4", "two sources"),
    ("clip.mp4 --detect-every 0", "--detect-every '0' is no cadence"),
    ("clip.mp4 --detect-every -1", "--detect-every '-1' is no cadence"),
    ("clip.mp4 --detect-every 1.5", "--detect-every '1.5' is no cadence"),
    ("clip.mp4 --detect-every abc", "--detect-every 'abc' is no cadence"),
    ("clip.mp4 --detector hnad", "unknown detector 'hnad'; known: hand, replay, ssd; did you mean 'hand'?"),
    ("clip.mp4 --detector +hand", "'hand' is asked for twice"),
    ("clip.mp4 --detector hand,thread=2", "unknown option 'thread'"),
    ("clip.mp4 --detector hand,threads=two", "cannot use threads=two"),
    ("clip.mp4 --detector hand,precision=int4", "'int4'"),
    ("clip.mp4 --detector hand,bundle=altered", "was altered"),
    ("clip.mp4 --detector hand,bundle=folder", "folder"),
    ("clip.mp4 --detector hand,every=3,phase=3", "phase=3 does not fit"),
    ("clip.mp4 --detector hand,phase=3", "phase=3 does not fit"),
    ("clip.mp4 --identity thing=hnad", "identity 'thing': unknown class 'hnad'; known: hand; did you mean 'hand'?"),
    ("clip.mp4 --identity thing", "--identity 'thing' joins nothing: write NAME=CLASS|CLASS"),
    ("clip.mp4 --tracker flwo", "did you mean 'flow'?"),
    ("clip.mp4 --tracker flow,points=3", "tracker 'flow': unknown option 'points'"),
    ("clip.mp4 --size 640", "--size '640': expected WIDTHxHEIGHT"),
    ("clip.mp4 --start 5 --end 4", "--end 4 is not after --start 5"),
    ("clip.mp4 --start 500", "500"),
    ("clip.mp4 --max-frames 0", "--max-frames 0: expected a whole number from 1"),
    ("clip.mp4 --max-frames x", "--max-frames"),
    ("clip.mp4 --runtime torch", "--runtime"),
    ("clip.mp4 --config run.toml", "unknown key 'detekt-every'"),
    ("clip.mp4 --config no.toml", "is no TOML file"),
    ("clip.mp4 --config none.toml", "cannot read the configuration"),
    ("clip.mp4 --mot none/out.txt", "there is no folder 'none'"),
    ("clip.mp4 --video folder", "it is a folder"),
    ("clip.mp4 --mot clip.mp4", "the run reads its pictures from it"),
    ("clip.mp4 --mot ./folder/../out.jsonl", "two outputs would go to one file"),
    ("clip.mp4 --detekt-every 3", "No such option"),
    ("clip.mp4 another.mp4", "unexpected extra argument"),
    ("99", "99"),
]


@pytest.mark.parametrize(("arguments", "cause"), REFUSALS, ids=[arguments for arguments, _ in REFUSALS])
def test_what_the_user_can_mend_is_one_line_and_leaves_no_file(
    workplace: Path, capfd: pytest.CaptureFixture[str], arguments: str, cause: str
) -> None:
    before = sorted(workplace.iterdir())
    words = [word.strip("'") for word in arguments.split(" ")]
    assert exit_code(["run", *words, "--json", "out.jsonl"]) == 2
    out, err = capfd.readouterr()
    assert err.startswith("hybridtrack run: ")
    assert cause in err
    assert err.count("\n") == 1
    assert err.endswith("\n")
    assert out == ""
    assert sorted(workplace.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["rnu"], "hybridtrack: No such command 'rnu'"),
        (["models", "info", "nose"], "hybridtrack models info: no bundle 'nose'"),
        (["models", "info"], "hybridtrack models info: Missing argument 'NAME'"),
        (["models", "info", "--nmae"], "hybridtrack models info: No such option '--nmae'"),
        (["run", "--detect-every"], "hybridtrack run: Option '--detect-every' requires an argument"),
    ],
)
def test_refusal_names_the_command_it_comes_from(
    capfd: pytest.CaptureFixture[str], arguments: list[str], line: str
) -> None:
    assert exit_code(arguments) == 2
    err = capfd.readouterr().err
    assert err.startswith(line)
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [[], ["--help"], ["run", "--help"], ["relations", "-h"], ["bench", "--help"], ["models", "-h"]]
)
def test_help_goes_to_standard_output(capfd: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert exit_code(arguments) == 0
    out, err = capfd.readouterr()
    assert out.startswith("Usage: hybridtrack")
    assert err == ""


def test_help_loads_nothing_heavy() -> None:
    code = "import sys; from hybridtrack.cli import exit_code; exit_code(['run', '--help']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"numpy", "cv2", "scipy", "tensorflow", "av"}.isdisjoint(done.stdout.split())


def test_module_runs_as_a_program() -> None:
    done = subprocess.run([*PROGRAM, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("hybridtrack, version ")


def read(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_run_writes_a_line_for_each_frame_and_nothing_else_to_the_terminal(workplace: Path) -> None:
    arguments = ["run", "clip.mp4", "--detect-every", "3", "--max-frames", "50", "--json", "out.jsonl"]
    done = subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, check=True, cwd=workplace)
    assert (done.stdout, done.stderr) == ("", "")
    header, *frames, summary = read(workplace / "out.jsonl")
    assert header["settings"]["detect_every"] == 3  # type: ignore[index]
    assert [frame["frame"] for frame in frames] == list(range(50))
    assert [frame["frame"] for frame in frames if frame["runs"]] == list(range(0, 50, 3))
    assert summary["complete"] is True


def test_joined_identity_stands_in_the_header(workplace: Path) -> None:
    (workplace / "joined.toml").write_text('[identity]\nfinger = ["hand"]\n')
    arguments = ["run", "clip.mp4", "--config", "joined.toml", "--max-frames", "2", "--json", "out.jsonl"]
    assert exit_code(arguments) == 0
    header = read(workplace / "out.jsonl")[0]
    assert header["classes"] == [{"name": "hand", "role": "hand", "identity": "finger"}]
    assert header["settings"]["identity"] == ["finger=hand"]  # type: ignore[index]


def test_flags_reach_the_run(workplace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    arguments = (
        "run clip.mp4 --detector hand,every=100ms,precision=fp16 --tracker hold --start 1 --end 1.5 --size 320x180 "
        "--json out.jsonl --with-detections --mot out.txt --image out.png --video out.mp4"
    )
    assert exit_code(arguments.split(" ")) == 0
    assert capfd.readouterr() == ("", "")
    header, *frames, _ = read(workplace / "out.jsonl")
    assert header["settings"]["tracker"] == "hold"  # type: ignore[index]
    times = [frame["time"] for frame in frames]
    assert times[0] == pytest.approx(1, abs=0.04)
    assert times[-1] == pytest.approx(1.5, abs=0.04)
    assert sum("detections" in frame and frame["detections"] != {} for frame in frames) == 5
    for name in ("out.txt", "out.png", "out.mp4"):
        assert (workplace / name).stat().st_size > 0


def test_file_that_is_played_live_is_read_whole_and_said_not_to_be_repeatable(
    workplace: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(["run", "clip.mp4", "--live", "--max-frames", "20", "--json", "out.jsonl"]) == 0
    out, err = capfd.readouterr()
    assert out == ""
    assert re.fullmatch(r"hybridtrack run: live: \d+ results? of (a detector|detectors) came late .*\n", err)
    header, *frames, summary = read(workplace / "out.jsonl")
    assert header["settings"]["live"] is True  # type: ignore[index]
    assert [frame["frame"] for frame in frames] == list(range(20))
    assert "not repeatable" in summary["notes"][0]  # type: ignore[index]


def test_file_that_is_played_at_its_pace_takes_as_long_as_it_lasts(workplace: Path) -> None:
    arguments = "run clip.mp4 --pace --tracker none --end 0.5 --json out.jsonl"
    assert exit_code(arguments.split(" ")) == 0
    header, *frames, summary = read(workplace / "out.jsonl")
    assert header["settings"]["pace"] is True  # type: ignore[index]
    times = [frame["time"] for frame in frames]
    assert times == sorted(times)
    assert frames[-1]["frame"] + 1 == len(frames) + summary["dropped"]  # type: ignore[operator]
    assert summary["seconds"] >= times[-1]  # type: ignore[operator]


def test_pace_that_a_source_cannot_have_is_refused_in_one_line(
    workplace: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(["run", "0", "--pace"]) == 2
    assert capfd.readouterr().err.endswith(
        "a pace is for recordings, and '0' is a camera, which has its own; leave it out\n"
    )


def test_run_without_an_output_prints_a_table(workplace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["run", "clip.mp4", "--max-frames", "30"]) == 0
    out, err = capfd.readouterr()
    words = out.split()
    assert "frames 30" in " ".join(words)
    assert {"tracks", "seconds"} <= set(words)
    assert err == ""


def test_settings_come_from_a_file_and_flags_win(workplace: Path) -> None:
    (workplace / "run.toml").write_text('source = "clip.mp4"\ndetect-every = 5\nmax-frames = 20\ntracker = "hold"\n')
    assert exit_code(["run", "--config", "run.toml", "--detect-every", "10", "--json", "out.jsonl"]) == 0
    header, *frames, _ = read(workplace / "out.jsonl")
    assert [frame["frame"] for frame in frames if frame["runs"]] == [0, 10]
    assert header["settings"]["tracker"] == "hold"  # type: ignore[index]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
def test_interrupted_run_closes_its_file_with_a_summary(workplace: Path) -> None:
    arguments = ["run", "clip.mp4", "--loop", "1000", "--json", "-", "--mot", "out.txt"]
    with subprocess.Popen(
        [*PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=workplace
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for _ in range(40):
            process.stdout.readline()
        process.send_signal(signal.SIGINT)
        last = json.loads(process.stdout.read().splitlines()[-1])
        err = process.stderr.read()
    assert process.returncode == 130
    assert (last["type"], last["complete"]) == ("summary", False)
    assert err.strip() == "hybridtrack: interrupted; what was written so far is kept"


def test_models_are_listed_described_and_verified(capfd: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["models"]) == 0
    assert capfd.readouterr().out.startswith("hand-ssdlite-mobilenetv2  ")
    assert exit_code(["models", "info", "hand-ssdlite-mobilenetv2"]) == 0
    assert "hand (hand)" in capfd.readouterr().out
    assert exit_code(["models", "verify"]) == 0
    assert "are as they were made" in capfd.readouterr().out


def test_altered_bundle_is_not_verified(workplace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["models", "verify", "altered"]) == 2
    assert "was altered" in capfd.readouterr().err


def test_doctor_finds_this_installation_healthy(capfd: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["doctor"]) == 0
    out, err = capfd.readouterr()
    assert "MEND" not in out
    for subject in ("hybridtrack", "opencv", "litert", "bundle", "self-test"):
        assert f"ok   {subject} " in out
    assert "frames/s" in out
    assert err == ""


def test_exactly_one_opencv_is_installed_and_it_has_the_contrib_trackers() -> None:
    import cv2

    from hybridtrack.doctor import opencv_distributions

    assert len(opencv_distributions()) == 1
    assert hasattr(cv2, "legacy")


def test_readme_names_every_flag_of_run_and_no_other(root: Path) -> None:
    readme = (root / "README.md").read_text()
    table = readme[readme.index("| flag of `run` |") : readme.index("Without SOURCE")]
    known = {
        name
        for parameter in run.params
        for name in (*parameter.opts, *parameter.secondary_opts)
        if name.startswith("--")
    }
    assert set(re.findall(r"--[a-z]+(?:-[a-z]+)*", table)) | {"--source"} == known - {"--display"}
