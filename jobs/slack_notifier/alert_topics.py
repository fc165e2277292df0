"""Kafka's side of the notifier: its topics, read from where the last start has come to, and marks committed only when told to."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from slack_notifier.digests import Partition
from slack_notifier.positions import Mark, read_mark

LOG = logging.getLogger(__name__)
INSTANCE = "notifier"
_ASK_SECONDS = 20.0
_REFUSALS = (
    KafkaError._AUTHENTICATION,
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError._SSL,
)
# The only fatal error that a consumer of librdkafka's knows comes under its own code or under this one.
_FENCED = (KafkaError.FENCED_INSTANCE_ID, KafkaError._FATAL)


class KafkaRefusedError(Exception):
    """Kafka does not let us in, or a client has come to its end: another one, with the login read anew, may do better."""


class TakenOverError(Exception):
    """Another notifier reads for this group now."""


@dataclass(frozen=True)
class Received:
    """A message; `time` is in seconds since 1970."""

    partition: Partition
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes | None]
    time: float


class AlertTopics:
    """A consumer of some topics, alone in its group: who starts last has it."""

    def __init__(
        self,
        settings: Mapping[str, object],
        topics: Sequence[str],
        group: str,
        *,
        from_the_end: bool,
        since: float | None,
        begin: Callable[[Partition, Mark], None],
        end: Callable[[Iterable[Partition]], None],
    ) -> None:
        """`settings` are those of the connection.

        `from_the_end`: what a partition begins with of which nothing was committed.

        `since`: alerts from this time on (seconds since 1970) are read once more, though they are settled, so that the objects of the
        night are known.

        `begin` is told of each partition and its mark before its first message, `end` of those that are read no more.
        """
        self._from_the_end = from_the_end
        self._since = since
        self._begin = begin
        self._end = end
        self._refused: str | None = None
        self._said: dict[str, str] = {}
        self._consumer = Consumer(
            {
                **settings,
                "group.id": group,
                # A member by name: after a crash the next process has the partitions at once, not after the session's timeout, and two
                # processes never announce the same alerts.
                "group.instance.id": INSTANCE,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",  # for offsets that are gone from the topic; a first start is settled below
                "topic.metadata.refresh.interval.ms": 30_000,
                "error_cb": self._note,
            }
        )
        self._consumer.subscribe(list(topics), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked)

    def read(self, most: int, seconds: float) -> list[Received]:
        """What has come, at most so many messages, after at most so many seconds.

        Raises
        ------
        KafkaRefusedError
            The login or the group is refused.
        TakenOverError
            Another notifier has this group.
        confluent_kafka.KafkaException
            Kafka did not answer while a partition was taken over.
        """
        messages = self._consumer.consume(most, timeout=seconds)
        if self._refused is not None:
            raise KafkaRefusedError(self._refused)
        return [_received(message) for message in messages if self._is_alert(message)]

    def behind(self) -> dict[str, int]:
        """How many messages of each topic have not been read yet, as far as is known without asking Kafka."""
        found: Counter[str] = Counter()
        for one in self._consumer.position(self._consumer.assignment()):
            _, high = self._consumer.get_watermark_offsets(TopicPartition(one.topic, one.partition), cached=True)
            if one.offset >= 0:  # before its first message, a partition has no position
                found[one.topic] += max(0, high - one.offset)
        return dict(found)

    def commit(self, marks: Mapping[Partition, Mark]) -> bool:
        """Let Kafka keep the marks; False if it could not, which is logged."""
        wanted = [
            TopicPartition(partition.topic, partition.number, mark.offset, mark.metadata())
            for partition, mark in marks.items()
        ]
        try:
            refused = [one.error for one in self._consumer.commit(offsets=wanted, asynchronous=False) if one.error]
        except KafkaException as raised:
            refused = [raised.args[0]]
        for error in refused[:1]:
            self._say("commit", f"Kafka does not keep how far the alerts are settled: {error.str()}")
        return not refused

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        starts = []
        for found in consumer.committed(partitions, timeout=_ASK_SECONDS):
            if found.error:
                raise KafkaException(found.error)
            partition = Partition(found.topic, found.partition)
            asked = TopicPartition(found.topic, found.partition)
            low, high = consumer.get_watermark_offsets(asked, timeout=_ASK_SECONDS)
            if found.offset < 0:
                offset = high if self._from_the_end else low
                mark = Mark(offset, offset)
                # At once, so that a crash before the first digest does not move the beginning.
                self.commit({partition: mark})
            elif found.offset > high:
                LOG.warning("%s[%d] was made anew: it is read from its beginning", partition.topic, partition.number)
                mark = Mark(low, low)
            else:
                mark = read_mark(found.offset, found.metadata)
            start = min(mark.offset, self._night_start(partition, mark.offset))
            LOG.info("%s[%d]: from offset %d", partition.topic, partition.number, mark.offset)
            self._begin(partition, mark)
            starts.append(TopicPartition(partition.topic, partition.number, start))
        consumer.assign(starts)

    def _night_start(self, partition: Partition, committed: int) -> int:
        if self._since is None:
            return committed
        asked = TopicPartition(partition.topic, partition.number, round(self._since * 1000))
        (found,) = self._consumer.offsets_for_times([asked], timeout=_ASK_SECONDS)
        return found.offset if found.offset >= 0 else committed

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._end([Partition(one.topic, one.partition) for one in partitions])

    def _is_alert(self, message: Message) -> bool:
        error = message.error()
        if error is None:
            return True
        if error.code() in _FENCED:
            raise TakenOverError(error.str())
        topic = message.topic() or ""
        self._say(topic, f"{topic or 'Kafka'} cannot be read: {error.str()}")
        return False

    def _note(self, error: KafkaError) -> None:
        if error.code() in _REFUSALS:
            self._refused = error.str()
        self._say("", f"Kafka: {error.str()}")

    def _say(self, about: str, text: str) -> None:
        # librdkafka repeats itself every second while brokers are away.
        if self._said.get(about) != text:
            LOG.warning("%s", text)
        self._said[about] = text


def _received(message: Message) -> Received:
    _, milliseconds = message.timestamp()
    return Received(
        Partition(message.topic() or "", message.partition() or 0),
        message.offset() or 0,
        message.key(),
        message.value(),
        dict(message.headers() or ()),
        milliseconds / 1000,
    )
