"""Tracks, how they move and what happens between them, drawn into pictures.

The colour of a box says which class it is, its line where it comes from (``outlines``), a line between two what they
have to do with each other (``relation_lines``), a trail which way each has come. Only confirmed tracks are drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hybridtrack import boxes
from hybridtrack.sinks.captions import Captions, clock, track_name
from hybridtrack.sinks.ink import Colour, between, colour_of, draw_lines, line_unit
from hybridtrack.sinks.labels import ELSEWHERE, Label, place_labels
from hybridtrack.sinks.outlines import draw_outline
from hybridtrack.sinks.relation_lines import draw_relation
from hybridtrack.sinks.tags import Typeface
from hybridtrack.sinks.trails import Trails, draw_trail
from hybridtrack.types import Array, ClassInfo, Frame, FrameResult, Origin, Relations, Size, Tracks, TrackState


@dataclass(frozen=True, slots=True)
class _Shown:
    """A box that can be seen in the picture: int xyxy, px, cut at its edges."""

    track_id: int
    name: str
    xyxy: tuple[int, int, int, int]
    origin: Origin
    colour: Colour

    @property
    def size_px(self) -> Size:
        return self.xyxy[2] - self.xyxy[0], self.xyxy[3] - self.xyxy[1]


class Drawing:
    """Draws the frames of one run, which come in order: what is seen of the past is that of the frames so far.

    ``follow`` every frame; ``draw`` those that are wanted.
    """

    def __init__(self, classes: Sequence[ClassInfo]) -> None:
        """Begin a run; ``classes``: its own list, which may grow."""
        self._classes = classes
        self._trails = Trails()
        self._captions = Captions(classes)
        self._spots: dict[int, int] = {}  #: of a track, where its label stood on the frame before

    def follow(self, result: FrameResult) -> None:
        """Take what is known of the next frame."""
        self._trails.follow(result)
        self._captions.follow(result)

    def draw(self, frame: Frame, result: FrameResult, *, note: str = "") -> Array:
        """Return a picture, uint8 (H, W, 3), of the frame that was taken last; ``note`` stands behind the clock.

        Boxes are cut at the edges; those outside the picture, or not finite, are left out.
        """
        picture = np.array(frame.bgr())
        unit = line_unit(frame.size_px)
        shown = _shown(result.tracks, self._classes, picture)
        for one in shown:
            draw_trail(picture, self._trails.of(one.track_id), one.size_px, one.colour, unit)
        for one in shown:
            draw_outline(picture, one.xyxy, one.origin, one.colour, unit)
        _draw_relations(picture, result.relations, shown, unit)
        typeface = Typeface.fitting(frame.size_px)
        told = "  ".join([clock(frame.time_s), f"frame {frame.index}", note]).rstrip()
        taken = _draw_captions(picture, told, self._captions.lines(), typeface)
        self._draw_labels(picture, shown, taken, typeface)
        return picture

    def _draw_labels(self, picture: Array, shown: Sequence[_Shown], taken: Array, typeface: Typeface) -> None:
        height, width = picture.shape[:2]
        labels = [Label(one.xyxy, typeface.tag_size_px(one.name), self._spots.get(one.track_id)) for one in shown]
        places = place_labels(labels, (width, height), taken)
        self._spots = {one.track_id: place.spot for one, place in zip(shown, places, strict=True) if place}
        for one, label, place in zip(shown, labels, places, strict=True):
            if place and place.spot == ELSEWHERE:
                tag = *place.corner, *np.add(place.corner, label.size_px).tolist()
                draw_lines(picture, [between(tag, one.xyxy)], one.colour, 1)
        for one, place in zip(shown, places, strict=True):
            if place:
                typeface.draw(picture, one.name, place.corner, one.colour)


def _shown(tracks: Tracks, classes: Sequence[ClassInfo], picture: Array) -> list[_Shown]:
    """Return the confirmed tracks of which something lies in the picture."""
    height, width = picture.shape[:2]
    tracks = tracks[(tracks.state == TrackState.CONFIRMED) & np.isfinite(tracks.xyxy).all(axis=1)]
    xyxy = np.rint(boxes.clip(tracks.xyxy, (width - 1, height - 1))).astype(int).tolist()
    rows = zip(tracks.track_id.tolist(), tracks.class_id.tolist(), tracks.origin.tolist(), xyxy, strict=True)
    return [
        _Shown(track_id, track_name(classes[class_id], track_id), (x1, y1, x2, y2), Origin(origin), colour_of(class_id))
        for track_id, class_id, origin, (x1, y1, x2, y2) in rows
        if x2 > x1 and y2 > y1
    ]


def _draw_relations(picture: Array, relations: Relations, shown: Sequence[_Shown], unit: int) -> None:
    known = {one.track_id: one for one in shown}
    pairs = zip(relations.subject.tolist(), relations.object.tolist(), relations.state, strict=True)
    for subject_id, object_id, state in pairs:
        if subject_id in known and object_id in known:
            subject = known[subject_id]
            draw_relation(picture, subject.xyxy, known[object_id].xyxy, state, subject.colour, unit)


def _draw_captions(picture: Array, told: str, events: Sequence[str], typeface: Typeface) -> Array:
    """Write the clock into the upper left corner and events into the lower left one; return what they cover."""
    height = picture.shape[0]
    sizes_px = [typeface.tag_size_px(text) for text in (told, *events)]
    corners = [(0, 0)]
    y = height - sum(size_px[1] for size_px in sizes_px[1:])
    for size_px in sizes_px[1:]:
        corners.append((0, y))
        y += size_px[1]
    for text, corner in zip((told, *events), corners, strict=True):
        typeface.draw(picture, text, corner, None)
    return np.hstack([corners, np.add(corners, sizes_px)])
