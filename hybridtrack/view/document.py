"""The page: one HTML document with what it is told at its start, served with its modules beside it or inside it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from string import Template
from typing import Any, Final

MODULES: Final = (
    "main",
    "columns",
    "tracks",
    "source",
    "player",
    "live",
    "overlay",
    "timeline",
    "bars",
    "pointer",
    "panels",
    "looks",
)
STYLE: Final = "style.css"


def asset(name: str) -> str:
    """Return the text of a part of the page."""
    return files("hybridtrack.view").joinpath("page", name).read_text(encoding="utf-8")


def page(told: Mapping[str, Any], *, title: str, data: Mapping[str, bytes] | None = None, nonce: str = "") -> str:
    """Return the document. ``told`` is JSON that its modules read first; ``data``, by name, stands in it in base64.

    With ``data`` all modules and the style stand in it as well, so that it needs nothing beside it.
    """
    is_whole = data is not None
    modules = {f"view/{name}": _inside(name) if is_whole else f"./page/{name}.js" for name in MODULES}
    style = f"<style>\n{asset(STYLE)}</style>" if is_whole else f'<link rel="stylesheet" href="page/{STYLE}">'
    blocks = [
        f'<script type="application/octet-stream" id="data-{name}">{base64.b64encode(content).decode()}</script>'
        for name, content in (data or {}).items()
    ]
    return Template(asset("index.html")).substitute(
        title=escape(title),
        style=style,
        nonce=escape(nonce),
        modules=_script_json({"imports": modules}),
        told=_script_json(told),
        data="\n".join(blocks),
    )


def _inside(name: str) -> str:
    return "data:text/javascript;base64," + base64.b64encode(asset(f"{name}.js").encode()).decode()


def _script_json(value: Any) -> str:
    """Return JSON that cannot end the script element that it stands in."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
