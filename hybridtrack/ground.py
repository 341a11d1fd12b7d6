"""What a run is told of the table before it begins: where it is, and which zones are on it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from hybridtrack.errors import ConfigError, UsageError, unknown_name

Point: TypeAlias = tuple[float, float]

_SIZE_CM = re.compile(r"(\d+(?:\.\d+)?)x(\d+(?:\.\d+)?) ?cm")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_MARKERS = "markers="
_TABLE_FORM = "x1,y1,x2,y2,x3,y3,x4,y4:WxHcm or markers=ID,ID,ID,ID:WxHcm"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSetting:
    """A rectangle on the table: its corners in the order near left, near right, far right, far left, and its size.

    Exactly one of ``corners_px`` (four points of the first frame) and ``marker_ids`` (of markers that lie with their
    centres on the corners) is set. ``width_cm`` is that of the near side. Raises UsageError.
    """

    corners_px: tuple[Point, ...] = ()
    marker_ids: tuple[int, ...] = ()
    width_cm: float
    depth_cm: float

    def __post_init__(self) -> None:
        given = self.corners_px or self.marker_ids
        if bool(self.corners_px) == bool(self.marker_ids) or len(given) != 4:
            raise UsageError(f"a table has four corners or four markers, not {len(given)}: give {_TABLE_FORM}")
        if not all(0 < size < math.inf for size in (self.width_cm, self.depth_cm)):
            raise UsageError(f"a table of {self.width_cm:g}x{self.depth_cm:g} cm is not possible: use sizes above 0")
        if len(set(given)) < 4:
            raise UsageError(f"two corners of the table are one ({self}): give four different ones")
        turns = [_turn(*(self.corners_px * 2)[i : i + 3]) for i in range(4)] if self.corners_px else []
        if any(turn >= 0 for turn in turns):
            raise UsageError(
                f"the corners of the table ({self}) are no rectangle seen from above: "
                "give near left, near right, far right, far left"
            )

    def __str__(self) -> str:
        corners = ",".join(f"{value:g}" for point in self.corners_px for value in point)
        markers = _MARKERS + ",".join(map(str, self.marker_ids))
        return f"{corners or markers}:{self.width_cm:g}x{self.depth_cm:g}cm"


def _turn(a: Point, b: Point, c: Point) -> float:
    """Return how the way from a over b to c turns: below 0 to the left, as it is seen in the picture."""
    return (b[0] - a[0]) * (c[1] - b[1]) - (b[1] - a[1]) * (c[0] - b[0])


def parse_table(text: str, *, where: str = "table") -> TableSetting:
    """Return the rectangle that ``x1,y1,…,x4,y4:WxHcm`` or ``markers=ID,ID,ID,ID:WxHcm`` tells of.

    Raises UsageError, naming ``where``.
    """
    corners, _, size = text.rpartition(":")
    found = _SIZE_CM.fullmatch(size)
    if not found:
        raise UsageError(f"{where} {text!r}: {size!r} is no size in centimetres: write {_TABLE_FORM}")
    words = [word.strip() for word in corners.removeprefix(_MARKERS).split(",")]
    width_cm, depth_cm = float(found[1]), float(found[2])
    try:
        if corners.startswith(_MARKERS):
            if not all(word.isdecimal() for word in words):
                raise UsageError(f"{corners!r} are no numbers of markers: write {_TABLE_FORM}")
            return TableSetting(marker_ids=tuple(map(int, words)), width_cm=width_cm, depth_cm=depth_cm)
        numbers = [float(word) for word in words if _NUMBER.fullmatch(word)]
        if len(numbers) != 8 or len(words) != 8:
            raise UsageError(f"{corners!r} are not four corners of x,y in pixels: write {_TABLE_FORM}")
        return TableSetting(
            corners_px=tuple(zip(numbers[::2], numbers[1::2], strict=True)), width_cm=width_cm, depth_cm=depth_cm
        )
    except UsageError as error:
        raise UsageError(f"{where} {text!r}: {error}") from error


UNITS = ("cm", "px")


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneSetting:
    """A polygon on the table, in ``unit``: "cm" of the table's rectangle, or "px" of the first frame.

    roles, classes: names of what can enter it; empty: everything. Raises UsageError.
    """

    name: str
    polygon: tuple[Point, ...]
    unit: str = "cm"
    roles: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise UsageError(f"unit {self.unit!r}: expected {' or '.join(UNITS)}")
        if len(set(self.polygon)) != len(self.polygon) or len(self.polygon) < 3:
            raise UsageError(f"a polygon of {len(self.polygon)} points: give 3 or more, none of them twice")
        edges = list(zip(self.polygon, self.polygon[1:] + self.polygon[:1], strict=True))
        if any(_cross(*one, *other) for row, one in enumerate(edges) for other in edges[:row]):
            raise UsageError("edges of the polygon cross: give its corners in the order of a walk around it")
        if abs(sum(a[0] * b[1] - a[1] * b[0] for a, b in edges)) < 1e-9:
            raise UsageError("the polygon has no area: give corners that do not lie on one line")

    def plain(self) -> dict[str, Any]:
        """Return the zone as a file has it."""
        kept = {key: list(names) for key, names in (("roles", self.roles), ("classes", self.classes)) if names}
        return {"polygon": [list(point) for point in self.polygon], "unit": self.unit, **kept}


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Return whether the way from a to b crosses that from c to d; meeting at a corner is no crossing."""
    return _turn(a, b, c) * _turn(a, b, d) < 0 and _turn(c, d, a) * _turn(c, d, b) < 0


def parse_zones(tables: object, *, where: str = "zones") -> tuple[ZoneSetting, ...]:
    """Return the zones of a TOML table: name -> ``polygon``, ``unit`` ("cm"), ``roles``, ``classes``.

    Raises ConfigError, naming ``where`` and the zone.
    """
    if not isinstance(tables, Mapping) or not tables:
        raise ConfigError(f"{where}: there is no zone: write [zones.NAME] and polygon = [[x, y], [x, y], [x, y]]")
    return tuple(_parse_zone(name, table, f"{where}.{name}") for name, table in tables.items())


def _parse_zone(name: str, table: object, where: str) -> ZoneSetting:
    if not isinstance(table, Mapping):
        raise ConfigError(f"{where} {table!r}: expected a table with polygon = [[x, y], [x, y], [x, y]]")
    known = ("polygon", "unit", "roles", "classes")
    unknown = next((key for key in table if key not in known), None)
    if unknown is not None:
        raise ConfigError(f"{where}: {unknown_name('key', unknown, known)}")
    points = table.get("polygon")
    if not isinstance(points, list) or not all(_is_point(point) for point in points):
        raise ConfigError(f"{where}: polygon {points!r}: expected points such as [[0, 0], [10, 0], [10, 10]]")
    names: dict[str, tuple[str, ...]] = {}
    for key in ("roles", "classes"):
        values = table.get(key, [])
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise ConfigError(f'{where}: {key} {values!r}: expected a list of names such as ["hand"]')
        names[key] = tuple(values)
    try:
        return ZoneSetting(
            name=name, polygon=tuple((float(x), float(y)) for x, y in points), unit=table.get("unit", "cm"), **names
        )
    except UsageError as error:
        raise ConfigError(f"{where}: {error}") from error


def _is_point(point: object) -> bool:
    return (
        isinstance(point, list | tuple)
        and len(point) == 2
        and all(type(value) in (int, float) and math.isfinite(value) for value in point)
    )
