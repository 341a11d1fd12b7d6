"""How well the relations and events of a track file agree with exact intervals of contact and hold.

Tracks are tied to true ids frame by frame: IoU of .3 or more, best assignment, hands to hands and objects to objects; a
track keeps the last id that it was tied to. A pair's frames in a state are joined to intervals over gaps of up to .2 s.
An interval is found when one of the same pair has a temporal IoU of .5 or more with it, each used once. A pick-up or
put-down is found when the event of the right pair lies within .2 s of the begin or the last frame of a true hold; a
hand-over counts as the giver's put-down and the taker's pick-up.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from hybridtrack.boxes import iou
from hybridtrack.track_file import read_tracks
from hybridtrack.wire import FrameLine

TIED_IOU, FOUND_IOU = 0.3, 0.5
BRIDGE_S, EVENT_S = 0.2, 0.2

Pair = tuple[int | None, int | None]  #: true ids of a hand and an object; None: tied to none so far
Ends = Literal["pick_up", "put_down"]


class Span(NamedTuple):
    """A pair's frames in a state, from ``first`` to ``last``, counted from 0."""

    pair: Pair
    first: int
    last: int


class Moment(NamedTuple):
    """An event of a pair at a time."""

    pair: Pair
    time_s: float


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true of a clip: holds and contacts, and the boxes on each frame, ids (N,) and xyxy (N, 4)."""

    fps: float
    size_px: tuple[float, float]
    hands: frozenset[int]
    hold: tuple[Span, ...]
    contact: tuple[Span, ...]
    boxes: dict[int, tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, slots=True)
class Count:
    """How many are true, how many were reported, and how many of these are right."""

    right: int = 0
    reported: int = 0
    true: int = 0
    false: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(
            self.right + other.right,
            self.reported + other.reported,
            self.true + other.true,
            self.false + other.false,
        )

    @property
    def f1(self) -> float:
        """Two times the right ones over all, 0..1; 1 when there is nothing to find and nothing was reported."""
        both = self.reported + self.true
        return 2 * self.right / both if both else 1.0


@dataclass(frozen=True, slots=True)
class Scores:
    """The counts of a clip, or of several together; ``invented``: pairs shown as holding that never are."""

    hold: Count = Count()
    touch: Count = Count()
    pick_up: Count = Count()
    put_down: Count = Count()
    invented: int = 0

    def __add__(self, other: Scores) -> Scores:
        return Scores(
            self.hold + other.hold,
            self.touch + other.touch,
            self.pick_up + other.pick_up,
            self.put_down + other.put_down,
            self.invented + other.invented,
        )


def joined(pair: Pair, frames: Iterable[int], bridge: int) -> list[Span]:
    """Return the intervals that frames make up; gaps of up to ``bridge`` frames do not part them.

    >>> joined((1, 3), [5, 6, 9, 20], bridge=2)
    [Span(pair=(1, 3), first=5, last=9), Span(pair=(1, 3), first=20, last=20)]
    """
    spans: list[Span] = []
    for frame in sorted(frames):
        if spans and frame - spans[-1].last - 1 <= bridge:
            spans[-1] = spans[-1]._replace(last=frame)
        else:
            spans.append(Span(pair, frame, frame))
    return spans


def temporal_iou(a: Span, b: Span) -> float:
    """Return the shared frames of two intervals over all of theirs, 0..1.

    >>> temporal_iou(Span((1, 3), 0, 5), Span((1, 3), 3, 8))
    0.3333333333333333
    """
    shared = max(min(a.last, b.last) - max(a.first, b.first) + 1, 0)
    return shared / (a.last - a.first + b.last - b.first + 2 - shared)


def count_spans(found: Sequence[Span], true: Sequence[Span]) -> Count:
    """Return how many intervals are found; each true one counts once."""
    left = list(true)
    for span in found:
        hit = next((one for one in left if one.pair == span.pair and temporal_iou(span, one) >= FOUND_IOU), None)
        if hit is not None:
            left.remove(hit)
    right = len(true) - len(left)
    return Count(right, len(found), len(true), len(found) - right)


def count_moments(found: Sequence[Moment], true: Sequence[Moment]) -> Count:
    """Return how many moments have an event of the right pair within .2 s, and how many events have no moment."""

    def fit(a: Moment, b: Moment) -> bool:
        return a.pair == b.pair and abs(a.time_s - b.time_s) <= EVENT_S

    right = sum(any(fit(event, moment) for event in found) for moment in true)
    false = sum(not any(fit(event, moment) for moment in true) for event in found)
    return Count(right, len(found), len(true), false)


def read_truth(folder: Path) -> Truth:
    """Return what gt.json and gt/gt.txt of a clip's folder say."""
    said: dict[str, Any] = json.loads((folder / "gt.json").read_text())
    rows = np.loadtxt(folder / "gt/gt.txt", delimiter=",", ndmin=2)
    xyxy = np.column_stack([rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]])
    numbers = rows[:, 0].astype(int) - 1
    spans = {
        kind: tuple(
            Span((row["hand_id"], row["object_id"]), first - 1, last - 1)
            for row in said["relations"]
            for first, last in row[kind]
        )
        for kind in ("hold", "contact")
    }
    return Truth(
        fps=said["fps"],
        size_px=(said["width"], said["height"]),
        hands=frozenset(int(id) for id, name in said["ids"].items() if "hand" in name),
        hold=spans["hold"],
        contact=spans["contact"],
        boxes={int(k): (rows[numbers == k, 1].astype(int), xyxy[numbers == k]) for k in np.unique(numbers)},
    )


def score_file(path: Path, truth: Truth) -> Scores:
    """Return the counts of a track file. Raises TrackFileError."""
    with read_tracks(path) as tracks:
        source = tracks.header.source
        scale = np.array(truth.size_px * 2) / np.array([source.width_px, source.height_px] * 2)
        reading = _Reading(truth, scale, {row.name for row in tracks.header.classes if row.role == "hand"})
        for line in tracks:
            reading.read(line)
    bridge = round(BRIDGE_S * truth.fps)
    hold = [span for pair, frames in reading.hold.items() for span in joined(pair, frames, bridge)]
    touch = [span for pair, frames in reading.touch.items() for span in joined(pair, frames, bridge)]
    return Scores(
        hold=count_spans(hold, truth.hold),
        touch=count_spans(touch, truth.contact),
        pick_up=count_moments(reading.events["pick_up"], [Moment(s.pair, s.first / truth.fps) for s in truth.hold]),
        put_down=count_moments(reading.events["put_down"], [Moment(s.pair, s.last / truth.fps) for s in truth.hold]),
        invented=len({span.pair for span in hold} - {span.pair for span in truth.hold}),
    )


@dataclass(slots=True)
class _Reading:
    """What the lines of a file have said so far, in true ids."""

    truth: Truth
    scale: np.ndarray
    hand_classes: set[str]
    owner: dict[int, int] = field(default_factory=dict)
    hold: dict[Pair, set[int]] = field(default_factory=dict)
    touch: dict[Pair, set[int]] = field(default_factory=dict)
    events: dict[Ends, list[Moment]] = field(default_factory=lambda: {"pick_up": [], "put_down": []})

    def read(self, line: FrameLine) -> None:
        self._tie(line)
        for row in line.relations:
            pair = self._pair(row.subject, row.object)
            if row.state == "holding":
                self.hold.setdefault(pair, set()).add(line.frame_index)
            if row.state in ("holding", "overlapping"):
                self.touch.setdefault(pair, set()).add(line.frame_index)
        for event in line.events:
            if event.kind == "hand_over":
                self.events["put_down"].append(Moment(self._pair(event.from_id, event.object), event.time_s))
                self.events["pick_up"].append(Moment(self._pair(event.to_id, event.object), event.time_s))
            elif event.kind == "pick_up" or event.kind == "put_down":
                self.events[event.kind].append(Moment(self._pair(event.subject, event.object), event.time_s))

    def _tie(self, line: FrameLine) -> None:
        ids, true = self.truth.boxes.get(line.frame_index, (np.zeros(0, int), np.zeros((0, 4))))
        is_hand = np.isin(ids, list(self.truth.hands))
        for hands in (True, False):
            rows = [row for row in line.tracks if (row.class_name in self.hand_classes) == hands]
            boxes = np.array([row.xyxy for row in rows], float).reshape(-1, 4) * self.scale
            overlap = iou(true[is_hand == hands].astype(np.float32), boxes.astype(np.float32))
            for i, j in zip(*linear_sum_assignment(-overlap), strict=True):
                if overlap[i, j] >= TIED_IOU:
                    self.owner[rows[j].track_id] = int(ids[is_hand == hands][i])

    def _pair(self, subject: object, thing: object) -> Pair:
        hand, held = (self.owner.get(id) if isinstance(id, int) else None for id in (subject, thing))
        return hand, held
