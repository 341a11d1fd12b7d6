"""The life of tracks: carried to each frame, joined with detections, born, confirmed, lost and ended."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hybridtrack.association import HIGH_SCORE, TENTATIVE_SCORE, Expected, Seen, associate
from hybridtrack.boxes import area, clip, cxcywh_to_xyxy, intersection, iou, xyxy_to_cxcywh
from hybridtrack.hookspecs import BoxTracker
from hybridtrack.tracking.kinematics import begun, common_shift, corrected, detection_std, min_inside, predicted
from hybridtrack.tracking.occlusion import go_along, in_reach, is_at_hand, is_hardly_known, may_hide, occluded, uncover
from hybridtrack.tracking.track_table import TrackTable, renumbered
from hybridtrack.types import Array, ClassInfo, Detections, Frame, Origin, Size, Tracks, TrackState

_LEAST_SCORE = 0.2  #: less sure detections are mostly arms and table

# how long a track is believed. Times are seconds, so that they hold at any frame rate and any schedule
_FADE_HALF_LIFE_S = 1.0  #: of the confidence that is shown, while no detector sees the track
_GONE_QUALITY = 0.25  #: of a measurement, below which the pixels say that the object is gone
_GONE_HALF_LIFE_S = 0.07  #: of the belief while they do; one measurement halves it at most, for blur does that too
_MISS_HALVINGS = 0.5  #: of the belief by a detector run that did not see the track
_MISS_HALF_LIFE_S = 0.2  #: ... and by the time since the run before it
_LOST_BELIEF = 0.15  #: below it a track is lost
_MAX_DOUBTED_S = 2.0  #: a track that has been doubted for so long ends

_SURE_SHARE = 0.85  #: of the score that begins tracks of a detector, from which it is as good as that

_DUPLICATE_IOU = 0.4  #: of a detection with a better one of the same object
_DUPLICATE_COVER = 0.6  #: share of the smaller box under the other


@dataclass(slots=True)
class Moment:
    """What a tracker knew at a moment: enough to go on from there once more."""

    table: TrackTable
    time_s: float
    run_s: dict[str, float]
    followed: object  #: what the box tracker knew


class Tracker:
    """Keeps the tracks of a run. ``box_tracker`` carries boxes; ``classes`` is the run's list, which may grow.

    births: by a detector's name, the score from which its detections begin tracks, at once and none below. The others'
    begin them from ``HIGH_SCORE``, and from ``TENTATIVE_SCORE`` on trial.
    """

    def __init__(
        self, box_tracker: BoxTracker, classes: Sequence[ClassInfo], births: Mapping[str, float] | None = None
    ) -> None:
        self._box_tracker = box_tracker
        self._looks = getattr(box_tracker, "looks", True)
        self._classes = classes
        self._births = births or {}
        self._next_id = 1
        self.reset()

    def reset(self) -> None:
        """End all tracks: a new source begins. Ids go on, so that those of two sources never collide."""
        self._box_tracker.reset()
        self._table = TrackTable.empty()
        self._size_px: Size | None = None
        self._time_s = 0.0
        self._run_s: dict[str, float] = {}

    def step(self, frame: Frame, detections: Mapping[str, Detections]) -> Tracks:
        """Return the tracks on ``frame``; frames come in order.

        detections: what each detector found that ran on it, by the detector's name; class ids count into the run's
        classes. A frame of another size than the one before ends all tracks.
        """
        if frame.size_px != self._size_px:
            self.reset()
            self._size_px = frame.size_px
        dt_s, self._time_s = frame.time_s - self._time_s, frame.time_s
        if len(self._table):
            self._carry(frame, dt_s)
        for name in sorted(detections, key=lambda name: not self._has_hands(detections[name])):
            self._associate(name, _possible(detections[name]))  # hands first: they say where objects may have gone
        if self._table.occluded_by.any():
            uncover(self._table, self._table.role)
        if detections:
            self._miss(detections)
        self._run_s.update(dict.fromkeys(detections, frame.time_s))
        if "object" in self._table.role:
            go_along(self._table, self._table.role)
        self._end(frame.size_px)
        table = self._table
        xyxy = cxcywh_to_xyxy(table.filter.position)
        self._box_tracker.settle(frame, table.track_id, xyxy, table.origin == Origin.DETECTED)
        return self._shown(clip(xyxy, frame.size_px))

    def as_detected(self, tracks: Tracks) -> Tracks:
        """Return the ``tracks`` of this frame for a smoother: what was detected lies where it was, before any filter.

        Filtered twice, boxes would come late. Where pixels are followed, what is believed stays: it is what they said.
        """
        is_detected = tracks.origin == Origin.DETECTED
        if self._looks or not is_detected.any():
            return tracks
        xyxy = tracks.xyxy.copy()
        xyxy[is_detected] = self._table.seen_xyxy[np.searchsorted(self._table.track_id, tracks.track_id[is_detected])]
        return replace(tracks, xyxy=xyxy)

    def moment(self) -> Moment | None:
        """Return what ``relive`` can go back to; None where the box tracker cannot."""
        remember: Callable[[], object] | None = getattr(self._box_tracker, "remember", None)
        if remember is None:
            return None
        return Moment(self._table[np.arange(len(self._table))], self._time_s, dict(self._run_s), remember())

    def relive(
        self, then: Moment, steps: Sequence[tuple[Frame, Mapping[str, Detections]]]
    ) -> list[tuple[Moment, Tracks]]:
        """Go back to ``then`` and take these steps; return the moment before each and the tracks after it.

        The latest of them must be where the tracker is. What is begun once more keeps the number of the track that lies
        where it does now.
        """
        shown, first_id = self._table, self._next_id
        self._table, self._time_s, self._run_s = then.table[np.arange(len(then.table))], then.time_s, dict(then.run_s)
        self._box_tracker.recall(then.followed)  # type: ignore[attr-defined]
        lived: list[tuple[Moment, Tracks]] = []
        for frame, detections in steps:
            before = self.moment()
            assert before is not None
            lived.append((before, self.step(frame, detections)))
        if self._next_id == first_id:
            return lived
        numbers = renumbered(self._table, shown, first_id, self._next_id)
        self._next_id = int(max(first_id - 1, numbers.max())) + 1
        for table in (self._table, *(before.table for before, _ in lived)):
            for column in (table.track_id, table.occluded_by, table.carrier):
                column[:] = numbers[column]
        lived = [(before, replace(tracks, track_id=numbers[tracks.track_id])) for before, tracks in lived]
        self._box_tracker.settle(
            frame,
            self._table.track_id,
            cxcywh_to_xyxy(self._table.filter.position),
            self._table.origin == Origin.DETECTED,
        )
        return lived

    def amend(self, frame: Frame, name: str, found: Detections, seen_s: float) -> None:
        """Associate what a detector saw at ``seen_s`` and told late; the next ``step`` goes on from there.

        found: as for ``step``, with the boxes carried to ``frame``, the one of the latest step. Tracks that have been
        seen or born since ``seen_s`` are not missed in it.
        """
        now_s, self._time_s = self._time_s, seen_s  # all that is noted of this run is as old as what it looked at
        self._associate(name, _possible(found))
        if self._table.occluded_by.any():
            uncover(self._table, self._table.role)
        self._miss([name])
        self._run_s[name] = seen_s
        self._time_s = now_s
        table = self._table
        xyxy = cxcywh_to_xyxy(table.filter.position)
        self._box_tracker.settle(frame, table.track_id, xyxy, table.origin == Origin.DETECTED)

    def _carry(self, frame: Frame, dt_s: float) -> None:
        """Take the tracks to this frame: what was measured of their motion, and for the rest the motion model."""
        table = self._table
        before = table.filter
        xyxy = cxcywh_to_xyxy(before.position)
        role = table.role
        expect = getattr(self._box_tracker, "expect", None)
        if expect and "object" in role:
            expect(dt_s * before.velocity[:, :2], may_hide(table, role), role == "object", role == "hand")
        found = self._box_tracker.measure(frame, table.track_id, xyxy)
        rows = found.is_measured.nonzero()[0]
        table.origin[:] = Origin.PREDICTED
        table.origin[rows] = Origin.TRACKED
        if self._box_tracker.filters:
            table.filter = predicted(before, found, dt_s, self._is_agile())
        else:
            table.filter.position[rows] = xyxy_to_cxcywh(found.xyxy[rows])
        is_gone = found.quality < _GONE_QUALITY
        if is_gone.any():
            self._doubt(is_gone & ~occluded(table, is_gone, role, self._time_s), min(dt_s / _GONE_HALF_LIFE_S, 1.0))

    def _roles(self, class_id: Array) -> Array:
        """Return the roles of classes, object (N,)."""
        return np.array([self._classes[i].role for i in class_id.tolist()], object)

    def _has_hands(self, found: Detections) -> bool:
        return any(self._classes[i].role == "hand" for i in found.class_id.tolist())

    def _is_agile(self) -> Array:
        """Return which tracks (N,) may turn at once: all whose pixels are looked at, hands, and what is at a hand."""
        if self._looks:
            return np.ones(len(self._table), bool)
        role = self._table.role
        if "hand" not in role:
            return np.zeros(len(self._table), bool)
        agile: Array = (role == "hand") | is_at_hand(self._table, role)
        return agile

    def _doubt(self, rows: Array, halvings: float | Array) -> None:
        """Believe the tracks in ``rows``, a mask, less."""
        table = self._table
        table.belief[rows] *= 0.5**halvings
        table.doubted_s[rows] = np.minimum(table.doubted_s[rows], self._time_s)

    def _associate(self, name: str, found: Detections) -> None:
        """Associate one detector's detections with the tracks, class by class, and begin tracks with the rest."""
        table = self._table
        identity = np.array([self._classes[i].identity for i in found.class_id.tolist()], object)
        new = []
        for one in sorted({*identity}):
            rows, of_class = (table.identity == one).nonzero()[0], (identity == one).nonzero()[0]
            xyxy, score = found.xyxy[of_class].astype(np.float64), found.score[of_class]
            key = _keys(found.class_id[of_class], _attribute_rows(found, of_class), self._classes)
            track_key = _keys(table.class_id[rows], table.attributes[rows], self._classes)
            is_keyed = (track_key != "")[:, None] & (key != "")
            is_any_keyed = is_keyed.any()
            i, j = associate(
                *self._sides(rows, xyxy, score),
                known=is_any_keyed and is_keyed & (track_key[:, None] == key),
                barred=is_any_keyed and is_keyed & (track_key[:, None] != key),
                in_reach=in_reach(table, rows, xyxy),
                sure_score=max(HIGH_SCORE, _SURE_SHARE * self._births.get(name, 0.0)),
            )
            seen = table.origin[rows] == Origin.DETECTED  # by another detector, on this frame
            seen_xyxy, seen_key = cxcywh_to_xyxy(table.filter.position[rows[seen]]), track_key[seen]
            self._hit(rows[i], name, found[of_class[j]])
            least = self._births.get(name, TENTATIVE_SCORE)
            new.append(of_class[_not_yet_seen(xyxy, score, key, j, seen_xyxy, seen_key, least)])
        if new:
            rows = np.concatenate(new)
            self._begin(name, found[rows], identity[rows])

    def _sides(self, rows: Array, xyxy: Array, score: Array) -> tuple[Expected, Seen]:
        """Return the tracks in ``rows`` and detections of their class as they are to be associated.

        Where no pixels tell how the camera moves, what the boxes have in common does.
        """
        table, is_agile = self._table, self._is_agile()[rows]
        tracks = Expected(
            xyxy=cxcywh_to_xyxy(table.filter.position[rows]),
            state=table.state[rows],
            unseen_s=np.maximum(self._time_s - table.seen_s[rows], 0.0),
            tenure_s=table.seen_s[rows] - table.born_s[rows],
            is_agile=is_agile,
            var=table.filter.var_position[rows] if self._box_tracker.filters else None,
        )
        std = detection_std(xyxy_to_cxcywh(xyxy), score, np.full(len(xyxy), is_agile.all()))
        found = Seen(xyxy=xyxy, score=score, var=np.square(std))
        if self._looks or not self._box_tracker.filters:
            return tracks, found
        shift = common_shift(tracks, found)
        table.filter.position[rows, :2] += shift
        return replace(tracks, xyxy=tracks.xyxy + np.tile(shift, 2)), found

    def _hit(self, rows: Array, name: str, found: Detections) -> None:
        """Correct the tracks in ``rows`` by the detections that are theirs."""
        if not len(rows):
            return
        table = self._table
        position = xyxy_to_cxcywh(found.xyxy.astype(np.float64))
        if self._box_tracker.filters:
            is_agile = self._is_agile()[rows]
            table.filter[rows] = corrected(table.filter[rows], position, found.score, is_agile)
        else:
            table.filter.position[rows] = position
        # of two detectors that see a track on one frame, the surer one names it
        is_surer = (table.origin[rows] != Origin.DETECTED) | (found.score > table.score[rows])
        is_surer &= table.seen_s[rows] <= self._time_s  # a late run does not speak against what was seen since
        surer = is_surer.nonzero()[0]
        named, found = rows[surer], found if len(surer) == len(found) else found[surer]
        table.score[named] = found.score
        table.belief[named] = np.maximum(table.belief[named], found.score)  # no sight of it speaks against it
        table.class_id[named], table.role[named] = found.class_id, self._roles(found.class_id)
        table.detector[named] = name
        table.seen_xyxy[named] = found.xyxy
        table.attributes[named] = _attribute_rows(found, np.arange(len(found)))
        table.state[rows] = TrackState.CONFIRMED
        table.origin[rows] = Origin.DETECTED
        table.seen_s[rows] = np.maximum(table.seen_s[rows], self._time_s)
        table.doubted_s[rows] = np.inf

    def _miss(self, names: Collection[str]) -> None:
        """Doubt the tracks that no run saw, though that of their detector is among ``names``.

        What a hand hides is not doubted. Tentative tracks end, and those that are barely known: one that was seen only
        once, or for a shorter time than it has been missing since, was a false alarm more often than not.
        """
        table = self._table
        is_missed = (table.origin != Origin.DETECTED) & (table.seen_s < self._time_s)
        is_missed &= np.array([name in names for name in table.detector], bool)
        if not is_missed.any():
            return
        is_missed &= ~occluded(table, is_missed, table.role, self._time_s)
        dt_s = np.array([self._time_s - self._run_s.get(name, self._time_s) for name in table.detector[is_missed]])
        self._doubt(is_missed, _MISS_HALVINGS + dt_s / _MISS_HALF_LIFE_S)
        is_false_alarm = (table.state == TrackState.TENTATIVE) | is_hardly_known(table, self._time_s)
        self._keep(~(is_missed & is_false_alarm))

    def _begin(self, name: str, found: Detections, identity: Array) -> None:
        n = len(found)
        if not n:
            return
        position = xyxy_to_cxcywh(found.xyxy.astype(np.float64))
        score = found.score.astype(np.float64)
        birth = self._births.get(name, HIGH_SCORE)
        state = np.where(score >= birth, TrackState.CONFIRMED, TrackState.TENTATIVE)
        role = self._roles(found.class_id)
        born = TrackTable(
            filter=begun(position, score, (role == "hand") | self._looks),
            track_id=np.arange(self._next_id, self._next_id + n),
            class_id=found.class_id,
            identity=identity,
            role=role,
            detector=np.full(n, name, object),
            score=score,
            belief=score.copy(),
            state=state.astype(np.uint8),
            origin=np.full(n, Origin.DETECTED, np.uint8),
            born_s=np.full(n, self._time_s),
            seen_s=np.full(n, self._time_s),
            seen_xyxy=found.xyxy.astype(np.float64),
            doubted_s=np.full(n, np.inf),
            attributes=_attribute_rows(found, np.arange(n)),
            occluded_by=np.zeros(n, np.int64),
            hidden_s=np.full(n, -np.inf),
            carrier=np.zeros(n, np.int64),
            offset=np.zeros((n, 2)),
        )
        self._next_id += n
        self._table = self._table.joined(born)

    def _end(self, size_px: Size) -> None:
        """Call lost what is hardly believed any more; end what has been doubted for long or left the picture."""
        table = self._table
        table.state[
            (table.belief < _LOST_BELIEF) & (table.doubted_s <= self._time_s) & (table.state == TrackState.CONFIRMED)
        ] = TrackState.LOST
        xyxy = cxcywh_to_xyxy(table.filter.position)
        least = min_inside(self._is_agile())
        is_inside = area(clip(xyxy, size_px)) >= least * area(xyxy)
        is_credible = self._time_s - table.doubted_s <= _MAX_DOUBTED_S
        self._keep(is_credible & (is_inside | (table.origin == Origin.DETECTED)))

    def _keep(self, kept: Array) -> None:
        if not kept.all():
            self._table = self._table[kept]

    def _shown(self, xyxy: Array) -> Tracks:
        """Return the tracks but the tentative ones; ``xyxy`` are their boxes, cut at the picture's edges."""
        is_shown = (self._table.state != TrackState.TENTATIVE) & (area(xyxy) > 0)
        if not self._box_tracker.fills:
            is_shown &= self._table.origin == Origin.DETECTED
        table = self._table[is_shown]
        return Tracks(
            track_id=table.track_id,
            xyxy=xyxy[is_shown],
            velocity=table.filter.velocity[:, :2],
            score=table.score,
            confidence=table.belief * 0.5 ** ((self._time_s - table.seen_s) / _FADE_HALF_LIFE_S),
            class_id=table.class_id,
            origin=table.origin,
            state=table.state,
            last_detected_s=table.seen_s,
            detector=tuple(table.detector),
            attributes=_attribute_columns(table.attributes),
            occluded_by=table.occluded_by,
        )


def _possible(found: Detections) -> Detections:
    """Return the detections that may be something."""
    is_possible = found.score >= _LEAST_SCORE
    return found if is_possible.all() else found[is_possible]


def _attribute_rows(found: Detections, rows: Array) -> Array:
    """Return what the detector says of the boxes in ``rows`` beyond where they are, as one dict a row: object (N,)."""
    said = np.empty(len(rows), object)
    for place, row in enumerate(rows.tolist()):
        said[place] = {name: values[row] for name, values in found.attributes.items()}
    return said


def _attribute_columns(rows: Array) -> dict[str, Array]:
    """Return the attributes of N tracks by name (N, …); with None where a track's detector does not say it."""
    columns = {}
    for name in sorted({name for row in rows for name in row}):
        values = [row.get(name) for row in rows]
        if any(value is None for value in values):
            columns[name] = np.empty(len(rows), object)
            columns[name][:] = [value if value is None else np.asarray(value).tolist() for value in values]
        else:
            columns[name] = np.array(values)
    return columns


def _keys(class_id: Array, attributes: Array, classes: Sequence[ClassInfo]) -> Array:
    """Return what tells each object apart from others of its class, object (N,) of texts; empty: nothing does."""
    keys = np.full(len(class_id), "", object)
    if not any(one.key for one in classes):
        return keys
    for row, (number, said) in enumerate(zip(class_id.tolist(), attributes, strict=True)):
        value = said.get(classes[number].key)
        if value is not None:
            keys[row] = repr(np.asarray(value).tolist())
    return keys


def _not_yet_seen(
    xyxy: Array, score: Array, key: Array, used: Array, seen_xyxy: Array, seen_key: Array, least_score: float
) -> Array:
    """Return the rows of detections that are objects of their own: sure enough, and no duplicate of a better one.

    xyxy: (M, 4). key: (M,), two values of it are never one object. used: the rows that went to tracks. seen_xyxy,
    seen_key: (K, 4) and (K,), the tracks that another detector saw on this frame. least_score: that is sure enough.
    """
    new: list[int] = []
    taken = set(used.tolist())
    if len(taken) == len(xyxy):
        return np.empty(0, np.intp)
    kept, kept_key = np.concatenate([xyxy[used], seen_xyxy]), np.concatenate([key[used], seen_key])
    for row in np.argsort(-score, kind="stable").tolist():
        if score[row] < least_score:
            break
        if row in taken:
            continue
        box = xyxy[row : row + 1]
        others = kept[(kept_key == key[row]) | (kept_key == "") | (key[row] == "")]
        if len(others):
            cover = intersection(box, others) / np.minimum(area(box), area(others))
            if iou(box, others).max() > _DUPLICATE_IOU or cover.max() > _DUPLICATE_COVER:
                continue
        kept, kept_key = np.concatenate([kept, box]), np.append(kept_key, key[row])
        new.append(row)
    return np.array(new, np.intp)
