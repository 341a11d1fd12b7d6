"""The curve of accuracy over speed, as SVG that takes its colours from the page it stands in."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: colours of the series, for a light and for a dark ground; apart in lightness too, for who sees few colours
SERIES = (
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
MARKERS = "*osD^vPXh<>"
INK, FAINT = "#0a0a01", "#0a0a02"  #: stand for the colours of text and of lines until the page gives them
_SIZE_IN = (8.6, 4.8)
_FONT_PT = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A mode: its family, what stands beside it, and where it is."""

    family: str
    label: str
    speed: float
    accuracy: float
    is_front: bool


def curve_svg(points: Sequence[Point], *, speed: str, accuracy: str, title: str) -> str:
    """Return the SVG of accuracy over speed: a line a family, in the order of its points, and a dashed one that joins
    the modes that no other beats.

    speed, accuracy: what the axes are called; title: what the picture is, for who cannot see it. Its colours are the
    variables ``--ink``, ``--faint`` and ``--series-0`` ... of the page.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    settings: dict[Any, Any] = {
        "svg.fonttype": "none",  # text stays text
        "svg.hashsalt": "hybridtrack",  # the same figures make the same file
        "font.size": _FONT_PT,
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": FAINT,
        "xtick.color": INK,
        "ytick.color": INK,
        "grid.color": FAINT,
    }
    with mpl.rc_context(settings):
        figure = Figure(figsize=_SIZE_IN, layout="constrained")
        figure.patch.set_alpha(0)
        axes = figure.add_subplot(facecolor="none")
        _draw(axes, points)
        axes.set_xlabel(speed)
        axes.set_ylabel(accuracy)
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    return _of_page(stream.getvalue(), title)


def _draw(axes: Axes, points: Sequence[Point]) -> None:
    families = list(dict.fromkeys(point.family for point in points))
    front = sorted((point.speed, point.accuracy) for point in points if point.is_front)
    axes.plot(*zip(*front, strict=True), color=FAINT, linestyle="--", linewidth=1.2, zorder=1, label="not beaten")
    for number, family in enumerate(families):
        own = [point for point in points if point.family == family]
        axes.plot(
            [point.speed for point in own],
            [point.accuracy for point in own],
            color=_stand_in(number),
            marker=MARKERS[number % len(MARKERS)],
            markersize=10 if number == 0 else 6,
            linewidth=1.4,
            label=family,
        )
        for point in own:
            axes.annotate(
                point.label,
                (point.speed, point.accuracy),
                xytext=(5, 5),
                textcoords="offset points",
                color=_stand_in(number),
                fontsize=_FONT_PT - 2,
            )
    axes.set_xlim(left=0)
    axes.grid(linewidth=0.5, alpha=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)


def _stand_in(number: int) -> str:
    return f"#0b0b{number % len(SERIES):02x}"


def _of_page(svg: str, title: str) -> str:
    """Return an SVG document as an element of a page, in the page's colours."""
    element = svg[svg.index("<svg") :].strip()
    element = re.sub(r"<metadata>.*?</metadata>", "", element, flags=re.DOTALL)
    element = re.sub(r'(<svg\b[^>]*?) width="[^"]*"', r"\1", element, count=1)
    element = re.sub(r'(<svg\b[^>]*?) height="[^"]*"', r"\1", element, count=1)
    element = element.replace("<svg", f'<svg role="img" aria-label="{escape(title)}"', 1)
    element = element.replace(INK, "var(--ink)").replace(FAINT, "var(--faint)")
    return re.sub(r"#0b0b([0-9a-f]{2})", lambda found: f"var(--series-{int(found[1], 16)})", element)
