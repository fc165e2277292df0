"""Keys and values of a topic's configuration: which the brokers know, and when two values are the same to Kafka."""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from decimal import Decimal
from difflib import get_close_matches

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")


def is_same_value(declared: str, observed: str | None) -> bool:
    """Say whether Kafka takes two values for the same.

    A broker parses what it is given, and gives back what it understood: "compact, delete" as "compact,delete", "0.50" as "0.5", "TRUE"
    as "true" (ConfigDef.parseType and convertToString in Kafka's clients).
    """
    return observed is not None and _understood(declared) == _understood(observed)


def _understood(value: str) -> list[Decimal | str]:
    return [_scalar(part.strip()) for part in value.split(",")]


def _scalar(text: str) -> Decimal | str:
    if _NUMBER.fullmatch(text):
        return Decimal(text)
    return text.lower() if text.lower() in ("true", "false") else text


def unknown_keys(keys: Iterable[str], known: Set[str]) -> list[str]:
    """Return the keys that the brokers do not know; none when it is not known which they know."""
    return sorted(key for key in keys if key not in known) if known else []


def about_unknown_keys(keys: Iterable[str], known: Set[str]) -> str:
    """Say which keys the brokers do not know, and which were perhaps meant."""
    return " ".join(_about_unknown(key, known) for key in keys)


def _about_unknown(key: str, known: Set[str]) -> str:
    # The ending carries the meaning (log.retention.ms, retention_ms): a broker's name for it is nearly the topic's.
    plain = key.lower().replace("_", ".").replace("-", ".").removeprefix("log.")
    close = [plain] if plain in known else get_close_matches(plain, sorted(known), n=3, cutoff=0.75)
    hint = f"did you mean {' or '.join(close)}?" if close else "docs/topics.md says how to list those that it does."
    return f"config: {key} is no topic configuration that this Kafka knows; {hint}"
