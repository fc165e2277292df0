"""Alerts that wait for a message, and the messages that are made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from slack_notifier.alert_rows import AlertRow

NO_CLASS = "without a class"


@dataclass(frozen=True)
class Partition:
    """A partition of a topic."""

    topic: str
    number: int


@dataclass(frozen=True)
class Part:
    """What one message says: alerts that are shown, and numbers of those that are not.

    `counted` is by class, of alerts for which there was no room; `repeats` are alerts of objects that had one in the same night.
    `thread` is the object whose thread it belongs to. `first` holds, for each partition, the first offset of the digest that this is
    a part of. `plain`: without a layout, because Slack refused it.
    """

    rows: tuple[AlertRow, ...]
    counted: Counter[str] = field(default_factory=Counter)
    repeats: int = 0
    topics: tuple[str, ...] = ()
    thread: str | None = None
    first: dict[Partition, int] = field(default_factory=dict)
    plain: bool = False

    @property
    def alerts(self) -> int:
        """How many alerts it accounts for."""
        return len(self.rows) + self.counted.total() + self.repeats

    def smaller(self) -> list[Part]:
        """The same in two messages, or with its only alert counted; nothing where there is nothing to leave out."""
        half = len(self.rows) // 2
        if half:
            return [
                replace(self, rows=self.rows[:half], counted=Counter(), repeats=0),
                replace(self, rows=self.rows[half:]),
            ]
        return [replace(self, rows=(), counted=self.counted + _counts(self.rows))] if self.rows else []


@dataclass
class Digest:
    """Gathers alerts for one recipient; at most `limit` of them are kept, the others are counted."""

    limit: int
    due: float
    rows: list[AlertRow] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)
    first: dict[Partition, int] = field(default_factory=dict)

    def add(self, partition: Partition, offset: int, row: AlertRow) -> None:
        self.first[partition] = min(offset, self.first.get(partition, offset))
        if len(self.rows) < self.limit:
            self.rows.append(row)
        else:
            self.counted += _counts((row,))

    @property
    def alerts(self) -> int:
        """How many alerts were gathered."""
        return len(self.rows) + self.counted.total()

    def parts(self, repeats: int, threads: bool) -> Iterator[Part]:
        """One message, or, with `threads`, one for each object and one for what is only counted."""
        topics = tuple(sorted({partition.topic for partition in self.first}))
        whole = Part(tuple(self.rows), self.counted, repeats, topics, first=self.first)
        if not threads:
            yield whole
            return
        for object_id in dict.fromkeys(row.object_id for row in self.rows):
            rows = tuple(row for row in self.rows if row.object_id == object_id)
            yield replace(whole, rows=rows, counted=Counter(), repeats=0, thread=object_id)
        if self.counted or repeats:
            yield replace(whole, rows=())


def _counts(rows: tuple[AlertRow, ...]) -> Counter[str]:
    return Counter(row.class_name or NO_CLASS for row in rows)
