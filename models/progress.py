"""How far a training is: a bar on a terminal, a line for each validation elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

SMOOTHING = 0.1  #: weight of the last step in what is shown


class Progress:
    """Shows steps, loss, pictures a second and the time that is left on standard error."""

    def __init__(self, step: int, end: int) -> None:
        self._console = Console(file=sys.stderr, highlight=False)
        columns = (TextColumn("training"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
        self._bar = Bar(*columns, TimeRemainingColumn(), console=self._console, disable=not self._console.is_terminal)
        self._task = self._bar.add_task("", total=end, completed=step)
        self._loss = self._rate = 0.0

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()

    def advance(self, step: int, loss: float, images_per_s: float) -> None:
        """Show a step that was done."""
        weight = SMOOTHING if self._rate else 1.0
        self._loss += weight * (loss - self._loss)
        self._rate += weight * (images_per_s - self._rate)
        self._bar.update(self._task, completed=step, description=f"loss {self._loss:.3f}  {self._rate:.1f} images/s")

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        rate = f"; loss {self._loss:.3f}, {self._rate:.1f} images/s" if self._rate else ""
        self._console.print(text + rate)
