"""A scene: things on a table and hands that use them, drawn from a seed, with pictures and exact truth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tests.scenes import texture
from tests.scenes.camera import FPS, HEIGHT_PX, WIDTH_PX, Camera
from tests.scenes.hand import Points, Side, arm_capsules, hand_capsules
from tests.scenes.render import BACKGROUND, TABLE_CM, Body, Drawn, Painter
from tests.scenes.script import Director
from tests.scenes.solid import Pose
from tests.scenes.stage import ELBOW, Interval, Stage
from tests.scenes.thing import Thing

HAND_IDS: dict[Side, int] = {"left": 1, "right": 2}
FIRST_THING_ID = 3
CLASSES = ("hand", "mug", "can", "bottle", "box", "book", "block")  #: numbered from 1
LEAST_PX = 25  #: what shows fewer pixels has no box
MAT_CM = (44.0, 32.0)
MAT_CORNERS_CM = np.array([[-22.0, -10.0, 0], [22.0, -10.0, 0], [22.0, 22.0, 0], [-22.0, 22.0, 0]])


@dataclass(frozen=True, slots=True)
class SeenBox:
    """The tight box of what is visible of something: edges in pixels, and visible pixels over all it has."""

    id: int
    xyxy: tuple[int, int, int, int]
    visibility: float


class Scene:
    """Everything about one scene; the same seed and settings give the same one.

    ``sway_cm``: how far the camera sways; ``speed``: of the hands, 1 = usual; ``noise``: of the pixels, in grey levels;
    ``events``: these one after the other as far as they fit, instead of random ones.
    """

    def __init__(
        self,
        seed: int,
        *,
        frames: int = 300,
        sway_cm: float = 0.0,
        speed: float = 1.0,
        noise: float = 2.5,
        events: tuple[str, ...] = (),
    ) -> None:
        self.seed, self.frames = seed, frames
        plot, look, pose = (np.random.default_rng([seed, stream]) for stream in range(3))
        self._director = Director(plot, frames=frames, speed=speed, events=events)
        self._look, self._noise = look, noise
        self.camera = Camera(pose, sway_cm=sway_cm)
        self._drawn: tuple[int, Drawn] | None = None
        self._seen: dict[int, list[SeenBox]] = {}
        self._whole: dict[int, dict[int, tuple[int, int, int, int]]] = {}

    @property
    def stage(self) -> Stage:
        """All courses."""
        return self._director.stage

    @property
    def events(self) -> list[str]:
        """The names of the events that are played, in order."""
        return [event.name for event in self._director.events]

    @property
    def names(self) -> dict[int, str]:
        """The name of each id: left_hand, right_hand, mug, box_2, ..."""
        names = {HAND_IDS[side]: f"{side}_hand" for side in self.stage.hands}
        kinds: list[str] = []
        for number, thing in enumerate(self.stage.things):
            kinds.append(thing.kind)
            count = kinds.count(thing.kind)
            names[FIRST_THING_ID + number] = thing.kind if count == 1 else f"{thing.kind}_{count}"
        return names

    @property
    def class_ids(self) -> dict[int, int]:
        """The number of the class of each id, from 1."""
        return {
            id: CLASSES.index("hand" if id < FIRST_THING_ID else name.split("_")[0]) + 1
            for id, name in self.names.items()
        }

    @property
    def intervals(self) -> list[Interval]:
        """Who touches, holds and pushes what, cut to the frames that there are."""
        return [
            Interval(one.kind, one.side, one.thing, one.first, min(one.last, self.frames - 1))
            for one in self.stage.intervals
            if one.first < self.frames
        ]

    def frame(self, frame_index: int) -> texture.Picture:
        """Return a picture, uint8 (360, 640, 3) BGR."""
        bgr = self._draw(frame_index, with_picture=True).bgr
        assert bgr is not None
        return bgr

    def truth(self, frame_index: int) -> list[SeenBox]:
        """Return the boxes of what is visible; without drawing, if the picture has not been asked for."""
        if frame_index in self._seen:
            return self._seen[frame_index]
        drawn = self._draw(frame_index, with_picture=False)
        boxes = self._seen[frame_index] = []
        for id, whole in sorted(drawn.whole_px.items()):
            rows, columns = (drawn.ids == id).nonzero()
            if len(rows) >= LEAST_PX:
                edges = (int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
                boxes.append(SeenBox(id, edges, len(rows) / whole))
        return boxes

    def whole_boxes(self, frame_index: int) -> dict[int, tuple[int, int, int, int]]:
        """Return the box of each whole thing, as if nothing hid it; it may leave the picture."""
        if frame_index not in self._whole:
            self._whole[frame_index] = self._draw(frame_index, with_picture=False).whole_box
        return self._whole[frame_index]

    def hand_centre(self, side: Side, frame_index: int) -> Points:
        """Return the middle (3,) of a hand, cm."""
        points, _ = self.stage.hand_balls(side, slice(frame_index, frame_index + 1))
        middle: Points = points[0].mean(0)
        return middle

    def _draw(self, frame_index: int, *, with_picture: bool) -> Drawn:
        if not 0 <= frame_index < self.frames:
            raise IndexError(f"frame {frame_index} of a scene of {self.frames} frames")
        if self._drawn is None or self._drawn[0] != frame_index or (with_picture and self._drawn[1].bgr is None):
            view = self.camera.view(frame_index)
            drawn = self._painter.draw(
                view, self._bodies(frame_index), seed=1000 * self.seed + frame_index, with_picture=with_picture
            )
            self._drawn = (frame_index, drawn)
        return self._drawn[1]

    def _bodies(self, frame_index: int) -> list[Body]:
        bodies = []
        for number, (thing, course) in enumerate(zip(self.stage.things, self.stage.courses, strict=True)):
            pose = course.at(frame_index)
            parts = [(solid, Pose(pose.rotation, pose.out(np.array([0, 0, base])))) for solid, base in thing.solids]
            bodies.append(Body(FIRST_THING_ID + number, parts, self._textures[number]))
        for side, course in self.stage.hands.items():
            pose, bend = course.at(frame_index), self.stage.bends[side][frame_index]
            bodies.append(Body(HAND_IDS[side], hand_capsules(side, pose, bend, ELBOW[side]), self._skin))
            bodies.append(Body(BACKGROUND, arm_capsules(pose, ELBOW[side]), self._sleeve))
        return bodies

    @cached_property
    def _looks(self) -> tuple[list[texture.Picture], texture.Picture, texture.Picture, Painter]:
        """Textures of the things, skin, sleeve, and the painter: drawn in this order, when first asked for."""
        rng = self._look
        labels = [texture.label(rng) for _ in self.stage.things]
        skin, sleeve = texture.skin(rng), texture.cloth(rng)
        return labels, skin, sleeve, Painter(self.camera.view(0), _table(rng), rng, noise=self._noise)

    @property
    def _textures(self) -> list[texture.Picture]:
        return self._looks[0]

    @property
    def _skin(self) -> texture.Picture:
        return self._looks[1]

    @property
    def _sleeve(self) -> texture.Picture:
        return self._looks[2]

    @property
    def _painter(self) -> Painter:
        return self._looks[3]


def _table(rng: np.random.Generator) -> texture.Picture:
    """Return the table top with the mat on it."""
    (left, right), (near, far) = TABLE_CM
    scale = 7  # px/cm, about that of the picture
    table = texture.wood(rng, (int((far - near) * scale), int((right - left) * scale)))
    mat = texture.mat(rng, (int(MAT_CM[1] * scale), int(MAT_CM[0] * scale)))
    row, column = int((far - MAT_CORNERS_CM[2, 1]) * scale), int((MAT_CORNERS_CM[0, 0] - left) * scale)
    table[row : row + mat.shape[0], column : column + mat.shape[1]] = mat
    return table


__all__ = ["FPS", "HEIGHT_PX", "WIDTH_PX", "Scene", "SeenBox", "Thing"]
