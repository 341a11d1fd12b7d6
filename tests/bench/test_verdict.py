from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridtrack.bench.row import Row
from hybridtrack.bench.verdict import Standard, best_of, front_of, label, pareto, verdict
from tests.bench.figures import cost, row

TRUTH = Standard(has_truth=True, margin=1.0)
NO_TRUTH = Standard(has_truth=False)
NONE = row("none", 1, 1.0, hota=0.6)


@pytest.mark.parametrize(
    ("points", "front"),
    [
        ([], []),
        ([(1, 1)], [True]),
        ([(1, 2), (2, 1)], [True, True]),
        ([(1, 2), (2, 2)], [False, True]),  # as accurate, and faster
        ([(1, 1), (2, 2)], [False, True]),
        ([(1, 1), (1, 1)], [True, True]),  # neither beats the other
        ([(1, 9), (3, 5), (2, 5), (4, 1), (3, 0)], [True, True, False, True, False]),
    ],
)
def test_front_has_the_points_that_no_other_beats(points: list[tuple[float, float]], front: list[bool]) -> None:
    assert pareto(points) == front


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1))
def test_best_in_either_figure_is_on_the_front_and_all_others_are_beaten_by_one_of_it(
    points: list[tuple[int, int]],
) -> None:
    front = [point for point, is_front in zip(points, pareto(points), strict=True) if is_front]
    assert max(points) in front
    assert max(points, key=lambda point: point[::-1]) in front
    assert all(any(one[0] >= point[0] and one[1] >= point[1] for one in front) for point in points)


@pytest.mark.parametrize(
    ("other", "pays"),
    [
        (row("flow", 3, 2.0, hota=0.6), True),
        (row("flow", 3, 2.0, hota=0.5901), True),
        (row("flow", 3, 2.0, hota=0.589), False),  # 1.1 points less
        (row("flow", 3, 2.0, slowest=1.04, hota=0.6), False),  # noise in one round
        (row("flow", 1, 2.0, hota=0.7), False),  # it detects on every frame too, and does more
        (row("1/2 size", 1, 1.2, hota=0.6, shrink=2, does_less=True), True),
    ],
)
def test_mode_pays_that_is_faster_in_every_round_and_accurate_enough(other: Row, pays: bool) -> None:
    assert TRUTH.pays(other, NONE) is pays


@pytest.mark.parametrize(("f1", "pays"), [(0.9, True), (0.89, False), (None, True)])
def test_without_truth_boxes_have_to_agree_with_the_reference(f1: float | None, pays: bool) -> None:
    assert NO_TRUTH.pays(row("flow", 3, 2.0, hota=0.1, f1=f1), NONE) is pays


def test_fastest_of_those_that_pay_is_chosen() -> None:
    others = [row("flow", 3, 2.0), row("flow", 5, 2.5), row("hold", 10, 9.0, hota=0.3), row("kcf", 3, 0.4)]
    best = best_of([NONE, *others], TRUTH)
    assert best is others[1]
    assert best_of([NONE, others[2], others[3]], TRUTH) is None


def test_words_say_what_to_choose_and_why_not_the_others() -> None:
    rows = [
        NONE,
        row("flow", 5, 2.5, slowest=2.25, hota=0.62),
        row("hold", 10, 9.0, hota=0.3),
        row("kcf", 3, 0.4, rounds=1),
        row("1/2 size", 1, 1.01, hota=0.55, shrink=2, does_less=True),
    ]
    costs = [cost("none", 10, None), cost("flow", 10.5, 2), cost("kcf", 40, 8), cost("csrt", 90, 60)]
    assert verdict(rows, costs, TRUTH) == [
        "table.mp4: choose flow with the detector every 5 frames: 2.5 times as fast as detecting on every frame (2.2 "
        "in the worst of 3 rounds), HOTA 62.0. It is the fastest with a HOTA of 59.0 or more (detecting on every "
        "frame: 60.0).",
        "Nothing is both faster and more accurate than: flow 5, hold 10.",
        "Not faster than detecting on every frame in every round: kcf 3, 1/2 size.",
        "Faster, but not accurate enough: hold 10.",
        "In one thread a tracked frame takes 0.20 (flow), 0.80 (kcf), 6.00 (csrt) of a detected one. With D and T for "
        "frames with and without a detector run, detecting on every Nth frame is D / (D/N + (1-1/N) T) times as fast: "
        # kcf: 10 / (40/3 + 8*2/3) = .54, 10 / (40/10 + 8*.9) = .89
        "not more than 1 for kcf at N = 3, 5, 10; csrt at N = 3, 5, 10.",
        "Smaller pictures on every frame: 1/2 size is 1.01 times as fast (HOTA 55.0). A network with an input of fixed "
        "size costs the same on each.",
    ]


@pytest.mark.parametrize(
    ("other", "begin"),
    [
        (row("flow", "100ms", 2.0), "table.mp4: choose flow with the detector every 100ms: 2.0 times"),
        (row("adaptive", "auto", 2.0), "table.mp4: choose adaptive with the detector as often as needed: 2.0 times"),
        (
            row("adaptive", "auto/5", 2.0),
            "table.mp4: choose adaptive with the detector as often as needed (auto/5): 2.0 times",
        ),
        (
            row("hand,bundle=small", 1, 2.0, does_less=True),
            "table.mp4: choose hand,bundle=small with the detector on every frame: 2.0 times",
        ),
        (row("flow", 3, 1.0), "table.mp4: detect on every frame. No mode is faster in every round with a HOTA of 59.0"),
    ],
)
def test_choice_is_put_into_words(other: Row, begin: str) -> None:
    assert verdict([NONE, other], [], TRUTH)[0].startswith(begin)


def test_without_truth_words_say_what_was_compared() -> None:
    words = verdict([NONE, row("flow", 3, 2.0, f1=0.953)], [], NO_TRUTH)
    assert words[0].endswith(
        ", F1 0.95. It is the fastest with an F1 of 0.9 or more against the boxes of detecting on every frame."
    )


def test_front_goes_by_speed_and_accuracy() -> None:
    rows = [NONE, row("flow", 1, 0.9, hota=0.65), row("flow", 3, 2.0, hota=0.6), row("hold", 3, 1.9, hota=0.55)]
    assert front_of(rows, TRUTH) == [False, True, True, False]


@pytest.mark.parametrize(
    ("one", "name"),
    [
        (row("none", 1, 1.0), "none"),
        (row("flow", 1, 1.0), "flow 1"),
        (row("flow", 3, 1.0), "flow 3"),
        (row("flow", "100ms", 1.0), "flow 100ms"),
        (row("hold", "auto", 1.0), "hold auto"),
        (row("adaptive", "auto", 1.0), "adaptive"),
        (row("adaptive", "auto/5", 1.0), "adaptive auto/5"),
        (row("1/2 size", 1, 1.0), "1/2 size"),
    ],
)
def test_label_is_short(one: Row, name: str) -> None:
    assert label(one) == name


@pytest.mark.parametrize(
    ("detected", "tracked", "n", "speed_up"),
    [
        (10, 2, 1, 1.0),
        (10, 2, 5, 10 / 3.6),  # 10/5 + 2*4/5
        (10, 10, 5, 1.0),
        (10, 20, 2, 10 / 15),
        (30, 2, 10, 10 / 4.8),  # what the tracker does on a detected frame counts: 30/10 + 2*9/10
        (None, 2, 5, None),
        (10, None, 5, None),
    ],
)
def test_speed_up_follows_from_what_frames_cost(
    detected: float | None, tracked: float | None, n: int, speed_up: float | None
) -> None:
    found = cost("flow", detected, tracked, reference_ms=10.0).speed_up(n)
    assert found == (None if speed_up is None else pytest.approx(speed_up))
