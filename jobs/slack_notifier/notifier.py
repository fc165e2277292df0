"""The notifier without its surroundings: alerts come in, messages go out, and what is settled can be told. Time is passed in."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from slack_notifier import layout
from slack_notifier.alert_rows import AlertRow
from slack_notifier.digests import Part, Partition
from slack_notifier.outbox import Outbox
from slack_notifier.positions import Mark, Positions
from slack_notifier.replies import NO_ANSWER, Outcome, Reply, said
from slack_notifier.routes import Destination, Route, destinations

LOG = logging.getLogger(__name__)
FIRST_PAUSE = 1.0  # seconds after Slack did not answer; doubled each time
LONGEST_PAUSE = 60.0
MENDING_PAUSE = 300.0  # seconds between two attempts at what only a person can mend
_REMEMBERED = 200_000  # objects that were told, and threads


class Fate(StrEnum):
    """What became of an alert for one recipient."""

    SHOWN = "shown"
    COUNTED = "counted"  # there was no room for it
    REPEATED = "repeated"  # its object was told in the same night
    DROPPED = "dropped"  # its class has no channel


@dataclass(frozen=True)
class Post:
    """One message, to be sent now."""

    recipient: str
    text: str
    blocks: tuple[dict[str, Any], ...] = ()
    thread_ts: str | None = None


class Notifier:
    """Gathers alerts by recipient, gives out what may be sent, and is told what became of it."""

    def __init__(
        self,
        routes: Sequence[Route],
        *,
        portal: str,
        rate: float,
        limit: int,
        once_a_night: bool,
        came_of: Callable[[Fate, int], None] = lambda fate, alerts: None,
    ) -> None:
        """`portal` is what an object's id is appended to, `rate` the messages a second to one recipient, `limit` the alerts that one shows.

        `came_of` is told what became of alerts, once that is settled.
        """
        self.positions = Positions(self._waits_from)
        self._routes = routes
        self._portal = portal
        self._rate = rate
        self._limit = limit
        self._once_a_night = once_a_night
        self._came_of = came_of
        self._outboxes: dict[str, Outbox] = {}
        self._told: OrderedDict[tuple[str, str, int], None] = OrderedDict()
        self._threads: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._not_before = float("-inf")
        self._failures = 0

    def take(self, partition: Partition, offset: int, row: AlertRow, alert: Mapping[str, Any], now: float) -> None:
        """Gather an alert for all to whom it goes."""
        for destination in destinations(self._routes, partition.topic, row.class_name, alert):
            repeated = self._once_a_night and self._was_told(destination, row)
            if self.positions.settled(partition, offset, destination.recipient):
                continue
            outbox = self._outbox(destination)
            if repeated:
                outbox.repeats += 1
            else:
                outbox.add(partition, offset, row, now)
        self.positions.passed(partition, offset)

    def skip(self, partition: Partition, offset: int) -> None:
        """A message that holds no alert."""
        self.positions.passed(partition, offset)

    def next(self, now: float) -> Post | None:
        """The message that may be sent now, if there is one; `settle` has to follow before the next."""
        if now < self._not_before:
            return None
        for recipient, outbox in self._outboxes.items():
            part = outbox.next(now)
            if part is not None:
                # Whose turn it was goes to the end, so that no one waits for the others for ever.
                self._outboxes[recipient] = self._outboxes.pop(recipient)
                return self._post(recipient, part)
        return None

    def settle(self, post: Post, reply: Reply, now: float) -> None:
        """Draw the consequences of what became of a message that `next` gave."""
        outbox = self._outboxes[post.recipient]
        part = outbox.head
        outbox.tried(now)
        if reply.outcome not in NO_ANSWER:
            self._failures = 0
        if reply.outcome is Outcome.ACCEPTED:
            self._accepted(outbox, part, reply)
        elif reply.outcome in NO_ANSWER:
            self._wait(reply, now)
        elif reply.outcome is Outcome.LOGIN:
            self._not_before = now + LONGEST_PAUSE
            LOG.error("Slack refuses the app: %s (again in %.0f s)", said(reply.error), LONGEST_PAUSE)
        elif reply.outcome is Outcome.TOO_LONG and (smaller := part.smaller()):
            outbox.replace(smaller)
        elif reply.outcome is Outcome.BAD_BLOCKS and not part.plain:
            LOG.warning("%s refuses the layout (%s); a plain text follows", post.recipient, reply.error)
            outbox.replace([replace(part, plain=True)])
        elif reply.outcome is Outcome.NO_RECIPIENT and outbox.destination.optional:
            level = logging.INFO if outbox.missed else logging.WARNING
            outbox.missed = True
            dropped = outbox.drop()
            self._came_of(Fate.DROPPED, dropped)
            LOG.log(level, "%d alerts for %s are not sent: %s", dropped, post.recipient, reply.error)
        else:
            outbox.not_before = now + MENDING_PAUSE
            LOG.error(
                "%s refuses %d alerts, which wait: %s (again in %.0f s)",
                post.recipient,
                part.alerts,
                said(reply.error),
                MENDING_PAUSE,
            )

    def waiting(self) -> tuple[int, int]:
        """How many alerts are gathered and not sent, and for how many recipients."""
        held = [outbox.waiting for outbox in self._outboxes.values()]
        return sum(held), sum(map(bool, held))

    def marks(self) -> dict[Partition, Mark]:
        """What may be committed, where it has changed; tell `positions.committed` when it was."""
        return self.positions.changed(self._outboxes)

    def revoke(self, partitions: Iterable[Partition]) -> None:
        """Somebody else reads these partitions now."""
        for partition in partitions:
            self.positions.end(partition)
            for outbox in self._outboxes.values():
                outbox.forget(partition)

    def _accepted(self, outbox: Outbox, part: Part, reply: Reply) -> None:
        outbox.replace([])
        outbox.missed = False
        recipient = outbox.destination.recipient
        LOG.info("%s: %d alerts, %d of them shown", recipient, part.alerts, len(part.rows))
        for fate, alerts in (
            (Fate.SHOWN, len(part.rows)),
            (Fate.COUNTED, part.counted.total()),
            (Fate.REPEATED, part.repeats),
        ):
            self._came_of(fate, alerts)
        if part.thread is not None:
            self._threads.setdefault((recipient, part.thread), reply.ts)
            _bound(self._threads, _REMEMBERED)

    def _wait(self, reply: Reply, now: float) -> None:
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self._failures, 32))
        self._failures += 1
        if reply.outcome is Outcome.BUSY and reply.retry_after is not None:
            pause = reply.retry_after
        # For everybody: Slack's limits are those of the workspace as well, and to press on makes them worse.
        self._not_before = now + pause
        LOG.warning("%s (again in %.0f s)", reply.error, pause)

    def _outbox(self, destination: Destination) -> Outbox:
        if destination.recipient not in self._outboxes:
            self._outboxes[destination.recipient] = Outbox(destination, self._rate, self._limit)
        return self._outboxes[destination.recipient]

    def _was_told(self, destination: Destination, row: AlertRow) -> bool:
        key = (destination.recipient, row.object_id, row.night)
        if key in self._told:
            return True
        self._told[key] = None
        _bound(self._told, _REMEMBERED)
        return False

    def _waits_from(self, recipient: str, partition: Partition) -> int | None:
        return self._outboxes[recipient].first(partition)

    def _post(self, recipient: str, part: Part) -> Post:
        thread = self._threads.get((recipient, part.thread)) if part.thread is not None else None
        if part.plain:
            return Post(recipient, layout.plain(part, self._portal), thread_ts=thread)
        return Post(recipient, layout.summary(part), tuple(layout.blocks(part, self._portal)), thread)


def _bound(kept: OrderedDict[Any, Any], most: int) -> None:
    while len(kept) > most:
        kept.popitem(last=False)
