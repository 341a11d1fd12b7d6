"""The curve of accuracy over speed, as SVG of a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hybridtrack.page.figure import FAINT, FONT_PT, figure_svg, series_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKERS = "*osD^vPXh<>"
_SIZE_IN = (8.6, 4.8)


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

    speed, accuracy: what the axes are called; title: what the picture is, for who cannot see it.
    """

    def draw(axes: Axes) -> None:
        _draw(axes, points)
        axes.set_xlabel(speed)
        axes.set_ylabel(accuracy)

    return figure_svg(draw, size_in=_SIZE_IN, title=title)


def _draw(axes: Axes, points: Sequence[Point]) -> None:
    families = list(dict.fromkeys(point.family for point in points))
    front = sorted((point.speed, point.accuracy) for point in points if point.is_front)
    axes.plot(*zip(*front, strict=True), color=FAINT, linestyle="--", linewidth=1.2, zorder=1, label="not beaten")
    for number, family in enumerate(families):
        own = [point for point in points if point.family == family]
        axes.plot(
            [point.speed for point in own],
            [point.accuracy for point in own],
            color=series_colour(number),
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
                color=series_colour(number),
                fontsize=FONT_PT - 2,
            )
    axes.set_xlim(left=0)
    axes.grid(linewidth=0.5, alpha=0.6)
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
