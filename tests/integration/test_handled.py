"""Input that is odd and can be worked with: exit code 0, and the summary says what was unusual."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from tests.integration.conftest import Finished
from tests.integration.inputs import write_video

Hybridtrack = Callable[..., Finished]
ReadValid = Callable[[Path], list[dict[str, Any]]]

ALL_OUTPUTS = (
    "--json",
    "out.jsonl",
    "--mot",
    "out.txt",
    "--video",
    "out.mp4",
    "--image",
    "out.png",
    "--with-detections",
)


@pytest.fixture
def run_whole(hybridtrack: Hybridtrack, read_valid: ReadValid, place: Path) -> Callable[..., list[dict[str, Any]]]:
    """Run the program into all outputs at once; return the lines of the track file, its summary complete."""

    def run(source: object, *flags: str) -> list[dict[str, Any]]:
        done = hybridtrack("run", source, *ALL_OUTPUTS, *flags)
        lines = read_valid(place / "out.jsonl")
        summary = lines[-1]
        notes = "".join(f"hybridtrack run: {note}\n" for note in summary.get("notes", ()))
        assert (done.returncode, done.stdout, done.stderr) == (0, "", notes)
        assert (summary["complete"], summary["failures"], summary["dropped"]) == (True, {}, 0)
        assert [line["frame"] for line in lines[1:-1]] == list(range(summary["frames"]))
        times = [line["time"] for line in lines[1:-1]]
        assert times == sorted(set(times))
        ids = [[track["id"] for track in line["tracks"]] for line in lines[1:-1]]
        assert all(len(set(row)) == len(row) for row in ids)
        with av.open(str(place / "out.mp4")) as container:
            assert sum(1 for _ in container.decode(video=0)) == summary["frames"]
        return lines

    return run


@pytest.mark.parametrize("size", [(1, 1), (3, 1000), (1000, 3), (63, 47)])
def test_video_of_an_odd_size_is_tracked(
    place: Path, run_whole: Callable[..., list[Any]], size: tuple[int, int]
) -> None:
    header, *frames, _ = run_whole(write_video(place / "odd.mkv", size, codec="ffv1", pix_fmt="yuv444p"))
    assert (header["source"]["width"], header["source"]["height"]) == size
    assert [frame["frame"] for frame in frames if frame["runs"]] == [0, 3, 6]


def test_video_of_4096_by_2160_is_tracked(place: Path, hybridtrack: Hybridtrack, read_valid: ReadValid) -> None:
    write_video(place / "large.mp4", (4096, 2160), 2)
    done = hybridtrack("run", "large.mp4", "--json", "out.jsonl")
    assert (done.returncode, done.stderr) == (0, "")
    header, *frames, _ = read_valid(place / "out.jsonl")
    assert (header["source"]["width"], header["source"]["height"]) == (4096, 2160)
    assert len(frames) == 2


PICTURES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "grey": lambda bgr: bgr[:, :, 1],
    "grey, 16 bits": lambda bgr: bgr[:, :, 1].astype(np.uint16) * 257,
    "16 bits": lambda bgr: bgr.astype(np.uint16) * 257,
    "alpha": lambda bgr: np.dstack([bgr, np.full(bgr.shape[:2], 128, np.uint8)]),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_pictures_of_other_kinds_are_tracked(
    place: Path, table_clip: Path, run_whole: Callable[..., list[Any]], kind: str
) -> None:
    folder = place / "pictures"
    folder.mkdir()
    with av.open(str(table_clip)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if 96 <= number < 100:
                cv2.imwrite(str(folder / f"{number}.png"), PICTURES[kind](frame.to_ndarray(format="bgr24")))
    header, *frames, _ = run_whole(folder)
    assert header["source"]["fps"] == 30
    assert [frame["time"] for frame in frames] == pytest.approx([0, 1 / 30, 2 / 30, 3 / 30], abs=1e-6)
    if not kind.startswith("grey"):  # without colour the detector may see nothing
        assert all(len(frame["tracks"]) >= 1 for frame in frames)


def test_video_cut_in_the_middle_is_tracked_up_to_there(place: Path, run_whole: Callable[..., list[Any]]) -> None:
    whole = write_video(place / "whole.mp4", (64, 48), 40, options={"movflags": "faststart"})
    cut = place / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    *_, summary = run_whole(cut)
    assert 10 < summary["frames"] < 39
    assert any(note.startswith("truncated: the file ends after ") for note in summary["notes"])


def test_truncation_stands_in_the_table_as_well(place: Path, hybridtrack: Hybridtrack) -> None:
    whole = write_video(place / "whole.mp4", (64, 48), 40, options={"movflags": "faststart"})
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    done = hybridtrack("run", whole)
    assert (done.returncode, done.stderr) == (0, "")
    assert "truncated: the file ends after " in done.stdout


@pytest.mark.parametrize("flags", [(), ("--tracker", "kcf")], ids=str)
def test_stream_that_changes_size_is_tracked_with_new_ids(
    place: Path, table_clip: Path, run_whole: Callable[..., list[Any]], flags: tuple[str, ...]
) -> None:
    joined = place / "joined.ts"
    with av.open(str(table_clip)) as container:
        pictures = [f.to_ndarray(format="bgr24") for n, f in enumerate(container.decode(video=0)) if 93 <= n < 101]
    parts = []
    for number, size in enumerate([(640, 360), (400, 300)]):
        part = place / f"{number}.ts"
        with av.open(str(part), "w") as container:
            stream = container.add_stream("libx264", rate=30)
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            for picture in pictures:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(cv2.resize(picture, size), format="bgr24")))
            container.mux(stream.encode())
        parts.append(part.read_bytes())
    joined.write_bytes(b"".join(parts))
    _, *frames, _ = run_whole(joined, *flags, "--detect-every", "1")
    ids = [{track["id"] for track in frame["tracks"]} for frame in frames]
    assert all(ids[:6])
    assert all(ids[-6:])
    assert set.union(*ids[:6]).isdisjoint(set.union(*ids[-6:]))


def test_missing_timestamps_are_counted_from_the_frame_rate(place: Path, run_whole: Callable[..., list[Any]]) -> None:
    _, *frames, summary = run_whole(write_video(place / "raw.h264", (64, 48)))
    assert [frame["time"] for frame in frames] == pytest.approx([n / 30 for n in range(7)], abs=0.05)
    assert summary["notes"] == ["timestamps: 7 frames without a timestamp: frame intervals counted instead"]


def test_what_was_odd_is_said_of_a_run_that_ends_early(place: Path, run_whole: Callable[..., list[Any]]) -> None:
    *_, summary = run_whole(write_video(place / "raw.h264", (64, 48)), "--max-frames", "3")
    assert summary["notes"] == ["timestamps: 3 frames without a timestamp: frame intervals counted instead"]


def test_timestamps_that_jump_backward_are_repaired_and_said(place: Path, run_whole: Callable[..., list[Any]]) -> None:
    parts = [write_video(place / f"{n}.ts", (64, 48), 40).read_bytes() for n in range(2)]
    (place / "joined.ts").write_bytes(b"".join(parts))
    _, *frames, summary = run_whole(place / "joined.ts", "--detect-every", "200ms")
    assert 75 < len(frames) <= 80
    assert any(
        "timestamps: 1 frame with a timestamp not later than the frame before" in note for note in summary["notes"]
    )
    assert frames[-1]["time"] == pytest.approx(len(frames) / 30, abs=0.15)


def test_variable_frame_rate_keeps_its_times(place: Path, run_whole: Callable[..., list[Any]]) -> None:
    stamps_ms = [0, 10, 200, 210, 220, 500, 1000]
    clip = write_video(place / "variable.mkv", (64, 48), codec="ffv1", pix_fmt="yuv444p", stamps_ms=stamps_ms)
    _, *frames, _ = run_whole(clip, "--detect-every", "100ms")
    assert [frame["time"] for frame in frames] == [stamp / 1000 for stamp in stamps_ms]
    assert [frame["time"] for frame in frames if frame["runs"]] == [0, 0.2, 0.5, 1]


def test_clip_without_hands_has_lines_without_tracks(
    place: Path, table_clip: Path, run_whole: Callable[..., list[Any]]
) -> None:
    _, *frames, summary = run_whole(table_clip, "--end", "0.5")
    assert len(frames) == 15
    assert all(frame["tracks"] == [] for frame in frames)
    assert [frame["detections"] for frame in frames if frame["runs"]] == [{"hand": []}] * 5
    assert all(frame["detections"] == {} for frame in frames if not frame["runs"])
    assert summary["detector_runs"] == {"hand": 5}
    assert (place / "out.txt").read_text() == ""
    assert "notes" not in summary


def test_name_with_foreign_letters_and_a_colon_is_read_and_written(
    place: Path, hybridtrack: Hybridtrack, read_valid: ReadValid
) -> None:
    clip = write_video(place / "Tisch: 食卓 #1.mkv", (64, 48))
    done = hybridtrack("run", clip.name, "--json", "Spuren – 手.jsonl")
    assert (done.returncode, done.stderr) == (0, "")
    assert read_valid(place / "Spuren – 手.jsonl")[0]["source"]["uri"] == clip.name


def test_resolved_settings_of_a_header_repeat_the_run(
    place: Path, table_clip: Path, hybridtrack: Hybridtrack, read_valid: ReadValid
) -> None:
    flags = (
        "--detect-every",
        "100ms",
        "--tracker",
        "kalman",
        "--start",
        "1",
        "--max-frames",
        "12",
        "--size",
        "320x180",
    )
    assert hybridtrack("run", table_clip, *flags, "--json", "first.jsonl").returncode == 0
    header, *first, _ = read_valid(place / "first.jsonl")
    settings = {key: value for key, value in header["settings"].items() if value is not None}
    lines = [
        f"{key} = {str(value).lower() if isinstance(value, bool) else repr(value)}" for key, value in settings.items()
    ]
    (place / "again.toml").write_text("\n".join(lines))
    assert hybridtrack("run", "--config", "again.toml", "--json", "second.jsonl").returncode == 0
    assert read_valid(place / "second.jsonl")[:-1] == [header, *first]
