"""Interactions as an ELAN annotation document (EAF 3.0), which behavioural researchers open beside the video."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from pathlib import Path
from xml.etree import ElementTree

from hybridtrack.ledger.interactions import Interaction
from hybridtrack.ledger.milliseconds import printable, span_ms

_TYPE = "interaction"
_SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"


def eaf_text(
    interactions: Iterable[Interaction], *, date: datetime, media: Path | None = None, folder: Path = Path()
) -> str:
    """Return an EAF document: a tier for each kind of interaction of each pair, an annotation each time.

    date: when it was made, with its time zone. media: the video, None when there is none; folder: where the document
    will be, for the way from there to the video.
    """
    document = ElementTree.Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": "hybridtrack",
            "DATE": date.isoformat(timespec="seconds"),
            "FORMAT": "3.0",
            "VERSION": "3.0",
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:noNamespaceSchemaLocation": _SCHEMA,
        },
    )
    header = ElementTree.SubElement(document, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    if media is not None:
        ElementTree.SubElement(header, "MEDIA_DESCRIPTOR", _media(media, folder))
    order = ElementTree.SubElement(document, "TIME_ORDER")
    tiers = _tiers(interactions)
    count = 0
    for name, participant, value, spans in tiers:
        tier = ElementTree.SubElement(
            document, "TIER", LINGUISTIC_TYPE_REF=_TYPE, PARTICIPANT=participant, TIER_ID=name
        )
        for span in spans:
            count += 1
            slots = [f"ts{2 * count - 1}", f"ts{2 * count}"]
            for slot, ms in zip(slots, span, strict=True):
                ElementTree.SubElement(order, "TIME_SLOT", TIME_SLOT_ID=slot, TIME_VALUE=str(ms))
            aligned = ElementTree.SubElement(
                ElementTree.SubElement(tier, "ANNOTATION"),
                "ALIGNABLE_ANNOTATION",
                ANNOTATION_ID=f"a{count}",
                TIME_SLOT_REF1=slots[0],
                TIME_SLOT_REF2=slots[1],
            )
            ElementTree.SubElement(aligned, "ANNOTATION_VALUE").text = value
    ElementTree.SubElement(header, "PROPERTY", NAME="lastUsedAnnotationId").text = str(count)
    order[:] = sorted(order, key=lambda slot: int(slot.attrib["TIME_VALUE"]))
    ElementTree.SubElement(
        document, "LINGUISTIC_TYPE", GRAPHIC_REFERENCES="false", LINGUISTIC_TYPE_ID=_TYPE, TIME_ALIGNABLE="true"
    )
    ElementTree.indent(document)
    body = ElementTree.tostring(document, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _tiers(interactions: Iterable[Interaction]) -> list[tuple[str, str, str, list[tuple[int, int]]]]:
    """Return name, participant, value and spans, ms, of each tier; spans of a tier do not overlap."""
    tiers = []
    in_order = sorted(interactions, key=lambda one: (one.pair, one.kind, one.start_s))
    for _, group in groupby(in_order, key=lambda one: (one.pair, one.kind)):
        members = list(group)
        spans: list[tuple[int, int]] = []
        for one in members:
            start, end = span_ms(one)
            start = max(start, spans[-1][1] if spans else 0)
            spans.append((start, max(end, start + 1)))
        first = members[0]
        tiers.append((printable(first.text), printable(first.subject), printable(first.verb), spans))
    return tiers


def _media(media: Path, folder: Path) -> dict[str, str]:
    """Return what ELAN is told of the video: where it is, what it is, and the way to it from the document."""
    path = media.resolve()
    way = Path(os.path.relpath(path, folder.resolve())).as_posix()
    return {
        "MEDIA_URL": path.as_uri(),
        "MIME_TYPE": mimetypes.guess_type(path.name)[0] or "unknown",
        "RELATIVE_MEDIA_URL": way if way.startswith("../") else f"./{way}",
    }
