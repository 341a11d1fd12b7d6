"""XML, written as it comes and read without trusting it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO
from xml.sax.saxutils import escape, quoteattr

from hybridtrack.errors import TrackFileError
from hybridtrack.ledger.milliseconds import printable


class XmlWriter:
    """Writes elements with their indentation, one a line; memory does not grow with the document."""

    def __init__(self, stream: TextIO) -> None:
        self._write = stream.write
        self._indent = ""
        self._write('<?xml version="1.0" encoding="utf-8"?>\n')

    @contextmanager
    def element(self, name: str, /, **attributes: object) -> Iterator[None]:
        """An element around those that are written meanwhile."""
        outer = self._indent
        self._write(f"{outer}<{name}{_texts(attributes)}>\n")
        self._indent += "  "
        yield
        self._indent = outer
        self._write(f"{outer}</{name}>\n")

    def leaf(self, name: str, content: object = "", /, **attributes: object) -> None:
        """An element with nothing but text."""
        text = escape("\n".join(map(printable, str(content).split("\n"))))
        end = f">{text}</{name}>" if text else "/>"
        self._write(f"{self._indent}<{name}{_texts(attributes)}{end}\n")


def _texts(attributes: Mapping[str, object]) -> str:
    return "".join(f" {name}={_quoted(value)}" for name, value in attributes.items())


def _quoted(value: object) -> str:
    return f'"{value}"' if isinstance(value, int | float) else quoteattr(printable(str(value)))


def read_xml(path: Path) -> Any:
    """Return the root element of a file from elsewhere, as ``elements`` reads it. Raises TrackFileError."""
    (root,) = elements(path, "")
    return root


def elements(path: Path, name: str) -> Iterator[Any]:
    """Yield the elements called ``name``, each emptied when the next is asked for, and last the root.

    Entities, which can grow without bound, are refused. Raises TrackFileError.
    """
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import ParseError, iterparse

    root = None
    try:
        with path.open("rb") as file:
            for event, element in iterparse(file, events=("start", "end"), forbid_dtd=True):
                if root is None:
                    root = element
                if event == "end" and element.tag == name and element is not root:
                    yield element
                    element.clear()
    except OSError as error:
        raise TrackFileError(f"cannot read {str(path)!r}: {error.strerror}") from error
    except DefusedXmlException as error:
        raise TrackFileError(f"{str(path)!r} declares a DTD or entities, which annotations have no use for") from error
    except (ParseError, ValueError) as error:
        if isinstance(error, TrackFileError):  # of who asked
            raise
        raise TrackFileError(f"{str(path)!r} is no XML that can be read: {' '.join(str(error).split())}") from error
    assert root is not None  # an empty file is a ParseError
    yield root
