"""Text of others' making, as it may be shown."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return the text with what would steer a terminal, or end a line, spelled out."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
