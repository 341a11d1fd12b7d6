"""An evaluation as JSON: ``hybridtrack.evaluation``, version 1."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import msgspec

from hybridtrack.evaluate.evaluation import Evaluation
from hybridtrack.evaluate.scores import Scores

FORMAT: Final = "hybridtrack.evaluation"
VERSION: Final = 1
_DIGITS = 6


def report(
    evaluation: Evaluation,
    pairs: Sequence[tuple[str | os.PathLike[str], str | os.PathLike[str]]],
    *,
    class_name: str | None = None,
) -> bytes:
    """Return the JSON text of what ``evaluate`` said of these pairs; shares are 0..1, what is not known is null."""
    content = {
        "format": FORMAT,
        "version": VERSION,
        "class": class_name,
        "pairs": [
            {"sequence": name, "tracks": os.fspath(tracks), "truth": os.fspath(truth)}
            for name, (tracks, truth) in zip(evaluation.sequences, pairs, strict=True)
        ],
        "combined": _figures(evaluation.combined),
        "sequences": {name: _figures(scores) for name, scores in evaluation.sequences.items()},
        "classes": {name: _figures(scores) for name, scores in evaluation.classes.items()},
        "notes": list(evaluation.notes),
    }
    return msgspec.json.format(msgspec.json.encode(content)) + b"\n"


def _figures(scores: Scores) -> dict[str, Any]:
    return {
        name: round(value, _DIGITS) if isinstance(value, float) else value for name, value in asdict(scores).items()
    }
