from __future__ import annotations

import numpy as np
import pytest

from hybridtrack.detectors.candidates import LIMIT, CandidateFilter
from hybridtrack.detectors.runtime import FLOAT32, Quantisation
from hybridtrack.errors import UsageError
from hybridtrack.types import ClassInfo

CLASSES = (ClassInfo(name="mug"), ClassInfo(name="book"), ClassInfo(name="cup", identity="mug"))
AT = [10.0, 10.0, 50.0, 50.0]
NEAR = [12.0, 10.0, 52.0, 50.0]  # 38 × 40 of 42 × 40: IoU .90


def candidates(quantisation: Quantisation = FLOAT32, min_score: float = 0.5) -> CandidateFilter:
    return CandidateFilter(CLASSES, quantisation, min_score=min_score, nms_iou=0.45)


def test_cells_and_classes_of_high_logits_are_found() -> None:
    logits = np.array([[-1, 0, -1], [-9, -9, -9], [np.log(3), -1, 0.5]], np.float32)
    rows, class_id, score = candidates().find(logits)
    assert (rows.tolist(), class_id.tolist()) == ([0, 2, 2], [1, 0, 2])
    np.testing.assert_allclose(score, [0.5, 0.75, 0.6225], atol=1e-4)


def test_stored_logits_stand_for_real_ones() -> None:
    half_steps_from_ten = Quantisation(np.dtype(np.int8), 0.5, 10)
    rows, _, score = candidates(half_steps_from_ten).find(np.array([[9, 10, 12]], np.int8))
    assert rows.tolist() == [0, 0]
    np.testing.assert_allclose(score, [0.5, 0.7311], atol=1e-4)  # logits 0 and 1


def test_best_candidates_are_kept_when_there_are_too_many() -> None:
    logits = np.zeros((LIMIT + 50, 3), np.float32)
    logits[7, 2] = 1
    rows, class_id, score = candidates().find(logits)
    assert len(rows) == LIMIT
    assert (rows[0], class_id[0]) == (7, 2)
    assert score[0] > score[1]


def test_one_identity_has_one_box_of_a_thing_and_others_have_their_own() -> None:
    found = candidates().distinct(
        np.array([AT, NEAR, NEAR], np.float32), np.array([0.6, 0.9, 0.7]), np.array([0, 2, 1]), (100, 100)
    )
    assert [CLASSES[row].name for row in found.class_id] == ["cup", "book"]
    assert found.xyxy.tolist() == [NEAR, NEAR]


def test_boxes_are_cut_at_the_edges_and_those_outside_are_dropped() -> None:
    xyxy = np.array([[-10, -10, 20, 20], [100, 0, 140, 40], [60, 60, 140, 140]], np.float32)
    found = candidates().distinct(xyxy, np.array([0.6, 0.9, 0.7]), np.array([0, 0, 0]), (100, 80))
    assert found.xyxy.tolist() == [[60, 60, 100, 80], [0, 0, 20, 20]]


@pytest.mark.parametrize("score", [0.0, 1.0])
def test_least_score_that_is_none_is_refused(score: float) -> None:
    with pytest.raises(UsageError, match="expected a number between 0 and 1"):
        candidates(min_score=score)
