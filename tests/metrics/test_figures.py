"""HOTA, CLEAR, Identity and hits on scenes small enough to count by hand."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from hybridtrack.metrics.clear import ClearCounts, count_clear, match_clear
from hybridtrack.metrics.hits import HitCounts, count_hits
from hybridtrack.metrics.hota import HotaCounts, count_hota, match_hota
from hybridtrack.metrics.identity import IdentityCounts, count_identity
from hybridtrack.metrics.overlaps import Overlaps
from tests.metrics.rows import paired, still


def hota(pairs: Overlaps) -> HotaCounts:
    return count_hota(pairs, match_hota(pairs))


def clear(pairs: Overlaps) -> ClearCounts:
    return count_clear(pairs, match_clear(pairs))


def test_hota_of_an_object_that_is_found_on_half_its_frames_by_one_track() -> None:
    counts = hota(paired(still(1, range(4)), still(1, range(2))))
    assert counts.tp.tolist() == [2] * 19
    assert counts.fn.tolist() == [2] * 19
    assert counts.det_a.tolist() == counts.ass_a.tolist() == counts.hota.tolist() == [0.5] * 19


def test_iou_counts_for_the_thresholds_that_it_reaches() -> None:
    counts = hota(paired(still(1, range(4)), still(1, range(4), left=10 / 3)))  # IoU (20/3) / (40/3) = .5
    assert counts.tp.tolist() == [4] * 10 + [0] * 9
    assert counts.hota.mean() == pytest.approx(10 / 19)
    assert counts.loc_a == pytest.approx([0.5] * 10 + [1] * 9)  # 1 where nothing matches


def test_hota_prefers_the_track_that_goes_with_the_object_over_a_better_box() -> None:
    """On frame 0 the stray box fits better, but the other track is the object's on all other frames."""
    tracks = [*still(1, range(4), left=1.0), *still(2, [0])]
    pairs = paired(still(1, range(4)), sorted(tracks))
    assert pairs.track_id[pairs.track_row[match_hota(pairs)]].tolist() == [0, 0, 0, 0]
    assert hota(pairs).ass_a[0] == 1


def test_clear_prefers_the_track_of_the_frame_before_over_a_better_box() -> None:
    tracks = [*still(1, range(3), left=2.0), *still(2, [1])]
    counts = clear(paired(still(1, range(3)), sorted(tracks)))
    assert (counts.tp, counts.fp, counts.fn, counts.id_switches) == (3, 1, 0, 0)
    assert counts.mota == pytest.approx(2 / 3)


def test_switches_count_over_gaps_and_fragmentations_count_the_gaps() -> None:
    truth = [*still(1, range(9)), *still(2, range(9), left=50)]
    found = [*still(1, [0, 1]), *still(1, [3, 4]), *still(7, [7, 8]), *still(2, range(9), left=50)]
    counts = clear(paired(sorted(truth), sorted(found)))
    assert (counts.id_switches, counts.fragmentations) == (1, 2)
    assert (counts.mostly_tracked, counts.mostly_lost, counts.objects) == (1, 0, 2)


def test_a_frame_without_any_track_interrupts_nothing() -> None:
    counts = clear(paired(still(1, range(5)), still(1, [0, 1, 3, 4])))
    assert (counts.fragmentations, counts.fn) == (0, 1)


def test_a_frame_with_tracks_elsewhere_interrupts_and_forgets() -> None:
    """On frame 1 the tracks are far away; on frame 2 the better box wins, and not the track of frame 0."""
    tracks = [*still(1, [0, 2], left=2.0), *still(2, [2]), *still(3, [1], left=90)]
    counts = clear(paired(still(1, range(3)), sorted(tracks)))
    assert (counts.tp, counts.id_switches, counts.fragmentations) == (2, 1, 1)


@pytest.mark.parametrize(("found", "tracked", "lost"), [(4, 0, 0), (5, 1, 0), (1, 0, 0), (0, 0, 1)])
def test_objects_are_mostly_tracked_above_four_fifths_and_mostly_lost_below_one(
    found: int, tracked: int, lost: int
) -> None:
    counts = clear(paired(still(1, range(5)), [*still(1, range(found)), *still(2, [9])]))
    assert (counts.mostly_tracked, counts.mostly_lost) == (tracked, lost)


def test_identity_gives_an_object_one_track_for_good() -> None:
    """10 frames: 6 by track 1, 4 by track 2; the object is track 1, whoever else has it."""
    counts = count_identity(paired(still(1, range(10)), [*still(1, range(6)), *still(2, range(6, 10))]))
    assert (counts.tp, counts.fp, counts.fn) == (6, 4, 4)
    assert counts.idf1 == pytest.approx(12 / 20)


def test_exchanged_ids_halve_identity_and_association_but_not_detection() -> None:
    truth = [*still(1, range(10)), *still(2, range(10), left=50)]
    tracks = [
        *still(1, range(5)),
        *still(2, range(5, 10)),
        *still(2, range(5), left=50),
        *still(1, range(5, 10), left=50),
    ]
    pairs = paired(sorted(truth), sorted(tracks))
    assert clear(pairs).id_switches == 2
    assert count_identity(pairs).idf1 == 0.5
    counts = hota(pairs)  # A(c) = 5 / (5 + 5 + 5)
    assert (counts.det_a[0], counts.ass_a[0]) == (1, pytest.approx(1 / 3))
    assert counts.hota[0] == pytest.approx(sqrt(1 / 3))


def test_hits_count_the_asked_frames_alone_and_pairs_below_half_not_at_all() -> None:
    truth = still(1, range(4))
    tracks = [*still(1, [0, 1]), *still(1, [2], left=5.0), *still(2, [3], left=50)]
    pairs = paired(truth, tracks)
    assert count_hits(pairs, np.array([True] * 4)) == HitCounts(tp=2, fp=2, fn=2)
    counts = count_hits(pairs, np.array([False, True, True, False]))
    assert counts == HitCounts(tp=1, fp=1, fn=1)
    assert counts.f1 == 0.5
    assert count_hits(pairs, np.zeros(4, bool)).f1 is None


def test_counts_of_sequences_add_up() -> None:
    assert IdentityCounts(tp=1, fn=2, fp=3) + IdentityCounts(tp=10, fn=20, fp=30) == IdentityCounts(tp=11, fn=22, fp=33)
    one, other = hota(paired(still(1, range(4)), still(1, range(2)))), hota(paired(still(1, [0]), still(1, [0])))
    assert (one + other).ass_a[0] == pytest.approx((2 * 0.5 + 1) / 3)  # over matched boxes, not over sequences
