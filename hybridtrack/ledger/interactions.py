"""Touches, holds and visits as intervals, and their totals, of frames that stream by.

A *touch* lies between a pair's ``touch_start`` and ``touch_end``; a *hold* between the ``pick_up`` of an object and its
``put_down``, or a ``hand_over`` in place of either; a *visit* between ``enter`` and ``leave`` of a zone. These are the
times at which it happened; the states on the frames begin later, when it is beyond doubt, may be taken back, and decide
nothing here. A state that a plugin gives, for which there are no such events, lasts for as long as it stands on the
frames, gaps of up to ``BRIDGE_S`` bridged.

What is under way when the frames end, ends where it was seen last. Intervals of one kind and pair never overlap: one
that would begin before the last one ended begins there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hybridtrack.wire import EventRow, FrameLine

BRIDGE_S = 0.2  #: for which a state may be interrupted

TOUCH, HOLD, VISIT = "touch", "hold", "visit"

_SEEN = {"near": (), "overlapping": (TOUCH,), "holding": (TOUCH, HOLD)}  #: what is seen to go on by state
_VERBS = {TOUCH: "touches", HOLD: "holds", VISIT: "is in"}
_ROUNDING_S = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Pair:
    """Two tracks, or a track and a zone (then ``object_id`` is 0). Track ids count from 1."""

    subject_id: int
    object_id: int = 0
    zone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """That something went on between ``start_s`` and ``end_s``: a touch, hold or visit, or a state of a plugin's."""

    kind: str
    pair: Pair
    subject: str  #: such as "hand 5"
    object: str  #: such as "mug 4", or the name of a zone
    start_s: float
    end_s: float

    @property
    def verb(self) -> str:
        return _VERBS.get(self.kind, self.kind.replace("_", " "))

    @property
    def text(self) -> str:
        """What it was, in words: ``hand 5 holds mug 4``."""
        return f"{self.subject} {self.verb} {self.object}"


@dataclass(slots=True, kw_only=True)
class Totals:
    """What a pair's interactions add up to: how often and how many seconds by kind, when first and when last."""

    pair: Pair
    subject_class: str
    object_class: str
    count: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    first_s: float
    last_s: float


@dataclass(slots=True)
class _Run:
    """An interaction under way: since when, and when it was seen last."""

    start_s: float
    seen_s: float


class Ledger:
    """Adds up interactions, frame by frame; what it remembers grows with the number of tracks and pairs alone."""

    def __init__(self) -> None:
        self._runs: dict[tuple[str, Pair], _Run] = {}
        self._ended_s: dict[tuple[str, Pair], float] = {}
        self._totals: dict[Pair, Totals] = {}
        self._tracks: dict[int, tuple[str, float]] = {}  #: id -> class, and when it was on a frame last

    @property
    def totals(self) -> list[Totals]:
        """Those of pairs that have interacted, by id."""
        return [self._totals[pair] for pair in sorted(self._totals)]

    def add(self, line: FrameLine) -> list[Interaction]:
        """Take the next frame; return what is known to have ended."""
        ended: list[Interaction] = []
        now_s = line.time_s
        for track in line.tracks:
            self._tracks[track.track_id] = track.class_name, now_s
        for row in line.relations:
            pair = Pair(subject_id=row.subject, object_id=row.object)
            if row.state not in _SEEN:
                ended += self._go_on(row.state, pair, now_s)
            for kind in _SEEN.get(row.state, ()):
                if run := self._runs.get((kind, pair)):
                    run.seen_s = now_s
        for event in line.events:
            ended += self._happen(event, now_s)
        return ended

    def finish(self) -> list[Interaction]:
        """End what is under way; return it."""
        for (kind, pair), run in self._runs.items():
            if kind == VISIT:
                run.seen_s = max(run.seen_s, self._tracks.get(pair.subject_id, ("", run.seen_s))[1])
        return [self._end(kind, pair) for kind, pair in list(self._runs)]

    def _go_on(self, kind: str, pair: Pair, now_s: float) -> list[Interaction]:
        """A state stands on this frame: go on with its run, or begin another after too long a gap."""
        run = self._runs.get((kind, pair))
        if run is not None and now_s - run.seen_s <= BRIDGE_S + _ROUNDING_S:
            run.seen_s = now_s
            return []
        ended = [] if run is None else [self._end(kind, pair)]
        self._runs[kind, pair] = _Run(now_s, now_s)
        return ended

    def _happen(self, event: EventRow, now_s: float) -> list[Interaction]:
        """Begin or end what an event tells of."""
        pair = Pair(
            subject_id=event.subject,
            object_id=event.object if isinstance(event.object, int) else 0,
            zone=event.zone if isinstance(event.zone, str) else "",
        )
        match event.kind:
            case "pick_up":
                self._begin(HOLD, pair, event.time_s, now_s)
            case "put_down":
                return self._end_at(HOLD, pair, event.time_s)
            case "hand_over" if isinstance(event.from_id, int) and isinstance(event.to_id, int):
                giver, receiver = (
                    Pair(subject_id=hand, object_id=pair.object_id) for hand in (event.from_id, event.to_id)
                )
                self._begin(HOLD, receiver, event.time_s, now_s)
                return self._end_at(HOLD, giver, event.time_s)
            case "touch_start":
                self._begin(TOUCH, pair, event.time_s, now_s)
            case "touch_end":
                return self._end_at(TOUCH, pair, event.time_s)
            case "enter":
                self._begin(VISIT, pair, event.time_s, now_s)
            case "leave":
                return self._end_at(VISIT, pair, event.time_s)
        return []

    def _begin(self, kind: str, pair: Pair, start_s: float, now_s: float) -> None:
        """Something began at ``start_s``, as is known now; nothing, when it is under way already."""
        self._runs.setdefault((kind, pair), _Run(start_s, max(start_s, now_s)))

    def _end_at(self, kind: str, pair: Pair, end_s: float) -> list[Interaction]:
        """Something ended at ``end_s``; nothing, when what is under way began later."""
        run = self._runs.get((kind, pair))
        if run is None or end_s < run.start_s:
            return []
        run.seen_s = end_s
        return [self._end(kind, pair)]

    def _end(self, kind: str, pair: Pair) -> Interaction:
        """End what is under way where it was seen last, and add it up."""
        run = self._runs.pop((kind, pair))
        start_s = max(run.start_s, self._ended_s.get((kind, pair), run.start_s))
        end_s = self._ended_s[kind, pair] = max(run.seen_s, start_s)
        subject, object_ = (self._tracks.get(one, ("track", 0.0))[0] for one in (pair.subject_id, pair.object_id))
        totals = self._totals.setdefault(
            pair,
            Totals(
                pair=pair,
                subject_class=subject,
                object_class="" if pair.zone else object_,
                first_s=start_s,
                last_s=end_s,
            ),
        )
        totals.count[kind] = totals.count.get(kind, 0) + 1
        totals.seconds[kind] = totals.seconds.get(kind, 0.0) + end_s - start_s
        totals.first_s, totals.last_s = min(totals.first_s, start_s), max(totals.last_s, end_s)
        return Interaction(
            kind=kind,
            pair=pair,
            subject=f"{subject} {pair.subject_id}",
            object=pair.zone or f"{object_} {pair.object_id}",
            start_s=start_s,
            end_s=end_s,
        )
