"""What a verification has found, as JSON, and what its exit status is. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

VERSION = 1


class Exit(IntEnum):
    """The exit status."""

    EQUAL = 0
    DIFFERENT = 1
    UNVERIFIED = 2


@dataclass(frozen=True)
class Difference:
    """An alert that is not in the topic as often as it should be.

    `kind`: missing, twice, unexpected or deleted. `partition`, `offset`: of its newest message. `file`, `batch`: where it is from.
    """

    kind: str
    id: str | None
    expected: int
    published: int
    file: str | None = None
    batch: str | None = None
    partition: int | None = None
    offset: int | None = None


@dataclass(frozen=True)
class TopicCount:
    """Of one topic: how often its alerts should be there, and are; the numbers are of messages.

    `repeated`: ids that are expected more than once, since the source has them so, or several outputs want them. `deleted`: not there, in a part of the topic that Kafka has removed.
    `numbered_*`: of deliveries that could only be counted.
    """

    topic: str
    outputs: tuple[str, ...]
    expected: int
    published: int
    repeated: int = 0
    dropped: int = 0
    missing: int = 0
    twice: int = 0
    unexpected: int = 0
    deleted: int = 0
    numbered_deliveries: int = 0
    numbered_expected: int = 0
    numbered_published: int = 0
    differences: tuple[Difference, ...] = ()

    @property
    def is_different(self) -> bool:
        """Whether anything is there too often or too seldom."""
        counted = self.numbered_expected != self.numbered_published
        return bool(self.missing or self.twice or self.unexpected or counted)


def judged(count: TopicCount, dropped: int) -> TopicCount:
    """Take off what the driver has dropped on purpose; which alerts these were, nobody knows."""
    allowed = min(dropped, count.missing + count.deleted)
    of_missing = min(allowed, count.missing)
    changed = replace(
        count,
        dropped=dropped,
        missing=count.missing - of_missing,
        deleted=count.deleted - (allowed - of_missing),
        unexpected=count.unexpected + (dropped - allowed),
    )
    return replace(changed, differences=tuple(each for each in count.differences if getattr(changed, each.kind)))


@dataclass(frozen=True)
class Report:
    """`since`, `until` in ms since 1970; `problems`: why it is no proof."""

    namespace: str
    name: str
    guarantee: str
    since: int
    until: int
    deliveries: int
    files: int
    topics: Sequence[TopicCount]
    notes: Sequence[str] = ()
    problems: Sequence[str] = ()

    @property
    def exit(self) -> Exit:
        """How the command ends."""
        if any(topic.is_different for topic in self.topics):
            return Exit.DIFFERENT
        is_open = self.problems or any(topic.deleted for topic in self.topics)
        return Exit.UNVERIFIED if is_open else Exit.EQUAL

    def as_json(self) -> dict[str, Any]:
        """The document that docs/verify.md describes."""
        return {
            "version": VERSION,
            "stream": {"namespace": self.namespace, "name": self.name},
            "delivery": self.guarantee,
            "since": _time(self.since),
            "until": _time(self.until),
            "deliveries": self.deliveries,
            "files": self.files,
            "result": self.exit.name.lower(),
            "topics": [_topic(topic) for topic in self.topics],
            "notes": list(self.notes),
            "problems": list(self.problems),
        }


def _topic(topic: TopicCount) -> Mapping[str, Any]:
    fields = asdict(topic)
    numbered = {name: fields.pop(f"numbered_{name}") for name in ("deliveries", "expected", "published")}
    differences = [
        {name: value for name, value in each.items() if value is not None} for each in fields.pop("differences")
    ]
    return {**fields, "outputs": list(topic.outputs), "byNumber": numbered, "differences": differences}


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
