from __future__ import annotations

import numpy as np
import pytest

from hybridtrack.metrics.delay import count_never_seen, delays_s
from tests.metrics.rows import Row, paired, still

TIME_S = np.arange(10) * 0.1


def test_delay_is_the_time_from_the_first_true_box_to_the_first_that_shows_it() -> None:
    pairs = paired(still(1, range(2, 10)), still(5, range(5, 10)))
    assert delays_s(pairs, np.ones(8, bool), TIME_S) == pytest.approx([0.3])


def test_a_box_that_hardly_overlaps_shows_nothing() -> None:
    tracks = [*still(5, [2, 3], left=6), *still(5, [4])]
    assert delays_s(paired(still(1, range(2, 10)), tracks), np.ones(8, bool), TIME_S) == pytest.approx([0.2])


def test_delay_begins_when_the_object_is_visible_and_is_never_negative() -> None:
    truth = still(1, range(2, 10))
    is_visible = np.array([False, False, True, True, True, True, True, True])  # from frame 4 on
    assert delays_s(paired(truth, still(5, range(5, 10))), is_visible, TIME_S) == pytest.approx([0.1])
    assert delays_s(paired(truth, still(5, range(3, 10))), is_visible, TIME_S) == pytest.approx([0])


@pytest.mark.parametrize("truth", [still(1, range(10)), []], ids=["there from the beginning", "nothing"])
def test_what_does_not_come_in_has_no_delay(truth: list[Row]) -> None:
    assert delays_s(paired(truth, still(1, range(4, 10))), np.ones(len(truth), bool), TIME_S).tolist() == []


def test_what_is_never_seen_waits_for_ever_and_is_counted() -> None:
    truth = sorted([*still(1, range(2, 10)), *still(2, range(3, 10), left=50), *still(3, range(10), left=90)])
    pairs = paired(truth, still(5, range(3, 10)))
    assert delays_s(pairs, np.ones(len(truth), bool), TIME_S) == pytest.approx([0.1, np.inf])
    assert count_never_seen(pairs) == 2


def test_what_is_never_visible_is_not_waited_for() -> None:
    truth = still(1, range(2, 10))
    assert delays_s(paired(truth, []), np.zeros(8, bool), TIME_S).tolist() == []
