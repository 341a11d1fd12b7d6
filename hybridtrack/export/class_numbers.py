"""Numbers of classes, from 1: those of the header in its order, then others as they occur."""

from __future__ import annotations

from hybridtrack.wire import HeaderLine


class ClassNumbers:
    """Gives each class name its number; a file with open classes names some that its header does not."""

    def __init__(self, header: HeaderLine) -> None:
        self._numbers: dict[str, int] = {}
        for one in header.classes:
            self.of(one.name)

    def of(self, name: str) -> int:
        """Return the number of a class."""
        return self._numbers.setdefault(name, len(self._numbers) + 1)

    def items(self) -> list[tuple[int, str]]:
        """Return number and name of each class so far, by number."""
        return [(number, name) for name, number in self._numbers.items()]
