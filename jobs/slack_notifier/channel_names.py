"""Which channel a class of alerts has."""

from __future__ import annotations

UNKNOWN = "Unknown"  # the class of alerts that have none


def of_class(name: str) -> str | None:
    """The class's letters in lower case, as in `#ebwuma` for `EB*WUMa`; None for a class without letters.

    Classes that differ in other characters only share a channel.
    """
    letters = "".join(character for character in name if character.isalpha()).lower()
    return f"#{letters}" if letters else None
