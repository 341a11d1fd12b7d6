"""XML from other people, whose entities are refused, and XML of our own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from data_tools.errors import DataError
from hybridtrack.errors import TrackFileError
from hybridtrack.export.xml_text import read_xml
from hybridtrack.sinks.output import ReplacedFile

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


def read_root(path: Path) -> Element:
    """Return the root of an XML file. Raises DataError when it cannot be read, or declares a DTD or entities."""
    try:
        root: Element = read_xml(path)
    except TrackFileError as error:
        raise DataError(str(error)) from error
    return root


def write_root(root: Element, path: Path) -> None:
    """Write an XML file, indented. Raises SinkError."""
    ElementTree.indent(root)
    ReplacedFile(path).write(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n", "")


def text_of(element: Element, path: str) -> str:
    """Return the text of an element below, without space round it; empty when there is none."""
    return (element.findtext(path) or "").strip()
