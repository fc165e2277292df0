"""Text that Slack shows as it stands."""

from __future__ import annotations

FENCE = "```"


def escaped(text: str) -> str:
    """The text with the three characters that Slack gives a meaning replaced, as its documentation asks."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def one_line(text: str, longest: int) -> str:
    """The text without line breaks or runs of white space, cut to `longest` characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= longest else flat[: longest - 1] + "…"
