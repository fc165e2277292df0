"""Names that do not exist, and those that were perhaps meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def close(wanted: str, existing: Iterable[str]) -> list[str]:
    """At most three of the existing names that are nearly the wanted one, whatever the case of their letters."""
    by_folded = {name.casefold(): name for name in reversed(list(existing))}
    return [by_folded[match] for match in get_close_matches(wanted.casefold(), by_folded, n=3, cutoff=0.6)]
