"""XML, written as it comes and read without trusting it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import TextIOBase
from pathlib import Path
from typing import Any
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

from hybridtrack.errors import TrackFileError
from hybridtrack.ledger.milliseconds import printable


class XmlWriter:
    """Writes elements with their indentation; memory does not grow with the document."""

    def __init__(self, stream: TextIOBase) -> None:
        self._xml = XMLGenerator(stream, encoding="utf-8", short_empty_elements=True)
        self._xml.startDocument()
        self._depth = 0

    @contextmanager
    def element(self, name: str, /, **attributes: object) -> Iterator[None]:
        """An element around those that are written meanwhile."""
        self._indent()
        self._xml.startElement(name, _texts(attributes))
        self._end_line()
        self._depth += 1
        yield
        self._depth -= 1
        self._indent()
        self._xml.endElement(name)
        self._end_line()

    def leaf(self, name: str, text: object = "", /, **attributes: object) -> None:
        """An element with nothing but text."""
        self._indent()
        self._xml.startElement(name, _texts(attributes))
        if text != "":
            self._xml.characters("\n".join(map(printable, str(text).split("\n"))))
        self._xml.endElement(name)
        self._end_line()

    def _indent(self) -> None:
        self._xml.ignorableWhitespace("  " * self._depth)

    def _end_line(self) -> None:
        self._xml.ignorableWhitespace("\n")


def _texts(attributes: Mapping[str, object]) -> AttributesImpl[str]:
    return AttributesImpl({name: printable(str(value)) for name, value in attributes.items()})


def read_xml(path: Path) -> Any:
    """Return the root element of a file from elsewhere; entities, which can grow without bound, are refused.

    Raises TrackFileError.
    """
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import ParseError, parse

    try:
        return parse(path, forbid_dtd=True).getroot()
    except OSError as error:
        raise TrackFileError(f"cannot read {str(path)!r}: {error.strerror}") from error
    except DefusedXmlException as error:
        raise TrackFileError(f"{str(path)!r} declares a DTD or entities, which annotations have no use for") from error
    except (ParseError, ValueError) as error:
        raise TrackFileError(f"{str(path)!r} is no XML that can be read: {' '.join(str(error).split())}") from error
