"""What the user can mend ends with exit code 2, one line on stderr, and no file."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

from hybridtrack.cli import exit_code
from hybridtrack.detectors.bundle import default_bundle
from tests.integration.conftest import Finished
from tests.integration.inputs import noise, write_video

PLAYS = "clip.mkv"


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a clip that plays and much that is not as hoped."""
    folder = tmp_path_factory.mktemp("stock")
    write_video(folder / PLAYS, (64, 48), 3)
    (folder / "text.mp4").write_text("no video\n" * 100)
    (folder / "empty.mp4").touch()
    zero = write_video(folder / "zero.avi", (64, 48), 1, codec="mpeg4")
    coded = zero.read_bytes()
    zero.write_bytes(coded[: coded.index(b"movi") + 4])
    for name, sizes in (("sizes", [(64, 48), (64, 48), (48, 64)]), ("pictures", [(64, 48)]), ("readme only", [])):
        (folder / name).mkdir()
        (folder / name / "README.txt").write_text("text\n")
        for number, size in enumerate(sizes):
            cv2.imwrite(str(folder / name / f"{number}.png"), noise(size))
    picture = bytearray((folder / "sizes/0.png").read_bytes())
    (folder / "cut.png").write_bytes(picture[:100])
    picture[len(picture) // 2] ^= 255
    (folder / "damaged.png").write_bytes(picture)
    bundle = default_bundle()
    shutil.copytree(bundle.folder, folder / "altered")
    model = folder / "altered" / bundle.model()
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    model.write_bytes(content)
    (folder / "bad.toml").write_text("detekt-every = 3\n")
    return folder


REFUSALS = {
    "missing.mp4": ["missing.mp4", "give a video, a folder or glob of images"],
    "'readme only'": ["readme only", "1 entry found", "give a folder or a glob of images"],
    "'none*.png'": ["none*.png", "0 entries found"],
    "text.mp4": ["text.mp4", "no video can be read from it", "give a video file that plays"],
    "empty.mp4": ["empty.mp4", "give a video file that plays"],
    "zero.avi": ["zero.avi", "no frame"],
    "sizes": ["'0.png' has 64x48", "'2.png' has 48x64"],
    "999": ["camera 999", "there is none that can be used"],
    f"{PLAYS} --json nowhere/out.jsonl": ["nowhere/out.jsonl", "there is no folder 'nowhere'", "make it first"],
    f"{PLAYS} --json sizes": ["'sizes'", "it is a folder", "give the name of a file"],
    f"{PLAYS} --mot text.mp4/out.txt": ["text.mp4/out.txt", "is not a folder"],
    f"{PLAYS} --video out.avi": ["out.avi", ".mp4, .mov, .mkv"],
    f"{PLAYS} --image out.gif": ["out.gif", ".png"],
    f"{PLAYS} --json {PLAYS}": [PLAYS, "the run reads its pictures from it"],
    f"{PLAYS} --json out.jsonl --mot {PLAYS}": [PLAYS, "the run reads its pictures from it"],
    "pictures --image pictures/0.png": ["pictures/0.png", "the run reads its pictures from it"],
    "pictures/*.png --image pictures/0.png": ["pictures/0.png", "the run reads its pictures from it"],
    f"{PLAYS} --json out --mot ./out": ["two outputs would go to one file (out, ./out)"],
    f"{PLAYS} --json - --mot -": ["two outputs would go to one file (-, -)"],
    f"{PLAYS} --detect-every 0": ["--detect-every '0'", "whole number of frames from 1"],
    f"{PLAYS} --detect-every -1": ["--detect-every '-1'", "whole number of frames from 1"],
    f"{PLAYS} --detect-every 1.5": ["--detect-every '1.5'", "whole number of frames from 1"],
    f"{PLAYS} --detect-every often": ["--detect-every 'often'", "or auto"],
    f"{PLAYS} --detector hand,every=auto,phase=1": ["phase=1 does not fit a cadence of auto"],
    f"{PLAYS} --detector hnad": ["'hnad'", "did you mean 'hand'?"],
    f"{PLAYS} --tracker flwo": ["'flwo'", "did you mean 'flow'?"],
    f"{PLAYS} --detector hand,precison=fp16": ["'precison'", "did you mean 'precision'?"],
    f"{PLAYS} --tracker flow,points=3": ["'points'"],
    f"{PLAYS} --config bad.toml": ["'detekt-every'", "did you mean 'detect-every'?"],
    f"{PLAYS} --detector hand,bundle=altered": ["was altered"],
    f"{PLAYS} --start 60": [PLAYS, "give another start or end"],
}


OF_NATIVE_LIBRARIES = ["text.mp4", "zero.avi", "999", f"{PLAYS} --detector hand,bundle=altered"]


def words_of(arguments: str) -> list[str]:
    words = [arguments[1:-1]] if arguments.startswith("'") else arguments.split()
    return ["run", *words, *([] if "--json" in words else ["--json", "new.jsonl"])]


def check_refusal(out: str, err: str, said: list[str]) -> None:
    assert out == ""
    assert err.startswith("hybridtrack run: ")
    assert (err.count("\n"), err[-1]) == (1, "\n")
    assert [part for part in said if part not in err] == []


@pytest.mark.parametrize(("arguments", "said"), REFUSALS.items(), ids=REFUSALS)
def test_input_that_can_be_mended_is_refused_in_one_line(
    stock: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    arguments: str,
    said: list[str],
) -> None:
    monkeypatch.chdir(stock)
    before = {path: path.stat().st_mtime_ns for path in stock.rglob("*")}
    assert exit_code(words_of(arguments)) == 2
    check_refusal(*capfd.readouterr(), said)
    assert {path: path.stat().st_mtime_ns for path in stock.rglob("*")} == before


@pytest.mark.parametrize("arguments", OF_NATIVE_LIBRARIES)
def test_native_libraries_add_nothing_to_the_line_when_the_program_runs_on_its_own(
    stock: Path, hybridtrack: Callable[..., Finished], arguments: str
) -> None:
    done = hybridtrack(*words_of(arguments), cwd=stock)
    assert done.returncode == 2
    check_refusal(done.stdout, done.stderr, REFUSALS[arguments])


@pytest.mark.parametrize("scheme", ["rtsp", "http", "tcp"])
def test_stream_that_refuses_is_refused(hybridtrack: Callable[..., Finished], place: Path, scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    done = hybridtrack("run", f"{scheme}://127.0.0.1:{port}/table", "--json", "new.jsonl")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert (
        f"cannot open stream '{scheme}://127.0.0.1:{port}/table': Connection refused; check the address" in done.stderr
    )
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("name", ["cut.png", "damaged.png"])
def test_picture_that_cannot_be_decoded_is_refused(
    stock: Path, hybridtrack: Callable[..., Finished], name: str
) -> None:
    done = hybridtrack("run", name, "--json", "new.jsonl", cwd=stock)
    assert done.returncode == 2
    check_refusal(done.stdout, done.stderr, [repr(name), "its contents are no picture that can be decoded; remove it"])
    assert not (stock / "new.jsonl").exists()


def test_refused_output_leaves_a_former_one_as_it_was(hybridtrack: Callable[..., Finished], place: Path) -> None:
    former = place / "former.jsonl"
    former.write_text("what was there\n")
    assert hybridtrack("run", "missing.mp4", "--json", former).returncode == 2
    assert former.read_text() == "what was there\n"
