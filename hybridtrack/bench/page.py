"""The figures of a comparison as one page that needs nothing else: tables, words, and the curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from hybridtrack.bench.curve import Point, curve_svg
from hybridtrack.bench.machine import machine
from hybridtrack.bench.report import Comparison
from hybridtrack.bench.row import Row
from hybridtrack.bench.table import PAYS, TextTable, costs, figures, stages
from hybridtrack.bench.verdict import Standard, front_of
from hybridtrack.page.document import document, facts_html, table_html


def page(comparisons: Sequence[Comparison], settings: Mapping[str, Any]) -> bytes:
    """Return the page, UTF-8, of one or more comparisons and the settings they were measured with."""
    about = machine()
    facts = {
        "processor": f"{about['cpu']}, {about['cores']} cores",
        "system": about["system"],
        "versions": ", ".join(f"{name} {number}" for name, number in about["versions"].items()),
        **{name.replace("_", " "): _text(value) for name, value in settings.items()},
    }
    template = files("hybridtrack.bench").joinpath("page.html").read_text(encoding="utf-8")
    body = Template(template).substitute(
        sections="\n".join(map(_section, comparisons)),
        settings=facts_html({name: text for name, text in facts.items() if text}),
    )
    return document("hybridtrack bench: speed and accuracy", body)


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else "" if value is None else str(value)


def _section(one: Comparison) -> str:
    rows = one.rows
    choice, *others = one.words
    words = "\n".join([f'<p class="choice">{escape(choice)}</p>', *(f"<p>{escape(line)}</p>" for line in others)])
    curve = curve_svg(
        points_of(rows, one.standard),
        speed="frames per second",
        accuracy="HOTA" if one.standard.has_truth else "HOTA against detecting on every frame",
        title=f"accuracy over speed of {len(rows)} modes on {one.name}",
    )
    cadences = sorted({row.detect_every for row in rows if isinstance(row.detect_every, int)})
    tables = [figures(rows, one.standard, is_wide=True), stages(rows)]
    if one.costs:
        tables.append(costs(one.costs, cadences))
    heading = f"{one.name}: {rows[0].frames} frames, accuracy against {one.truth}"
    return "\n".join([f"<h2>{escape(heading)}</h2>", words, f"<figure>{curve}</figure>", *map(_table, tables)])


def points_of(rows: Sequence[Row], standard: Standard) -> list[Point]:
    """Return where the modes stand on the curve; numbers beside them are N."""
    return [
        Point(
            family=row.mode,
            label=""
            if row.detect_every == "auto" or not row.does_less or row.detect_every == 1
            else str(row.detect_every),
            speed=row.fps.median,
            accuracy=standard.accuracy(row),
            is_front=is_front,
        )
        for row, is_front in zip(rows, front_of(rows, standard), strict=True)
    ]


def _table(table: TextTable) -> str:
    return table_html(table.title, table.header, table.rows, row_class=lambda row: "pays" if PAYS in row else "")
