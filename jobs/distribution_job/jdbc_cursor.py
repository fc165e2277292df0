"""How far a table has been read by its cursor column, so that no row is lost and none is there twice.

The cursor only grows, but it is not unique, and rows may become visible after others with a larger one: a transaction takes
its time, a number from a sequence, and is committed later. So some way behind the largest cursor is read again each time,
and what was read there is remembered.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Identity = tuple[int, str]
"""A row: its cursor and its key columns, as text."""


@dataclass(frozen=True)
class Position:
    """`cursor`: the largest that was read; `floor`: rows below it are never read; `seen`: what was read from `low` on."""

    cursor: int | None = None
    floor: int | None = None
    seen: frozenset[Identity] = frozenset()

    def low(self, late: int) -> int | None:
        """The smallest cursor to look at, when rows may come so late; None: all."""
        if self.cursor is None:
            return self.floor
        low = self.cursor - late
        return low if self.floor is None else max(low, self.floor)

    def after(self, rows: Iterable[Identity], late: int) -> Position:
        """Where it is when these rows have been read too."""
        seen = self.seen.union(rows)
        largest = max((cursor for cursor, _ in seen), default=None)
        known = [cursor for cursor in (self.cursor, largest) if cursor is not None]
        position = Position(max(known, default=None), self.floor)
        low = position.low(late)
        return Position(position.cursor, self.floor, frozenset(row for row in seen if low is None or row[0] >= low))

    def to_json(self) -> dict[str, Any]:
        return {"cursor": self.cursor, "floor": self.floor, "seen": sorted(map(list, self.seen))}

    @staticmethod
    def from_json(document: dict[str, Any]) -> Position:
        return Position(
            document["cursor"], document["floor"], frozenset((cursor, key) for cursor, key in document["seen"])
        )
