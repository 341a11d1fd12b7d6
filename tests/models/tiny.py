"""A training of seconds: a tiny network, a few drawn pictures, every part of the loop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LABELS = ("plate", "box")
TINY_STEPS = 6


def tiny_content(records: Path, **tables: dict[str, Any]) -> dict[str, Any]:
    """Return its settings, as a file has them; ``tables`` change keys."""
    base: dict[str, dict[str, Any]] = {
        "bundle": {"name": "tiny", "summary": "a test"},
        "data": {"train": [str(records / "train*")], "validation": [str(records / "validation*")]},
        "network": {"size_px": 192, "width": 0.1},
        "training": {
            "steps": TINY_STEPS,
            "batch_size": 4,
            "warm_up_steps": 2,
            "validate_every": 3,
            "checkpoint_every": 2,
        },
    }
    labels = [{"name": name, "role": "object"} for name in LABELS]
    return {"labels": labels} | {name: base.get(name, {}) | tables.get(name, {}) for name in {*base, *tables}}
