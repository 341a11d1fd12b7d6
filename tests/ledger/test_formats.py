"""Totals and interactions in each format, read back by somebody else's reader or by the format's own grammar."""

from __future__ import annotations

import csv
import io
import re
import warnings
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from hybridtrack.ledger.captions import webvtt_text
from hybridtrack.ledger.elan import eaf_text
from hybridtrack.ledger.interactions import Interaction, Ledger, Pair
from hybridtrack.ledger.table import csv_text, plain_text
from tests.ledger.frames import event, frame, ledger_of

FRAMES = [
    frame(
        1.0,
        {(1, 3): "holding", (3, 4): "on_top_of"},
        [event("touch_start", 0.5, object=3), event("pick_up", 1.0, object=3)],
    ),
    frame(1.1, {(1, 3): "holding", (3, 4): "on_top_of"}, [event("enter", 1.1, zone='"a", b')]),
    frame(1.2, {(1, 3): "overlapping"}, [event("touch_end", 1.1834, object=3), event("leave", 1.2, zone='"a", b')]),
]
MADE = datetime(2026, 11, 23, 12, 30, 5, tzinfo=UTC)

CLOCK = r"(\d{2,}):([0-5]\d):([0-5]\d)\.(\d{3})"
CUE = re.compile(rf"{CLOCK} --> {CLOCK}\n((?:[^<&\n]|&(?:amp|lt|gt);)+)\n")


def cues_of(text: str) -> list[tuple[int, int, str]]:
    """Return start and end, ms, and text of each cue of a WebVTT file that is nothing but cues; asserts its rules."""
    head, *blocks = text.split("\n\n")
    assert head == "WEBVTT" or (head, blocks) == ("WEBVTT\n", [])
    cues = []
    for number, block in enumerate(blocks):
        found = CUE.fullmatch(block if number == len(blocks) - 1 else f"{block}\n")
        assert found, block
        *clock, payload = found.groups()
        assert "-->" not in payload
        h1, m1, s1, ms1, h2, m2, s2, ms2 = map(int, clock)
        cues.append((((h1 * 60 + m1) * 60 + s1) * 1000 + ms1, ((h2 * 60 + m2) * 60 + s2) * 1000 + ms2, payload))
    assert [start for start, _, _ in cues] == sorted(start for start, _, _ in cues)
    assert all(end > start for start, end, _ in cues)
    return cues


def interaction(start_s: float, end_s: float, *, kind: str = "hold", object_: str = "mug 3") -> Interaction:
    pair = Pair(subject_id=1, object_id=3)
    return Interaction(kind=kind, pair=pair, subject="hand 1", object=object_, start_s=start_s, end_s=end_s)


def test_table_is_read_back_from_comma_separated_values() -> None:
    text = csv_text(ledger_of(FRAMES)[0].totals)
    assert list(csv.DictReader(io.StringIO(text, newline=""))) == [
        {
            **{"subject": "1", "subject_class": "hand", "object": "", "object_class": "", "zone": '"a", b'},
            **{"first_s": "1.100", "last_s": "1.200", "touches": "0", "touching_s": "0.000"},
            **{"holds": "0", "holding_s": "0.000", "visits": "1", "dwell_s": "0.100"},
            **{"on_top_of": "0", "on_top_of_s": "0.000"},
        },
        {
            **{"subject": "1", "subject_class": "hand", "object": "3", "object_class": "mug", "zone": ""},
            **{"first_s": "0.500", "last_s": "1.183", "touches": "1", "touching_s": "0.683"},
            **{"holds": "1", "holding_s": "0.100", "visits": "0", "dwell_s": "0.000"},
            **{"on_top_of": "0", "on_top_of_s": "0.000"},
        },
        {
            **{"subject": "3", "subject_class": "mug", "object": "4", "object_class": "book", "zone": ""},
            **{"first_s": "1.000", "last_s": "1.100", "touches": "0", "touching_s": "0.000"},
            **{"holds": "0", "holding_s": "0.000", "visits": "0", "dwell_s": "0.000"},
            **{"on_top_of": "1", "on_top_of_s": "0.100"},
        },
    ]


def test_columns_of_zones_and_of_plugins_are_there_when_they_are_needed_alone() -> None:
    text = csv_text([])
    assert text == (
        "subject,subject_class,object,object_class,zone,first_s,last_s,touches,touching_s,holds,holding_s\r\n"
    )


def test_table_for_people_is_aligned() -> None:
    assert plain_text(ledger_of([*FRAMES[:1], frame(12.0)])[0].totals) == (
        "subject  object  first s  last s  touches  touching s  holds  holding s  on top of  on top of s\n"
        "hand 1   mug 3      0.50    1.00        1        0.50      1       0.00          0         0.00\n"
        "mug 3    book 4     1.00    1.00        0        0.00      0       0.00          1         0.00\n"
    )


def test_table_of_nothing_says_so() -> None:
    assert plain_text(Ledger().totals) == "no touches, holds or visits\n"


def test_captions_are_cues_in_order_of_time() -> None:
    assert cues_of(webvtt_text(ledger_of(FRAMES)[1])) == [
        (500, 1183, "hand 1 touches mug 3"),
        (1000, 1100, "hand 1 holds mug 3"),
        (1000, 1100, "mug 3 on top of book 4"),
        (1100, 1200, 'hand 1 is in "a", b'),
    ]


@pytest.mark.parametrize(
    ("one", "cue"),
    [
        (interaction(3723.4567, 360000.0), (3723457, 360000000, "hand 1 holds mug 3")),
        (interaction(2.0, 2.0), (2000, 2001, "hand 1 holds mug 3")),
        (interaction(-0.1, 0.0), (0, 1, "hand 1 holds mug 3")),
        (interaction(0, 1, object_="<b>&-->\n\n3"), (0, 1000, "hand 1 holds &lt;b&gt;&amp;--&gt;\ufffd\ufffd3")),
    ],
)
def test_caption_keeps_the_rules_of_its_format(one: Interaction, cue: tuple[int, int, str]) -> None:
    assert cues_of(webvtt_text([one])) == [cue]


def test_captions_of_nothing_are_an_empty_file() -> None:
    assert cues_of(webvtt_text([])) == []


def test_annotations_are_read_back_by_a_reader_of_elan_files(tmp_path: Path) -> None:
    from pympi.Elan import Eaf

    video = tmp_path / "video/table 1.mp4"
    path = tmp_path / "out/table.eaf"
    path.parent.mkdir()
    path.write_text(
        eaf_text(ledger_of(FRAMES)[1], date=MADE, media=video, folder=path.parent), encoding="utf-8", newline="\n"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        document = Eaf(path)
    tiers = {name: document.get_annotation_data_for_tier(name) for name in document.get_tier_names()}
    assert tiers == {
        'hand 1 is in "a", b': [(1100, 1200, "is in")],
        "hand 1 holds mug 3": [(1000, 1100, "holds")],
        "hand 1 touches mug 3": [(500, 1183, "touches")],
        "mug 3 on top of book 4": [(1000, 1100, "on top of")],
    }
    assert document.get_parameters_for_tier("hand 1 holds mug 3")["PARTICIPANT"] == "hand 1"
    assert document.media_descriptors == [
        {
            "MEDIA_URL": f"{tmp_path.resolve().as_uri()}/video/table%201.mp4",
            "MIME_TYPE": "video/mp4",
            "RELATIVE_MEDIA_URL": "../video/table 1.mp4",
        }
    ]
    assert document.adocument["DATE"] == "2026-11-23T12:30:05+00:00"


def test_annotations_have_the_structure_of_the_format() -> None:
    spans = [interaction(1.0, 1.0), interaction(1.0, 1.2), interaction(0.5, 0.75), interaction(0, 1, object_="\x00<3")]
    document = ElementTree.fromstring(eaf_text(spans, date=MADE))
    assert document.attrib["FORMAT"] == document.attrib["VERSION"] == "3.0"
    assert [child.tag for child in document] == ["HEADER", "TIME_ORDER", "TIER", "LINGUISTIC_TYPE"]
    header, order, tier, kind = document
    assert header.attrib["TIME_UNITS"] == "milliseconds"
    assert [(child.tag, child.text) for child in header] == [("PROPERTY", "4")]
    assert tier.attrib["TIER_ID"] == "hand 1 holds \ufffd<3"
    assert tier.attrib["LINGUISTIC_TYPE_REF"] == kind.attrib["LINGUISTIC_TYPE_ID"]
    assert kind.attrib["TIME_ALIGNABLE"] == "true"
    times = {slot.attrib["TIME_SLOT_ID"]: int(slot.attrib["TIME_VALUE"]) for slot in order}
    assert list(times.values()) == sorted(times.values())
    assert len(times) == 8
    annotations = [annotation[0].attrib for annotation in tier]
    assert len({one["ANNOTATION_ID"] for one in annotations}) == 4
    found = [(times[one["TIME_SLOT_REF1"]], times[one["TIME_SLOT_REF2"]]) for one in annotations]
    assert found == [(0, 1000), (1000, 1001), (1001, 1002), (1002, 1200)]


def test_annotations_of_nothing_are_a_document_without_tiers() -> None:
    document = ElementTree.fromstring(eaf_text([], date=MADE))
    assert [child.tag for child in document] == ["HEADER", "TIME_ORDER", "LINGUISTIC_TYPE"]
