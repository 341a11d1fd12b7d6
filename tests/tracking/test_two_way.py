from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridtrack.hookspecs import BoxTracker
from hybridtrack.tracking.flow import create_flow
from hybridtrack.tracking.motion import create_hold, create_kalman
from hybridtrack.tracking.tracker import Tracker
from hybridtrack.tracking.two_way import MAX_DELAY_S, TwoWayFill
from hybridtrack.types import ClassInfo, Detections, Frame, Origin, Tracks, TrackState
from tests.tracking.test_tracker import BLANK, HAND, SIZE, STEP_S, box, confirmed, found, frame, textured

Create = Callable[[dict[str, str]], BoxTracker]


def filled(
    create: Create, detections: Sequence[Detections | None], pictures: Sequence[np.ndarray] | None = None
) -> list[Tracks]:
    """Return what is settled in the end of frames on some of which a detector looked."""
    subject, fill = Tracker(create({}), [HAND]), TwoWayFill(create({}), [HAND])
    settled = []
    for index, one in enumerate(detections):
        seen = frame(index, BLANK if pictures is None else pictures[index])
        told = {} if one is None else {"hand": one}
        settled += fill.step(seen, subject.as_detected(subject.step(seen, told)), list(told))
    return settled + fill.rest()


def lefts(frames: Sequence[Tracks]) -> list[list[float]]:
    return [confirmed(tracks).xyxy[:, 0].tolist() for tracks in frames]


def origins(frames: Sequence[Tracks]) -> list[list[Origin]]:
    return [[Origin(one) for one in confirmed(tracks).origin] for tracks in frames]


def test_held_boxes_go_straight_from_one_detection_to_the_next() -> None:
    frames = filled(create_hold, [found(box(100)), None, None, None, found(box(140))])
    np.testing.assert_allclose(lefts(frames), [[100], [110], [120], [130], [140]])
    assert origins(frames) == [[Origin.DETECTED], *[[Origin.INTERPOLATED]] * 3, [Origin.DETECTED]]
    assert [tracks.track_id.tolist() for tracks in frames] == [[1]] * 5


def test_ways_that_are_apart_are_not_mixed() -> None:
    frames = filled(create_hold, [found(box(100)), None, None, None, found(box(180))])
    np.testing.assert_allclose(lefts(frames), [[100], [100], [100], [180], [180]])  # the nearer detection's


def test_filled_box_tells_of_the_nearer_detection() -> None:
    runs = [found(box(100), score=0.8), *[None] * 3, found(box(100), score=0.6)]
    frames = filled(create_hold, runs)
    near_s = [STEP_S, 2 * STEP_S, STEP_S]
    for index, seconds in zip((1, 2, 3), near_s, strict=True):
        assert frames[index].confidence[0] == pytest.approx(0.6 * 0.5**seconds)  # halves in a second
        assert index * STEP_S - frames[index].last_detected_s[0] == pytest.approx(seconds)


def test_what_begins_goes_back_to_the_run_that_did_not_see_it() -> None:
    pictures = [textured(100 + 3 * index) for index in range(7)]
    runs = [found(), None, None, found(box(109)), None, None, found(box(118))]
    frames = filled(create_flow, runs, pictures)
    assert list(map(len, lefts(frames))) == [0, 1, 1, 1, 1, 1, 1]
    np.testing.assert_allclose([one[0] for one in lefts(frames)[1:]], 100 + 3 * np.arange(1, 7), atol=2)
    assert {tuple(tracks.track_id.tolist()) for tracks in frames[1:]} == {(1,)}


def test_what_begins_goes_back_to_where_it_comes_into_sight() -> None:
    pictures = [BLANK if index < 3 else textured(100) for index in range(7)]
    frames = filled(create_flow, [found(), *[None] * 5, found(box(100))], pictures)
    assert list(map(len, lefts(frames))) == [0, 0, 0, 1, 1, 1, 1]


def test_without_pictures_nobody_knows_where_what_begins_comes_from() -> None:
    for create in (create_hold, create_kalman):
        frames = filled(create, [found(), None, None, found(box(100)), None])
        assert list(map(len, lefts(frames))) == [0, 0, 0, 1, 1]


def test_what_was_seen_once_and_is_missed_was_a_false_alarm() -> None:
    runs = [found(), None, found(box(100), score=0.55), None, found(), None, found(), None, found()]
    subject = Tracker(create_kalman({}), [HAND])
    forward = [subject.step(frame(index), {} if one is None else {"hand": one}) for index, one in enumerate(runs)]
    assert sum(map(len, lefts(forward))) == 2  # on its own frame and on the next one
    assert sum(map(len, lefts(filled(create_kalman, runs)))) == 0


def test_what_is_lost_sight_of_ends_there_once_a_run_has_missed_it() -> None:
    pictures = [textured(100) if index < 6 else BLANK for index in range(12)]
    runs = [found(box(100)), None, None, found(box(100)), *[None] * 5, found(), None, None]
    frames = filled(create_flow, runs, pictures)
    assert list(map(len, lefts(frames))) == [1] * 6 + [0] * 6


def test_smoothed_ways_are_steadier_than_what_was_detected() -> None:
    noise = np.random.default_rng(0).normal(0, 3, 90)
    runs = [found(box(100 + 2 * index + noise[index])) for index in range(90)]
    frames = filled(create_kalman, runs)
    way = np.array([one[0] for one in lefts(frames)])
    detected = 100 + 2 * np.arange(90) + noise
    assert np.abs(np.diff(way, 2)).mean() < 0.5 * np.abs(np.diff(detected, 2)).mean()
    assert np.abs(way - 100 - 2 * np.arange(90)).mean() <= np.abs(noise).mean()
    assert [tracks.origin.tolist() for tracks in frames] == [[Origin.DETECTED]] * 90


def test_boxes_of_a_camera_that_sways_are_told_where_they_were_seen() -> None:
    person, noise = ClassInfo(name="person"), np.random.default_rng(0).normal(0, 2, 120)
    true = 200 + 20 * np.sin(np.arange(120) * STEP_S * 2 * np.pi)  # a quarter of their size to and fro, once a second
    subject, fill = Tracker(create_kalman({}), [person]), TwoWayFill(create_kalman({}), [person])
    forward, settled = [], []
    for index, x in enumerate(true + noise):
        seen = frame(index)
        forward.append(subject.step(seen, {"person": found(box(x))}))
        settled += fill.step(seen, subject.as_detected(forward[-1]), ["person"])
    settled += fill.rest()
    off, off_forward = (np.abs([one[0] for one in lefts(way)] - true).mean() for way in (settled, forward))
    assert off < 0.9 * off_forward


def test_frames_of_another_size_begin_anew_and_lose_none() -> None:
    for create in (create_hold, create_flow):
        subject, fill = Tracker(create({}), [HAND]), TwoWayFill(create({}), [HAND])
        counts: list[int] = []
        for index in range(8):
            picture = textured(100) if index < 4 else np.ascontiguousarray(textured(100)[:300, :400])
            seen = frame(index, picture)
            told = {"hand": found(box(100))} if index in (0, 5) else {}
            counts += [len(one) for one in fill.step(seen, subject.step(seen, told), list(told))]
            assert len(counts) >= (4 if index >= 4 else 0)  # the first size waits for nothing of the other
        counts += [len(one) for one in fill.rest()]
        assert counts == [1, 1, 1, 1, 0, 1, 1, 1] if create is create_hold else counts[:4] == [1] * 4


@settings(max_examples=40, deadline=None)
@given(
    runs=st.lists(st.one_of(st.none(), st.lists(st.integers(0, 500), max_size=3)), min_size=1, max_size=60),
    step_s=st.sampled_from([1 / 120, 1 / 30, 0.3, 2.0]),
    create=st.sampled_from([create_hold, create_kalman]),
)
def test_every_frame_comes_once_and_soon(runs: list[list[int] | None], step_s: float, create: Create) -> None:
    subject, fill = Tracker(create({}), [HAND]), TwoWayFill(create({}), [HAND])
    settled: list[Tracks] = []
    for index, lefts in enumerate(runs):
        seen = Frame.from_array(BLANK, index=index, time_s=index * step_s)
        told = {} if lefts is None else {"hand": found(*[box(x) for x in lefts])}
        settled += fill.step(seen, subject.step(seen, told), list(told))
        waiting = index + 1 - len(settled)
        assert (waiting - 1) * step_s < MAX_DELAY_S or waiting == 1
    settled += fill.rest()
    assert len(settled) == len(runs)
    assert fill.rest() == []
    for tracks in settled:
        assert len(set(tracks.track_id.tolist())) == len(tracks)
        assert (tracks.track_id > 0).all()
        assert (tracks.xyxy[:, :2] >= 0).all()
        assert (tracks.xyxy[:, 2:] <= SIZE).all()
        assert (tracks.xyxy[:, 2:] > tracks.xyxy[:, :2]).all()
        assert np.isfinite(tracks.velocity).all()
        assert set(tracks.state.tolist()) <= {*TrackState}


def test_without_any_run_frames_are_given_out_by_halves() -> None:
    fill = TwoWayFill(create_hold({}), [HAND])
    counts = [len(fill.step(frame(index), Tracks.empty(), [])) for index in range(61)]
    assert sum(counts) + len(fill.rest()) == 61
    assert max(counts) >= 0.4 / STEP_S
    assert np.count_nonzero(counts) <= 4
