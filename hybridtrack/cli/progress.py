"""Shows on a terminal how far a run is."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import rich.progress


class Progress:
    """Frames done, frames per second and time left, on stderr while it is a terminal; else, or if quiet, nothing."""

    def __init__(self, frame_count: int | None, *, is_quiet: bool = False) -> None:
        self._frame_count = frame_count
        self._is_quiet = is_quiet
        self._bar: rich.progress.Progress | None = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty() and not self._is_quiet:
            self._bar = _bar()
            self._bar.add_task("frames", total=self._frame_count)
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self, *_: Any) -> None:
        """Count one frame more."""
        if self._bar is not None:
            self._bar.advance(self._bar.task_ids[0])


def _bar() -> rich.progress.Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TimeRemainingColumn
    from rich.text import Text

    class FramesPerSecond(ProgressColumn):
        """The rate of the last half minute."""

        def render(self, task: Task) -> Text:
            return Text("" if task.speed is None else f"{task.speed:.0f} frames/s")

    return Progress(
        MofNCompleteColumn(),
        BarColumn(),
        FramesPerSecond(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
