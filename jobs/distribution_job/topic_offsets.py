"""Where a topic's partitions begin and end, asked without a consumer group."""

from __future__ import annotations

from confluent_kafka import IsolationLevel, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

TIMEOUT = 15.0  # seconds

Offsets = dict[int, int]
"""An offset for each partition."""


def offsets(
    admin: AdminClient, topic: str, which: OffsetSpec, isolation: IsolationLevel = IsolationLevel.READ_UNCOMMITTED
) -> Offsets:
    """The offsets of a topic's partitions; the latest is, with READ_COMMITTED, that of the first open transaction.

    Raises KafkaException.
    """
    described = admin.describe_topics(TopicCollection([topic]), request_timeout=TIMEOUT)[topic].result()
    wanted = {TopicPartition(topic, each.id): which for each in described.partitions}
    asked = admin.list_offsets(wanted, isolation_level=isolation, request_timeout=TIMEOUT)
    return {each.partition: future.result().offset for each, future in asked.items()}
