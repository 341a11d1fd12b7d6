"""The page around its content, and the tables and facts in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from importlib.resources import files
from string import Template

from hybridtrack.page.figure import page_variables


def document(title: str, body: str) -> bytes:
    """Return the page, UTF-8; ``body`` is HTML."""
    template = files("hybridtrack.page").joinpath("document.html").read_text(encoding="utf-8")
    light, dark = page_variables()
    return Template(template).substitute(title=escape(title), light=light, dark=dark, body=body).encode()


def table_html(
    title: str,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    row_class: Callable[[Sequence[str]], str] = lambda row: "",
    is_words: bool = False,
) -> str:
    """Return a table of texts under its title; the first column stands to the left, the others to the right.

    row_class: the CSS class of a row, empty for none. is_words: all columns stand to the left.
    """
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "\n".join(_row(row, row_class(row)) for row in rows)
    kind = ' class="words"' if is_words else ""
    return (
        f"<h3>{escape(title)}</h3>\n"
        f'<div class="wide"><table{kind}>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>'
    )


def _row(cells: Sequence[str], kind: str) -> str:
    marked = f' class="{escape(kind)}"' if kind else ""
    return f"<tr{marked}>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"


def facts_html(facts: Mapping[str, str]) -> str:
    """Return names and what they are, one a line."""
    rows = "\n".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in facts.items())
    return f"<dl>\n{rows}\n</dl>"
