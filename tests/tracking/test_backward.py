from __future__ import annotations

import numpy as np

from hybridtrack.tracking.backward import carried_back
from hybridtrack.tracking.flow import create_flow
from hybridtrack.tracking.motion import create_kalman
from hybridtrack.tracking.tracker import Tracker
from hybridtrack.types import ClassInfo, Frame, Tracks
from tests.tracking.test_tracker import BLANK, HAND, SIZE, box, found, frame, textured

COUNT = 9
OBJECT = ClassInfo(name="mug", role="object")


def seen_at(index: int, *boxes: tuple[float, float, float, float], info: ClassInfo = HAND) -> Tracks:
    """Return the tracks of what a detector sees on one frame."""
    return Tracker(create_kalman({}), [info]).step(frame(index), {"hand": found(*boxes)})


def frames_of(pictures: list[np.ndarray]) -> list[tuple[Frame, Tracks]]:
    return [(frame(index, picture), Tracks.empty()) for index, picture in enumerate(pictures)]


def back(pictures: list[np.ndarray], seen: Tracks, info: ClassInfo = HAND) -> tuple[np.ndarray, np.ndarray]:
    """Return the boxes (K - 1, M, 4) and which are known (K - 1, M), in the order of the frames."""
    steps = list(carried_back(create_flow({}), frames_of(pictures), seen, [info]))[::-1]
    return np.array([xyxy for xyxy, _ in steps]), np.array([is_known for _, is_known in steps])


def test_box_goes_back_where_its_pixels_came_from() -> None:
    for info in (HAND, OBJECT):
        pictures = [textured(100 + 4 * index) for index in range(COUNT)]
        xyxy, is_known = back(pictures, seen_at(COUNT - 1, box(132), info=info), info)
        assert is_known.all()
        expected = [[box(100 + 4 * index)] for index in range(COUNT - 1)]
        np.testing.assert_allclose(xyxy, expected, atol=1.5)


def test_box_is_known_back_to_where_its_pixels_begin_and_not_before() -> None:
    pictures = [BLANK if index < 4 else textured(100) for index in range(COUNT)]
    pictures[1] = textured(100)  # what looks the same before that is not known to be it
    _, is_known = back(pictures, seen_at(COUNT - 1, box(100)))
    assert is_known[:, 0].tolist() == [False] * 4 + [True] * 4


def test_box_that_comes_in_over_the_edge_is_known_while_a_fifth_of_it_is_inside() -> None:
    wide = [np.hstack([textured(100 + 12 * index)]) for index in range(12)]
    pictures = [np.ascontiguousarray(picture[:, 160:]) for picture in wide]  # at -60, -48, … 72
    seen = seen_at(11, box(72))
    xyxy, is_known = back(pictures, seen)
    assert is_known[:, 0].tolist() == sorted(is_known[:, 0].tolist())  # once lost sight of, never known again
    assert is_known[-4:].all()
    inside = np.minimum(xyxy[:, 0, 2], SIZE[0]) - np.maximum(xyxy[:, 0, 0], 0)
    assert (inside[is_known[:, 0]] >= 0.2 * 80 - 1).all()


def test_nothing_seen_is_carried_nowhere() -> None:
    xyxy, is_known = back([BLANK] * 3, seen_at(2))
    assert (xyxy.shape, is_known.shape) == ((2, 0, 4), (2, 0))
