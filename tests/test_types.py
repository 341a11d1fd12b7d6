from __future__ import annotations

import threading
from fractions import Fraction

import numpy as np
import pytest

from hybridtrack.types import (
    Array,
    ArrayPicture,
    ClassInfo,
    Detections,
    Frame,
    Origin,
    RunSummary,
    Size,
    Tracks,
    TrackState,
    VideoInfo,
)


class CountingPicture:
    """A picture of 8x6 that counts its conversions and can be made to wait within one."""

    def __init__(self) -> None:
        self.conversions: list[tuple[str, Size]] = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    @property
    def size_px(self) -> Size:
        return (8, 6)

    def gray(self, size: Size) -> Array:
        self.conversions.append(("gray", size))
        self.may_go_on.wait(20)
        return np.zeros(size[::-1], np.uint8)

    def rgb(self, size: Size) -> Array:
        self.conversions.append(("rgb", size))
        return np.full((*size[::-1], 3), (1, 2, 3), np.uint8)


def test_a_frame_converts_nothing_until_it_is_asked_and_each_size_once() -> None:
    picture = CountingPicture()
    frame = Frame(picture, index=3, time_s=0.1)
    assert (frame.size_px, picture.conversions) == ((8, 6), [])
    assert frame.gray((4, 3)) is frame.gray((4, 3))
    assert frame.gray() is frame.gray((8, 6))
    assert frame.rgb((4, 3)) is frame.rgb((4, 3))
    assert picture.conversions == [("gray", (4, 3)), ("gray", (8, 6)), ("rgb", (4, 3))]


def test_number_and_time_of_a_frame_cannot_be_changed() -> None:
    frame = Frame(CountingPicture(), index=3, time_s=0.1)
    with pytest.raises(AttributeError):
        frame.index = 4  # type: ignore[misc]
    with pytest.raises(AttributeError):
        frame.time_s = 0.2  # type: ignore[misc]
    assert (frame.index, frame.time_s) == (3, 0.1)


def test_bgr_is_the_rgb_that_was_made_already_in_reverse_order() -> None:
    picture = CountingPicture()
    frame = Frame(picture)
    rgb, bgr = frame.rgb(), frame.bgr()
    assert (bgr[0, 0].tolist(), rgb[0, 0].tolist()) == ([3, 2, 1], [1, 2, 3])
    assert bgr.flags.c_contiguous
    assert picture.conversions == [("rgb", (8, 6))]


def test_what_a_frame_returns_cannot_be_written_to() -> None:
    array = np.zeros((6, 8, 3), np.uint8)
    frame = Frame.from_array(array)
    for picture in (frame.gray(), frame.rgb(), frame.bgr(), frame.rgb((4, 3))):
        with pytest.raises(ValueError, match="read-only"):
            picture[0, 0] = 1
    array[0, 0] = 9  # the caller's own array stays its own


def test_threads_that_ask_at_once_share_one_conversion() -> None:
    picture = CountingPicture()
    picture.may_go_on.clear()
    frame = Frame(picture)
    made: list[Array] = []
    threads = [threading.Thread(target=lambda: made.append(frame.gray((4, 3)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    picture.may_go_on.set()
    for thread in threads:
        thread.join()
    assert picture.conversions == [("gray", (4, 3))]
    assert len(made) == 4
    assert all(array is made[0] for array in made)


def test_a_frame_knows_what_its_pixels_took_in_all_and_in_the_thread_that_asks() -> None:
    frame = Frame(CountingPicture())
    assert (frame.convert_ms(), frame.convert_ms(is_own=True)) == (0, 0)
    other = threading.Thread(target=frame.rgb)
    other.start()
    other.join()
    others_ms = frame.convert_ms()
    assert others_ms > 0
    assert frame.convert_ms(is_own=True) == 0
    frame.gray()
    assert frame.convert_ms(is_own=True) > 0
    assert frame.convert_ms() == pytest.approx(others_ms + frame.convert_ms(is_own=True))
    before_ms = frame.convert_ms()
    frame.gray()  # it has been made
    assert frame.convert_ms() == before_ms


@pytest.mark.parametrize(("channels", "red"), [("rgb", 0), ("bgr", 2)])
def test_an_array_is_read_in_the_order_of_its_channels(channels: str, red: int) -> None:
    array = np.zeros((6, 8, 3), np.uint8)
    array[..., red] = 200
    frame = Frame.from_array(array, channels=channels)
    for size in ((8, 6), (4, 3), (16, 12)):
        assert frame.rgb(size)[0, 0].tolist() == [200, 0, 0]
        assert frame.bgr(size)[0, 0].tolist() == [0, 0, 200]
        assert frame.gray(size)[0, 0] == 60  # 0.299 of red
        assert frame.rgb(size).shape == (size[1], size[0], 3)


def test_a_grey_array_has_equal_colours() -> None:
    frame = Frame.from_array(np.full((6, 8), 77, np.uint8))
    assert (frame.rgb() == 77).all()
    assert (frame.gray((4, 3)) == 77).all()


def test_small_grey_is_the_mean_of_areas_and_small_rgb_plain_bilinear() -> None:
    stripes = np.zeros((4, 64), np.uint8)
    stripes[:, ::8] = 240
    picture = ArrayPicture(stripes)
    assert (picture.gray((8, 1)) == 30).all()  # each stripe counts with its share
    assert (picture.rgb((8, 1)) == 0).all()  # only the pixels around the middle are looked at


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4), np.float32),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4,), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_what_is_no_picture_is_refused(array: Array) -> None:
    with pytest.raises(ValueError, match="a picture is uint8"):
        Frame.from_array(array)


def test_a_class_without_identity_is_its_own() -> None:
    assert ClassInfo(name="mug").identity == "mug"
    assert ClassInfo(name="open", role="hand", identity="hand").identity == "hand"


def _detections(count: int = 3) -> Detections:
    return Detections(
        xyxy=np.arange(4 * count).reshape(count, 4),
        score=np.linspace(0.9, 0.1, count),
        class_id=np.arange(count),
        attributes={"side": np.array(["left", "right", "left"])[:count]},
    )


def test_detections_are_selected_by_mask_index_and_slice() -> None:
    detections = _detections()
    for rows in (detections.score > 0.3, np.array([0, 1]), slice(2)):
        chosen = detections[rows]
        assert len(chosen) == 2
        assert chosen.class_id.tolist() == [0, 1]
        assert chosen.attributes["side"].tolist() == ["left", "right"]
        assert chosen.xyxy.shape == (2, 4)
    assert detections[np.array([2, 0])].class_id.tolist() == [2, 0]


def test_detections_have_fixed_types_and_cannot_be_written_to() -> None:
    detections = _detections()
    assert (detections.xyxy.dtype, detections.score.dtype, detections.class_id.dtype) == (
        np.float32,
        np.float32,
        np.int32,
    )
    with pytest.raises(ValueError, match="read-only"):
        detections.xyxy[0] = 0


def test_detections_of_nothing_are_empty_not_absent() -> None:
    assert len(Detections.empty()) == 0
    assert Detections.empty().xyxy.shape == (0, 4)
    assert len(Detections(xyxy=[], score=[], class_id=[])) == 0


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("xyxy", np.zeros((3, 5)), "xyxy has shape"),
        ("xyxy", np.zeros(12), "xyxy has shape"),
        ("score", np.zeros(2), "score has shape"),
        ("class_id", np.zeros((3, 1)), "class_id has shape"),
        ("attributes", {"side": np.zeros(4)}, "attribute 'side' has 4 rows, expected 3"),
    ],
)
def test_detections_whose_shapes_do_not_fit_are_refused(field: str, value: object, message: str) -> None:
    fields = {"xyxy": np.zeros((3, 4)), "score": np.zeros(3), "class_id": np.zeros(3)}
    with pytest.raises(ValueError, match=message):
        Detections(**{**fields, field: value})


def _track_fields(count: int = 3) -> dict[str, object]:
    return {
        "track_id": np.arange(1, count + 1),
        "xyxy": np.zeros((count, 4)),
        "velocity": np.zeros((count, 2)),
        "score": np.ones(count),
        "confidence": np.ones(count),
        "class_id": np.zeros(count),
        "origin": np.full(count, Origin.TRACKED),
        "state": np.full(count, TrackState.CONFIRMED),
        "last_detected_s": np.arange(count) / 3,
        "detector": ("hand", "mug", "box")[:count],
        "attributes": {"occluded_by": np.arange(count)},
    }


def test_tracks_are_selected_by_mask_index_and_slice() -> None:
    tracks = Tracks(**_track_fields())
    for rows in (tracks.track_id != 2, np.array([0, 2]), slice(None, None, 2)):
        chosen = tracks[rows]
        assert chosen.track_id.tolist() == [1, 3]
        assert chosen.detector == ("hand", "box")
        assert chosen.attributes["occluded_by"].tolist() == [0, 2]
    assert len(tracks[np.zeros(3, bool)]) == 0


def test_times_of_tracks_keep_their_precision() -> None:
    assert Tracks(**_track_fields()).last_detected_s.dtype == np.float64


def test_tracks_of_nothing_are_empty() -> None:
    assert len(Tracks.empty()) == 0
    assert Tracks.empty().velocity.shape == (0, 2)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("velocity", np.zeros((3, 4)), "velocity has shape"),
        ("track_id", np.zeros((3, 1)), "track_id has shape"),
        ("state", np.zeros(2), "state has shape"),
        ("detector", ("hand",), "detector has 1 names, expected 3"),
    ],
)
def test_tracks_whose_shapes_do_not_fit_are_refused(field: str, value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Tracks(**{**_track_fields(), field: value})


@pytest.mark.parametrize(("frames", "seconds", "fps"), [(300, 2.0, 150.0), (0, 0.0, 0.0)])
def test_frames_per_second_of_a_run(frames: int, seconds: float, fps: float) -> None:
    summary = RunSummary(
        frames=frames,
        dropped=0,
        seconds=seconds,
        detector_runs={},
        failures={},
        stage_ms={},
        track_count=0,
        complete=True,
    )
    assert summary.fps == fps


def test_video_info_may_know_no_more_than_the_size() -> None:
    info = VideoInfo(width_px=4, height_px=3)
    assert (info.fps, info.frame_count) == (None, None)
    assert VideoInfo(width_px=4, height_px=3, fps=Fraction(30000, 1001)).fps == Fraction(30000, 1001)
