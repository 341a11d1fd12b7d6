"""How good tracks are: figures of track files against the truth, or against the tracks of another run.

evaluation = evaluate([("table.jsonl", "examples/data/table")], class_name="hand")
print(evaluation.combined.hota, evaluation.combined.id_switches)
"""

from __future__ import annotations

from hybridtrack.evaluate.evaluation import Evaluation, evaluate
from hybridtrack.evaluate.scores import Scores

__all__ = ["Evaluation", "Scores", "evaluate"]
