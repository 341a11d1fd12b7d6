"""Standard output for results alone: what plugins and native libraries print goes to standard error meanwhile.

Only the command line reserves it. In a program of one's own nothing is touched: results go where ``sys.stdout`` does.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TextIO

STDOUT_FD, STDERR_FD = 1, 2

_reserved: ContextVar[TextIO | None] = ContextVar("reserved for results", default=None)


def results() -> TextIO:
    """Return the stream that results go to: what was standard output before it was reserved."""
    return _reserved.get() or sys.stdout


@contextmanager
def reserved_for_results() -> Iterator[None]:
    """Keep standard output for what is written to ``results()``, and send all else that is printed to standard error.

    That holds for ``print``, for native code that writes to file descriptor 1, and for child processes. Within itself
    it does nothing.
    """
    outer = sys.stdout
    if _reserved.get() is not None or outer is None:  # None: the program has no standard output
        yield
        return
    outer.flush()
    kept = _duplicate(STDOUT_FD)
    # where somebody has replaced sys.stdout, as a test does, they get the results
    stream = _text_stream(kept, outer) if kept is not None and _descriptor(outer) == STDOUT_FD else outer
    if kept is None:
        sys.stdout = sys.stderr
    else:
        _point_to_stderr(STDOUT_FD)
        sys.stdout = _text_stream(STDOUT_FD, sys.stderr or outer)
    token = _reserved.set(stream)
    try:
        yield
    finally:
        _reserved.reset(token)
        with suppress(OSError, ValueError):  # somebody closed it
            sys.stdout.flush()
        sys.stdout = outer
        if kept is not None:
            os.dup2(kept, STDOUT_FD)
            _flush_or_drop(stream, kept)
            os.close(kept)


def end_of_results() -> None:
    """Send to standard error what is still printed while the process ends: by exit handlers, and from C's buffers."""
    if sys.stdout is not None:
        sys.stdout.flush()
        if _descriptor(sys.stdout) == STDOUT_FD:
            _point_to_stderr(STDOUT_FD)


def point_to_nowhere(descriptor: int) -> None:
    """Let a file descriptor take all that is written to it and keep nothing."""
    with suppress(OSError), open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), descriptor)


def _point_to_stderr(descriptor: int) -> None:
    try:
        os.dup2(STDERR_FD, descriptor)
    except OSError:  # there is no standard error
        point_to_nowhere(descriptor)


def _duplicate(descriptor: int) -> int | None:
    """Return another descriptor of the same file, which child processes do not get; None when it is closed."""
    try:
        other = os.dup(descriptor)
    except OSError:
        return None
    if other > STDERR_FD:
        return other
    try:  # a standard stream is closed: under its number, results would be taken for it
        return _duplicate(descriptor)
    finally:
        os.close(other)


def _descriptor(stream: TextIO) -> int | None:
    try:
        return stream.fileno()
    except (OSError, ValueError, AttributeError):  # it is in memory, closed, or only looks like a file
        return None


def _text_stream(descriptor: int, like: TextIO) -> TextIO:
    """Return a stream that writes to ``descriptor`` line by line, in the encoding of another; it never closes it."""
    encoding, errors = getattr(like, "encoding", None), getattr(like, "errors", None)
    return open(descriptor, "w", buffering=1, encoding=encoding, errors=errors, closefd=False)


def _flush_or_drop(stream: TextIO, descriptor: int) -> None:
    """Empty a stream; what cannot be written is dropped, so that it does not fail again when the stream goes."""
    try:
        stream.flush()
    except OSError:  # whoever wrote it was told
        point_to_nowhere(descriptor)
        stream.flush()
