"""What lies in topics, read with a consumer apart from the job."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import fastavro
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition


@dataclass(frozen=True)
class Message:
    topic: str
    partition: int
    key: bytes
    value: bytes
    headers: dict[str, str]

    @property
    def alert(self) -> dict[str, Any]:
        """Decoded as fink-client does: the key is the schema, the value bare Avro."""
        decoded = fastavro.schemaless_reader(io.BytesIO(self.value), _parsed(self.key), None)
        assert isinstance(decoded, dict)
        return decoded


@lru_cache(maxsize=16)
def _parsed(key: bytes) -> Any:
    return fastavro.parse_schema(json.loads(key))


def everything(login: dict[str, str], topics: Sequence[str]) -> list[Message]:
    """All messages of the topics, to the ends that they have now."""
    consumer = Consumer({**login, "group.id": "unused", "enable.auto.commit": False, "enable.partition.eof": True})
    try:
        described = consumer.list_topics(timeout=20).topics
        waiting = {(topic, partition) for topic in topics for partition in described[topic].partitions}
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for topic, partition in waiting])
        found = []
        deadline = time.monotonic() + 60
        while waiting:
            assert time.monotonic() < deadline, f"no end of {sorted(waiting)}"
            for message in consumer.consume(500, timeout=0.1):
                error = message.error()
                if error is None:
                    headers = {name: value.decode() for name, value in message.headers() or ()}
                    found.append(Message(message.topic(), message.partition(), message.key(), message.value(), headers))
                elif error.code() == KafkaError._PARTITION_EOF:
                    waiting.discard((message.topic(), message.partition()))
                else:
                    raise AssertionError(str(error))
        return found
    finally:
        consumer.close()


def ids(login: dict[str, str], topic: str, column: str = "candid") -> list[int]:
    """The ids of all messages of a topic, sorted; a duplicate stands there twice."""
    return sorted(message.alert[column] for message in everything(login, [topic]))
