"""What goes under hands: which objects they hide, carry and let go, on the tracks of a frame.

A box says where a hand is and not what it hides: between the fingers and beside them there is table, and what the hand
carries hides things as the hand does. So a share of an object's box under a hand's is enough to explain that a detector
misses it. ``role`` is object (N,), the roles of the tracks' classes; what is neither hand nor object hides nothing.
"""

from __future__ import annotations

import numpy as np

from hybridtrack.boxes import area, cxcywh_to_xyxy, intersection
from hybridtrack.tracking.track_table import TrackTable
from hybridtrack.types import Array, Origin, TrackState

_SAME_S = 1e-3  #: difference of times that are equal but for rounding
_MIN_COVER = 0.2  #: share of an object's box under hands' boxes, from which a hand may hide it
_MIN_PART = 0.4  #: share of an object's box in that of another of its kind that makes it a part of it
_MIN_COVER_LEFT = 0.1  #: ... and below which the hands have left
_MOVING_PER_S = 0.5  #: speed, in hand widths, from which a hand moves
_TOGETHER = 0.5  #: difference of velocities, as a share of the hand's, up to which an object moves with a hand


def is_hardly_known(table: TrackTable, time_s: float) -> Array:
    """Return which tracks (N,) were seen for a shorter time than they have been missing since, not hidden by a hand."""
    missing_s = time_s - np.maximum(table.seen_s, table.hidden_s)
    hardly: Array = missing_s - (table.seen_s - table.born_s) > _SAME_S
    return hardly


def is_at_hand(table: TrackTable, role: Array) -> Array:
    """Return which objects (N,) a hand is over, hides or carries."""
    at: Array = (table.occluded_by > 0) | (table.carrier > 0)
    hands = _hand_rows(table, role)
    if len(hands):
        xyxy = cxcywh_to_xyxy(table.filter.position)
        at |= (role == "object") & (intersection(xyxy, xyxy[hands]) > 0).any(axis=1)
    return at


def may_hide(table: TrackTable, role: Array) -> Array:
    """Return which track may lie over which, bool (N, N), row i = what is hidden: things under hands and things.

    The hand that carries a thing is left out: its pixels go where the thing goes.
    """
    is_object = role == "object"
    is_front = (is_object | (role == "hand")) & (table.state == TrackState.CONFIRMED)
    is_other = table.track_id[:, None] != table.track_id
    may: Array = is_object[:, None] & is_front & is_other & (table.carrier[:, None] != table.track_id)
    return may


def occluded(table: TrackTable, rows: Array, role: Array, time_s: float) -> Array:
    """Return which tracks in ``rows``, a mask, are objects under a hand, and note in ``table`` that it hides them.

    An object that is hardly known is none yet that could be hidden, and one that lies within another of its kind that
    was seen on this frame is a part of that one: a hand across a box leaves two pieces in sight.
    """
    rows = rows & (role == "object") & (table.state != TrackState.TENTATIVE)
    if not rows.any():
        return rows
    hands = _hand_rows(table, role)
    if not len(hands):
        return np.zeros(len(table), bool)
    cover = _cover(table, hands)
    is_known = ~is_hardly_known(table, time_s)
    was_hidden = table.occluded_by > 0
    is_new = is_known & (cover.sum(axis=1) >= _MIN_COVER)
    hidden: Array = rows & (was_hidden | is_new) & ~_is_part(table)
    table.occluded_by[was_hidden & rows & ~hidden] = 0
    new = hidden & ~was_hidden
    table.occluded_by[new] = table.track_id[hands[cover[new].argmax(axis=1)]]
    table.hidden_s[hidden], table.doubted_s[hidden] = time_s, np.inf
    return hidden


def uncover(table: TrackTable, role: Array) -> None:
    """Forget the hands that hide nothing any more: the object is in sight again, or they are gone or have left it.

    Where one hand leaves and another one covers the object, that one hides it.
    """
    table.occluded_by[table.origin == Origin.DETECTED] = 0
    rows = np.flatnonzero(table.occluded_by)
    if not len(rows):
        return
    hands = _hand_rows(table, role)
    if not len(hands):
        table.occluded_by[rows] = 0
        return
    cover = _cover(table, hands)[rows]
    stays = ((table.occluded_by[rows, None] == table.track_id[hands]) & (cover > 0)).any(axis=1)
    best = np.where(stays, table.occluded_by[rows], table.track_id[hands[cover.argmax(axis=1)]])
    table.occluded_by[rows] = np.where(cover.sum(axis=1) < _MIN_COVER_LEFT, 0, best)


def go_along(table: TrackTable, role: Array) -> None:
    """Note which objects move with a hand, and take those along whose own motion was not measured on this frame.

    A hand that rests tells nothing: what it carried before it still carries.
    """
    if "hand" not in role:
        table.carrier[:] = 0
        return
    hands, objects = _hand_rows(table, role), np.flatnonzero(role == "object")
    table.carrier[~np.isin(table.carrier, table.track_id[hands])] = 0
    if not (len(hands) and len(objects)):
        return
    position, velocity = table.filter.position[:, :2], table.filter.velocity[:, :2]
    is_seen = table.origin[objects] != Origin.PREDICTED
    blind = objects[~is_seen & (table.carrier[objects] > 0)]
    carrying = _rows_of(table, table.carrier[blind])
    position[blind], velocity[blind] = position[carrying] + table.offset[blind], velocity[carrying]
    seen = objects[is_seen]
    width = np.sqrt(np.prod(table.filter.position[hands, 2:], axis=1))
    speed = np.linalg.norm(velocity[hands], axis=1)
    moves = speed > _MOVING_PER_S * width
    apart = np.linalg.norm(velocity[seen, None] - velocity[hands], axis=2)
    together = (_cover(table, hands)[seen] > 0) & moves & (apart <= _TOGETHER * speed)
    carries = table.carrier[seen, None] == table.track_id[hands]
    table.carrier[seen[(carries & moves & ~together).any(axis=1)]] = 0
    best = table.track_id[hands[np.where(together, apart, np.inf).argmin(axis=1)]]
    table.carrier[seen] = np.where(together.any(axis=1), best, table.carrier[seen])
    carried = seen[table.carrier[seen] > 0]
    table.offset[carried] = position[carried] - position[_rows_of(table, table.carrier[carried])]


def in_reach(table: TrackTable, rows: Array, xyxy: Array) -> Array:
    """Return which boxes (M, 4) the objects in ``rows`` may have come to with the hands that hide them, bool (N, M).

    That is about the hand, and about the place where the object vanished.
    """
    reached = np.zeros((len(rows), len(xyxy)), bool)
    if not table.occluded_by.any():
        return reached
    centre = (xyxy[:, :2] + xyxy[:, 2:]) / 2
    for i in np.flatnonzero(np.isin(table.occluded_by[rows], table.track_id)):
        place = table.filter.position[rows[i]]
        hand = table.filter.position[_rows_of(table, table.occluded_by[rows[[i]]])[0]]
        for middle in (hand[:2], place[:2]):
            reached[i] |= (np.abs(centre - middle) <= (hand[2:] + place[2:]) / 2).all(axis=1)
    return reached


def _hand_rows(table: TrackTable, role: Array) -> Array:
    """Return the rows of the hands that are there."""
    return np.flatnonzero((role == "hand") & (table.state == TrackState.CONFIRMED))


def _is_part(table: TrackTable) -> Array:
    """Return which tracks (N,) lie for the most part within another of their identity that was seen on this frame."""
    xyxy = cxcywh_to_xyxy(table.filter.position)
    share = intersection(xyxy, xyxy) / area(xyxy)[:, None]
    is_whole = (table.identity[:, None] == table.identity) & (table.origin == Origin.DETECTED)
    is_whole &= table.track_id[:, None] != table.track_id
    part: Array = (is_whole & (share > _MIN_PART)).any(axis=1)
    return part


def _rows_of(table: TrackTable, track_id: Array) -> Array:
    """Return the rows of tracks that are in the table."""
    return np.searchsorted(table.track_id, track_id)  # born in this order


def _cover(table: TrackTable, hands: Array) -> Array:
    """Return the share (N, H) of each track's box under that of each hand and under what the hand carries."""
    xyxy = cxcywh_to_xyxy(table.filter.position)
    shared = intersection(xyxy, xyxy[hands])
    for row in np.flatnonzero(table.carrier):
        carried = intersection(xyxy, xyxy[[row]])
        carried[row] = 0
        shared += carried * (table.track_id[hands] == table.carrier[row])
    cover: Array = np.minimum(shared / area(xyxy)[:, None], 1.0)
    return cover
