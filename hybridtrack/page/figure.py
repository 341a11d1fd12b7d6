"""Plots as SVG that is part of a page and takes its colours from it."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: colours of the series, for a light and for a dark ground; apart in lightness too, for who sees few colours
SERIES: Final = (
    ("#1b1b1b", "#f2f2f2"),
    ("#d1495b", "#ff7b8a"),
    ("#1f77b4", "#6cb6ff"),
    ("#2e8b57", "#63d297"),
    ("#8a5fbf", "#c3a1f0"),
    ("#c77800", "#ffb84d"),
    ("#00838f", "#4dd0e1"),
    ("#7a5c3e", "#d0ab83"),
    ("#b0307f", "#f58ac6"),
    ("#5f6b00", "#c9d64a"),
    ("#4b5b73", "#a9bad4"),
)
INK, FAINT = "#0a0a01", "#0a0a02"  #: stand for the colours of text and of lines until the page gives them
FONT_PT: Final = 10


def series_colour(number: int) -> str:
    """Return what stands for the colour of a series until the page gives it."""
    return f"#0b0b{number % len(SERIES):02x}"


def page_variables() -> tuple[str, str]:
    """Return the CSS variables of the series, for a light and for a dark ground."""
    light, dark = (
        " ".join(f"--series-{number}: {pair[place]};" for number, pair in enumerate(SERIES)) for place in (0, 1)
    )
    return light, dark


def figure_svg(draw: Callable[[Axes], None], *, size_in: tuple[float, float], title: str) -> str:
    """Return the SVG element of what ``draw`` puts on the axes of a figure of this size, inches.

    title: what the picture is, for who cannot see it. Its colours are the variables ``--ink``, ``--faint`` and
    ``--series-0`` ... of the page. The same figures make the same text.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    settings: dict[Any, Any] = {
        "svg.fonttype": "none",  # text stays text
        "svg.hashsalt": "hybridtrack",
        "font.size": FONT_PT,
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": FAINT,
        "xtick.color": INK,
        "ytick.color": INK,
        "grid.color": FAINT,
    }
    with mpl.rc_context(settings):
        figure = Figure(figsize=size_in, layout="constrained")
        figure.patch.set_alpha(0)
        axes = figure.add_subplot(facecolor="none")
        draw(axes)
        axes.spines[["top", "right"]].set_visible(False)
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    return _of_page(stream.getvalue(), title, width_in=size_in[0])


def _of_page(svg: str, title: str, *, width_in: float) -> str:
    """Return an SVG document as an element of a page, in the page's colours, no wider than its text is made for."""
    element = svg[svg.index("<svg") :].strip()
    element = re.sub(r"<metadata>.*?</metadata>", "", element, flags=re.DOTALL)
    element = re.sub(r'(<svg\b[^>]*?) width="[^"]*"', r"\1", element, count=1)
    element = re.sub(r'(<svg\b[^>]*?) height="[^"]*"', r"\1", element, count=1)
    element = element.replace(
        "<svg", f'<svg role="img" aria-label="{escape(title)}" style="max-width: {width_in:g}in"', 1
    )
    element = element.replace(INK, "var(--ink)").replace(FAINT, "var(--faint)")
    return re.sub(r"#0b0b([0-9a-f]{2})", lambda found: f"var(--series-{int(found[1], 16)})", element)
