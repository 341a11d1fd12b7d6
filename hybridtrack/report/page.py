"""The page of a report: a section a file, and where there are several, how they compare."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Final

import numpy as np

from hybridtrack.ledger.interactions import HOLD, TOUCH, Totals
from hybridtrack.page.document import document, facts_html, table_html
from hybridtrack.report.comparison import agreement, agreement_rows, side_by_side
from hybridtrack.report.digest import UNSEEN_S, Digest, TrackDigest, read_digest
from hybridtrack.report.picture import extent_cm, first_picture, is_recorded, reduced, seen_from_above, table_of
from hybridtrack.report.plots import LANES, heat_svg, longest, shown_svg, spread_of, stages_svg, timeline_svg
from hybridtrack.speed_up import estimated_speed_up

ROWS: Final = 200  #: tracks, and events, that tables show


def report(paths: Sequence[str], *, video: str | None = None) -> bytes:
    """Return the page, UTF-8, of one or more track files; of several, the last is what the others are compared with.

    video: where the pictures are now, None: where the file says. Raises TrackFileError.
    """
    names = _names(paths)
    digests = {name: read_digest(path) for name, path in zip(names, paths, strict=True)}
    sections = [_section(name, one, video) for name, one in digests.items()]
    if len(digests) > 1:
        sections.insert(0, _comparison(digests))
    return document(f"hybridtrack report: {', '.join(names)}", "\n".join(sections))


def _names(paths: Sequence[str]) -> list[str]:
    """Return what files are called: by their names, or by their paths where names are equal."""
    names = [Path(path).name for path in paths]
    if len(set(names)) == len(names):
        return names
    return [f"{path} ({number})" if paths.count(path) > 1 else path for number, path in enumerate(paths, 1)]


def _section(name: str, one: Digest, video: str | None) -> str:
    parts = [f"<h2>{escape(name)}</h2>", facts_html(_facts(one))]
    if one.is_cut:
        parts.append("<p>The last line of the file is not whole and was left out.</p>")
    if not one.frames:
        return "\n".join([*parts, "<p>It has no frames.</p>"])
    parts += [_timeline(one), _matrix(one), _visits(one), _tracks(one.tracks), *_heat(one, video)]
    parts += [_events(one), _speed(one)]
    return "\n".join(filter(None, parts))


def _facts(one: Digest) -> dict[str, str]:
    source, summary = one.header.source, one.summary
    runs = [
        f"{detector.name}, every {'frame' if detector.every == 1 else detector.every}"
        if detector.every is not None
        else detector.name
        for detector in one.header.detectors
    ]
    facts = {
        "source": f"{source.uri}, {source.width_px}×{source.height_px}"
        + (f", {source.fps:g} frames a second" if source.fps else ""),
        "seen": f"{one.frames} frames, {one.duration_s:.2f} s",
        "detectors": "; ".join(runs),
        "tracker": str(one.header.settings.get("tracker") or ""),
        "tracks": _counts(one.tracks),
        "complete": "" if summary and summary.complete else "no: the run was broken off",
        "notes": "; ".join(summary.notes or ()) if summary and summary.notes else "",
    }
    return {name: text for name, text in facts.items() if text}


def _counts(tracks: Sequence[TrackDigest]) -> str:
    names = [one.class_name for one in tracks]
    return ", ".join(f"{names.count(name)} {name}" for name in dict.fromkeys(sorted(names))) or "none"


def _timeline(one: Digest) -> str:
    left_out = len(one.tracks) - len(longest(one.tracks))
    words = (
        "Ticks: detector runs. Pairs: touches thin, holds thick, and events. Tracks: thin where no detector had seen "
        f"them for more than {UNSEEN_S:g} s."
    )
    if left_out > 0:
        words += f" The {LANES} tracks that were shown longest; {left_out} are left out."
    return f'<h3>Over time</h3>\n<figure>{timeline_svg(one)}</figure>\n<p class="small">{escape(words)}</p>'


def _matrix(one: Digest) -> str:
    """Return how long each hand touched and held each object; nothing where nothing was touched."""
    pairs = [row for row in one.totals if row.pair.object_id and {TOUCH, HOLD} & row.count.keys()]
    if not pairs:
        return ""
    hands = sorted({(row.subject_class, row.pair.subject_id) for row in pairs})
    objects = sorted({(row.object_class, row.pair.object_id) for row in pairs})
    found = {(row.pair.subject_id, row.pair.object_id): row for row in pairs}
    most_s = max(_touching_s(row) for row in pairs) or 1.0
    head = "".join(f"<th>{escape(name)} {number}</th>" for name, number in objects)
    lines = []
    for name, number in hands:
        cells = "".join(_cell(found.get((number, other)), most_s) for _, other in objects)
        lines.append(f"<tr><td>{escape(name)} {number}</td>{cells}</tr>")
    body = "\n".join(lines)
    return (
        "<h3>Who touched what: seconds of touching, and of them held (how often)</h3>\n"
        f'<div class="wide"><table>\n<thead><tr><th></th>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>'
    )


def _touching_s(row: Totals) -> float:
    return max(row.seconds.get(TOUCH, 0.0), row.seconds.get(HOLD, 0.0))


def _cell(row: Totals | None, most_s: float) -> str:
    if row is None:
        return "<td></td>"
    text = f"{row.seconds.get(TOUCH, 0.0):.2f}"
    if row.count.get(HOLD):
        text += f", held {row.seconds[HOLD]:.2f} ({row.count[HOLD]}×)"
    return f'<td class="cell" style="--share: {_touching_s(row) / most_s:.2f}">{escape(text)}</td>'


def _visits(one: Digest) -> str:
    """Return who was how long in which zone; nothing without zones."""
    rows = [
        [
            f"{row.subject_class} {row.pair.subject_id}",
            row.pair.zone,
            str(sum(row.count.values())),
            *(f"{seconds:.2f}" for seconds in (sum(row.seconds.values()), row.first_s, row.last_s)),
        ]
        for row in one.totals
        if row.pair.zone
    ]
    return table_html("In zones", ["track", "zone", "visits", "seconds", "first", "last"], rows) if rows else ""


def _tracks(tracks: Sequence[TrackDigest]) -> str:
    shown = sorted(tracks, key=lambda one: (-one.shown_s, one.track_id))[:ROWS]
    rows = [_track_row(one) for one in sorted(shown, key=lambda one: one.track_id)]
    title = "Tracks" if len(shown) == len(tracks) else f"Tracks: the {ROWS} of {len(tracks)} that were shown longest"
    head = ["track", "from s", "to s", "shown s", "frames", "detected", "tracked", "predicted", "interpolated"]
    return table_html(title, [*head, "confidence"], rows)


def _track_row(one: TrackDigest) -> list[str]:
    shares = [f"{100 * one.origins[name] / one.frames:.0f} %" for name in _ORIGINS]
    confidence = f"{np.median(one.confidences):.2f}" if one.confidences else "–"
    times = [f"{one.start_s:.2f}", f"{one.end_s:.2f}", f"{one.shown_s:.2f}"]
    return [one.name, *times, str(one.frames), *shares, confidence]


_ORIGINS: Final = ("detected", "tracked", "predicted", "interpolated")


def _heat(one: Digest, video: str | None) -> list[str]:
    """Return where hands were: in the picture, and over the table where it is known."""
    if not len(one.hands_px):
        return []
    source = one.header.source
    uri = source.uri if video is None else video
    picture = first_picture(uri) if is_recorded(uri) else None
    plots = [
        heat_svg(
            one.hands_px,
            extent=(0.0, 0.0, float(source.width_px), float(source.height_px)),
            seconds=one.frame_s,
            picture=None if picture is None else reduced(picture),
            unit="px",
            title="where the centres of hands were in the picture",
        )
    ]
    outside = 0
    if len(one.hands_cm):
        table = table_of(one.header)
        extent = extent_cm(table, one.hands_cm)
        above = None if picture is None or table is None else seen_from_above(picture, table, extent)
        plots.append(
            heat_svg(
                one.hands_cm,
                extent=extent,
                seconds=one.frame_s,
                picture=above,
                unit="cm",
                title="where hands were over the table",
                is_upward=True,
            )
        )
        outside = len(one.hands_cm) - int(spread_of(one.hands_cm, extent).sum())
    figures = "\n".join(f"<figure>{plot}</figure>" for plot in plots)
    words = []
    if picture is None:
        words.append(f"There is no picture: {uri} is not there any more.")
    if outside:
        words.append(f"For {outside * one.frame_s:.2f} s hands were farther from the table than is shown.")
    return ["<h3>Where hands were</h3>", figures, *(f'<p class="small">{escape(line)}</p>' for line in words)]


def _events(one: Digest) -> str:
    if not one.events:
        return ""
    names = {track.track_id: track.name for track in one.tracks}
    rows = []
    for event in one.events[:ROWS]:
        others = {"": event.object, "from ": event.from_id, "to ": event.to_id}
        told = [f"{word}{_name(names, other)}" for word, other in others.items() if isinstance(other, int)]
        told += [f"zone {event.zone}"] if isinstance(event.zone, str) else []
        who = _name(names, event.subject)
        rows.append([f"{event.time_s:.2f}", event.kind.replace("_", " "), who, ", ".join(told)])
    title = "Events" if len(one.events) <= ROWS else f"Events: the first {ROWS} of {len(one.events)}"
    return table_html(title, ["second", "what", "who", "with"], rows, is_words=True)


def _name(names: Mapping[int, str], track_id: int) -> str:
    return names.get(track_id, f"track {track_id}")


def _speed(one: Digest) -> str:
    summary = one.summary
    if summary is None or not summary.fps:
        return ""
    facts = {
        "frames per second": f"{summary.fps:.1f}",
        "frames, of them dropped": f"{summary.frames + summary.dropped}, {summary.dropped}",
        "seconds": f"{summary.seconds:.2f}",
    }
    for name, runs in summary.detector_runs.items():
        failed = summary.failures.get(name, 0)
        facts[f"runs of {name}"] = f"{runs} on {summary.frames} frames" + (f", {failed} failed" if failed else "")
    speed_up = estimated_speed_up(summary.frames, summary.detector_runs, summary.stage_ms)
    if speed_up is not None:
        facts["detecting on every frame"] = f"would take about {speed_up:.1f} times the work, by stage times"
    plot = f"<figure>{stages_svg(summary.stage_ms)}</figure>" if any(summary.stage_ms.values()) else ""
    return f"<h3>How fast it was</h3>\n{facts_html(facts)}\n{plot}"


def _comparison(digests: Mapping[str, Digest]) -> str:
    *others, reference = digests
    parts = [
        "<h2>Side by side</h2>",
        table_html("What each file says", ["", *digests], side_by_side(digests)),
        f"<figure>{shown_svg(digests)}</figure>",
    ]
    for name in others:
        found = agreement(digests[name].path, digests[reference].path)
        if found.scores is not None:
            title = f"How far the tracks of {name} are those of {reference}, × 100"
            parts.append(table_html(title, ["", name], agreement_rows(found.scores)))
        parts += [f'<p class="small">{escape(note)}</p>' for note in found.notes]
    return "\n".join(parts)


def default_path(tracks: str) -> str:
    """Return where a report goes that nobody gave a name: beside its track file."""
    return os.fspath(Path(tracks).with_suffix(".html"))
