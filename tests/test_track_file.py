from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridtrack.errors import TrackFileError
from hybridtrack.track_file import read_tracks

GOLDEN = Path(__file__).parent / "golden/tracks/every_key.jsonl"
TEXT = GOLDEN.read_bytes()
HEADER, *FRAMES, SUMMARY = TEXT.splitlines(keepends=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "table.jsonl"


def test_whole_file_has_its_header_frames_and_summary() -> None:
    with read_tracks(GOLDEN) as tracks:
        assert tracks.header.source.width_px == 64
        assert [frame.frame_index for frame in tracks] == [0, 1, 2, 3, 4]
    assert tracks.summary is not None
    assert tracks.summary.frames == 5
    assert not tracks.is_cut


@given(length=st.integers(len(HEADER), len(TEXT)))
def test_file_cut_off_anywhere_has_every_frame_that_is_whole(
    length: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("cut") / "table.jsonl"
    path.write_bytes(TEXT[:length])
    with read_tracks(path) as tracks:
        frames = list(tracks)
    kept, rest = TEXT[len(HEADER) : length], 0
    while rest < len(FRAMES) and kept.startswith(FRAMES[rest].rstrip(b"\n")):
        kept, rest = kept[len(FRAMES[rest]) :], rest + 1
    assert len(frames) == rest
    is_whole = kept in (b"", b"\n") or kept.rstrip(b"\n") == SUMMARY.rstrip(b"\n")
    assert tracks.is_cut is not is_whole
    assert (tracks.summary is not None) == (kept.rstrip(b"\n") == SUMMARY.rstrip(b"\n"))


def test_file_that_was_opened_early_is_read_as_far_as_it_has_grown(path: Path) -> None:
    path.write_bytes(HEADER)
    with read_tracks(path) as tracks:
        with path.open("ab") as growing:
            growing.write(FRAMES[0] + FRAMES[1])
        assert [frame.frame_index for frame in tracks] == [0, 1]
    assert tracks.summary is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", r"is empty: the run ended before its header was written"),
        (b'{"type":"header","form', r"expected a header of hybridtrack\.tracks, found a header that is cut off"),
        (b"frame,id,x\n1,2,3\n", r"is not a track file: expected a header of .*, found b'frame,id,x"),
        (b"\x00\x00\x00 ftypisom\xff\xfe", r"is not a track file"),
        (b'{"type":"header","format":"other.tracks","version":1}\n', r"is not a track file"),
        (b"[1]\n", r"is not a track file"),
        (FRAMES[0], r"is not a track file"),
        (
            b'{"type":"header","format":"hybridtrack.tracks","version":2,"streams":[]}\n',
            r"is version 2 of hybridtrack\.tracks, this hybridtrack reads version 1: upgrade hybridtrack",
        ),
        (b'{"type":"header","format":"hybridtrack.tracks","version":1}\n', r"line 1 of .* missing required field"),
    ],
)
def test_file_of_another_kind_is_refused_in_one_line(text: bytes, message: str, path: Path) -> None:
    path.write_bytes(text)
    with pytest.raises(TrackFileError, match=message) as refused:
        read_tracks(path)
    assert "\n" not in str(refused.value)
    assert repr(str(path)) in str(refused.value)


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_file_that_cannot_be_opened_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    with pytest.raises(TrackFileError, match=r"cannot read the track file '.*': "):
        read_tracks(tmp_path / name)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([FRAMES[0], b"{}\n", FRAMES[1]], r"line 3 of .* cannot be read"),
        ([FRAMES[0], b'{"type":"frame","frame":"\xff"}\n'], r"line 3 of .* cannot be read"),
        ([FRAMES[0], HEADER], r"line 3 of .* is a second header: expected one run a file"),
        ([FRAMES[0], SUMMARY, FRAMES[1]], r"line 4 of .* is more after its summary: expected one run a file"),
    ],
)
def test_line_that_does_not_belong_there_is_named_by_its_number(lines: list[bytes], message: str, path: Path) -> None:
    path.write_bytes(HEADER + b"".join(lines))
    with read_tracks(path) as tracks:
        assert next(iter(tracks)).frame_index == 0
        with pytest.raises(TrackFileError, match=message):
            list(tracks)
