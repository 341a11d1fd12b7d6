from __future__ import annotations

import pytest

from hybridtrack.bench.machine import busy_note, core_count, load


@pytest.mark.parametrize(
    ("load", "cores", "warns"), [(None, 2, False), (1.0, 2, False), (1.1, 2, True), (1.1, 4, False)]
)
def test_busy_machine_is_warned_of(load: float | None, cores: int, warns: bool) -> None:
    note = busy_note(load, cores)
    assert (note is not None) is warns
    assert note is None or f"(load {load} on {cores} cores)" in note


def test_load_and_cores_are_those_of_this_machine() -> None:
    assert core_count() >= 1
    found = load()
    assert found is None or found >= 0
