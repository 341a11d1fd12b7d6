"""What is counted in a sequence, and adds up over sequences."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counts:
    """Base of dataclasses whose fields are numbers or arrays of one shape: ``a + b`` adds them field by field."""

    def __add__(self, other: Self) -> Self:
        return type(self)(**{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)})
