"""The example's mug on the table in centimetres, and how it is moved out of a zone: from flags to the track file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridtrack.relations.zones import dwell
from hybridtrack.track_file import read_tracks
from tests.integration.conftest import Finished

TABLE = "91.13,337.19,538.83,335.7,466.27,181.06,165.07,181.74:44x32cm"
ZONES = """
[zones.middle]
polygon = [[24, 15], [36, 15], [36, 30], [24, 30]]
classes = ["mug"]
"""


@pytest.fixture
def run(hybridtrack: Callable[..., Finished], root: Path) -> Callable[..., Finished]:
    """Run the first 130 frames of the example with its true boxes."""
    example = root / "examples" / "data" / "table"
    clip = example.with_suffix(".mp4")
    return lambda *arguments: hybridtrack(
        "run", clip, "--detector", f"replay,path={example}", "--max-frames", 130, *arguments
    )


def test_mug_is_placed_on_the_table_and_leaves_the_zone_in_which_it_stood(
    run: Callable[..., Finished], root: Path, place: Path
) -> None:
    (place / "zones.toml").write_text(ZONES)
    done = run("--table", TABLE, "--zones", "zones.toml", "--json", "out.jsonl")
    assert (done.returncode, done.stderr) == (0, "")
    with read_tracks(place / "out.jsonl") as tracks:
        settings, frames = tracks.header.settings, list(tracks)
    assert settings["table"] == TABLE
    assert settings["zones"] == {
        "middle": {"polygon": [[24, 15], [36, 15], [36, 30], [24, 30]], "unit": "cm", "classes": ["mug"]}
    }
    mug = next(track for track in frames[15].tracks if track.class_name == "mug")
    # the mug stands at (6, 11.5) from the mat's middle line and 10 cm behind its near side; its handle draws it aside
    assert mug.position_cm == pytest.approx((28, 21.5), abs=3)
    assert isinstance(mug.speed_cm_s, float)
    assert mug.speed_cm_s < 2
    entry, exit = (event for frame in frames for event in frame.events if event.zone)
    assert (entry.kind, entry.time_s, entry.subject) == ("enter", 0, mug.track_id)
    assert (exit.kind, exit.subject) == ("leave", mug.track_id)
    assert 2 < exit.time_s < 3.5  # it is carried in frames 56 to 103
    assert dwell([entry, exit], frames[-1].time_s) == {(mug.track_id, "middle"): exit.time_s}
    near = [pair.distance_cm for frame in frames for pair in frame.relations if pair.object == mug.track_id]
    assert near
    assert all(isinstance(distance, float) for distance in near)


def test_zones_and_distances_computed_from_the_file_are_those_of_the_run(
    run: Callable[..., Finished], hybridtrack: Callable[..., Finished], place: Path
) -> None:
    (place / "zones.toml").write_text(ZONES)
    assert run("--table", TABLE, "--zones", "zones.toml", "--json", "out.jsonl").returncode == 0
    done = hybridtrack("relations", "out.jsonl", "--json", "again.jsonl")
    assert (done.returncode, done.stderr) == (0, "")
    lines, again = ((place / name).read_text().splitlines()[1:-1] for name in ("out.jsonl", "again.jsonl"))
    assert again == lines
    assert "distance_cm" in "".join(lines)
    assert '"zone":"middle"' in "".join(lines)


def test_zones_in_a_file_of_settings_stand_in_the_table_at_the_end(run: Callable[..., Finished], place: Path) -> None:
    (place / "run.toml").write_text(f"table = {json.dumps(TABLE)}\n{ZONES}")
    done = run("--config", "run.toml", "--no-relations", "--max-frames", 20)
    assert done.returncode == 0
    (line,) = (line.split() for line in done.stdout.splitlines() if "middle" in line)
    assert line[0::2] == ["mug", "in", "0.63"]


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (("--zones", "zones.toml"), "zone 'middle' is in cm, and no table is given"),
        (("--zones", "none.toml"), "cannot read the configuration 'none.toml'"),
        (("--table", "1,2,3:44x32cm"), "--table '1,2,3:44x32cm': '1,2,3' are not four corners"),
    ],
)
def test_what_cannot_be_placed_is_refused_in_one_line(
    run: Callable[..., Finished], place: Path, arguments: tuple[str, ...], cause: str
) -> None:
    (place / "zones.toml").write_text(ZONES)
    done = run(*arguments)
    assert done.returncode == 2
    assert cause in done.stderr
    assert done.stderr.count("\n") == 1
