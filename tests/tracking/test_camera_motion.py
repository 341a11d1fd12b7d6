"""The camera over a painted table: still, swaying, panning, and with an arm in the way."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from hybridtrack.tracking.camera_motion import CameraMotion
from hybridtrack.types import Array, Frame

SIZE = (320, 180)
CORNERS = np.array([[60.0, 150.0], [260, 150], [220, 50], [100, 50]])
NO_BOXES = np.empty((0, 4))


def painted_table(seed: int = 0) -> Array:
    """Return a picture (H, W) of soft spots, larger than a frame by 100 px on every side."""
    rng = np.random.default_rng(seed)
    spots = cv2.GaussianBlur(rng.random((SIZE[1] + 200, SIZE[0] + 200)).astype(np.float32), (0, 0), 3.0)
    return cv2.normalize(spots, None, 30, 220, cv2.NORM_MINMAX).astype(np.uint8)


def view(table: Array, camera: Array, index: int = 0) -> Frame:
    """Return what is seen of ``table`` when ``camera`` maps pixels of the first frame to those of this one."""
    off = np.array([[1.0, 0, -100], [0, 1, -100], [0, 0, 1]])
    centres = np.array([[1.0, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    motion = np.linalg.inv(centres) @ camera @ centres @ off
    return Frame.from_array(cv2.warpPerspective(table, motion, SIZE, flags=cv2.INTER_LINEAR), index=index)


def mapped(camera: Array, points: Array) -> Array:
    homogeneous = np.column_stack([points, np.ones(len(points))]) @ camera.T
    return homogeneous[:, :2] / homogeneous[:, 2:]


def sway(t: float) -> Array:
    """Return a camera that shifts by up to 6 px, turns by up to 1° and tilts a little."""
    turn = np.deg2rad(np.sin(t / 9))
    return np.array(
        [
            [np.cos(turn), -np.sin(turn), 6 * np.sin(t / 7)],
            [np.sin(turn), np.cos(turn), 4 * np.sin(t / 5)],
            [1e-4 * np.sin(t / 11), 5e-5 * np.sin(t / 6), 1],
        ]
    )


def test_first_frame_is_where_the_camera_is_measured_from() -> None:
    assert np.array_equal(CameraMotion().step(view(painted_table(), np.eye(3)), NO_BOXES), np.eye(3))


def test_swaying_camera_is_followed_to_a_quarter_of_a_pixel_without_drift() -> None:
    table, motion = painted_table(), CameraMotion()
    for t in range(120):
        found = motion.step(view(table, sway(t), t), NO_BOXES)
        assert np.abs(mapped(found, CORNERS) - mapped(sway(t), CORNERS)).max() < 0.25, t


def test_motion_is_told_in_pixels_of_the_source() -> None:
    table, motion = painted_table(), CameraMotion()
    shift = np.array([[1.0, 0, 1.5], [0, 1, -1], [0, 0, 1]])
    for camera in (np.eye(3), shift):
        small = view(table, camera).gray()
        found = motion.step(Frame.from_array(cv2.resize(small, (1280, 720))), NO_BOXES)
    assert mapped(found, 4 * CORNERS) == pytest.approx(4 * CORNERS + [6, -4], abs=0.8)


def test_still_camera_is_exactly_still_in_spite_of_noise() -> None:
    still, motion = view(painted_table(), np.eye(3)).gray().astype(np.float64), CameraMotion()
    rng = np.random.default_rng(1)
    for _ in range(20):
        noisy = np.clip(still + rng.normal(0, 3, still.shape), 0, 255).astype(np.uint8)
        assert np.array_equal(motion.step(Frame.from_array(noisy), NO_BOXES), np.eye(3))


def test_arm_that_crosses_a_third_of_the_picture_is_no_motion_of_the_camera() -> None:
    still, arm, motion = view(painted_table(), np.eye(3)).gray(), painted_table(seed=5), CameraMotion()
    for t in range(0, 200, 2):
        picture = still.copy()
        picture[:, t : t + 110] = arm[:180, :110]
        assert np.array_equal(motion.step(Frame.from_array(picture), NO_BOXES), np.eye(3)), t


def test_what_boxes_of_tracks_cover_takes_no_part() -> None:
    grey, thing = np.full((180, 320), 90, np.uint8), painted_table(seed=2)[:100, :160]
    still = painted_table()[:180, :320]
    moves, stays = CameraMotion(), CameraMotion()
    for t in range(0, 60, 2):
        picture = grey.copy()
        picture[:, :60] = still[:, :60]
        picture[40:140, 100 + t : 260 + t] = thing
        box = np.array([[100.0 + t, 40, 260 + t, 140]])
        alone, left_out = (
            motion.step(Frame.from_array(picture), boxes) for motion, boxes in ((moves, NO_BOXES), (stays, box))
        )
    assert alone[0, 2] == pytest.approx(58, abs=3)  # most of the texture is on what moved
    assert np.array_equal(left_out, np.eye(3))


def test_brighter_light_is_no_motion() -> None:
    still, motion = view(painted_table(), np.eye(3)).gray().astype(np.float64), CameraMotion()
    for t in range(30):
        found = motion.step(Frame.from_array((still * (0.7 + 0.01 * t) + t / 2).astype(np.uint8)), NO_BOXES)
        assert np.array_equal(found, np.eye(3)), t


def test_picture_without_texture_tells_no_motion() -> None:
    motion = CameraMotion()
    for level in (100, 130, 90):
        found = motion.step(Frame.from_array(np.full((180, 320), level, np.uint8)), NO_BOXES)
        assert np.array_equal(found, np.eye(3))


def test_camera_that_pans_away_and_back_finds_its_place_again() -> None:
    rng = np.random.default_rng(3)
    wide = cv2.GaussianBlur(rng.random((380, 1100)).astype(np.float32), (0, 0), 3.0)
    wide = cv2.normalize(wide, None, 30, 220, cv2.NORM_MINMAX).astype(np.uint8)
    motion, places = CameraMotion(), [2.0 * t for t in [*range(150), *range(150, -1, -1)]]
    for place in places:
        camera = np.array([[1.0, 0, -place], [0, 1, 0], [0, 0, 1]])
        found = motion.step(view(wide, camera), NO_BOXES)
        assert np.abs(mapped(found, CORNERS) - mapped(camera, CORNERS)).max() < 2.5, place
    assert found == pytest.approx(np.eye(3), abs=0.05)


def test_reset_begins_anew_and_gives_the_same_again() -> None:
    table, motion = painted_table(), CameraMotion()
    first = [motion.step(view(table, sway(t)), NO_BOXES) for t in range(10)]
    motion.reset()
    again = [motion.step(view(table, sway(t)), NO_BOXES) for t in range(10)]
    assert np.array_equal(first, again)


def test_picture_of_a_few_pixels_is_no_obstacle() -> None:
    motion = CameraMotion()
    for _ in range(2):
        found = motion.step(Frame.from_array(np.zeros((3, 5), np.uint8)), np.array([[0.0, 0, 5, 3]]))
        assert np.array_equal(found, np.eye(3))
