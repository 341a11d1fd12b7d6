"""A track file added up for a report, in one pass."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from msgspec import UNSET

from hybridtrack.ledger.interactions import Interaction, Ledger, Totals
from hybridtrack.track_file import read_tracks
from hybridtrack.types import Array
from hybridtrack.wire import EventRow, FrameLine, HeaderLine, SummaryLine, TrackRow

UNSEEN_S = 0.5  #: without a detection for longer than this, a track is told apart from one that is seen
_HAND = "hand"


@dataclass(slots=True)
class Span:
    """A stretch of time, s, on whose frames a track was shown; ``is_seen``: a detector had seen it shortly before."""

    start_s: float
    end_s: float
    is_seen: bool


@dataclass(slots=True, kw_only=True)
class TrackDigest:
    """A track: the frames on which it was confirmed. origins: how many of them by origin; spans in order."""

    track_id: int
    class_name: str
    role: str
    origins: Counter[str] = field(default_factory=Counter)
    confidences: list[float] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    last_frame: int = -1  #: its place among the frames of the file

    @property
    def frames(self) -> int:
        return self.origins.total()

    @property
    def name(self) -> str:
        return f"{self.class_name} {self.track_id}"

    @property
    def start_s(self) -> float:
        return self.spans[0].start_s

    @property
    def end_s(self) -> float:
        return self.spans[-1].end_s

    @property
    def shown_s(self) -> float:
        """Seconds on which it was shown."""
        return sum(span.end_s - span.start_s for span in self.spans)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Digest:
    """What a track file adds up to.

    times_s: float64 (F,), of its frames. shown: int64 (F,), confirmed tracks on each. run_times_s: by detector.
    hands_px: float64 (N, 2), centres of hands on all frames; hands_cm: float64 (M, 2), their places over the table,
    none where it is not known. interactions and events: in the order of their times.
    """

    path: str
    header: HeaderLine
    summary: SummaryLine | None
    is_cut: bool
    times_s: Array
    shown: Array
    tracks: list[TrackDigest]
    interactions: list[Interaction]
    totals: list[Totals]
    events: list[EventRow]
    run_times_s: dict[str, list[float]]
    hands_px: Array
    hands_cm: Array

    @property
    def frames(self) -> int:
        return len(self.times_s)

    @property
    def frame_s(self) -> float:
        """Seconds from one frame to the next; 0 for a single one."""
        return float(np.median(np.diff(self.times_s))) if self.frames > 1 else 0.0

    @property
    def duration_s(self) -> float:
        """Seconds that the frames show, that of the last included."""
        return float(self.times_s[-1] - self.times_s[0]) + self.frame_s if self.frames else 0.0

    def in_role(self, role: str) -> list[TrackDigest]:
        return [one for one in self.tracks if one.role == role]


class _Tally:
    """Adds up frames."""

    def __init__(self, header: HeaderLine) -> None:
        self._roles = {one.name: one.role for one in header.classes}
        self.ledger = Ledger()
        self.interactions: list[Interaction] = []
        self.tracks: dict[int, TrackDigest] = {}
        self.times_s: list[float] = []
        self.shown: list[int] = []
        self.events: list[EventRow] = []
        self.run_times_s: dict[str, list[float]] = {one.name: [] for one in header.detectors}
        self.hands_px: list[tuple[float, float]] = []
        self.hands_cm: list[tuple[float, float]] = []

    def add(self, line: FrameLine) -> None:
        self.interactions += self.ledger.add(line)
        self.events += line.events
        for run in line.runs:
            if run.status != "failed":
                self.run_times_s.setdefault(run.detector, []).append(line.time_s)
        rows = [row for row in line.tracks if row.state == "confirmed"]
        for row in rows:
            self._add_row(row, line.time_s)
        self.times_s.append(line.time_s)
        self.shown.append(len(rows))

    def _add_row(self, row: TrackRow, time_s: float) -> None:
        role = self._roles.get(row.class_name, "object")
        track = self.tracks.setdefault(
            row.track_id, TrackDigest(track_id=row.track_id, class_name=row.class_name, role=role)
        )
        track.origins[row.origin] += 1
        if row.confidence is not None:
            track.confidences.append(row.confidence)
        number = len(self.times_s)
        is_seen = (row.unseen_s or 0.0) <= UNSEEN_S
        last = track.spans[-1] if track.spans else None
        if last is not None and track.last_frame == number - 1:
            last.end_s = time_s
        if last is None or track.last_frame < number - 1 or last.is_seen != is_seen:
            track.spans.append(Span(time_s, time_s, is_seen))
        track.last_frame = number
        if role == _HAND:
            x1, y1, x2, y2 = row.xyxy
            self.hands_px.append(((x1 + x2) / 2, (y1 + y2) / 2))
            if row.position_cm is not UNSET:
                self.hands_cm.append(row.position_cm)


def read_digest(path: str | os.PathLike[str]) -> Digest:
    """Return what a track file adds up to, of which memory holds no frame. Raises TrackFileError."""
    with read_tracks(path) as file:
        tally = _Tally(file.header)
        for line in file:
            tally.add(line)
        tally.interactions += tally.ledger.finish()
        digest = Digest(
            path=os.fspath(path),
            header=file.header,
            summary=file.summary,
            is_cut=file.is_cut,
            times_s=np.array(tally.times_s, np.float64),
            shown=np.array(tally.shown, np.int64),
            tracks=[tally.tracks[track_id] for track_id in sorted(tally.tracks)],
            interactions=sorted(tally.interactions, key=lambda one: (one.start_s, one.text)),
            totals=tally.ledger.totals,
            events=sorted(tally.events, key=lambda one: one.time_s),
            run_times_s=tally.run_times_s,
            hands_px=np.array(tally.hands_px, np.float64).reshape(-1, 2),
            hands_cm=np.array(tally.hands_cm, np.float64).reshape(-1, 2),
        )
    for track in digest.tracks:  # the last frame of a stretch is shown until the next one comes
        for span, following in zip(track.spans, [*track.spans[1:], None], strict=True):
            if following is None or following.start_s > span.end_s:
                span.end_s += digest.frame_s
    return digest
