"""The life of tracks, on detections that are written down: no detector, and pictures only where flow looks at them."""

from collections.abc import Callable

import numpy as np
import pytest

from hybridtrack.hookspecs import BoxTracker
from hybridtrack.tracking.flow import create_flow
from hybridtrack.tracking.motion import create_hold, create_kalman, create_none
from hybridtrack.tracking.tracker import Tracker
from hybridtrack.types import ClassInfo, Detections, Frame, Origin, Tracks, TrackState

HAND = ClassInfo(name="hand", role="hand")
SIZE = (640, 360)
STEP_S = 1 / 30
BLANK = np.full((SIZE[1], SIZE[0]), 127, np.uint8)


def frame(index: int, picture: np.ndarray = BLANK) -> Frame:
    return Frame.from_array(picture, index=index, time_s=index * STEP_S)


def found(*boxes: tuple[float, float, float, float], score: float = 0.9, class_id: int = 0) -> Detections:
    n = len(boxes)
    return Detections(xyxy=np.array(boxes).reshape(-1, 4), score=np.full(n, score), class_id=np.full(n, class_id))


def box(x: float, y: float = 100, size: float = 80) -> tuple[float, float, float, float]:
    return x, y, x + size, y + size


def tracker(create: Callable[[dict[str, str]], BoxTracker] = create_kalman, *classes: ClassInfo) -> Tracker:
    return Tracker(create({}), list(classes) or [HAND])


def run(subject: Tracker, detections: list[Detections | None], *, start: int = 0) -> list[Tracks]:
    return [subject.step(frame(start + i), {} if one is None else {"hand": one}) for i, one in enumerate(detections)]


def textured(x: int, y: int = 100, size: int = 80) -> np.ndarray:
    rng = np.random.default_rng(0)
    picture = rng.integers(100, 110, (SIZE[1], SIZE[0])).astype(np.uint8)
    patch = np.kron(np.random.default_rng(1).integers(0, 255, (20, 20)), np.ones((4, 4))).astype(np.uint8)
    picture[y : y + size, x : x + size] = patch
    return picture


def confirmed(tracks: Tracks) -> Tracks:
    return tracks[tracks.state == TrackState.CONFIRMED]


def test_sure_detection_is_confirmed_on_its_first_run() -> None:
    (tracks,) = run(tracker(), [found(box(100), score=0.9)])
    assert tracks.track_id.tolist() == [1]
    assert tracks.state.tolist() == [TrackState.CONFIRMED]
    assert tracks.origin.tolist() == [Origin.DETECTED]
    assert tracks.detector == ("hand",)
    np.testing.assert_allclose(tracks.xyxy, [box(100)])


def test_track_is_there_on_every_frame_between_detector_runs() -> None:
    frames = run(tracker(), [found(box(100)), None, None, found(box(100)), None])
    assert [tracks.track_id.tolist() for tracks in frames] == [[1]] * 5
    assert [Origin(tracks.origin[0]).name for tracks in frames] == [
        "DETECTED",
        "PREDICTED",
        "PREDICTED",
        "DETECTED",
        "PREDICTED",
    ]
    assert [round((i * STEP_S - tracks.last_detected_s[0]) / STEP_S) for i, tracks in enumerate(frames)] == [
        0,
        1,
        2,
        0,
        1,
    ]


def test_unsure_detection_shows_after_a_second_run_agrees_however_many_frames_lie_between() -> None:
    for gap in (0, 9):
        frames = run(tracker(), [found(box(100), score=0.45), *[None] * gap, found(box(102), score=0.45)])
        assert [len(tracks) for tracks in frames] == [0] * (gap + 1) + [1]
        assert frames[-1].state.tolist() == [TrackState.CONFIRMED]


def test_unsure_detection_that_the_next_run_does_not_see_leaves_nothing() -> None:
    subject = tracker()
    frames = run(subject, [found(box(100), score=0.45), found(), found(box(100), score=0.45)])
    assert [len(tracks) for tracks in frames] == [0, 0, 0]


def test_detection_below_every_threshold_begins_nothing() -> None:
    frames = run(tracker(), [found(box(100), score=0.35)] * 5)
    assert all(len(tracks) == 0 for tracks in frames)


def test_detector_whose_scores_say_little_begins_tracks_from_a_score_of_its_own() -> None:
    subject = Tracker(create_kalman({}), [HAND], {"hand": 0.9})
    found_all = {"hand": found(box(100), score=0.95), "other": found(box(400), score=0.6)}
    assert len(subject.step(frame(0), found_all)) == 2
    later = {"hand": found(box(100), box(250), score=0.85)}
    tracks = [subject.step(frame(k), later) for k in (1, 2, 3)]
    assert [len(one) for one in tracks] == [2, 2, 2]  # nothing begins at 250, not even on trial


def test_unsure_sight_of_a_track_does_not_make_it_less_believed() -> None:
    subject = tracker(create_kalman)
    sure = subject.step(frame(0), {"hand": found(box(100), score=0.9)})
    unsure = subject.step(frame(1), {"hand": found(box(100), score=0.3)})
    assert unsure.confidence[0] == sure.confidence[0]
    assert unsure.score[0] == pytest.approx(0.3)


@pytest.mark.parametrize("create", [create_hold, create_kalman, create_flow])
def test_run_that_found_nothing_is_not_the_same_as_no_run(create: Callable[[dict[str, str]], BoxTracker]) -> None:
    seen = [found(box(100))] * 10
    without_run = run(tracker(create), [*seen, *[None] * 3])[-1]
    with_run = run(tracker(create), [*seen, *[found()] * 3])[-1]
    assert with_run.confidence[0] < 0.5 * without_run.confidence[0]


def test_track_that_runs_do_not_see_is_lost_and_comes_back_with_its_id() -> None:
    frames = run(tracker(), [*[found(box(100))] * 30, *[found()] * 12, found(box(130))])
    assert frames[41].state.tolist() == [TrackState.LOST]
    assert frames[42].track_id.tolist() == [1]
    assert frames[42].state.tolist() == [TrackState.CONFIRMED]


@pytest.mark.parametrize("create", [create_hold, create_kalman, create_flow])
@pytest.mark.parametrize(("every", "score"), [(1, 0.9), (20, 0.25), (90, 0.9), (90, 0.3)])
def test_track_that_every_run_sees_stays_confirmed_however_rare_or_unsure_the_runs_are(
    create: Callable[[dict[str, str]], BoxTracker], every: int, score: float
) -> None:
    subject = tracker(create)
    for i in range(3 * every + 1):
        sure = 0.9 if i == 0 else score
        # every point that flow follows lies on the box, which does not move
        tracks = subject.step(frame(i, textured(100)), {"hand": found(box(100), score=sure)} if i % every == 0 else {})
        assert tracks.track_id.tolist() == [1]
        assert tracks.state.tolist() == [TrackState.CONFIRMED]


def test_single_failed_measurement_does_not_end_a_track_at_a_low_frame_rate() -> None:
    subject = tracker(create_flow)
    times = (0.0, 0.2, 0.4)
    pictures = (textured(100), textured(100), BLANK)
    for time_s, picture in zip(times, pictures, strict=True):
        ran = {"hand": found(box(100))} if time_s == 0 else {}
        tracks = subject.step(Frame.from_array(picture, time_s=time_s), ran)
    assert tracks.state.tolist() == [TrackState.CONFIRMED]
    assert tracks.origin.tolist() == [Origin.PREDICTED]


def test_track_not_seen_for_two_seconds_ends_and_its_id_is_not_used_again() -> None:
    frames = run(tracker(), [*[found(box(100))] * 30, *[found()] * 62, found(box(100))])
    assert len(frames[91]) == 0
    assert frames[92].track_id.tolist() == [2]


def test_false_alarm_of_a_single_run_ends_with_the_next_one() -> None:
    frames = run(tracker(), [found(box(100)), found(), None])
    assert [len(tracks) for tracks in frames] == [1, 0, 0]


def test_two_hands_keep_their_ids_while_they_pass() -> None:
    subject = tracker()
    frames = run(subject, [found(box(100 + 12 * i, 60), box(460 - 12 * i, 160)) for i in range(30)])
    for tracks in frames:
        by_id = dict(zip(tracks.track_id.tolist(), tracks.xyxy.tolist(), strict=True))
        assert by_id[1][1] < 80 < by_id[2][1]


def test_two_detections_of_one_hand_become_one_track() -> None:
    subject = tracker()
    twice = Detections(xyxy=[box(100), (95, 95, 190, 190)], score=[0.9, 0.8], class_id=[0, 0])
    inside = Detections(xyxy=[box(100), (110, 110, 150, 150)], score=[0.9, 0.8], class_id=[0, 0])
    frames = run(subject, [twice, twice, inside])
    assert [tracks.track_id.tolist() for tracks in frames] == [[1]] * 3


def test_identity_is_kept_per_identity_class_not_per_class() -> None:
    classes = (
        ClassInfo(name="open", role="hand", identity="hand"),
        ClassInfo(name="closed", role="hand", identity="hand"),
        ClassInfo(name="mug"),
    )
    frames = run(
        tracker(create_kalman, *classes),
        [found(box(100), class_id=0), found(box(100), class_id=1), found(box(100), class_id=2)],
    )
    assert frames[1].track_id.tolist() == [1]
    assert frames[1].class_id.tolist() == [1]
    assert 2 in frames[2].track_id.tolist()


def test_detector_is_not_blamed_for_what_another_one_sees() -> None:
    subject = tracker(create_kalman, HAND, ClassInfo(name="mug"))
    subject.step(frame(0), {"hand": found(box(100)), "cups": found(box(300), class_id=1)})
    alone = subject.step(frame(1), {"cups": found(box(300), class_id=1)})
    by_detector = dict(zip(alone.detector, alone.confidence.tolist(), strict=True))
    assert by_detector["hand"] > 0.85


def test_surer_of_two_detectors_names_the_track_whatever_their_order() -> None:
    sure, unsure = found(box(100), score=0.95), found(box(104), score=0.25)
    for names in (("a", "b"), ("b", "a")):
        subject = tracker()
        subject.step(frame(0), {"a": sure})
        tracks = subject.step(frame(1), {name: {"a": sure, "b": unsure}[name] for name in names})
        assert tracks.track_id.tolist() == [1]
        assert tracks.detector == ("a",)
        assert tracks.score[0] == pytest.approx(0.95)


def test_attributes_of_the_last_detection_go_with_the_track() -> None:
    subject = tracker(create_kalman, HAND, ClassInfo(name="mug"))
    said = Detections(xyxy=[box(100)], score=[0.9], class_id=[0], attributes={"side": np.array([2])})
    alone = subject.step(frame(0), {"hand": said})
    assert alone.attributes["side"].tolist() == [2]
    both = subject.step(frame(1), {"cups": found(box(400), class_id=1)})
    assert both.attributes["side"].tolist() == [2, None]


def test_none_has_rows_on_frames_with_a_run_alone() -> None:
    frames = run(tracker(create_none), [found(box(100)), None, None, found(box(110))])
    assert [tracks.track_id.tolist() for tracks in frames] == [[1], [], [], [1]]
    np.testing.assert_allclose(frames[3].xyxy, [box(110)])


def test_hold_stays_exactly_where_the_detector_saw_the_box_last() -> None:
    frames = run(tracker(create_hold), [found(box(100)), found(box(110)), None, None])
    for tracks in frames[1:]:
        np.testing.assert_allclose(tracks.xyxy, [box(110)])


def test_kalman_goes_on_as_the_box_went() -> None:
    subject = tracker(create_kalman)
    frames = run(subject, [*[found(box(100 + 6 * i)) for i in range(15)], None, None])
    assert frames[-1].velocity[0, 0] == pytest.approx(6 / STEP_S, rel=0.2)
    assert 100 + 6 * 15 < frames[-1].xyxy[0, 0] < 100 + 6 * 17


def test_flow_follows_pixels_where_no_detector_runs() -> None:
    subject = tracker(create_flow)
    subject.step(frame(0, textured(100)), {"hand": found(box(100))})
    for i in range(1, 11):
        tracks = subject.step(frame(i, textured(100 + 5 * i)), {})
    assert tracks.origin.tolist() == [Origin.TRACKED]
    np.testing.assert_allclose(tracks.xyxy, [box(150)], atol=4)


def test_phantom_of_a_vanished_hand_does_not_stay_until_the_next_run() -> None:
    subject = tracker(create_flow)
    subject.step(frame(0, textured(100)), {"hand": found(box(100))})
    subject.step(frame(1, textured(102)), {})
    for i in range(2, 9):
        tracks = subject.step(frame(i), {})  # nothing but grey: no point can be followed
    assert len(confirmed(tracks)) == 0


@pytest.mark.parametrize("create", [create_kalman, create_flow])
def test_track_that_leaves_the_picture_ends(create: Callable[[dict[str, str]], BoxTracker]) -> None:
    subject = tracker(create)
    frames = run(subject, [found(box(500 + 20 * i)) for i in range(7)])
    assert len(frames[-1]) == 1
    for i in range(7, 20):
        tracks = subject.step(frame(i), {})
        assert (tracks.xyxy[:, 2:] <= SIZE).all()
    assert len(tracks) == 0


def test_frame_of_another_size_ends_all_tracks_and_ids_go_on() -> None:
    subject = tracker()
    run(subject, [found(box(100))])
    small = Frame.from_array(np.zeros((180, 320), np.uint8), index=1, time_s=STEP_S)
    assert subject.step(small, {"hand": found(box(50, 50))}).track_id.tolist() == [2]


def test_ids_are_the_trackers_own() -> None:
    first, second = tracker(), tracker()
    run(first, [found(box(100), box(300))])
    assert run(second, [found(box(100))])[0].track_id.tolist() == [1]


@pytest.mark.parametrize("create", [create_hold, create_kalman, create_flow, create_none])
def test_long_run_over_restless_detections_stays_finite_and_small(
    create: Callable[[dict[str, str]], BoxTracker],
) -> None:
    rng = np.random.default_rng(0)
    subject = tracker(create)
    for i in range(300):
        n = int(rng.integers(0, 5))
        corner = rng.uniform((0, 0), (560, 280), (n, 2))
        boxes = np.concatenate([corner, corner + rng.uniform(1, 80, (n, 2))], axis=1)
        ran = {"hand": Detections(xyxy=boxes, score=rng.uniform(0, 1, n), class_id=np.zeros(n))} if i % 3 == 0 else {}
        tracks = subject.step(frame(i), ran)
        assert len(set(tracks.track_id.tolist())) == len(tracks) < 60
        assert np.isfinite(tracks.xyxy).all()
        assert (tracks.xyxy[:, 2:] > tracks.xyxy[:, :2]).all()
        assert ((tracks.confidence >= 0) & (tracks.confidence <= 1)).all()


# --- late results


def amend(subject: Tracker, index: int, seen: int, detections: Detections, name: str = "slow") -> None:
    """Tell after frame ``index`` what was seen on frame ``seen``."""
    subject.amend(frame(index), name, detections, seen * STEP_S)


def test_late_detection_begins_a_track_that_is_as_old_as_what_was_seen() -> None:
    subject = tracker()
    run(subject, [None] * 6)
    amend(subject, 5, 2, found(box(100)))
    tracks = subject.step(frame(6), {})
    assert tracks.track_id.tolist() == [1]
    assert tracks.state.tolist() == [TrackState.CONFIRMED]
    assert tracks.origin.tolist() == [Origin.PREDICTED]  # no detector saw it on this frame
    assert tracks.last_detected_s.tolist() == [pytest.approx(2 * STEP_S)]


def test_late_detection_joins_the_track_that_is_there_and_is_no_news_of_it() -> None:
    subject = tracker()
    run(subject, [found(box(100), score=0.8), None, None, found(box(100), score=0.8)])
    amend(subject, 3, 1, found(box(104), score=0.7))
    tracks = subject.step(frame(4), {})
    assert tracks.track_id.tolist() == [1]
    assert tracks.last_detected_s.tolist() == [pytest.approx(3 * STEP_S)]
    assert (tracks.detector, tracks.score.tolist()) == (("hand",), [pytest.approx(0.8)])


def test_late_detection_refreshes_a_track_that_was_not_seen_since() -> None:
    subject = tracker()
    run(subject, [found(box(100), score=0.8), *[None] * 9])
    amend(subject, 9, 6, found(box(100), score=0.7))
    tracks = subject.step(frame(10), {})
    assert tracks.last_detected_s.tolist() == [pytest.approx(6 * STEP_S)]
    assert (tracks.detector, tracks.score.tolist()) == (("slow",), [pytest.approx(0.7)])


def test_late_run_doubts_what_it_did_not_see_but_nothing_that_was_seen_or_born_since() -> None:
    subject = tracker()
    seen_before, seen_since, born_since = box(50), box(250), box(450)
    subject.step(frame(0), {"slow": found(seen_before, seen_since)})
    subject.step(frame(1), {"slow": found(seen_before, seen_since)})
    before = subject.step(frame(20), {"slow": found(seen_since, born_since), "other": found(seen_before)})
    subject.step(frame(21), {})
    amend(subject, 21, 10, found())
    after = subject.step(frame(22), {})
    assert before.track_id.tolist() == after.track_id.tolist() == [1, 2, 3]
    assert after.confidence.min() > 0.8

    subject = tracker()
    subject.step(frame(0), {"slow": found(seen_before)})
    subject.step(frame(1), {"slow": found(seen_before)})
    subject.step(frame(2), {"slow": found(seen_before)})
    subject.step(frame(3), {})
    amend(subject, 3, 2, found())  # seen on that frame: this run cannot speak against it
    assert subject.step(frame(4), {}).confidence.tolist() == [pytest.approx(0.9 * 0.5 ** (2 * STEP_S))]
    amend(subject, 4, 3, found())  # half a halving, and one more for the 0.033 s of 0.2 since the run before
    fade = 0.5 ** (3 * STEP_S)
    assert subject.step(frame(5), {}).confidence.tolist() == [pytest.approx(0.9 * fade * 0.5 ** (0.5 + STEP_S / 0.2))]


def test_late_detection_moves_the_box_that_is_followed_from_then_on() -> None:
    subject = tracker(create_flow)
    subject.step(frame(0, textured(100)), {"slow": found((110, 110, 190, 190))})
    subject.step(frame(1, textured(100)), {})
    subject.amend(frame(1, textured(100)), "slow", found((100, 100, 180, 180)), 0.0)
    tracks = subject.step(frame(2, textured(104)), {})
    assert tracks.track_id.tolist() == [1]
    assert tracks.origin.tolist() == [Origin.TRACKED]
    assert abs(tracks.xyxy[0, 0] - 104) < 6


# --- late results where they belong


@pytest.mark.parametrize("create", [create_kalman, create_flow, create_hold])
def test_what_is_told_late_leads_to_the_tracks_that_it_would_have_led_to_in_time(
    create: Callable[[dict[str, str]], BoxTracker],
) -> None:
    seen = {0: {"fast": found(box(100))}, 3: {"slow": found(box(109), box(400, 200))}}
    frames = [frame(index, textured(100 + 3 * index)) for index in range(9)]
    in_time, late = tracker(create), tracker(create)
    expected = [in_time.step(one, seen.get(one.index, {})) for one in frames]
    steps = []
    for one in frames[:7]:
        if one.index == 3:
            then = late.moment()
        late.step(one, seen[0] if one.index == 0 else {})
        if one.index >= 3:
            steps.append((one, seen.get(one.index, {})))
    assert then is not None
    lived = late.relive(then, steps)
    assert [len(tracks) for _, tracks in lived] == [2, 2, 2, 2]
    for one in frames[7:]:
        tracks = late.step(one, {})
        np.testing.assert_allclose(tracks.xyxy, expected[one.index].xyxy)
        assert tracks.track_id.tolist() == expected[one.index].track_id.tolist() == [1, 2]


def test_track_that_was_shown_keeps_its_number_where_it_begins_earlier_now() -> None:
    subject = tracker()
    subject.step(frame(0), {})
    then = subject.moment()
    assert then is not None
    subject.step(frame(1), {})
    subject.step(frame(2), {"fast": found(box(300), box(104))})
    shown = subject.step(frame(3), {})
    assert shown.track_id.tolist() == [1, 2]
    seen = [{"slow": found(box(100), box(500))}, {"fast": found(box(300), box(104))}, {}]
    lived = subject.relive(then, [(frame(index), one) for index, one in enumerate(seen, 1)])
    # born in this order: 100 (it was shown as 2), 500 (it is new), 300 (it was shown as 1)
    assert [tracks.track_id.tolist() for _, tracks in lived] == [[2, 3], [2, 3, 1], [2, 3, 1]]
    after = subject.step(frame(4), {"third": found(box(20, 250))})
    assert after.track_id.tolist() == [2, 3, 1, 4]


def test_tracker_can_go_back_again_to_a_moment_that_was_lived_through_once_more() -> None:
    subject = tracker()
    moments = [subject.moment()]
    subject.step(frame(0), {})
    assert moments[0] is not None
    ((first, _), (second, _)) = subject.relive(
        moments[0], [(frame(0), {"slow": found(box(100))}), (frame(1), {"fast": found(box(300))})]
    )
    for then in (second, second):
        ((_, tracks),) = subject.relive(then, [(frame(1), {"fast": found(box(300))})])
        assert tracks.track_id.tolist() == [1, 2]
    ((_, tracks),) = subject.relive(first, [(frame(1), {})])
    assert len(tracks) == 0


def test_there_is_no_way_back_for_a_tracker_that_does_not_remember() -> None:
    class Forgetful:
        fills = filters = True
        looks = False
        reset = settle = lambda self, *told: None
        measure = create_kalman({}).measure

    assert Tracker(Forgetful(), [HAND]).moment() is None
