"""Reading a topic and decoding it with nothing but confluent-kafka and fastavro."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import fastavro
from confluent_kafka import Consumer, KafkaException, TopicPartition


@dataclass(frozen=True)
class Received:
    """One message, decoded by the schema in its key."""

    partition: int
    key: bytes
    headers: Mapping[str, bytes]
    alert: dict[str, Any]


def read_all(config: Mapping[str, str | int], topic: str) -> list[Received]:
    """Read all that a topic holds now, without a group of its own being kept."""
    consumer = Consumer({**config, "group.id": str(config["sasl.username"]), "enable.auto.commit": False})
    try:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        ends = {
            index: consumer.get_watermark_offsets(TopicPartition(topic, index), timeout=10)[1] for index in partitions
        }
        consumer.assign([TopicPartition(topic, index, 0) for index in partitions])
        found: list[Received] = []
        total = sum(ends.values())
        while len(found) < total:
            # `consume` waits until it has as many as it is asked for, so never for more than there are.
            messages = consumer.consume(min(500, total - len(found)), timeout=20)
            if not messages:
                raise TimeoutError(f"{len(found)} of {total} messages of {topic} in 20 s")
            found += [_decode(message) for message in messages]
        return found
    finally:
        consumer.close()


def _decode(message: Any) -> Received:
    if message.error() is not None:
        raise KafkaException(message.error())
    schema = fastavro.parse_schema(json.loads(message.key()))
    alert: Any = fastavro.schemaless_reader(io.BytesIO(message.value()), schema, None)
    return Received(message.partition(), message.key(), dict(message.headers() or []), alert)
