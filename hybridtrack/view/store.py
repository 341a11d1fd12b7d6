"""The frames of a track file for a page: their index at once, their lines on demand, also while the file grows."""

from __future__ import annotations

import os
import threading
from array import array
from pathlib import Path
from typing import Final, Protocol

import msgspec

from hybridtrack.errors import TrackFileError
from hybridtrack.track_file import read_tracks
from hybridtrack.view.index import TrackIndex
from hybridtrack.wire import FrameLine, HeaderLine, SummaryLine, decode_line

MAX_ROWS: Final = 1024  #: lines that are given out at once
_BATCH: Final = 500  #: lines that are read before others are let in
_POLL_S: Final = 0.2  #: how often a file is looked at that may have grown


class Store(Protocol):
    """Where a page gets its frames from."""

    @property
    def header(self) -> HeaderLine: ...

    def overview(self, since: int, generation: int) -> bytes:
        """Return what came since a row, packed; all of it to who knows another ``generation`` of the frames."""

    def lines(self, first: int, end: int) -> bytes:
        """Return the JSON lines of some rows; those that are not there are left out."""


class FileStore:
    """A track file; ``follow`` reads on in a thread until the summary is there. Raises TrackFileError.

    What is wrong with it after its header, ``notes`` tell, and the frames before that are there all the same. A file
    that is replaced by another run is read anew, under the next ``generation``.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.generation = 0
        self.problem = ""  #: why nothing more is read, if so
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._begin()

    def _begin(self) -> None:
        with read_tracks(self.path) as tracks:
            self.header = tracks.header
        self._stream = self.path.open("rb")
        self._offset = len(self._stream.readline())
        self._offsets = array("q")
        self._ends = array("q")
        self._identity = os.fstat(self._stream.fileno()).st_ino
        self._is_caught_up = False
        self._is_cut = False
        self.index = TrackIndex()
        self.problem = ""

    @property
    def is_whole(self) -> bool:
        """Whether the run came to its end, so that nothing more will be written."""
        return self.index.summary is not None or bool(self.problem)

    @property
    def notes(self) -> list[str]:
        """What is unusual about the file, one line each."""
        notes = [self.problem] if self.problem else []
        if self._is_cut:
            notes.append("the last line is not whole and is left out")
        if self.index.summary is not None and not self.index.summary.complete:
            notes.append("the run was interrupted")
        return notes

    def read(self) -> bool:
        """Take in the lines that have been written since, up to some hundred; say whether there may be more."""
        with self._lock:
            for _ in range(_BATCH):
                if self.is_whole or not self._read_line():
                    self._is_caught_up = True
                    return False
        return True

    def read_all(self) -> None:
        """Take in all that has been written so far."""
        while self.read():
            pass

    def follow(self) -> None:
        """Begin to read in a thread, and go on as the file grows, or when it is replaced."""
        self._thread = threading.Thread(target=self._follow, name="hybridtrack-view", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self._stream.close()

    def overview(self, since: int = 0, generation: int = 0) -> bytes:
        """Return what a page needs that knows the rows before ``since`` of this ``generation``."""
        with self._lock:
            return self.index.overview(
                min(since, self.index.row_count) if generation == self.generation else 0,
                generation=self.generation,
                is_growing=not self.is_whole,
                is_reading=not self._is_caught_up,
                notes=self.notes,
            )

    def lines(self, first: int, end: int) -> bytes:
        """Return the JSON lines of rows ``first`` to ``end``, the latter not included."""
        end = min(end, first + MAX_ROWS, len(self._offsets))
        if not 0 <= first < end:
            return b""
        with self._lock:
            self._stream.seek(self._offsets[first])
            return self._stream.read(self._ends[end - 1] - self._offsets[first])

    def _follow(self) -> None:
        while not self._stop.is_set():
            if self.read():
                continue
            if self._stop.wait(_POLL_S):
                return
            self._begin_anew_where_replaced()

    def _begin_anew_where_replaced(self) -> None:
        """Read from the start when the file is another one by now, or shorter; while that has no header yet: wait."""
        try:
            now = self.path.stat()
            if now.st_ino == self._identity and now.st_size >= self._offset:
                return
            with self._lock:
                before = self._stream
                self._begin()
                before.close()
                self.generation += 1
        except (OSError, TrackFileError):
            return

    def _read_line(self) -> bool:
        """Take in the next line; say whether there was a whole one."""
        self._stream.seek(self._offset)
        text = self._stream.readline()
        if not text:
            return False
        try:
            line = decode_line(text)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self._is_cut = not text.endswith(b"\n")
            if not self._is_cut:
                number = len(self._offsets) + 2
                self.problem = f"line {number} cannot be read, nor what follows: {str(error).splitlines()[0]}"
            return False
        self._is_cut = False
        if isinstance(line, FrameLine):
            self._offsets.append(self._offset)
            self._ends.append(self._offset + len(text))
            self.index.add(line)
        elif isinstance(line, SummaryLine):
            self.index.summary = line
        else:
            self.problem = "a second header stands in it: what follows is left out, expected one run a file"
        self._offset += len(text)
        return True
