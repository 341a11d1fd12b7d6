"""What hands did, as intervals over the video: WebVTT captions for players, and a document for ELAN."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hybridtrack.export.format import ExportFormat, Recording
from hybridtrack.ledger.captions import webvtt_text
from hybridtrack.ledger.elan import eaf_text
from hybridtrack.ledger.interactions import Interaction, Ledger

_HELD: Final = frozenset({"numbers of tracks", "classes", "times", "relations", "events"})


def write_vtt(recording: Recording, path: Path) -> None:
    """Write a caption for each touch, hold and visit."""
    path.write_text(webvtt_text(_interactions(recording)), encoding="utf-8", newline="\n")


def write_elan(recording: Recording, path: Path) -> None:
    """Write an annotation for each touch, hold and visit (EAF 3.0), with the way to the video where there is one."""
    text = eaf_text(
        _interactions(recording),
        date=datetime.fromtimestamp(recording.path.stat().st_mtime, UTC),
        media=recording.video,
        folder=recording.folder,
    )
    path.write_text(text, encoding="utf-8", newline="\n")


def _interactions(recording: Recording) -> list[Interaction]:
    ledger = Ledger()
    return [one for line in recording.frames for one in ledger.add(line)] + ledger.finish()


VTT = ExportFormat(
    name="vtt",
    suffix=".vtt",
    summary="WebVTT captions of touches, holds and visits, for video players",
    holds=_HELD,
    write=write_vtt,
    is_of_interactions=True,
)
ELAN = ExportFormat(
    name="elan",
    suffix=".eaf",
    summary="touches, holds and visits for ELAN (EAF 3.0)",
    holds=_HELD,
    write=write_elan,
    is_of_interactions=True,
)
