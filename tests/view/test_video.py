from __future__ import annotations

from pathlib import Path

import av
import pytest

from hybridtrack.errors import SourceError
from hybridtrack.view.video import FORMS, Conversion, convert, differences, open_as_video, video_of
from tests.view.conftest import header, write_numbers


@pytest.fixture
def old_video(tmp_path: Path) -> Path:
    """Thirty frames of MPEG-4 part 2 in AVI, which no browser plays, of an odd size once it is converted."""
    return write_numbers(tmp_path / "old.avi", 30, codec="mpeg4", size=(642, 358))


@pytest.mark.parametrize("form", FORMS)
def test_converted_video_has_the_frames_at_their_times(old_video: Path, tmp_path: Path, form: str) -> None:
    told: list[float] = []
    target = tmp_path / f"new{FORMS[form].suffix}"
    convert(open_as_video(old_video), FORMS[form], target, told.append)
    with av.open(str(target)) as container:
        frames = list(container.decode(video=0))
        assert [round(float(frame.pts * frame.time_base), 3) for frame in frames] == [
            round(n / 30, 3) for n in range(30)
        ]
        assert (frames[0].width, frames[0].height) == (642, 358)
        assert frames[0].format.name == "yuv420p"
    assert told == sorted(told)
    assert 0 <= told[0] < told[-1] <= 1


def test_wide_video_is_made_smaller(tmp_path: Path) -> None:
    video = open_as_video(write_numbers(tmp_path / "wide.mp4", 2, size=(1922, 1082)))
    convert(video, FORMS["h264"], tmp_path / "less.mp4")
    assert open_as_video(tmp_path / "less.mp4").size_px == (1280, 720)


def test_conversion_that_fails_says_why(old_video: Path) -> None:
    conversion = Conversion(open_as_video(old_video), FORMS["h264"])
    old_video.unlink()
    conversion.start()
    conversion.close()
    assert conversion.state == "failed"
    assert conversion.problem.startswith("cannot open")
    assert conversion.path is None


def test_conversion_leaves_nothing_behind(old_video: Path) -> None:
    conversion = Conversion(open_as_video(old_video), FORMS["h264"])
    conversion.start()
    while conversion.state == "working":
        pass
    path = conversion.path
    assert path is not None
    assert path.stat().st_size > 1000
    conversion.close()
    assert not path.parent.exists()


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("root:x:0:0\n" * 50)
    with pytest.raises(SourceError):
        open_as_video(tmp_path / "secret.txt")


def test_video_that_tracks_name_is_found_from_here_and_beside_them(
    numbers_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracks = tmp_path / "tracks/numbers.jsonl"
    tracks.parent.mkdir()
    monkeypatch.chdir(tmp_path)
    assert video_of(header(), tracks) is None
    (tracks.parent / "numbers.mp4").symlink_to(numbers_video)
    found = video_of(header(), tracks)
    assert found is not None
    assert found.path == numbers_video
    monkeypatch.chdir(tracks.parent)
    assert video_of(header(), Path("numbers.jsonl")) is not None


@pytest.mark.parametrize("uri", ["/etc/passwd", "0", "rtsp://camera/", "a\x00b", "", "x" * 5000])
def test_what_tracks_name_is_shown_only_if_it_is_a_video(uri: str, tmp_path: Path) -> None:
    assert video_of(header(uri=uri), tmp_path / "numbers.jsonl") is None


def test_what_speaks_against_a_video_is_told(numbers_video: Path) -> None:
    video = open_as_video(numbers_video)
    assert differences(video, header()) == []
    assert differences(video, header(frame_count=None)) == []
    assert differences(video, header(width_px=320, height_px=180, frame_count=100)) == [
        "numbers.mp4 is 640x360, the tracks were made at 320x180: boxes are scaled",
        "numbers.mp4 has 120 frames, the source of the tracks had 100",
    ]
