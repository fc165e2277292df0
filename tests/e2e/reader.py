"""Reading a topic and decoding it with nothing but confluent-kafka and fastavro."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import fastavro
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

_SECONDS = 60


@dataclass(frozen=True)
class Received:
    """One message, decoded by the schema in its key."""

    partition: int
    key: bytes
    headers: Mapping[str, bytes]
    alert: dict[str, Any]


def read_all(config: Mapping[str, str | int], topic: str) -> list[Received]:
    """Read all that a topic holds now, without a group of its own being kept."""
    settings = {"group.id": str(config["sasl.username"]), "enable.auto.commit": False, "enable.partition.eof": True}
    consumer = Consumer({**config, **settings})
    try:
        # To their ends, and not by counting offsets: the end of a transaction has one as well.
        waiting = set(consumer.list_topics(topic, timeout=10).topics[topic].partitions)
        consumer.assign([TopicPartition(topic, index, 0) for index in waiting])
        found: list[Received] = []
        deadline = time.monotonic() + _SECONDS
        while waiting:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no end of partitions {sorted(waiting)} of {topic} in {_SECONDS} s")
            for message in consumer.consume(500, timeout=0.2):
                error = message.error()
                if error is not None and error.code() == KafkaError._PARTITION_EOF:
                    waiting.discard(message.partition())
                else:
                    found.append(_decode(message))
        return found
    finally:
        consumer.close()


def _decode(message: Any) -> Received:
    if message.error() is not None:
        raise KafkaException(message.error())
    schema = fastavro.parse_schema(json.loads(message.key()))
    alert: Any = fastavro.schemaless_reader(io.BytesIO(message.value()), schema, None)
    return Received(message.partition(), message.key(), dict(message.headers() or []), alert)
