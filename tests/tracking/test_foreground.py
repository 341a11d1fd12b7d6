"""What moves outside every track, on painted pictures: 320 x 180, 30 frames a second."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from hybridtrack.tracking.foreground import Foreground
from hybridtrack.types import ArrayPicture, Frame

NO_ID, NO_BOX = np.empty(0, np.int64), np.empty((0, 4))


def texture(seed: int, width: int = 400, height: int = 240) -> np.ndarray:
    noise = np.random.default_rng(seed).uniform(0, 255, (height, width)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 4)
    return np.clip(128 + (soft - soft.mean()) * 6, 20, 220)


TABLE = texture(1)


def frame(index: int, table: np.ndarray) -> Frame:
    picture = ArrayPicture(np.clip(np.rint(table), 0, 255).astype(np.uint8), "gray")
    return Frame(picture, index=index, time_s=index / 30)


def still(index: int) -> np.ndarray:
    return TABLE[20:200, 20:340].copy()


def noise(index: int) -> np.ndarray:
    return still(index) + np.random.default_rng(index).normal(0, 3, (180, 320))


def flicker(index: int) -> np.ndarray:
    bands = 12 * np.sin(2 * np.pi * (np.arange(180) / 60 + index * 0.37))
    return still(index) * 0.9 + bands[:, None]


def switched_light(index: int) -> np.ndarray:
    return still(index) * (1.0 if index < 10 else 0.85)


def sway(index: int) -> np.ndarray:
    x, y = 6 * np.sin(index / 9), 4 * np.cos(index / 7)
    moved = cv2.warpAffine(TABLE, np.array([[1, 0, x], [0, 1, y]]), (400, 240), borderMode=cv2.BORDER_REFLECT)
    return moved[20:200, 20:340]


def with_hand(table: np.ndarray, x: float) -> np.ndarray:
    """Return the picture with something bright of 40 x 50 whose left edge is at x."""
    picture = table.copy()
    left, right = max(round(x), 0), max(round(x) + 40, 0)
    picture[60:110, left:right] = 235
    return picture


@pytest.mark.parametrize("scene", [still, noise, flicker, switched_light, sway])
def test_nothing_moves_but_light_and_camera(scene: Callable[[int], np.ndarray]) -> None:
    foreground = Foreground()
    found = [foreground.step(frame(index, scene(index)), NO_ID, NO_BOX) for index in range(60)]
    assert [index for index, boxes in enumerate(found) if len(boxes)] == []


@pytest.mark.parametrize("scene", [still, noise, flicker, sway])
def test_what_comes_in_is_seen_within_a_tenth_of_a_second(scene: Callable[[int], np.ndarray]) -> None:
    foreground, first = Foreground(), None
    for index in range(40):
        x = (index - 20) * 8 - 40  # in sight from frame 21 on
        boxes = foreground.step(frame(index, with_hand(scene(index), x)), NO_ID, NO_BOX)
        if len(boxes) and first is None:
            first, box = index, boxes[0]
    assert first is not None
    assert 21 <= first <= 24
    assert box[0] <= 8
    assert 40 <= box[1] <= 70 <= 100 <= box[3] <= 130


def test_what_touches_a_track_is_the_tracks_own() -> None:
    foreground = Foreground()
    for index in range(40):
        x = 4 * index
        box = np.array([[x, 60, x + 40, 110]], float)
        boxes = foreground.step(frame(index, with_hand(still(index), x)), np.array([7]), box)
        assert len(boxes) == 0


def test_boxes_are_in_pixels_of_the_frame_whatever_its_size() -> None:
    small, large = Foreground(), Foreground()
    for index in range(4):
        picture = with_hand(still(index), 100 + 15 * index)
        doubled = cv2.resize(picture, (640, 360), interpolation=cv2.INTER_LINEAR)
        one, two = (
            small.step(frame(index, picture), NO_ID, NO_BOX),
            large.step(frame(index, doubled), NO_ID, NO_BOX),
        )
    assert len(one) == len(two) > 0
    assert two == pytest.approx(2 * one, abs=8)


def test_reset_and_another_size_begin_anew() -> None:
    foreground = Foreground()
    foreground.step(frame(0, still(0)), NO_ID, NO_BOX)
    foreground.reset()
    assert len(foreground.step(frame(1, texture(2)[:180, :320]), NO_ID, NO_BOX)) == 0
    assert len(foreground.step(frame(2, texture(3)[:200, :320]), NO_ID, NO_BOX)) == 0
