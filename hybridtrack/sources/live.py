"""Cameras and streams: frames come at their own pace, and whoever reads gets the newest one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from fractions import Fraction
from types import TracebackType
from typing import Final, Self

from hybridtrack.errors import HybridTrackError, SourceError
from hybridtrack.sources.source import WAIT_SLICE_S
from hybridtrack.types import Frame, VideoInfo

FIRST_FRAME_LIMIT_S: Final = 10.0  #: how long a camera or a stream may take for its first frame
_CLOSE_LIMIT_S: Final = 2.0  #: how long ``close`` waits for a read that hangs


class LiveSource:
    """The frames of a generator that runs in a thread of its own; one that is not taken gives way to the next.

    So reading never lags behind the camera, however slow the reader is. ``Frame.index`` counts captured frames: a gap
    shows what was dropped. When the generator ends, so do the frames; what it raises is raised after the last of them,
    and where it is an error that the user can mend, ``notes`` tell it too.
    """

    is_live = True
    expected_frames: int | None = None
    info: VideoInfo

    def __init__(
        self,
        uri: str,
        frames: Generator[Frame, None, None],
        *,
        fps: Fraction | None = None,
        notes: Callable[[], list[str]] = list,
        first_frame_limit_s: float = FIRST_FRAME_LIMIT_S,
    ) -> None:
        """Start reading and wait for the first frame; ``notes`` returns what there is to say by then.

        Raises SourceError when there is none in time.
        """
        self.uri = uri
        self._notes = notes
        self.dropped = 0
        self._frames = frames
        self._newest: Frame | None = None
        self._is_over = self._is_closed = False
        self._failure: Exception | None = None
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, name=f"hybridtrack-source {uri}", daemon=True)
        self._reader.start()
        with self._changed:
            self._changed.wait_for(lambda: self._newest is not None or self._is_over, first_frame_limit_s)
            first = self._newest
        if first is None:
            failure = self._failure
            self.close()
            if failure is not None and not isinstance(failure, HybridTrackError):
                raise failure
            why = "; ".join(self.notes) or f"none came within {first_frame_limit_s:g} s"
            raise SourceError(
                f"no frame from {uri!r}: {why}; check that it is sending and that nobody else uses it"
            ) from failure
        width_px, height_px = first.size_px
        self.info = VideoInfo(width_px=width_px, height_px=height_px, fps=fps)

    def _read(self) -> None:
        """Keep the newest frame until the generator ends or the source is closed."""
        try:
            for frame in self._frames:
                with self._changed:
                    if self._is_over:
                        break
                    self.dropped += self._newest is not None
                    self._newest = frame
                    self._changed.notify_all()
        except Exception as error:  # noqa: BLE001 - raised again where the frames are taken
            self._failure = error
        finally:
            self._frames.close()
            with self._changed:
                self._is_over = True
                self._changed.notify_all()

    @property
    def notes(self) -> list[str]:
        """One-line remarks for the user on what was read so far."""
        why = [str(self._failure)] if isinstance(self._failure, HybridTrackError) else []
        return [*self._notes(), *why]

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        with self._changed:
            while not self._changed.wait_for(lambda: self._newest is not None or self._is_over, WAIT_SLICE_S):
                pass
            frame, self._newest = self._newest, None
        if frame is not None:
            return frame
        if self._failure is not None and not self._is_closed:
            raise self._failure
        raise StopIteration

    def close(self) -> None:
        with self._changed:
            self._newest = None
            self._is_over = self._is_closed = True
            self._changed.notify_all()
        self._reader.join(_CLOSE_LIMIT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
