"""Totals as a table: rows of text, which are aligned for people or separated by commas for programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from hybridtrack.ledger.interactions import HOLD, TOUCH, VISIT, Totals

_COLUMNS = {TOUCH: ("touches", "touching_s"), HOLD: ("holds", "holding_s"), VISIT: ("visits", "dwell_s")}
_WORDS = 5  #: columns at the front that are no numbers


def table_of(totals: Sequence[Totals], *, digits: int) -> list[list[str]]:
    """Return a head and a row a pair, seconds with so many ``digits``.

    Columns: who and with what, first and last second, then how often and how long: of touches and holds, of visits
    where there are zones, and of the states that plugins give, under their names.
    """
    known = {kind for row in totals for kind in row.count}
    kinds = [TOUCH, HOLD, *([VISIT] if VISIT in known else []), *sorted(known - {TOUCH, HOLD, VISIT})]
    head = ["subject", "subject_class", "object", "object_class", "zone", "first_s", "last_s"]
    for kind in kinds:
        head += _COLUMNS.get(kind, (kind, f"{kind}_s"))
    rows = [head]
    for one in totals:
        pair = one.pair
        row = [str(pair.subject_id), one.subject_class, str(pair.object_id or ""), one.object_class, pair.zone]
        row += [f"{one.first_s:.{digits}f}", f"{one.last_s:.{digits}f}"]
        for kind in kinds:
            row += [str(one.count.get(kind, 0)), f"{one.seconds.get(kind, 0.0):.{digits}f}"]
        rows.append(row)
    return rows


def csv_text(totals: Sequence[Totals]) -> str:
    """Return the table as comma-separated values (RFC 4180), seconds to the millisecond."""
    text = io.StringIO()
    csv.writer(text).writerows(table_of(totals, digits=3))
    return text.getvalue()


def plain_text(totals: Sequence[Totals]) -> str:
    """Return the table in aligned columns, seconds to the hundredth; a line that says so when there is nothing."""
    if not totals:
        return "no touches, holds or visits\n"
    head, *rows = table_of(totals, digits=2)
    shown = [["subject", "object", *(name.replace("_", " ") for name in head[_WORDS:])]]
    for (subject_id, subject, object_id, object_, zone), numbers in ((row[:_WORDS], row[_WORDS:]) for row in rows):
        shown.append([f"{subject} {subject_id}", zone or f"{object_} {object_id}", *numbers])
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    lines = ([cell.rjust(width) for cell, width in zip(row[2:], widths[2:], strict=True)] for row in shown)
    names = ([cell.ljust(width) for cell, width in zip(row[:2], widths[:2], strict=True)] for row in shown)
    return "".join("  ".join([*who, *line]) + "\n" for who, line in zip(names, lines, strict=True))
