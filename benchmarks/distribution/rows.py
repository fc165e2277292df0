"""The table's rows."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """`mb_per_s`: keys and values before compression, in millions of bytes; None where something does not apply."""

    case: str
    filters: int | None
    cutouts: bool
    delivery: str | None = None
    alerts_per_s: float | None = None
    messages_per_s: float | None = None
    mb_per_s: float | None = None
    cpu_s_per_1000: float | None = None
    peak_rss_mib: float | None = None

    def to_dict(self) -> dict[str, Any]:
        return {name: round(value, 1) if isinstance(value, float) else value for name, value in asdict(self).items()}
