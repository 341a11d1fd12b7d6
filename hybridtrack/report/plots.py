"""The plots of a report: when what was there, where hands were, and what a frame took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from hybridtrack.ledger.interactions import HOLD, TOUCH
from hybridtrack.page.figure import FAINT, FONT_PT, INK, figure_svg, series_colour
from hybridtrack.report.digest import Digest, TrackDigest
from hybridtrack.types import Array, Box

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LANES: Final = 40  #: tracks, and pairs, that a timeline shows
MARKS: Final = 1000  #: events that it shows
_WIDTH_IN: Final = 10.0
_LANE_IN: Final = 0.2
_BINS: Final = 48  #: of a heat map, along its longer side
_SERIES: Final = {"hand": 1, "object": 2, "other": 5}  #: colours of tracks by role
_TOUCH, _HOLD, _OTHER = 3, 1, 4
_EVENTS: Final = {"pick_up": "^", "put_down": "v", "hand_over": "D", "push": ">", "enter": "4", "leave": "3"}
_POINTS: Final = 200  #: that a curve over time has
_STEPS: Final = 1500  #: that a timeline tells apart: a page of a long file is no larger than that of a short one


Bar: TypeAlias = tuple[float, float, str, float]  #: begin and length, s, colour, and height in lanes


@dataclass(slots=True)
class _Lane:
    """A row of a timeline."""

    name: str
    bars: list[Bar]
    ticks: Sequence[float] = ()


def timeline_svg(digest: Digest) -> str:
    """Return lanes over time: detector runs as ticks, hands with what they touched and held, and tracks.

    At most ``LANES`` pairs and tracks each, those that lasted longest.
    """
    step_s = (digest.duration_s or 1.0) / _STEPS
    lanes = [_Lane(f"runs of {name}", [], thinned(times, step_s)) for name, times in digest.run_times_s.items()]
    lanes += _pair_lanes(digest)
    lanes += [_track_lane(one) for one in longest(digest.tracks)]
    for lane in lanes:
        lane.bars = joined(lane.bars, step_s)
    place = {lane.name: number for number, lane in enumerate(lanes)}

    def draw(axes: Axes) -> None:
        for number, lane in enumerate(lanes):
            for start_s, length_s, colour, height in lane.bars:
                axes.broken_barh([(start_s, length_s)], (number - height / 2, height), facecolor=colour)
            if lane.ticks:
                axes.vlines(lane.ticks, number - 0.3, number + 0.3, color=FAINT, linewidth=0.5)
        _draw_events(axes, digest, place)
        axes.set_yticks(range(len(lanes)), [lane.name for lane in lanes], fontsize=FONT_PT - 2)
        axes.set_ylim(len(lanes) - 0.4, -0.6)
        axes.set_xlim(_ends(digest))
        axes.set_xlabel("seconds")
        axes.grid(axis="x", linewidth=0.5, alpha=0.6)
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)

    height_in = 0.9 + _LANE_IN * max(len(lanes), 3)
    return figure_svg(draw, size_in=(_WIDTH_IN, height_in), title="what was there, and what hands did, over time")


def longest(tracks: Sequence[TrackDigest]) -> list[TrackDigest]:
    """Return the tracks that were shown longest, in the order of their beginnings."""
    kept = sorted(tracks, key=lambda one: (-one.shown_s, one.track_id))[:LANES]
    return sorted(kept, key=lambda one: (one.start_s, one.track_id))


def thinned(times: Sequence[float], step_s: float) -> list[float]:
    """Return times, in order, of which no two are nearer than ``step_s``."""
    kept: list[float] = []
    for time_s in times:
        if not kept or time_s - kept[-1] >= step_s:
            kept.append(time_s)
    return kept


def joined(bars: Sequence[Bar], step_s: float) -> list[Bar]:
    """Return bars, in order, of which none are nearer than ``step_s`` that look the same."""
    kept: list[Bar] = []
    last: dict[tuple[str, float], int] = {}
    for bar in bars:
        start_s, length_s = bar[:2]
        number = last.get((bar[2], bar[3]))
        if number is not None and start_s - sum(kept[number][:2]) < step_s:
            first_s = kept[number][0]
            kept[number] = (first_s, max(start_s + length_s, sum(kept[number][:2])) - first_s, bar[2], bar[3])
        else:
            last[bar[2], bar[3]] = len(kept)
            kept.append(bar)
    return kept


def _ends(digest: Digest) -> tuple[float, float]:
    start_s = float(digest.times_s[0]) if digest.frames else 0.0
    return start_s, start_s + (digest.duration_s or 1.0)


def _track_lane(one: TrackDigest) -> _Lane:
    colour = series_colour(_SERIES.get(one.role, _SERIES["other"]))
    bars = [
        (span.start_s, span.end_s - span.start_s, colour if span.is_seen else FAINT, 0.6 if span.is_seen else 0.2)
        for span in one.spans
    ]
    return _Lane(one.name, bars)


def pair_name(subject: str, other: str) -> str:
    """Return what a pair is called on the timeline."""
    return f"{subject} – {other}"


def _pair_lanes(digest: Digest) -> list[_Lane]:
    lanes: dict[str, _Lane] = {}
    for one in digest.interactions:
        name = pair_name(one.subject, one.object)
        number, height = {TOUCH: (_TOUCH, 0.3), HOLD: (_HOLD, 0.7)}.get(one.kind, (_OTHER, 0.5))
        bar = (one.start_s, one.end_s - one.start_s, series_colour(number), height)
        lanes.setdefault(name, _Lane(name, [])).bars.append(bar)
    kept = sorted(lanes.values(), key=lambda lane: -sum(bar[1] for bar in lane.bars))[:LANES]
    return [lane for lane in lanes.values() if lane in kept]


def _draw_events(axes: Axes, digest: Digest, place: Mapping[str, int]) -> None:
    """Mark the events of pairs that have a lane, each kind with its sign."""
    names = {one.track_id: one.name for one in digest.tracks}
    for kind, sign in _EVENTS.items():
        found = []
        for event in digest.events[:MARKS]:
            other = event.zone if isinstance(event.zone, str) else names.get(event.object or 0, "")
            lane = place.get(pair_name(names.get(event.subject, ""), other))
            if event.kind == kind and lane is not None:
                found.append((event.time_s, lane))
        if found:
            x, y = zip(*found, strict=True)
            axes.plot(x, y, linestyle="", marker=sign, markersize=5, color=INK, label=kind.replace("_", " "))
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=len(_EVENTS), frameon=False, fontsize=FONT_PT - 2)


def spread_of(places: Array, extent: Box) -> Array:
    """Return how many of ``places`` (N, 2) lie in each square of a grid over ``extent``, row 0 where y is smallest."""
    left, top, right, bottom = extent
    width, height = right - left, abs(bottom - top)
    scale = _BINS / max(width, height)
    bins = max(1, round(height * scale)), max(1, round(width * scale))
    counts: Array = np.histogram2d(places[:, 1], places[:, 0], bins=bins, range=[sorted((top, bottom)), (left, right)])[
        0
    ]
    return counts


def heat_svg(
    places: Array, *, extent: Box, seconds: float, picture: Array | None, unit: str, title: str, is_upward: bool = False
) -> str:
    """Return how long something was where.

    places: float64 (N, 2), each for ``seconds``. extent: left, top, right, bottom of what is shown, in ``unit``.
    picture: uint8 (H, W) of all of it, None: none. is_upward: y counts away from the lower edge.
    """
    left, top, right, bottom = extent
    width, height = right - left, abs(bottom - top)
    spread = spread_of(places, extent) * seconds
    edges = (left, right, bottom, top)

    def draw(axes: Axes) -> None:
        if picture is not None:
            axes.imshow(picture, cmap="gray", vmin=0, vmax=255, extent=edges, alpha=0.75, aspect="equal")
        strength = spread / (spread.max() or 1.0)
        seen = axes.imshow(
            spread,
            cmap="plasma",
            alpha=np.sqrt(strength) * 0.85,
            extent=edges,
            origin="lower" if is_upward else "upper",
            interpolation="nearest",
            aspect="equal",
        )
        axes.set_xlim(left, right)
        axes.set_ylim(bottom, top)
        axes.set_xlabel(unit)
        axes.figure.colorbar(seen, ax=axes, label="seconds", shrink=0.8)

    return figure_svg(draw, size_in=(7.5, 7.5 * min(max(height / width, 0.3), 1.2) * 0.85 + 0.4), title=title)


def stages_svg(stage_ms: Mapping[str, float | None]) -> str:
    """Return a bar a stage: what it took of a frame, in ms."""
    known = {name: ms for name, ms in stage_ms.items() if ms is not None}

    def draw(axes: Axes) -> None:
        bars = axes.barh(list(known), list(known.values()), color=series_colour(2), height=0.6)
        axes.bar_label(bars, fmt="%.2f", padding=3, fontsize=FONT_PT - 1)
        axes.invert_yaxis()
        axes.margins(x=0.12)
        axes.set_xlabel("ms a frame")
        axes.grid(axis="x", linewidth=0.5, alpha=0.6)

    return figure_svg(draw, size_in=(7.0, 0.8 + 0.28 * max(len(known), 2)), title="what the stages of a frame took")


def shown_svg(digests: Mapping[str, Digest]) -> str:
    """Return how many confirmed tracks each file shows on its frames, over time."""

    def draw(axes: Axes) -> None:
        for number, (name, one) in enumerate(digests.items()):
            parts = max(1, min(_POINTS, one.frames))
            times, shown = (np.array_split(values, parts) for values in (one.times_s, one.shown))
            axes.plot(
                [part.mean() for part in times if len(part)],
                [part.mean() for part in shown if len(part)],
                color=series_colour(number + 1),
                linestyle="-" if number == 0 else "--",
                linewidth=1.4,
                label=name,
            )
        axes.set_ylim(bottom=0)
        axes.set_xlabel("seconds")
        axes.set_ylabel("tracks on a frame")
        axes.grid(linewidth=0.5, alpha=0.6)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)

    return figure_svg(draw, size_in=(_WIDTH_IN, 2.8), title="confirmed tracks on a frame, over time")
