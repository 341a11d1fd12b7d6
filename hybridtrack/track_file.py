"""Reading a JSON Lines track file: header first, then frame by frame, also when it was cut off."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO, Self

import msgspec

from hybridtrack.errors import TrackFileError
from hybridtrack.wire import FORMAT, VERSION, FrameLine, HeaderLine, Line, SummaryLine, decode_line

_HEADER_BYTES = 1 << 24  #: a first line longer than this is no header; keeps a foreign file out of memory


class _Claim(msgspec.Struct):
    """What a first line says of itself, whatever else stands in it."""

    type: str | None = None
    format: str | None = None
    version: int | None = None


class TrackFile:
    """A track file that is being read; iterating it yields its frames, one at a time, in order, once.

    ``header`` is there from the start. After the last frame, ``summary`` is the summary, or None when the file has
    none, and ``is_cut`` says whether a last line was left out because it is not whole. Raises TrackFileError on what
    is not a track file of a version that is known, and on a line in the middle that cannot be read.

    Of a file that is still being written it yields the frames that are there when it gets to the end, and ends.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self.summary: SummaryLine | None = None
        self.is_cut = False
        self._line_count = 0
        try:
            self._stream: BinaryIO = open(self.path, "rb")  # noqa: SIM115 (closed by close)
        except OSError as error:
            raise TrackFileError(f"cannot read the track file {self.path!r}: {error.strerror}") from error
        try:
            self.header = self._read_header()
        except BaseException:
            self._stream.close()
            raise

    def __iter__(self) -> Iterator[FrameLine]:
        for text in self._stream:
            line = self._line(text)
            if line is None:
                return
            if self.summary is not None or isinstance(line, HeaderLine):
                kind = "a second header" if isinstance(line, HeaderLine) else "more after its summary"
                raise TrackFileError(f"line {self._line_count} of {self.path!r} is {kind}: expected one run a file")
            if isinstance(line, SummaryLine):
                self.summary = line
            else:
                yield line

    def close(self) -> None:
        """Close the file; frames that were not read yet are gone."""
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _read_header(self) -> HeaderLine:
        text = self._stream.readline(_HEADER_BYTES)
        if not text:
            raise TrackFileError(f"the track file {self.path!r} is empty: the run ended before its header was written")
        try:
            claim = msgspec.json.decode(text, type=_Claim)
        except (msgspec.DecodeError, UnicodeDecodeError):
            claim = _Claim()
        if claim.type != "header" or claim.format != FORMAT:
            found = "a header that is cut off" if text.startswith(b'{"type":"header"') else repr(text[:40])
            raise TrackFileError(f"{self.path!r} is not a track file: expected a header of {FORMAT}, found {found}")
        if claim.version != VERSION:
            raise TrackFileError(
                f"{self.path!r} is version {claim.version} of {FORMAT}, this hybridtrack reads version {VERSION}: "
                "upgrade hybridtrack"
            )
        header = self._line(text)
        assert isinstance(header, HeaderLine)
        return header

    def _line(self, text: bytes) -> Line | None:
        """Return the next line, or None when it is the last one and not whole."""
        self._line_count += 1
        try:
            return decode_line(text)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            if self._line_count > 1 and not text.endswith(b"\n"):
                self.is_cut = True
                return None
            reason = str(error).splitlines()[0]
            raise TrackFileError(f"line {self._line_count} of {self.path!r} cannot be read: {reason}") from error


def read_tracks(path: str | os.PathLike[str]) -> TrackFile:
    """Return a track file, its header read: ``with read_tracks(path) as tracks: for frame in tracks: …``.

    Raises TrackFileError when there is no such file, or when it is empty, foreign or of a future version.
    """
    return TrackFile(path)
