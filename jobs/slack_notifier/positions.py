"""How far the alerts of each partition are settled, as Kafka keeps it: an offset, and for whom it is not the whole truth.

The committed offset is the first that anybody still waits for. Its metadata say up to where the others have come, so that a restart
repeats nothing to them while one channel is closed to the app for a day.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from slack_notifier.digests import Partition

LONGEST_METADATA = 4000  # bytes; the brokers' own default is 4096


@dataclass(frozen=True)
class Mark:
    """All before `offset` is settled for everybody, all before `to` for those who are not in `held`, who wait from there."""

    offset: int
    to: int
    held: dict[str, int] = field(default_factory=dict)

    def settled(self, offset: int, recipient: str) -> bool:
        """Whether a recipient needs an alert no more."""
        return offset < self.held.get(recipient, self.to)

    def metadata(self) -> str:
        """As text; empty where the offset says it all, or where it would be too long, which only repeats messages."""
        if not self.held:
            return ""
        written = json.dumps({"to": self.to, "held": self.held}, separators=(",", ":"))
        return written if len(written) <= LONGEST_METADATA else ""


def read_mark(offset: int, metadata: str | None) -> Mark:
    """What was committed; metadata that are not ours count as none."""
    try:
        document = json.loads(metadata or "{}")
        held = {str(recipient): int(first) for recipient, first in document["held"].items()}
        return Mark(offset, int(document["to"]), held)
    except (ValueError, KeyError, TypeError, AttributeError):
        return Mark(offset, offset)


class Positions:
    """Of the partitions that are read now. `first` tells what a recipient still waits for, None for nothing."""

    def __init__(self, first: Callable[[str, Partition], int | None]) -> None:
        self._first = first
        self._next: dict[Partition, int] = {}
        self._began: dict[Partition, Mark] = {}
        self._committed: dict[Partition, Mark] = {}

    def begin(self, partition: Partition, mark: Mark) -> None:
        """A partition is read from its mark, or from before it."""
        self._next[partition] = mark.offset
        self._began[partition] = self._committed[partition] = mark

    def end(self, partition: Partition) -> None:
        """A partition is read no more."""
        for kept in (self._next, self._began, self._committed):
            kept.pop(partition, None)

    def passed(self, partition: Partition, offset: int) -> None:
        """A message has been read."""
        if partition in self._next:
            self._next[partition] = max(self._next[partition], offset + 1)

    def settled(self, partition: Partition, offset: int, recipient: str) -> bool:
        """Whether a recipient had this alert before the start."""
        return partition in self._began and self._began[partition].settled(offset, recipient)

    def changed(self, recipients: Iterable[str]) -> dict[Partition, Mark]:
        """The marks that differ from what was committed last."""
        names = list(recipients)
        marks = {partition: self._mark(partition, names) for partition in self._next}
        return {partition: mark for partition, mark in marks.items() if mark != self._committed[partition]}

    def committed(self, marks: dict[Partition, Mark]) -> None:
        """Kafka has them."""
        self._committed.update({partition: mark for partition, mark in marks.items() if partition in self._next})

    def _mark(self, partition: Partition, recipients: list[str]) -> Mark:
        position, began = self._next[partition], self._began[partition]
        waits = {recipient: self._first(recipient, partition) for recipient in recipients}
        held = {recipient: first for recipient, first in waits.items() if first is not None}
        if position < began.to:
            # What a start repeats has not been read to its end: those for whom it is repeated still wait for the rest.
            for recipient, first in began.held.items():
                held.setdefault(recipient, max(first, position))
        to = max(position, began.to)
        return Mark(min([to, *held.values()]), to, held)
