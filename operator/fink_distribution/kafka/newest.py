"""The newest message of a topic, read as any consumer may: without a group, and without leaving a trace."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from fink_distribution.errors import Reason, Stalled
from fink_distribution.kafka.failures import explain, is_absent, is_login_failure, is_tls_failure

_FIRST_LOOK = 4
"""Offsets before a partition's end. The last ones may be ends of transactions, which no consumer is given."""
_FURTHER = 16


@dataclass(frozen=True)
class Message:
    """A message, and where it lies; `timestamp` in milliseconds since 1970."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes
    value: bytes
    headers: Mapping[str, bytes]


def newest_message(settings: Mapping[str, str], topic: str, timeout: float) -> Message | None:
    """Read the message of the topic with the latest timestamp; None when there is none that is committed.

    Parameters
    ----------
    settings
        librdkafka's, that say how to reach Kafka.
    timeout
        Seconds that one call may take.

    Raises
    ------
    ReconcileError
        Kafka is away, refuses the login, or does not let the topic be read; or there is no such topic.
    """
    refused: list[KafkaError] = []

    def note(error: KafkaError) -> None:
        if is_login_failure(error) or is_tls_failure(error):
            refused.append(error)

    own = {
        "group.id": "fink",  # asked for by the client; nobody joins or commits
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "isolation.level": "read_committed",
        "log_level": 0,
        "error_cb": note,
    }
    consumer = Consumer({**settings, **own})
    try:
        return _newest(consumer, topic, timeout)
    except KafkaException as error:
        # A refused login only times out; the callback, which a poll calls, is told why.
        consumer.poll(0.1)
        cause = refused[0] if refused else error.args[0]
        raise explain(cause, f"reading the topic {topic}", settings["bootstrap.servers"]) from error
    finally:
        consumer.close()


def _newest(consumer: Consumer, topic: str, timeout: float) -> Message | None:
    described = consumer.list_topics(topic, timeout).topics[topic]
    if described.error is not None:
        if is_absent(described.error):
            raise Stalled(Reason.INVALID_CONFIG, f"there is no topic {topic}, or this login may not see it.")
        raise KafkaException(described.error)
    ends = {
        partition: consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout)
        for partition in described.partitions
    }
    ends = {partition: (low, high) for partition, (low, high) in ends.items() if low < high}
    found: dict[int, Message] = {}
    back = _FIRST_LOOK
    while ends:
        starts = {partition: max(low, high - back) for partition, (low, high) in ends.items()}
        found |= _last(consumer, topic, starts, timeout)
        ends = {
            partition: (low, high)
            for partition, (low, high) in ends.items()
            if partition not in found and low < starts[partition]
        }
        back *= _FURTHER
    return max(found.values(), key=lambda message: message.timestamp, default=None)


def _last(consumer: Consumer, topic: str, starts: Mapping[int, int], timeout: float) -> dict[int, Message]:
    """Read the partitions from these offsets to their ends; the last message of each that has one."""
    consumer.assign([TopicPartition(topic, partition, offset) for partition, offset in starts.items()])
    waiting, found = set(starts), {}
    deadline = time.monotonic() + timeout
    while waiting:
        if time.monotonic() > deadline:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        for message in consumer.consume(100, timeout=0.2):
            error = message.error()
            if error is None:
                place = message.partition(), message.offset(), message.timestamp()[1]
                content = message.key() or b"", message.value() or b"", dict(message.headers() or ())
                found[message.partition()] = Message(topic, *place, *content)
                deadline = time.monotonic() + timeout
            elif error.code() == KafkaError._PARTITION_EOF:
                waiting.discard(message.partition())
            else:
                raise KafkaException(error)
    return found
