"""Files that sinks write: refused before anything is made, then either growing line by line or replaced when whole."""

from __future__ import annotations

import glob
import os
import secrets
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from hybridtrack.errors import SinkError, StopRun, UsageError
from hybridtrack.sinks.standard_output import point_to_nowhere, results

STDOUT = "-"


def required_path(options: Mapping[str, Any], sink: str) -> str:
    """Return the option ``path`` of a sink. Raises UsageError when it is missing."""
    path: str | None = options.get("path")
    if not path:
        raise UsageError(f"the sink {sink!r} needs the file to write: give path=FILE")
    return path


def check_writable(path: str | Path, *, is_replaced: bool = False) -> None:
    """Raise SinkError when a file cannot be written, without making it.

    ``is_replaced``: it is made under another name in the same folder and renamed, so the folder must be writable and
    a device or a pipe cannot be the target.
    """
    asked = f"cannot write {str(path)!r}"
    file = Path(path)
    mode = None
    try:
        mode = file.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError) as error:  # a name that is too long; a NUL in it
        raise SinkError(f"{asked}: {getattr(error, 'strerror', None) or error}; give another name") from error
    if mode is not None and stat.S_ISDIR(mode):
        raise SinkError(f"{asked}: it is a folder; give the name of a file")
    if not file.parent.exists():
        raise SinkError(f"{asked}: there is no folder {str(file.parent)!r}; make it first")
    if not file.parent.is_dir():
        raise SinkError(f"{asked}: {str(file.parent)!r} is not a folder; give another one")
    if mode is not None and is_replaced and not stat.S_ISREG(mode):
        raise SinkError(f"{asked}: it is not an ordinary file; give the name of one")
    if mode is not None and not os.access(file, os.W_OK):
        raise SinkError(f"{asked}: no permission to write to it; give another name")
    if (mode is None or is_replaced) and not os.access(file.parent, os.W_OK | os.X_OK):
        raise SinkError(f"{asked}: no permission to write in {str(file.parent)!r}; give another folder")


def check_not_source(path: str | Path, source_uri: str) -> None:
    """Raise SinkError when an output is a file that the run reads: its video, or an image of its folder or glob."""
    try:
        written = os.stat(path)
    except (OSError, ValueError):  # it does not exist yet
        return
    for file in _files_of(source_uri):
        is_source = False
        with suppress(OSError, ValueError):  # the source is a camera or a stream, or an image is a dead link
            is_source = os.path.samestat(written, os.stat(file))
        if is_source:
            raise SinkError(f"cannot write {str(path)!r}: the run reads its pictures from it; give another name")


def _files_of(source_uri: str) -> Iterator[str]:
    """Yield the files that a source may read."""
    yield source_uri
    is_folder = os.path.isdir(source_uri)
    pattern = os.path.join(glob.escape(source_uri), "*") if is_folder else source_uri
    if is_folder or glob.has_magic(source_uri):
        from hybridtrack.sources.images import is_image  # here, as it brings OpenCV along

        yield from (name for name in glob.iglob(pattern, recursive=True) if is_image(Path(name)))


def cannot_write(path: str | Path, error: Exception) -> SinkError:
    """Return the one line for a write that failed."""
    reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
    return SinkError(f"cannot write {str(path)!r}: {reason}")


class LineFile:
    """A text file, or standard output for "-", that grows line by line and is readable when the run is killed.

    Every line is handed to the operating system at once (some microseconds), so that nobody who follows the file waits
    for the next frame. After a write that failed, the lines so far stay and the rest is dropped.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        self._stream: BinaryIO | None = None
        if self.path != STDOUT:
            check_writable(self.path)

    @property
    def is_open(self) -> bool:
        return self._stream is not None

    def open(self, source_uri: str) -> None:
        """Make the file, in place of one that exists. Raises SinkError."""
        if self.path == STDOUT:
            self._stream = results().buffer
            return
        check_not_source(self.path, source_uri)
        try:
            self._stream = open(self.path, "wb")  # noqa: SIM115 (closed by close)
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def write(self, line: bytes) -> None:
        """Append a line that ends in a newline. Raises SinkError when it fails, StopRun when nobody reads any more."""
        if self._stream is None:
            return
        try:
            self._stream.write(line)
            self._stream.flush()
        except BrokenPipeError as error:
            self._abandon()
            raise StopRun(f"nobody reads {self.path!r} any more") from error
        except OSError as error:
            self._abandon()
            raise SinkError(f"{cannot_write(self.path, error)}; the lines so far are kept") from error

    def close(self) -> None:
        """Close the file; once is enough. Raises SinkError."""
        stream, self._stream = self._stream, None
        if stream is None or self.path == STDOUT:
            return
        try:
            stream.close()
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def _abandon(self) -> None:
        """Let go of the file: closing tries once more to write what its buffer holds, and drops it when that fails."""
        stream, self._stream = self._stream, None
        if self.path == STDOUT:
            # what is left in the buffer would fail again when the interpreter ends
            point_to_nowhere(results().fileno())
        elif stream is not None:
            with suppress(OSError):
                stream.close()


class ReplacedFile:
    """A file that is made under a temporary name beside its place, and renamed when it is whole."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        check_writable(self.path, is_replaced=True)
        self.temporary = self.path.with_name(f".hybridtrack-{secrets.token_hex(4)}{self.path.suffix}")

    def open(self, source_uri: str) -> None:
        """Make the temporary file, empty. Raises SinkError."""
        check_not_source(self.path, source_uri)
        try:
            self.temporary.touch(exist_ok=False)
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def keep(self) -> None:
        """Rename the temporary file to its place. Raises SinkError."""
        try:
            os.replace(self.temporary, self.path)
        except OSError as error:
            self.discard()
            raise cannot_write(self.path, error) from error

    def write(self, content: bytes, source_uri: str) -> None:
        """Put all of its content in its place at once. Raises SinkError."""
        self.open(source_uri)
        try:
            self.temporary.write_bytes(content)
        except OSError as error:
            self.discard()
            raise cannot_write(self.path, error) from error
        self.keep()

    def discard(self) -> None:
        """Remove the temporary file, if there is one."""
        self.temporary.unlink(missing_ok=True)


@contextmanager
def whole_file(path: str, source_uri: str) -> Iterator[Callable[[bytes], None]]:
    """Give the function that appends to a file; it stands under its name once all went well, else there is none.

    For "-" it writes to standard output at once, and raises StopRun when nobody reads it. Raises SinkError.
    """
    if path == STDOUT:
        lines = LineFile(path)
        lines.open(source_uri)
        yield lines.write
        return
    file = ReplacedFile(path)
    file.open(source_uri)
    stream = file.temporary.open("wb")

    def write(content: bytes) -> None:
        try:
            stream.write(content)
            stream.flush()
        except OSError as error:
            raise cannot_write(path, error) from error

    try:
        yield write
        stream.close()
    except BaseException:
        with suppress(OSError):  # closing tries once more to write what its buffer holds
            stream.close()
        file.discard()
        raise
    file.keep()
