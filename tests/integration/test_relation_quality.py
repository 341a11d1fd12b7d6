"""How well holds and events are told on the demo clip from its true boxes, against its exact intervals."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybridtrack.cli import exit_code
from tests.benchmarks.relation_scores import Scores, read_truth, score_file


@pytest.mark.parametrize("phase", [0, 1, 2])
def test_holds_and_events_of_the_demo_clip_are_told_from_true_boxes_on_every_third_frame(
    phase: int, table_clip: Path, tmp_path: Path
) -> None:
    folder, file = table_clip.with_suffix(""), tmp_path / "table.jsonl"
    replay = f"replay,path={folder},every=3,phase={phase}"
    assert exit_code(["run", str(table_clip), "--detector", replay, "--json", str(file)]) == 0
    scores: Scores = score_file(file, read_truth(folder))
    assert scores.hold.f1 >= 0.9
    assert scores.invented == 0
    for moments in (scores.pick_up, scores.put_down):
        assert moments.right / moments.true >= 0.9
        assert moments.false == 0
    lines = file.read_text().splitlines()
    assert sum(line.count('"kind":"hand_over"') for line in lines) == 1
