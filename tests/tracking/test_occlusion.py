"""Objects under hands and behind each other, in small worlds: textured squares on a textured table."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from hybridtrack.hookspecs import BoxTracker
from hybridtrack.tracking.flow import create_flow
from hybridtrack.tracking.motion import create_hold, create_kalman
from hybridtrack.tracking.tracker import Tracker
from hybridtrack.types import ClassInfo, Detections, Frame, Origin, Tracks, TrackState

CLASSES = (ClassInfo(name="hand", role="hand"), ClassInfo(name="mug"), ClassInfo(name="table", role="other"))
HAND, MUG, TABLE = range(3)
SIZE = (320, 180)
STEP_S = 1 / 30
GROUND = np.kron(np.random.default_rng(0).integers(60, 140, (45, 80)), np.ones((4, 4))).astype(np.uint8)

Box = tuple[float, float, float, float]


def patch(seed: int, size: int) -> np.ndarray:
    cells = np.random.default_rng(seed).integers(0, 255, (size // 4, size // 4))
    return np.kron(cells, np.ones((4, 4))).astype(np.uint8)


HAND_PATCH, MUG_PATCH, OTHER_PATCH = patch(1, 60), patch(2, 40), patch(3, 40)


def world(*things: tuple[np.ndarray, float, float]) -> np.ndarray:
    """Draw patches with their top left corners at (x, y), the last one in front; parts outside are cut off."""
    picture = np.pad(GROUND, 100, mode="edge")
    for texture, x, y in things:
        left, top = round(x) + 100, round(y) + 100
        picture[top : top + len(texture), left : left + len(texture)] = texture
    return picture[100:-100, 100:-100]


def at(x: float, y: float, size: float) -> Box:
    return x, y, x + size, y + size


def found(class_id: int, *boxes: Box, score: float = 0.9) -> Detections:
    n = len(boxes)
    return Detections(xyxy=np.array(boxes).reshape(-1, 4), score=np.full(n, score), class_id=np.full(n, class_id))


class Run:
    """A tracker fed frame by frame."""

    def __init__(self, create: Callable[[dict[str, str]], BoxTracker] = create_flow) -> None:
        self.tracker = Tracker(create({}), CLASSES)
        self.index = 0

    def step(self, picture: np.ndarray, detections: Mapping[str, Detections] | None = None) -> Tracks:
        frame = Frame.from_array(picture, index=self.index, time_s=self.index * STEP_S)
        self.index += 1
        return self.tracker.step(frame, detections or {})


def of(tracks: Tracks, class_id: int) -> Tracks:
    return tracks[tracks.class_id == class_id]


@pytest.mark.parametrize("create", [create_flow, create_kalman, create_hold])
def test_object_under_a_hand_is_occluded_by_it_until_the_hand_leaves_and_comes_back_with_its_id(
    create: Callable[[dict[str, str]], BoxTracker],
) -> None:
    run = Run(create)
    for _ in range(10):
        run.step(world((MUG_PATCH, 140, 70)), {"hand": found(HAND), "mug": found(MUG, at(140, 70, 40))})
    path = [*range(40, 131, 10), *[130] * 75, *range(130, 251, 10)]  # it stays for two and a half seconds
    hidden_by = []
    for x in path:
        is_hidden = 100 < x < 180
        picture = world((MUG_PATCH, 140, 70), (HAND_PATCH, x, 60))
        mug = found(MUG) if is_hidden else found(MUG, at(140, 70, 40))
        tracks = run.step(picture, {"hand": found(HAND, at(x, 60, 60)), "mug": mug})
        (hand_id,) = of(tracks, HAND).track_id
        mugs = of(tracks, MUG)
        assert mugs.track_id.tolist() == [1]
        assert mugs.state.tolist() == [TrackState.CONFIRMED]
        np.testing.assert_allclose(mugs.xyxy, [at(140, 70, 40)], atol=6)
        hidden_by.append(mugs.occluded_by.tolist() == [hand_id])
        if hidden_by[-1]:
            assert mugs.origin[0] != Origin.DETECTED
    assert hidden_by == [100 < x < 180 for x in path]


def test_confidence_of_an_occluded_object_decays() -> None:
    run = Run()
    for _ in range(10):
        tracks = run.step(world((MUG_PATCH, 140, 70)), {"mug": found(MUG, at(140, 70, 40))})
    before = of(tracks, MUG).confidence[0]
    for _ in range(30):
        tracks = run.step(
            world((MUG_PATCH, 140, 70), (HAND_PATCH, 130, 60)),
            {"hand": found(HAND, at(130, 60, 60)), "mug": found(MUG)},
        )
    assert of(tracks, MUG).occluded_by[0] > 0
    assert of(tracks, MUG).confidence[0] == pytest.approx(before / 2, rel=0.05)  # a second


def test_object_that_is_not_there_when_the_hand_has_left_is_doubted_and_ends() -> None:
    run = Run(create_kalman)
    for _ in range(30):
        run.step(GROUND, {"mug": found(MUG, at(140, 70, 40))})
    for _ in range(30):
        tracks = run.step(GROUND, {"hand": found(HAND, at(130, 60, 60)), "mug": found(MUG)})
    assert of(tracks, MUG).occluded_by[0] > 0
    for _ in range(10):
        tracks = run.step(GROUND, {"hand": found(HAND, at(10, 60, 60)), "mug": found(MUG)})
    assert of(tracks, MUG).state.tolist() == [TrackState.LOST]
    assert of(tracks, MUG).occluded_by.tolist() == [0]
    for _ in range(60):
        tracks = run.step(GROUND, {"hand": found(HAND, at(10, 60, 60)), "mug": found(MUG)})
    assert len(of(tracks, MUG)) == 0


def test_table_hides_nothing_and_is_hidden_by_nothing() -> None:
    run = Run(create_kalman)
    everything = at(10, 10, 160)
    for _ in range(30):
        run.step(GROUND, {"things": found(TABLE, everything), "mug": found(MUG, at(60, 70, 40))})
    for _ in range(10):
        tracks = run.step(GROUND, {"things": found(TABLE), "mug": found(MUG), "hand": found(HAND, at(200, 10, 60))})
    assert of(tracks, MUG).state.tolist() == [TrackState.LOST]
    assert of(tracks, TABLE).state.tolist() == [TrackState.LOST]
    assert not tracks.occluded_by.any()


def test_hand_that_passes_over_a_resting_object_does_not_take_it_along() -> None:
    run = Run()
    run.step(
        world((MUG_PATCH, 140, 70), (HAND_PATCH, 20, 60)),
        {"hand": found(HAND, at(20, 60, 60)), "mug": found(MUG, at(140, 70, 40))},
    )
    for i in range(1, 28):  # no detector runs
        tracks = run.step(world((MUG_PATCH, 140, 70), (HAND_PATCH, 20 + 8 * i, 60)))
    np.testing.assert_allclose(of(tracks, HAND).xyxy, [at(20 + 8 * 27, 60, 60)], atol=8)
    np.testing.assert_allclose(of(tracks, MUG).xyxy, [at(140, 70, 40)], atol=3)


def test_object_that_a_hand_carries_goes_with_it_also_when_nothing_of_it_is_seen() -> None:
    run = Run()
    for i in range(60):
        x = 20 + 3 * i
        mug, hand = (MUG_PATCH, x + 40, 70), (HAND_PATCH, x, 60)  # a third of the mug is behind the hand
        if i < 30:
            picture = world(mug, hand)
        else:  # the hand closes over it
            hand = (patch(1, 60), x, 60)
            picture = world(mug, (patch(4, 80), x, 40))
        runs = {"hand": found(HAND, at(x, 60, 60) if i < 30 else at(x, 40, 80))}
        tracks = run.step(picture, runs | ({"mug": found(MUG, at(x + 40, 70, 40)) if i < 30 else found(MUG)}))
    mugs = of(tracks, MUG)
    (hand_id,) = of(tracks, HAND).track_id
    assert mugs.track_id.tolist() == [2] if hand_id == 1 else [1]
    assert mugs.occluded_by.tolist() == [hand_id]
    np.testing.assert_allclose(mugs.xyxy, [at(20 + 3 * 59 + 40, 70, 40)], atol=12)


def test_object_that_comes_out_elsewhere_under_the_hand_has_its_id() -> None:
    run = Run(create_kalman)
    for _ in range(30):
        run.step(GROUND, {"mug": found(MUG, at(40, 70, 40)), "hand": found(HAND)})
    for x in (30, 40, 50, 60):  # the hand rests on it, and takes it along unseen
        run.step(GROUND, {"mug": found(MUG), "hand": found(HAND, at(x, 60, 60))})
    tracks = run.step(GROUND, {"mug": found(MUG, at(115, 80, 40)), "hand": found(HAND, at(70, 60, 60))})
    assert of(tracks, MUG).track_id.tolist() == [1]


def test_alike_things_that_pass_each_other_keep_their_ids_without_a_detector() -> None:
    """The far one of two stands; the near one, which looks the same, goes past in front of it."""
    classes_seen = found(MUG, at(140, 60, 40), at(20, 80, 40))
    run = Run()
    run.step(world((MUG_PATCH, 140, 60), (MUG_PATCH, 20, 80)), {"mug": classes_seen})
    for i in range(1, 31):
        tracks = run.step(world((MUG_PATCH, 140, 60), (MUG_PATCH, 20 + 8 * i, 80)))
    boxes = dict(zip(tracks.track_id.tolist(), tracks.xyxy.tolist(), strict=True))
    np.testing.assert_allclose(boxes[1], at(140, 60, 40), atol=4)
    np.testing.assert_allclose(boxes[2], at(260, 80, 40), atol=8)


def test_part_of_an_object_that_a_hand_leaves_in_sight_is_that_object() -> None:
    run = Run(create_kalman)
    for _ in range(10):
        run.step(GROUND, {"mug": found(MUG, (100, 60, 160, 120)), "hand": found(HAND)})
    tracks = run.step(GROUND, {"mug": found(MUG, (140, 60, 160, 80)), "hand": found(HAND, (80, 70, 150, 140))})
    mugs = of(tracks, MUG)
    assert mugs.track_id.tolist() == [1]
    assert mugs.xyxy[0, 0] > 120  # rows are the detector's word
    tracks = run.step(GROUND, {"mug": found(MUG, (100, 60, 160, 120)), "hand": found(HAND)})
    assert of(tracks, MUG).track_id.tolist() == [1]


def test_object_that_two_runs_saw_is_known_well_enough_to_be_hidden_by_the_third() -> None:
    for first in range(12):  # times as frames have them: 37/30 - 22/30 is not 22/30 - 7/30
        run = Run(create_kalman)
        run.index = first
        for i in range(31):
            detections = {"hand": found(HAND, at(130, 60, 60)) if i > 20 else found(HAND)}
            if i % 15 == 0:
                detections["mug"] = found(MUG) if i == 30 else found(MUG, at(140, 70, 40))
            tracks = run.step(GROUND, detections)
        assert of(tracks, MUG).occluded_by[0] > 0


def test_piece_of_an_object_that_is_seen_whole_again_is_not_taken_for_a_hidden_one() -> None:
    run = Run(create_kalman)
    hand = found(HAND, at(130, 40, 60))
    for _ in range(20):  # the hand lies across it and leaves two pieces in sight
        tracks = run.step(GROUND, {"hand": hand, "mug": found(MUG, (60, 60, 135, 100), (185, 60, 260, 100))})
    assert len(of(tracks, MUG)) == 2
    for _ in range(10):
        tracks = run.step(GROUND, {"hand": hand, "mug": found(MUG, (60, 60, 260, 100))})
    mugs = of(tracks, MUG)
    assert (mugs.state == TrackState.CONFIRMED).sum() == 1
    assert not mugs[mugs.state == TrackState.CONFIRMED].occluded_by.any()
