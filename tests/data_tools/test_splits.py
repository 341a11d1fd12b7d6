from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from data_tools.annotation import DataSet, Picture
from data_tools.coco import read_coco, write_coco
from data_tools.errors import DataError
from data_tools.leaks import check_no_leaks, find_leaks
from data_tools.leaks import main as leaks
from data_tools.splits import hold_out, parse_shares, split
from data_tools.splits import main as splits


def data_set(sizes: dict[str, int]) -> DataSet:
    pictures = (
        Picture(name=f"{group}/{number}.jpg", size_px=(8, 6), group=group)
        for group, count in sizes.items()
        for number in range(count)
    )
    return DataSet(labels=("hand",), pictures=tuple(pictures))


def groups(data: DataSet) -> set[str | None]:
    return {picture.group for picture in data.pictures}


@settings(deadline=None)
@given(
    sizes=st.lists(st.integers(1, 9), min_size=5, max_size=30),
    seed=st.integers(0, 99),
    shares=st.sampled_from([(0.1, 0.1), (0.2, 0.3), (0.0, 0.25)]),
)
def test_parts_share_no_group_and_lose_no_picture(sizes: list[int], seed: int, shares: tuple[float, float]) -> None:
    data = data_set({str(number): size for number, size in enumerate(sizes)})
    try:
        parts = split(data, {"val": shares[0], "test": shares[1]}, seed=seed)
    except DataError:
        assume(False)
    assert find_leaks(parts) == []
    names = Counter(picture.name for part in parts.values() for picture in part.pictures)
    assert names == Counter(picture.name for picture in data.pictures)
    for part, share in zip(("val", "test"), shares, strict=True):
        if part in parts:
            # nearer than one more unit, or one less, would bring it
            assert abs(len(parts[part].pictures) - share * len(data.pictures)) <= max(sizes) / 2


def test_same_seed_makes_the_same_parts_whatever_the_order() -> None:
    data = data_set({str(number): 10 for number in range(20)})
    turned = DataSet(labels=data.labels, pictures=data.pictures[::-1])
    parts, again = (split(x, {"val": 0.1, "test": 0.2}, seed=3) for x in (data, turned))
    assert {part: groups(x) for part, x in parts.items()} == {part: groups(x) for part, x in again.items()}
    assert [len(part.pictures) for part in parts.values()] == [140, 20, 40]
    other = split(data, {"val": 0.1, "test": 0.2}, seed=4)
    assert groups(parts["test"]) != groups(other["test"])


def test_strata_are_spread_over_the_parts() -> None:
    data = data_set({f"{game}{place}{number}": 5 for game in "ABCD" for place in "XYZ" for number in range(4)})
    for seed in range(20):
        parts = split(
            data, {"val": 1 / 12, "test": 1 / 4}, seed=seed, strata=lambda x: (str(x.group)[0], str(x.group)[1])
        )
        test = [str(group) for group in groups(parts["test"])]
        assert Counter(group[0] for group in test) == dict.fromkeys("ABCD", 3)
        assert Counter(group[1] for group in test) == dict.fromkeys("XYZ", 4)
        val = [str(group) for group in groups(parts["val"])]
        assert len({group[0] for group in val}) == 4
        assert len({group[1] for group in val}) == 3


def test_pictures_without_a_group_are_each_like_no_other() -> None:
    data = DataSet(labels=(), pictures=tuple(Picture(name=f"{x}.jpg", size_px=(8, 6)) for x in range(10)))
    parts = split(data, {"val": 0.1, "test": 0.1}, seed=0)
    assert [len(part.pictures) for part in parts.values()] == [8, 1, 1]


def test_held_out_pictures_are_the_test() -> None:
    data = data_set({f"{place}{number}": 10 for place in "XY" for number in range(10)})
    parts = hold_out(data, lambda picture: str(picture.group).startswith("X"), 0.1, seed=0)
    assert {part: len(x.pictures) for part, x in parts.items()} == {"train": 90, "val": 10, "test": 100}
    assert all(str(group).startswith("X") for group in groups(parts["test"]))


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ({"test": 1.0}, "none below 0, together below 1"),
        ({"test": -0.1}, "none below 0"),
        ({"test": 0.01}, "no pictures for test"),
    ],
)
def test_shares_that_cannot_be_are_refused(shares: dict[str, float], message: str) -> None:
    with pytest.raises(DataError, match=message):
        split(data_set({"a": 5, "b": 5}), shares, seed=0)


def test_leak_names_groups_and_counts() -> None:
    parts = {"train": data_set({"a": 3, "b": 2}), "test": data_set({"b": 1, "c": 1})}
    assert [str(leak) for leak in find_leaks(parts)] == ["b (2 in train, 1 in test)"]
    with pytest.raises(DataError, match=r"1 videos stand in more than one part.*: b \(2 in train, 1 in test\)"):
        check_no_leaks(parts)


@pytest.mark.parametrize(
    ("text", "shares"), [("80,10,10", (0.1, 0.1)), ("3,0,1", (0, 0.25)), ("0.5,0.25,0.25", (0.25, 0.25))]
)
def test_shares_are_read(text: str, shares: tuple[float, float]) -> None:
    assert tuple(parse_shares(text).values()) == pytest.approx(shares)


@pytest.mark.parametrize("text", ["80,20", "a,b,c", "0,50,50", "100,0,0", "80,-10,10", ""])
def test_shares_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(DataError, match="give three numbers"):
        parse_shares(text)


def test_commands_part_and_check(tmp_path: Path) -> None:
    data = data_set({str(number): 2 for number in range(10)})
    data = replace(data, pictures=tuple(replace(picture, folder=tmp_path) for picture in data.pictures))
    write_coco(data, tmp_path / "all.json")
    done = CliRunner().invoke(splits, [str(tmp_path / "all.json"), "--out", str(tmp_path / "parts")])
    assert done.exit_code == 0, done.output
    files = [str(tmp_path / "parts" / f"{part}.json") for part in ("train", "val", "test")]
    assert [len(read_coco(Path(file)).pictures) for file in files] == [16, 2, 2]
    assert CliRunner().invoke(leaks, files).output == "no leak: 10 groups, each in one of 3 parts\n"
    leaking = CliRunner().invoke(leaks, [*files, str(tmp_path / "all.json")])
    assert isinstance(leaking.exception, DataError)
    assert json.loads(Path(files[0]).read_text())["info"] == {"folder": ".."}
