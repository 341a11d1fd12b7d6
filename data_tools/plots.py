"""Plots of a data set as PNG files: sizes and shapes of boxes, where they lie, how many there are on a picture."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from data_tools.annotation import DataSet
from data_tools.statistics import box_table
from hybridtrack.sinks.output import ReplacedFile
from hybridtrack.types import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE_IN: Final = (6.4, 4.8)
HEAT_CELLS: Final = (48, 27)  #: columns, rows of the map of where boxes lie


def write_plots(data: DataSet, folder: Path) -> list[Path]:
    """Write the plots of a data set into a folder, and return their files. Raises SinkError."""
    drawings: dict[str, Callable[[Axes, DataSet], None]] = {
        "box_sizes": _draw_sizes,
        "box_aspects": _draw_aspects,
        "box_places": _draw_places,
        "boxes_a_picture": _draw_counts,
    }
    paths = []
    for name, draw in drawings.items():
        paths.append(folder / f"{name}.png")
        ReplacedFile(paths[-1]).write(_png(draw, data), "")
    return paths


def covering(boxes: Array, cells: tuple[int, int]) -> Array:
    """Return how many boxes (N, 6) cover each cell of their picture: float64 (rows, columns), by cells' centres."""
    columns, rows = cells
    x = (np.arange(columns) + 0.5) / columns
    y = (np.arange(rows) + 0.5) / rows
    x1, y1, x2, y2 = (boxes[:, :4] / boxes[:, [4, 5, 4, 5]]).T[:, :, None]
    across = ((x1 <= x) & (x < x2)).astype(float)
    down = ((y1 <= y) & (y < y2)).astype(float)
    return np.asarray(down.T @ across)


def _png(draw: Callable[[Axes, DataSet], None], data: DataSet) -> bytes:
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE_IN, layout="constrained")
    draw(figure.add_subplot(), data)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=120, metadata={"Software": None})
    return stream.getvalue()


def _draw_sizes(axes: Axes, data: DataSet) -> None:
    for label in data.labels:
        boxes = box_table(data.pictures, label)
        width, height = ((boxes[:, 2:4] - boxes[:, :2]) / boxes[:, 4:]).T
        axes.scatter(width, height, s=4, alpha=0.4, linewidths=0, label=f"{label} ({len(boxes)})")
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="width / picture's width", ylabel="height / picture's height")
    axes.set_title("Sizes of boxes")
    _add_legend(axes, data)


def _draw_aspects(axes: Axes, data: DataSet) -> None:
    edges = np.linspace(-2, 2, 41)  # log2 of 1/4 .. 4, beyond it at the ends
    for label in data.labels:
        boxes = box_table(data.pictures, label)
        width, height = (boxes[:, 2:4] - boxes[:, :2]).T
        axes.hist(np.clip(np.log2(width / height), -2, 2), edges.tolist(), histtype="step", linewidth=1.5, label=label)
    axes.set_xticks(range(-2, 3), ("1:4", "1:2", "1:1", "2:1", "4:1"))
    axes.set(xlabel="width : height", ylabel="boxes", title="Shapes of boxes")
    _add_legend(axes, data)


def _draw_places(axes: Axes, data: DataSet) -> None:
    image = axes.imshow(covering(box_table(data.pictures), HEAT_CELLS), extent=(0, 1, 1, 0), aspect="auto")
    axes.set(xlabel="x / picture's width", ylabel="y / picture's height", title="Where boxes lie")
    axes.figure.colorbar(image, ax=axes, label="boxes")


def _draw_counts(axes: Axes, data: DataSet) -> None:
    counts = Counter(len(picture.annotations) for picture in data.pictures)
    numbers = range(max(counts, default=0) + 1)
    axes.bar(numbers, [counts[number] for number in numbers])
    axes.set(xlabel="boxes on a picture", ylabel="pictures", title="How many boxes there are on a picture")
    axes.set_xticks(numbers if len(numbers) <= 12 else numbers[:: len(numbers) // 8])


def _add_legend(axes: Axes, data: DataSet) -> None:
    if 0 < len(data.labels) <= 12:
        axes.legend(markerscale=3)
