"""The form in the middle: every reader returns it, every writer takes it.

A ``DataSet`` is labels and ``Picture``s, a picture its ``Annotation``s. Readers leave out nothing in silence: what they
could not use stands in ``DataSet.problems``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from data_tools.errors import DataError
from hybridtrack.types import Box, Size

Polygon: TypeAlias = tuple[tuple[float, float], ...]  #: corners (x, y), px; the last is joined to the first


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """An object on a picture. ``xyxy`` and ``polygons`` in px of the picture, continuous edges, origin top-left.

    ``is_ignored``: neither right nor wrong to find it (COCO's crowd, VOC's difficult).
    """

    label: str
    xyxy: Box
    polygons: tuple[Polygon, ...] = ()
    is_ignored: bool = False

    @property
    def area_px(self) -> float:
        """Area of the polygons, of the box where there are none, px²; a box that is inside out has none."""
        if self.polygons:
            return sum(polygon_area(polygon) for polygon in self.polygons)
        x1, y1, x2, y2 = self.xyxy
        return max(0.0, x2 - x1) * max(0.0, y2 - y1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture and what is on it; without annotations, there is nothing on it.

    ``name`` is unique in its data set: the path of the file below ``folder``, with ``/``. Pictures of one ``group`` (a
    video) are so alike that they must not be parted into training and test; None: it is like no other.
    ``frame_number``: the number that its source gives it.
    """

    name: str
    size_px: Size
    annotations: tuple[Annotation, ...] = ()
    folder: Path = Path()
    group: str | None = None
    frame_number: int | None = None

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return self.folder / self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that could not be used as it is: its kind (the same words for all of them), where, and what."""

    kind: str
    where: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}" + (f": {self.detail}" if self.detail else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """Pictures, and the labels that their annotations may have, in the order in which classes are numbered."""

    labels: tuple[str, ...]
    pictures: tuple[Picture, ...]
    problems: tuple[Problem, ...] = ()

    def __post_init__(self) -> None:
        for kind, names in (("label", self.labels), ("picture", tuple(picture.name for picture in self.pictures))):
            twice = [name for name, count in Counter(names).items() if count > 1]
            if twice:
                raise DataError(f"the {kind} {twice[0]!r} stands in a data set more than once: give each its own name")

    def annotations(self) -> Iterator[tuple[Picture, Annotation]]:
        """Yield every annotation with its picture."""
        for picture in self.pictures:
            for annotation in picture.annotations:
                yield picture, annotation

    def subset(self, keep: Callable[[Picture], bool]) -> DataSet:
        """Return the pictures that are kept, with the same labels and without problems."""
        return replace(self, pictures=tuple(filter(keep, self.pictures)), problems=())


def used_labels(pictures: Iterable[Picture]) -> tuple[str, ...]:
    """Return the labels that stand on pictures, sorted: the order for formats that have no list of labels."""
    return tuple(sorted({annotation.label for picture in pictures for annotation in picture.annotations}))


def group_by_name(data: DataSet, pattern: str) -> DataSet:
    """Return a data set whose pictures are grouped by the first group of a regular expression, found in their names.

    Pictures in whose names it is not found are problems, and each like no other. Raises DataError for no expression.
    """
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise DataError(f"{pattern!r} is no regular expression: {error}") from error
    if not expression.groups:
        raise DataError(f"{pattern!r} has no group in parentheses: put them round what names the video")
    found = [expression.search(picture.name) for picture in data.pictures]
    problems = tuple(
        Problem(kind="picture whose name tells no group", where=picture.name)
        for picture, match in zip(data.pictures, found, strict=True)
        if match is None
    )
    pictures = tuple(
        replace(picture, group=match and match[1]) for picture, match in zip(data.pictures, found, strict=True)
    )
    return replace(data, pictures=pictures, problems=(*data.problems, *problems))


def polygon_area(polygon: Polygon) -> float:
    """Return the area of a polygon that does not cross itself (shoelace formula), px²; 0 below three corners."""
    following = (*polygon[1:], *polygon[:1])
    return abs(sum(ax * by - bx * ay for (ax, ay), (bx, by) in zip(polygon, following, strict=True))) / 2


def polygon_box(polygons: Iterable[Polygon]) -> Box:
    """Return the box round polygons. Raises ValueError when they have no corner."""
    corners = [corner for polygon in polygons for corner in polygon]
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return min(xs), min(ys), max(xs), max(ys)


def count_problems(problems: Iterable[Problem]) -> dict[str, int]:
    """Return how many problems there are of each kind, the most frequent first."""
    return dict(Counter(problem.kind for problem in problems).most_common())
