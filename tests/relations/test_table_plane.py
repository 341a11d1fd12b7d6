"""Places on a table seen straight from above, 10 px a centimetre, and at a slant by a camera that is made up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridtrack.errors import UsageError
from hybridtrack.relations.footprint import apply, homography_of, projection, standing_at
from hybridtrack.relations.table_plane import TablePlane, with_distance_cm
from hybridtrack.types import Array, ClassInfo, FrameResult, Origin, Relations, Scene, Tracks, TrackState
from hybridtrack.wire import encode_line, frame_line

CLASSES = [ClassInfo(name="hand", role="hand"), ClassInfo(name="mug"), ClassInfo(name="marker", key="marker_id")]
HAND, MUG, MARKER = range(3)
SIZE = (640, 480)
# 44 by 32 cm around the middle of the picture, so that px (100, 400) is the near left corner
ABOVE = "100,400,540,400,540,80,100,80:44x32cm"


def scene(*rows: tuple[Any, ...], time_s: float = 0.0, camera: Any = None, **attributes: Array) -> Scene:
    """Return a scene of rows (track id, class, box)."""
    ids, class_ids, boxes = zip(*rows, strict=True) if rows else ((), (), ())
    n = len(rows)
    tracks = Tracks(
        track_id=np.array(ids),
        xyxy=np.array(boxes, float).reshape(-1, 4),
        velocity=np.zeros((n, 2)),
        score=np.ones(n),
        confidence=np.ones(n),
        class_id=np.array(class_ids),
        origin=np.full(n, Origin.DETECTED),
        state=np.full(n, TrackState.CONFIRMED),
        last_detected_s=np.full(n, time_s),
        detector=("made",) * n,
        attributes=attributes,
    )
    camera = np.eye(3) if camera is None else np.array(camera)
    return Scene(frame_index=0, time_s=time_s, tracks=tracks, classes=CLASSES, camera=camera)


def around(x: float, y: float, side: float = 60) -> tuple[float, float, float, float]:
    return x - side / 2, y - side / 2, x + side / 2, y + side / 2


def looking_down(pitch_deg: float) -> Array:
    """Return the projection (3, 4) of a camera, focal length 700 px, 60 cm away from the table's middle (22, 16)."""
    pitch = np.deg2rad(pitch_deg)
    ahead = np.array([0, np.cos(pitch), -np.sin(pitch)])
    rotation = np.stack([[1.0, 0, 0], [0, -np.sin(pitch), -np.cos(pitch)], ahead])
    lens = np.array([[700, 0, SIZE[0] / 2], [0, 700, SIZE[1] / 2], [0, 0, 1]])
    return lens @ np.column_stack([rotation, -rotation @ (np.array([22.0, 16, 0]) - 60 * ahead)])


def seen(camera: Array, points_cm: Array) -> Array:
    homogeneous = points_cm @ camera[:, :3].T + camera[:, 3]
    return homogeneous[:, :2] / homogeneous[:, 2:]


def to_table(camera: Array) -> Array:
    homography = np.linalg.inv(camera[:, [0, 1, 3]])
    return homography / (homography[2] @ [SIZE[0] / 2, SIZE[1] / 2, 1])


def box_of_can(camera: Array, x: float, y: float, radius: float, height: float) -> Array:
    """Return the box (1, 4), px, of an upright can that stands at x, y, cm."""
    angle = np.linspace(0, 2 * np.pi, 360)
    ring = np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], axis=1)
    pixels = np.concatenate([seen(camera, np.column_stack([ring, np.full(360, z)])) for z in (0.0, height)])
    return np.concatenate([pixels.min(axis=0), pixels.max(axis=0)])[None]


def test_picture_is_mapped_from_the_near_left_corner_to_the_right_and_away() -> None:
    placed = TablePlane(ABOVE).place(scene(), SIZE)
    assert placed.table is not None
    corner_right_away = apply(placed.table, np.array([[100.0, 400], [110, 400], [100, 390]]))
    assert corner_right_away == pytest.approx(np.array([[0, 0], [1, 0], [0, 1]]), abs=1e-9)
    assert placed.tracks.position_cm.shape == (0, 2)


def test_object_seen_from_above_stands_in_the_middle_of_its_box() -> None:
    placed = TablePlane(ABOVE).place(scene((1, MUG, around(320, 240))), SIZE)
    assert placed.tracks.position_cm[0] == pytest.approx([22, 16], abs=0.05)


def test_hand_is_taken_for_five_centimetres_over_the_table() -> None:
    # from above no focal length can be told: one width, 640 px, at 10 px/cm is 64 cm away. Five cm over the table it is
    # 59 cm, 10.847 px/cm, and 100 px right of the middle are 9.22 cm
    placed = TablePlane(ABOVE).place(scene((1, HAND, around(420, 240)), (2, HAND, around(320, 240))), SIZE)
    assert placed.tracks.position_cm == pytest.approx(np.array([[31.22, 16], [22, 16]]), abs=0.01)


@pytest.mark.parametrize("pitch_deg", [25, 40, 60, 80])
def test_focal_length_and_height_are_told_from_the_table(pitch_deg: float) -> None:
    camera = looking_down(pitch_deg)
    found = projection(to_table(camera), SIZE)
    assert found / found[2, 3] == pytest.approx(camera / camera[2, 3], rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("pitch_deg", [25, 40, 60])
@pytest.mark.parametrize(
    ("x", "y", "radius", "height"), [(22, 16, 3.5, 9), (4, 5, 3.5, 9), (40, 25, 4, 8), (5, 28, 3, 6)]
)
def test_can_stands_where_it_stands_although_it_leans_in_the_picture(
    pitch_deg: float, x: float, y: float, radius: float, height: float
) -> None:
    camera = looking_down(pitch_deg)
    table = to_table(camera)
    found = standing_at(table, projection(table, SIZE), box_of_can(camera, x, y, radius, height))
    assert found[0] == pytest.approx([x, y], abs=1.0)  # its lower edge's middle is 3 to 5 cm away


def test_box_at_the_horizon_stands_nowhere() -> None:
    camera = looking_down(25)
    table = to_table(camera)
    over = np.array([[300.0, -200, 340, -80]])  # the horizon is 25° over the middle: at y = 240 - 700 tan 25° = -86
    assert np.isnan(standing_at(table, projection(table, SIZE), over)).all()


def test_table_goes_with_the_camera() -> None:
    shift = [[1.0, 0, 30], [0, 1, -20], [0, 0, 1]]
    placed = TablePlane(ABOVE).place(scene(camera=shift), SIZE)
    assert placed.table is not None
    assert apply(placed.table, np.array([[130.0, 380]])) == pytest.approx(np.array([[0, 0]]), abs=1e-9)


def test_speed_is_that_of_the_path_and_not_of_a_shaking_box() -> None:
    plane = TablePlane(ABOVE)
    for frame in range(12):  # 4 px a frame: on the table 12 cm/s at 30 frames a second, 5 cm over it 59/64 of that
        rows = (1, HAND, around(280 + 4 * frame, 240)), (2, MUG, around(320 + (-1) ** frame, 240))
        placed = plane.place(scene(*rows, time_s=frame / 30), SIZE)
        assert np.isnan(placed.tracks.speed_cm_s).all() == (frame == 0)
    assert placed.tracks.speed_cm_s[0] == pytest.approx(12 * 59 / 64, rel=0.01)
    assert placed.tracks.speed_cm_s[1] < 1  # from frame to frame it goes 6 cm/s


def test_source_that_begins_anew_forgets_paths() -> None:
    plane = TablePlane(ABOVE)
    plane.place(scene((1, HAND, around(280, 240)), time_s=5), SIZE)
    plane.reset()
    assert np.isnan(plane.place(scene((1, HAND, around(380, 240))), SIZE).tracks.speed_cm_s).all()


def markers(shift: float = 0.0, count: int = 4) -> tuple[list[tuple[Any, ...]], dict[str, Array]]:
    """Return rows and attributes of the first of markers 7, 3, 5, 9 on the corners of the table, 20 px wide."""
    places = np.array([[100 + shift, 400], [540 + shift, 400], [540 + shift, 80], [100 + shift, 80]])[:count]
    square = np.array([[-10, -10], [10, -10], [10, 10], [-10, 10]])
    rows = [(10 + i, MARKER, around(x, y, 20)) for i, (x, y) in enumerate(places.tolist())]
    return rows, {"marker_id": np.array([7, 3, 5, 9])[:count], "corners": places[:, None] + square}


def test_markers_give_the_table_and_the_camera_carries_it_while_one_is_hidden() -> None:
    plane, corners_cm = TablePlane("markers=7,3,5,9:44x32cm"), np.array([[0, 0], [44, 0], [44, 32], [0, 32]])
    rows, attributes = markers(count=3)
    first = plane.place(scene(*rows, **attributes), SIZE)
    assert first.table is None
    assert np.isnan(first.tracks.position_cm).all()
    rows, attributes = markers(shift=8)
    all_seen = plane.place(scene(*rows, **attributes), SIZE)
    assert all_seen.tracks.position_cm == pytest.approx(corners_cm, abs=1e-6)
    rows, attributes = markers(shift=20, count=3)
    one_hidden = plane.place(scene(*rows, camera=[[1.0, 0, 12], [0, 1, 0], [0, 0, 1]], **attributes), SIZE)
    assert one_hidden.tracks.position_cm == pytest.approx(corners_cm[:3], abs=1e-6)


def test_markers_are_read_beside_tracks_that_have_no_number() -> None:
    rows, attributes = markers()
    number, corners = np.full(5, None), np.full(5, None)
    for row in range(4):
        number[row], corners[row] = int(attributes["marker_id"][row]), attributes["corners"][row].tolist()
    beside = scene(*rows, (1, MUG, around(320, 240)), marker_id=number, corners=corners)
    assert TablePlane("markers=7,3,5,9:44x32cm").place(beside, SIZE).table is not None


def test_distance_between_a_hand_and_an_object_is_in_centimetres() -> None:
    rows = (1, HAND, around(320, 240)), (2, MUG, around(320, 340))
    pairs = Relations(subject=np.array([1]), object=np.array([2]), state=("near",))
    placed = TablePlane(ABOVE).place(scene(*rows), SIZE)
    assert with_distance_cm(pairs, placed.tracks).distance_cm[0] == pytest.approx(10, abs=0.6)
    assert np.isnan(with_distance_cm(pairs, scene(*rows).tracks).distance_cm).all()


def test_place_stands_in_the_line_of_a_frame_also_while_the_speed_is_not_known() -> None:
    placed = TablePlane(ABOVE).place(scene((1, HAND, around(320, 240))), SIZE)
    result = FrameResult(frame_index=0, time_s=0, runs=(), detections={}, tracks=placed.tracks)
    line = encode_line(frame_line(result, CLASSES))
    assert b'"position_cm":[22.0,16.0]' in line
    assert b"speed_cm" not in line


def test_text_that_tells_of_no_table_is_refused() -> None:
    with pytest.raises(UsageError, match="no size in centimetres"):
        TablePlane("100,400,540,400,540,80,100,80")


shake = st.tuples(st.floats(-15, 15), st.floats(-15, 15))


@given(st.tuples(shake, shake, shake, shake))
def test_homography_of_four_points_maps_them_and_its_inverse_back(shakes: tuple[tuple[float, float], ...]) -> None:
    rectangle = np.array([[0.0, 0], [44, 0], [44, 32], [0, 32]])
    corners = np.array([[100.0, 400], [540, 400], [460, 120], [180, 120]]) + np.array(shakes)
    homography = homography_of(corners, rectangle)
    assert apply(homography, corners) == pytest.approx(rectangle, abs=1e-6)
    assert apply(np.linalg.inv(homography), rectangle) == pytest.approx(corners, abs=1e-6)
