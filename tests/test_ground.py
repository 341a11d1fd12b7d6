"""What is told of the table and of zones on it, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from hybridtrack.errors import ConfigError, UsageError
from hybridtrack.ground import ZoneSetting, parse_table, parse_zones

SQUARE = [[0, 0], [10, 0], [10, 10], [0, 10]]


@pytest.mark.parametrize("text", ["90.5,337,539,335,466,181,165,182:44x32cm", "markers=0,1,2,3:29.7x21cm"])
def test_table_prints_as_what_repeats_it(text: str) -> None:
    table = parse_table(text)
    assert str(table) == text
    assert parse_table(str(table)) == table


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("0,9,9,9,9,0,0,0:44x32", "'44x32' is no size in centimetres: write x1,y1"),
        ("0,9,9,9,9,0,0,0:44cm", "'44cm' is no size in centimetres"),
        ("0,9,9,9,9,0,0,0:0x32cm", "a table of 0x32 cm is not possible"),
        ("0,9,9,9,9,0:44x32cm", "are not four corners"),
        ("0,9,9,9,9,0,0,a:44x32cm", "are not four corners"),
        ("0,9,9,9,9,0,0,inf:44x32cm", "are not four corners"),
        ("0,9,9,9,9,9,0,0:44x32cm", "two corners of the table are one"),
        ("0,9,9,9,5,8,0,0:44x32cm", "give near left, near right, far right, far left"),  # the third lies within
        ("0,9,9,9,18,9,0,0:44x32cm", "give near left"),  # three on a line
        ("0,0,9,0,9,9,0,9:44x32cm", "give near left"),  # seen from below
        ("0,9,9,0,9,9,0,0:44x32cm", "give near left"),  # crossed
        ("markers=1,2,3:44x32cm", "four corners or four markers, not 3"),
        ("markers=1,2,3,3:44x32cm", "two corners of the table are one"),
        ("markers=1,2,3,x:44x32cm", "are no numbers of markers"),
        ("", "'' is no size in centimetres"),
    ],
)
def test_what_tells_of_no_table_is_refused(text: str, cause: str) -> None:
    with pytest.raises(UsageError, match=cause) as refusal:
        parse_table(text, where="--table")
    assert str(refusal.value).startswith("--table ")
    assert "\n" not in str(refusal.value)


def test_zones_are_read_with_centimetres_as_their_unit() -> None:
    tray, shelf = parse_zones(
        {"tray": {"polygon": SQUARE}, "shelf": {"polygon": SQUARE[:3], "unit": "px", "roles": ["hand"], "classes": []}}
    )
    assert tray == ZoneSetting(name="tray", polygon=((0, 0), (10, 0), (10, 10), (0, 10)), unit="cm")
    assert (shelf.unit, shelf.roles, shelf.classes) == ("px", ("hand",), ())
    assert parse_zones({"shelf": shelf.plain()}) == (shelf,)


@pytest.mark.parametrize(
    ("zones", "cause"),
    [
        ({}, "there is no zone: write"),
        ("tray", "there is no zone"),
        ({"tray": SQUARE}, "expected a table with polygon"),
        ({"tray": {}}, "polygon None: expected points"),
        ({"tray": {"polygon": [[0, 0], [1, "a"], [2, 2]]}}, "expected points such as"),
        ({"tray": {"polygon": ["ab", "cd", "ef"]}}, "expected points such as"),
        ({"tray": {"polygon": [[0, 0], [1, float("nan")], [2, 2]]}}, "expected points such as"),
        ({"tray": {"polygon": SQUARE[:2]}}, "a polygon of 2 points: give 3 or more"),
        ({"tray": {"polygon": [*SQUARE, [0, 0]]}}, "none of them twice"),
        ({"tray": {"polygon": [[0, 0], [1, 1], [2, 2]]}}, "has no area"),
        ({"tray": {"polygon": [[0, 0], [10, 10], [10, 0], [0, 9]]}}, "edges of the polygon cross"),
        ({"tray": {"polygon": SQUARE, "unit": "mm"}}, "unit 'mm': expected cm or px"),
        ({"tray": {"polygon": SQUARE, "unit": ["cm"]}}, r"unit \['cm'\]: expected cm or px"),
        ({"tray": {"polygon": SQUARE, "roles": "hand"}}, "roles 'hand': expected a list of names"),
        ({"tray": {"polygon": SQUARE, "role": ["hand"]}}, "unknown key 'role'.*did you mean 'roles'"),
    ],
)
def test_zone_that_is_none_is_refused_by_name(zones: Any, cause: str) -> None:
    with pytest.raises(ConfigError, match=cause) as refusal:
        parse_zones(zones)
    assert str(refusal.value).startswith("zones.tray" if isinstance(zones, dict) and zones else "zones: ")
    assert "\n" not in str(refusal.value)
