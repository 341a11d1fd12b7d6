"""Interactions as WebVTT: captions that a player shows over the video, each as long as it lasted."""

from __future__ import annotations

from collections.abc import Iterable

from hybridtrack.ledger.interactions import Interaction
from hybridtrack.ledger.milliseconds import printable, span_ms

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def webvtt_text(interactions: Iterable[Interaction]) -> str:
    """Return a WebVTT file: one cue an interaction, in the order of their beginnings, at least a millisecond long."""
    spans = sorted((*span_ms(one), one.text) for one in interactions)
    cues = (
        f"\n{_clock(start)} --> {_clock(end)}\n{printable(text).translate(_ESCAPES)}\n" for start, end, text in spans
    )
    return "WEBVTT\n" + "".join(cues)


def _clock(ms: int) -> str:
    """Return a time as hours, minutes, seconds and milliseconds: 00:01:02.345."""
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{ms:03}"
