"""What every format to export or import does, whatever it writes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridtrack.cli import exit_code
from hybridtrack.cli.export import EXPORTS as NAMED_EXPORTS
from hybridtrack.cli.export import IMPORTS as NAMED_IMPORTS
from hybridtrack.errors import HybridTrackError
from hybridtrack.export.exporting import export_tracks
from hybridtrack.export.facets import FACETS, Contents
from hybridtrack.export.format import ExportFormat, ImportFormat
from hybridtrack.export.formats import EXPORTS, IMPORTS
from hybridtrack.wire import FrameLine
from tests.export.files import CHANGES, frames, header, write

each_export = pytest.mark.parametrize("one", EXPORTS.values(), ids=lambda one: one.name)
each_import = pytest.mark.parametrize("one", IMPORTS.values(), ids=lambda one: one.name)

Change = Callable[[FrameLine], FrameLine]


def told(one: ExportFormat, path: Path) -> dict[str, bytes]:
    """Return the content of each file of an export, by name; of a Rerun recording, what its own reader prints of it."""
    if path.suffix == ".rrd":
        command = [Path(sys.executable).with_name("rerun"), "rrd", "print", "-vvv", path]
        printed = subprocess.run(command, capture_output=True, check=True).stdout.splitlines()
        rows = [line.split("┆".encode(), 1)[1] for line in printed if "│ │ row_".encode() in line]
        return {"rows": b"\n".join(rows[1:])}  # the first one is the time of writing
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    return {str(file.relative_to(path)): file.read_bytes() for file in files}


def exported(one: ExportFormat, folder: Path, change: Change = lambda line: line) -> dict[str, bytes]:
    """Return what an export of the file by hand has in it, each of its frames changed."""
    folder.mkdir()
    tracks = write(folder / "table.jsonl", map(change, frames()))
    tracks.touch()
    done = export_tracks(str(tracks), one.name, has_all_states=not one.is_of_interactions)
    return told(one, Path(done.path))


def test_command_names_all_formats() -> None:
    assert (*EXPORTS,) == NAMED_EXPORTS
    assert (*IMPORTS,) == NAMED_IMPORTS
    assert len({one.suffix for one in EXPORTS.values()}) == len(EXPORTS)


def test_file_by_hand_says_something_of_every_facet() -> None:
    contents = Contents()
    for line in frames():
        contents.add(line)
    assert contents.without(()) == list(FACETS) == list(CHANGES)


@each_export
def test_format_says_what_it_is(one: ExportFormat) -> None:
    assert one.name == one.name.lower()
    assert one.summary
    assert one.suffix.startswith(".")
    assert one.holds <= set(FACETS)
    assert "numbers of tracks" in one.holds


@each_export
def test_format_holds_what_it_claims_and_nothing_else(one: ExportFormat, tmp_path: Path) -> None:
    """Where a facet says something else, the export is another one exactly when it holds that facet."""
    before = exported(one, tmp_path / "as it is")
    held = {
        name
        for number, (name, change) in enumerate(CHANGES.items())
        if exported(one, tmp_path / f"changed {number}", change) != before
    }
    together = {"relations", "events"} if one.is_of_interactions else set()  # what events tell, states tell again
    assert held - together == one.holds - together
    assert held & together or not together


@each_export
def test_format_writes_the_same_twice(one: ExportFormat, tmp_path: Path) -> None:
    assert exported(one, tmp_path / "one") == exported(one, tmp_path / "two")


@each_export
def test_format_takes_a_file_without_frames_or_tracks(one: ExportFormat, tmp_path: Path) -> None:
    for number, lines in enumerate(([], frames()[-1:])):
        tracks = write(tmp_path / f"{number}.jsonl", lines)
        done = export_tracks(str(tracks), one.name)
        assert Path(done.path).exists()
        assert done.lost == ()


@each_export
def test_export_says_what_got_lost(one: ExportFormat, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    tracks = write(tmp_path / "table.jsonl")
    assert exit_code(["export", str(tracks), "--to", one.name]) == 0
    out, err = capfd.readouterr()
    assert out == ""
    *said, wrote = err.splitlines()
    lost = " ".join(said)
    assert len(said) == 1
    assert wrote == f"hybridtrack export: wrote {tracks.with_suffix(one.suffix)}"
    for name in FACETS:
        is_shown = name != "states" or one.is_of_interactions  # tracks in other states than one are not asked for
        assert (name in lost) == (is_shown and name not in one.holds)


@each_export
def test_failed_export_leaves_nothing_behind(one: ExportFormat, tmp_path: Path) -> None:
    tracks = write(tmp_path / "table.jsonl")
    lines = tracks.read_bytes().splitlines(keepends=True)
    tracks.write_bytes(b"".join([*lines[:3], b"{}\n", *lines[3:]]))
    with pytest.raises(HybridTrackError, match="line 4 of"):
        export_tracks(str(tracks), one.name)
    assert [path.name for path in tmp_path.iterdir()] == ["table.jsonl"]


@each_export
def test_export_goes_to_standard_output_or_is_refused(
    one: ExportFormat, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    tracks = write(tmp_path / "table.jsonl")
    code = exit_code(["export", str(tracks), "--to", one.name, "-o", "-"])
    out, err = capfdbinary.readouterr()
    if one.is_folder:
        assert code == 2
        assert out == b""
        assert b"give its name" in err
        return
    assert code == 0
    beside = Path(export_tracks(str(tracks), one.name).path)
    path = tmp_path / f"piped{one.suffix}"
    path.write_bytes(out)
    assert [*told(one, path).values()] == [*told(one, beside).values()]


@each_export
def test_export_never_replaces_what_it_reads(one: ExportFormat, tmp_path: Path) -> None:
    video = tmp_path / "table.mp4"
    video.write_bytes(b"pictures")
    tracks = write(tmp_path / "table.jsonl", head=header(str(video)))
    before = tracks.read_bytes()
    for path in (tracks, video):
        with pytest.raises(HybridTrackError, match="cannot write"):
            export_tracks(str(tracks), one.name, str(path))
    assert (tracks.read_bytes(), video.read_bytes()) == (before, b"pictures")


@each_import
def test_import_refuses_what_is_not_in_its_format(one: ImportFormat, tmp_path: Path) -> None:
    path = tmp_path / "table.jsonl"
    write(path)
    for content in (path.read_bytes(), b"\x00\xff\x00", b"{", b"<a>", b'<?xml version="1.0"?><a/>', b"[1]"):
        path.write_bytes(content)
        with pytest.raises(HybridTrackError, match=r"table\.jsonl") as refusal:
            one.read(path)
        assert "\n" not in str(refusal.value)
    with pytest.raises(HybridTrackError, match="cannot read"):
        one.read(tmp_path / "nowhere")
