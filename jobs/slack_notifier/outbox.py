"""What one recipient is still to get: alerts that are gathered, and messages on their way. Time is passed in, in seconds."""

from __future__ import annotations

from collections import deque

from slack_notifier.alert_rows import AlertRow
from slack_notifier.digests import Digest, Part, Partition
from slack_notifier.routes import Destination
from slack_notifier.token_bucket import TokenBucket


class Outbox:
    """A digest is gathered while the messages of the one before it are sent; never more than these two are held."""

    def __init__(self, destination: Destination, rate: float, limit: int) -> None:
        """`limit` alerts of a digest are shown."""
        self.destination = destination
        self.not_before = float("-inf")
        self.repeats = 0
        self.missed = False
        self._bucket = TokenBucket(rate)
        self._limit = limit
        self._gathering: Digest | None = None
        self._sending: deque[Part] = deque()

    def add(self, partition: Partition, offset: int, row: AlertRow, now: float) -> None:
        """Gather an alert; the first one of a digest says when it is due."""
        if self._gathering is None:
            self._gathering = Digest(self._limit, now + self.destination.interval)
        self._gathering.add(partition, offset, row)

    def next(self, now: float) -> Part | None:
        """The message that may be sent now."""
        if now < self.not_before or self._bucket.ready_at(now) > now:
            return None
        if not self._sending and self._gathering is not None and now >= self._gathering.due:
            self._sending.extend(self._gathering.parts(self.repeats, self.destination.threads))
            self._gathering, self.repeats = None, 0
        return self._sending[0] if self._sending else None

    @property
    def head(self) -> Part:
        """The message that `next` gave."""
        return self._sending[0]

    def tried(self, now: float) -> None:
        """An attempt counts against the rate, whatever became of it."""
        self._bucket.take(now)

    def replace(self, parts: list[Part]) -> None:
        """Others take the place of the message that was tried; none, when it is done."""
        self._sending.popleft()
        self._sending.extendleft(reversed(parts))

    @property
    def waiting(self) -> int:
        """How many alerts it holds, those that are only counted included."""
        gathered = 0 if self._gathering is None else self._gathering.alerts
        return sum(part.alerts for part in self._sending) + gathered + self.repeats

    def drop(self) -> int:
        """Forget all that waits; how many alerts that was."""
        dropped = self.waiting
        self._sending.clear()
        self._gathering, self.repeats = None, 0
        return dropped

    def first(self, partition: Partition) -> int | None:
        """The first offset of a partition that is not settled yet."""
        held = [part.first for part in self._sending]
        if self._gathering is not None:
            held.append(self._gathering.first)
        offsets = [first[partition] for first in held if partition in first]
        return min(offsets, default=None)

    def forget(self, partition: Partition) -> None:
        """Answer no more for a partition that somebody else reads now; what was gathered of it is still sent."""
        for first in [*(part.first for part in self._sending), *([self._gathering.first] if self._gathering else [])]:
            first.pop(partition, None)
