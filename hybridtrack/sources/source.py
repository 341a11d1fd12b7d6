"""What a source is, and the one that files and folders share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from types import TracebackType
from typing import Protocol, Self

from hybridtrack.types import Frame, VideoInfo

WAIT_SLICE_S = 0.2  #: how long a wait in the main thread lasts at most: on Windows no Ctrl-C is seen before it ends
_CLOSE_LIMIT_S = 1.0  #: how long ``close`` waits for a read that hangs


class Source(Protocol):
    """Yields the frames of a video, a folder or a camera once, in order, and knows what they are.

    Times start at 0 with the first picture of the recording and grow strictly; ``Frame.index`` counts the pictures of
    the recording from 0, so that a part of it (``start_s``) keeps the numbers that it has in the whole. A live source
    leaves gaps where it dropped frames.
    """

    @property
    def uri(self) -> str: ...
    @property
    def info(self) -> VideoInfo: ...
    @property
    def is_live(self) -> bool:
        """True when frames come at their own pace, and those that nobody took in time are dropped."""
        ...

    @property
    def dropped(self) -> int:
        """How many frames were captured and never yielded."""
        ...

    @property
    def expected_frames(self) -> int | None:
        """About how many frames there are to come in all, for who shows how far a run is; None when nothing tells."""
        ...

    @property
    def notes(self) -> list[str]:
        """One-line remarks for the user on what was read so far."""
        ...

    def __iter__(self) -> Iterator[Frame]: ...
    def __next__(self) -> Frame:
        """Return the next frame; may be called from another thread than the one that opened the source."""
        ...

    def close(self) -> None:
        """Release what the source holds; iteration is over. Again: nothing happens."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class RecordedSource:
    """A source that waits for its reader: every frame of a generator that releases what it holds when closed.

    ``first`` has been taken from ``frames`` already, so that whoever opens a source knows that there is a picture.
    """

    is_live = False
    dropped = 0

    def __init__(
        self,
        uri: str,
        info: VideoInfo,
        first: Frame,
        frames: Generator[Frame, None, None],
        *,
        expected_frames: int | None = None,
        notes: Callable[[], list[str]] = list,
    ) -> None:
        """Begin before ``first``; ``notes`` returns what there is to say by then."""
        self.uri = uri
        self.info = info
        self.expected_frames = expected_frames
        self._notes = notes
        self._first: Frame | None = first
        self._frames = frames
        self._lock = threading.Lock()  # a generator that runs in one thread cannot be closed from another

    @property
    def notes(self) -> list[str]:
        return self._notes()

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        with self._lock:
            if self._first is not None:
                frame, self._first = self._first, None  # keeping it would keep its pixels for the whole run
                return frame
            return next(self._frames)

    def close(self) -> None:
        """Release what the source holds, unless a read hangs in another thread: that one is left behind."""
        if not self._lock.acquire(timeout=_CLOSE_LIMIT_S):
            return
        try:
            self._first = None
            self._frames.close()
        finally:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
