from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from hybridtrack.cadence import Cadence, cadence_for, parse_cadence
from hybridtrack.config import RunSettings, parse_choice, read_settings
from hybridtrack.errors import ConfigError, HybridTrackError, UsageError


@pytest.mark.parametrize(
    ("value", "cadence"),
    [
        (3, Cadence(frames=3)),
        ("3", Cadence(frames=3)),
        ("1", Cadence(frames=1)),
        ("100ms", Cadence(seconds=0.1)),
        ("2s", Cadence(seconds=2)),
        ("0.5s", Cadence(seconds=0.5)),
        ("auto", Cadence(is_auto=True)),
        ("auto/10", Cadence(is_auto=True, budget=Cadence(frames=10))),
        ("auto/300ms", Cadence(is_auto=True, budget=Cadence(seconds=0.3))),
        ("auto:max=2s", Cadence(is_auto=True, max_s=2.0)),
        ("auto/5:min=50ms:max=2s", Cadence(is_auto=True, budget=Cadence(frames=5), min_s=0.05, max_s=2.0)),
    ],
)
def test_cadence_is_read_from_frames_and_times(value: int | str, cadence: Cadence) -> None:
    assert parse_cadence(value) == cadence


@pytest.mark.parametrize("value", [0, -1, "0", "-1", "1.5", "abc", "", "0ms", "-5ms", "3 frames", "ms", True])
def test_what_is_no_cadence_is_refused_with_the_place_it_came_from(value: int | str) -> None:
    with pytest.raises(
        UsageError, match=r"^--detect-every .*whole number of frames from 1, a time such as 100ms, or auto$"
    ):
        parse_cadence(value, where="--detect-every")


@pytest.mark.parametrize(
    "cadence",
    [
        Cadence(frames=7),
        Cadence(seconds=0.1),
        Cadence(seconds=2.5),
        Cadence(is_auto=True),
        Cadence(is_auto=True, budget=Cadence(frames=10), max_s=2.5),
        Cadence(is_auto=True, budget=Cadence(seconds=0.3), min_s=0.05, max_s=1.0),
    ],
    ids=str,
)
def test_text_of_a_cadence_reads_back(cadence: Cadence) -> None:
    assert parse_cadence(str(cadence)) == cadence


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("auto/0", "x 'auto/0': budget '0' is no cadence"),
        ("auto/", "x 'auto/': budget '' is no cadence"),
        ("auto/auto", "auto/auto is not possible: use a number of frames, or a time such as 300ms"),
        ("auto:min=3", "x 'auto:min=3': min '3' is no time"),
        ("auto:max=0s", "x 'auto:max=0s': max '0s' is no time"),
        ("auto:min=2s:max=1s", "auto:min=2000ms:max=1000ms is not possible: min is more than max"),
        ("auto:max=2s:min=1s", "x 'auto:max=2s:min=1s' is no cadence: write auto"),
        ("auto:often", "x 'auto:often' is no cadence: write auto"),
        ("automatic", "x 'automatic' is no cadence"),
    ],
)
def test_automatic_cadence_of_another_form_is_refused(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=f"^{re.escape(told)}"):
        parse_cadence(text, where="x")


def test_budget_and_bounds_are_for_automatic_cadences() -> None:
    with pytest.raises(UsageError, match="a cadence of 3 has no budget and no bounds: they are for auto"):
        Cadence(frames=3, max_s=1.0)


def test_phase_has_to_lie_within_the_cadence() -> None:
    assert Cadence(frames=3, phase=2).phase == 2
    with pytest.raises(UsageError, match="phase=3 does not fit a cadence of 3: use 0 to 2"):
        Cadence(frames=3, phase=3)
    with pytest.raises(UsageError, match="phase=1 does not fit a cadence of auto: use 0 to 0"):
        Cadence(is_auto=True, phase=1)


@pytest.mark.parametrize("given", [{}, {"frames": 3, "seconds": 1.0}, {"frames": 3, "is_auto": True}])
def test_cadence_is_one_of_its_kinds(given: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="a cadence is in frames, in seconds or automatic: give one of"):
        Cadence(**given)


@pytest.mark.parametrize(
    ("every", "default_every", "finds_hands", "frames"),
    [
        ("7", 10, True, 7),  # every= beats all
        ("7", 10, False, 7),
        (None, 10, True, 5),  # --detect-every rules hands
        (None, 10, False, 10),  # others keep their own
        (None, None, False, 5),  # and follow where they have none
    ],
)
def test_cadence_goes_by_every_then_detect_every_then_default(
    every: str | None, default_every: int | None, finds_hands: bool, frames: int
) -> None:
    cadence = cadence_for(
        every=every, phase=1, detect_every=Cadence(frames=5), default_every=default_every, finds_hands=finds_hands
    )
    assert cadence == Cadence(frames=frames, phase=1)


def test_choice_has_name_cadence_and_options() -> None:
    choice = parse_choice("mug, every=10,phase=4,limit=1.5s,birth=0.9,colour=red", where="--detector", has_cadence=True)
    assert (choice.name, choice.every, choice.phase, choice.options) == ("mug", "10", 4, {"colour": "red"})
    assert (choice.limit, choice.limit_s, choice.birth) == ("1.5s", 1.5, 0.9)
    assert parse_choice(str(choice), where="--detector", has_cadence=True) == choice


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (",every=3", "has no name"),
        ("hand,every", "'every' is no option: write key=value"),
        ("hand,a=1,a=2", "'a' is given twice"),
        ("hand,phase=-1", "phase is '-1'"),
        ("hand,every=0", "hand: every '0' is no cadence"),
        ("hand,every=3,phase=3", "phase=3 does not fit"),
        ("hand,limit=5", "^--detector hand: limit '5' is no time: use one above 0 with its unit, such as 500ms or 5s$"),
        ("hand,limit=0s", "hand: limit '0s' is no time"),
        ("hand,limit=", "hand: limit '' is no time"),
        ("hand,birth=1.5", "^--detector hand: birth '1.5' is no score: use a number from 0 to 1, such as 0.9$"),
        ("hand,birth=nan", "hand: birth 'nan' is no score"),
        ("hand,birth=", "hand: birth '' is no score"),
    ],
)
def test_malformed_choice_is_refused(text: str, cause: str) -> None:
    with pytest.raises(UsageError, match=cause):
        parse_choice(text, where="--detector", has_cadence=True)


def test_limit_of_a_tracker_is_an_option_like_others() -> None:
    choice = parse_choice("flow,limit=5s", where="--tracker", has_cadence=False)
    assert (choice.limit_s, choice.options) == (None, {"limit": "5s"})


@pytest.mark.parametrize(
    ("texts", "names"),
    [(("mug",), ["mug"]), (("+mug",), ["hand", "mug"]), (("+mug", "face", "cup"), ["face", "cup", "mug"])],
)
def test_plain_detectors_replace_the_default_set_and_plus_adds(texts: tuple[str, ...], names: list[str]) -> None:
    assert [choice.name for choice in read_settings({"detector": texts}).detector] == names


def test_detector_asked_for_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="'hand' is asked for twice"):
        read_settings({"detector": ("+hand",)})


def test_settings_have_the_documented_defaults() -> None:
    settings = read_settings({})
    assert settings == RunSettings()
    assert (settings.source, settings.detect_every, settings.tracker.name) == ("0", Cadence(frames=3), "flow")


def test_flags_win_over_the_file(tmp_path: Path) -> None:
    config = tmp_path / "run.toml"
    config.write_text('source = 1\ndetect-every = 5\ntracker = "hold"\ndetector = ["hand,threads=2", "+mug"]\n')
    settings = read_settings({"detect_every": "100ms"}, config)
    assert settings.source == "1"
    assert settings.detect_every == Cadence(seconds=0.1)
    assert settings.tracker.name == "hold"
    assert [str(choice) for choice in settings.detector] == ["hand,threads=2", "mug"]


def test_resolved_settings_repeat_the_run(tmp_path: Path) -> None:
    flags = {
        "source": "a.mp4",
        "size": "640x360",
        "detect_every": "100ms",
        "detector": ("hand,every=2,phase=1,limit=500ms",),
    }
    settings = read_settings({**flags, "json": "out.jsonl", "start": 1.5, "live": True})
    resolved = {key: value for key, value in settings.resolved().items() if value is not None}
    lines = [
        f"{key} = {str(value).lower() if isinstance(value, bool) else repr(value)}" for key, value in resolved.items()
    ]
    (tmp_path / "run.toml").write_text("\n".join(lines))
    assert read_settings({}, tmp_path / "run.toml").resolved() == settings.resolved()
    assert resolved["detector"] == ["hand,every=2,phase=1,limit=500ms"]
    assert resolved["live"] is True
    assert "json" not in resolved  # where the output goes does not shape it


def test_identities_are_read_from_flags_and_from_a_table_of_the_file(tmp_path: Path) -> None:
    config = tmp_path / "run.toml"
    config.write_text('[identity]\ncup = ["mug", "coffee cup", "bowl"]\n')
    in_file = {"cup": ("mug", "coffee cup", "bowl")}
    assert read_settings({}, config).identity == in_file
    assert read_settings({"identity": ("cup=mug|coffee cup|bowl",)}).identity == in_file
    assert read_settings({"identity": ("cup=mug", "cup=bowl|mug")}).identity == {"cup": ("mug", "bowl")}
    assert read_settings({"identity": ("box=crate",)}, config).identity == {"box": ("crate",)}


def test_resolved_identities_repeat_the_run() -> None:
    settings = read_settings({"identity": ("cup=mug|coffee cup", "box=crate")})
    assert settings.resolved()["identity"] == ["cup=mug|coffee cup", "box=crate"]
    assert read_settings({"identity": settings.resolved()["identity"]}) == settings


@pytest.mark.parametrize("text", ["cup", "=mug", "cup=", "cup=mug||bowl", ""])
def test_identity_that_joins_nothing_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--identity"):
        read_settings({"identity": (text,)})


@pytest.mark.parametrize(
    ("toml", "cause"),
    [
        ("detekt-every = 3", "unknown key 'detekt-every'.*did you mean 'detect-every'"),
        ("config = 'a'", "unknown key 'config'"),
        ("width = '640'", "width '640': expected a whole number from 1"),
        ("width = 0", "width 0: expected a whole number from 1"),
        ("loop = true", "loop True: expected a whole number"),
        ("show = 1", "show 1: expected true or false"),
        ("detect-every = 1.5", "detect-every 1.5: expected a whole number of frames"),
        ("detect-every = 0", "detect-every 0 is no cadence"),
        ("detector = 3", "detector 3: expected a text"),
        ("size = '640'", "expected WIDTHxHEIGHT"),
        ("size = '0x360'", "expected WIDTHxHEIGHT"),
        ("fps = 0", "expected a number above 0"),
        ("start = -1.0", "expected a number from 0"),
        ("end = nan", "expected a number from 0"),
        ("runtime = 'torch'", "expected litert or tensorflow"),
        ("json = ''", "expected a text"),
        ("[identity]\ncup = 'mug'", "identity.cup 'mug': expected a list of names of classes"),
        ("[identity]\ncup = []", "identity 'cup' has no class"),
        ("[identity]\na = ['mug']\nb = ['mug']", "'mug' stands under 'a' and 'b'"),
        ("table = '1,2,3'", "'1,2,3' is no size in centimetres"),
        ("loop = 2\nloop = 3", "is no TOML file"),
        ("max-frames = 2\nmax_frames = 3", "given twice"),
    ],
)
def test_wrong_line_of_a_file_is_refused_in_one_line_that_names_the_file(tmp_path: Path, toml: str, cause: str) -> None:
    config = tmp_path / "run.toml"
    config.write_text(toml)
    with pytest.raises(ConfigError, match=cause) as refusal:
        read_settings({}, config)
    assert "run.toml" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_missing_file_of_settings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read the configuration .*No such file"):
        read_settings({}, tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("flags", "cause"),
    [
        ({"start": 2, "end": 1}, "--end 1 is not after --start 2"),
        ({"end": 0}, "--end 0 is not after --start 0"),
        ({"with_detections": True}, "give --json FILE as well"),
        ({"json": "out/a", "mot": "./out/a"}, "two outputs would go to one file"),
        ({"json": "out/a", "mot": "out/../out/a"}, "two outputs would go to one file"),
        ({"json": "-", "mot": "-"}, "two outputs would go to one file"),
        ({"width": 0}, "--width 0: expected"),
    ],
)
def test_flags_that_do_not_go_together_are_refused(flags: dict[str, object], cause: str) -> None:
    with pytest.raises(HybridTrackError, match=cause):
        read_settings(flags)


def test_fill_is_read_from_a_flag_and_from_the_file(tmp_path: Path) -> None:
    config = tmp_path / "run.toml"
    config.write_text('fill = "two-way"\n')
    assert read_settings({}).fill == "forward"
    assert read_settings({}, config).fill == "two-way"
    assert read_settings({"fill": "forward"}, config).fill == "forward"
    assert read_settings({}, config).resolved()["fill"] == "two-way"


def test_fill_that_is_none_is_refused_and_so_is_one_that_waits_for_what_never_waits(tmp_path: Path) -> None:
    config = tmp_path / "run.toml"
    config.write_text('fill = "backward"\n')
    with pytest.raises(ConfigError, match="fill 'backward': expected forward or two-way"):
        read_settings({}, config)
    with pytest.raises(UsageError, match="--live waits for none: leave one out"):
        read_settings({"fill": "two-way", "live": True})
