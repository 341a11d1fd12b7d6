from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from hybridtrack.bench.curve import Point, curve_svg
from hybridtrack.bench.machine import machine
from hybridtrack.bench.page import page, points_of
from hybridtrack.bench.report import Comparison, report
from hybridtrack.bench.table import costs, figures, stages
from hybridtrack.bench.verdict import Standard
from hybridtrack.page.figure import SERIES
from tests.bench.figures import cost, row

TRUTH, NO_TRUTH = Standard(has_truth=True), Standard(has_truth=False)
ROWS = [
    row("none", 1, 1.0, hota=0.6, filled_f1=None),
    row("flow", 3, 2.0, hota=0.62, filled_f1=0.912),
    row("hold", 10, 5.0, hota=0.4, filled_f1=0.5, rounds=1),
]
COSTS = [cost("none", 10, None), cost("flow", 10, 2)]
COMPARISON = Comparison(rows=ROWS, costs=COSTS, standard=TRUTH, truth="clips/<table>")


def test_table_has_speed_and_accuracy_side_by_side() -> None:
    table = figures(ROWS, TRUTH, is_wide=False)
    assert table.header == ("mode", "N", "runs", "frames/s", "speed-up", "CPU ms", "HOTA", "IDF1", "filled F1", "", "")
    assert table.rows == (
        ("none", "1", "10", "100 ±0", "1.00", "2.0 ±0.5", "60.0", "80.0", "-", "", ""),
        ("flow", "3", "10", "200 ±0", "2.00", "2.0 ±0.5", "62.0", "80.0", "91.2", "pays", "*"),
        ("hold", "10", "10", "500", "5.00", "2.0", "40.0", "80.0", "50.0", "", "*"),  # one round has no spread
    )


def test_wide_table_has_the_parts_of_accuracy_too() -> None:
    table = figures(ROWS, TRUTH, is_wide=True)
    assert table.header[6:14] == ("HOTA", "DetA", "AssA", "IDF1", "MOTA", "IDSW", "filled F1", "jitter")
    assert table.rows[0][6:14] == ("60.0", "60.0", "60.0", "80.0", "70.0", "2", "-", "12.3")


def test_without_truth_the_agreement_is_shown() -> None:
    table = figures([row("none", 1, 1.0), row("flow", 3, 2.0, f1=0.953)], NO_TRUTH, is_wide=False)
    assert table.header[-3:] == ("F1", "", "")
    assert [cells[-3] for cells in table.rows] == ["100.0", "95.3"]


def test_stages_and_costs_have_a_column_for_what_is_there() -> None:
    table = stages([row("none", 1, 1.0), row("flow", 3, 2.0, stage_ms={"decode": 1.0, "fill": 0.5})])
    assert table.header == ("mode", "N", "decode", "track", "fill")
    assert table.rows[1] == ("flow", "3", "1.00", "-", "0.50")
    table = costs(COSTS, [1, 2, 5])
    assert table.header == ("mode", "detected", "tracked", "T/D", "N=2", "N=5", "peak MB")
    assert table.rows[0] == ("none", "10.00", "-", "-", "-", "-", "180")
    assert table.rows[1] == ("flow", "10.00", "2.00", "0.20", "1.67", "2.78", "180")


class Outline(HTMLParser):
    """What a page has: its elements, what they point to, and its text."""

    VOID = ("meta", "br")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.targets: list[str] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.targets += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "data")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def test_page_needs_nothing_else_and_says_all() -> None:
    text = page([COMPARISON], {"rounds": 3, "gt": ("clips/<table>",), "html": None}).decode()
    outline = Outline(text)
    assert outline.open == []
    assert {"svg", "table", "h1"} <= set(outline.tags)
    assert outline.tags.count("table") == 3
    assert not {"script", "link", "img", "iframe"} & set(outline.tags)
    assert all(target.startswith("#") for target in outline.targets)
    assert "url(http" not in text
    assert "$" not in text
    for line in COMPARISON.words:
        assert line in outline.words
    assert "accuracy against clips/<table>" in outline.words  # escaped, or it would be an element
    assert machine()["cpu"] in outline.words
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


def test_same_figures_make_the_same_page() -> None:
    assert page([COMPARISON], {}) == page([COMPARISON], {})


def test_points_are_called_by_their_n() -> None:
    rows = [*ROWS, row("flow", 1, 0.9), row("adaptive", "auto", 2.0), row("flow", "100ms", 2.0)]
    assert [(point.family, point.label) for point in points_of(rows, TRUTH)] == [
        ("none", ""),
        ("flow", "3"),
        ("hold", "10"),
        ("flow", ""),
        ("adaptive", ""),
        ("flow", "100ms"),
    ]
    assert [(point.speed, point.accuracy) for point in points_of(ROWS, TRUTH)] == [(100, 60), (200, 62), (500, 40)]


@pytest.mark.parametrize("count", [1, 2, len(SERIES) + 2])
def test_curve_takes_its_colours_from_the_page(count: int) -> None:
    points = [Point(family=f"f{n}", label=str(n), speed=10 + n, accuracy=50 - n, is_front=n == 0) for n in range(count)]
    svg = curve_svg(points, speed="frames per second", accuracy="HOTA", title='a "curve"')
    root = ElementTree.fromstring(svg)
    words = {element.text for element in root.iter() if element.tag.endswith("text")}
    assert {"frames per second", "HOTA", "not beaten", *(f"f{n}" for n in range(count))} <= words
    assert root.get("aria-label") == 'a "curve"'
    assert root.get("width") is None
    colours = set(re.findall(r"(?:stroke|fill): (#[0-9a-f]+|var\([^)]*\))", svg))
    expected = {"var(--ink)", "var(--faint)", *(f"var(--series-{n % len(SERIES)})" for n in range(count))}
    assert expected <= colours
    assert not {colour for colour in colours if colour.startswith("#")}


def test_report_says_settings_and_machine() -> None:
    content = json.loads(report([COMPARISON], {"rounds": 3}))
    assert (content["format"], content["version"]) == ("hybridtrack.bench", 1)
    assert content["settings"] == {"rounds": 3}
    assert content["machine"] == machine()
    assert machine()["cores"] >= 1
    assert machine()["cpu"]
    assert {"python", "opencv", "hybridtrack", "numpy"} <= machine()["versions"].keys()


def test_report_has_a_row_a_mode_with_its_accuracy_and_verdict() -> None:
    content = json.loads(report([COMPARISON], {}))
    flow = content["rows"][1]
    assert (flow["source"], flow["mode"], flow["detect_every"]) == ("clips/table.mp4", "flow", 3)
    assert flow["speed_up"] == {"median": 2.0, "least": 2.0, "most": 2.0}
    assert flow["scores"]["hota"] == 0.62
    assert (flow["f1"], flow["filled_f1"]) == (1.0, 0.912)
    assert [one["pays"] for one in content["rows"]] == [False, True, False]
    assert [one["pareto"] for one in content["rows"]] == [False, True, True]
    assert content["costs"][1] == {
        "source": "clips/table.mp4",
        "mode": "flow",
        "reference_ms": 10.0,
        "detected_ms": 10,
        "tracked_ms": 2,
        "peak_mb": 180.4,
    }
    (verdict,) = content["verdicts"]
    assert verdict["choose"] == {"mode": "flow", "detect_every": 3}
    assert verdict["words"] == COMPARISON.words
