"""What caption and annotation formats ask of times and texts: whole milliseconds, and characters that can be shown."""

from __future__ import annotations

from hybridtrack.ledger.interactions import Interaction


def span_ms(interaction: Interaction) -> tuple[int, int]:
    """Return begin and end in whole milliseconds from 0, the end at least one after the begin."""
    start = max(0, round(interaction.start_s * 1000))
    return start, max(start + 1, round(interaction.end_s * 1000))


def printable(text: str) -> str:
    """Return ``text`` with a replacement character in place of each that cannot be shown, such as a line break."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)
