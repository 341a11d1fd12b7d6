"""What goes wrong with data as a whole; what is wrong with one picture or box is a ``Problem``, named and counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hybridtrack.errors import HybridTrackError

if TYPE_CHECKING:
    from data_tools.annotation import Problem


class DataError(HybridTrackError, ValueError):
    """A data set, a file of annotations or an archive that cannot be used; ``problems`` are the reason, if strict."""

    def __init__(self, message: str, *, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems


def strict_error(problems: tuple[Problem, ...]) -> DataError:
    """Return the error for problems that were to be none."""
    return DataError(
        f"{len(problems)} problems, and they are errors when strict, the first: {problems[0]}; mend them or be lenient",
        problems=problems,
    )
