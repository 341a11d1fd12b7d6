"""Figures over rounds in which all that is compared takes turns."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A figure over the rounds."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return median, least and greatest of at least one value."""
        return cls(median=statistics.median(values), least=min(values), most=max(values))


def turns(count: int, round_number: int, rounds: int) -> list[int]:
    """Return the order in which ``count`` jobs take turns in a round; over the rounds each begins elsewhere."""
    first = round_number * count // rounds
    return [(first + number) % count for number in range(count)]
