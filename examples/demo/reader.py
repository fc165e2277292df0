"""A consumer as any community's: confluent-kafka and fastavro with what the Secret holds, and nothing of the project's own code."""

from __future__ import annotations

import base64
import io
import json
import secrets
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import fastavro
from confluent_kafka import Consumer, KafkaError, Message

from demo.matching import id_column

GROUP_BYTES = 4


class RefusedError(Exception):
    """Kafka said no; `error` is how the client says why."""

    def __init__(self, error: KafkaError) -> None:
        super().__init__(f"{error.name()}: {error.str().rpartition(': ')[2]}")
        self.error = error


def login(secret: Mapping[str, Any]) -> dict[str, str]:
    """The client's settings from a KafkaUser's Secret, as kubectl gives it."""
    data = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
    return {
        "bootstrap.servers": data["bootstrap.servers"],
        "security.protocol": data["security.protocol"],
        "sasl.mechanism": data["sasl.mechanism"],
        "sasl.username": data["username"],
        "sasl.password": data["password"],
    }


class Received:
    """What has come of one topic."""

    def __init__(self) -> None:
        self.ids: Counter[str] = Counter()
        self.partitions: Counter[int] = Counter()
        self.first: dict[str, Any] = {}
        self.keys: set[bytes] = set()

    def __len__(self) -> int:
        return self.ids.total()


class Reader:
    """Reads topics from their beginning, in a group of its own."""

    def __init__(self, settings: Mapping[str, str], topics: Iterable[str], group_prefix: str) -> None:
        self.group = f"{group_prefix}{secrets.token_hex(GROUP_BYTES)}"
        self.received: dict[str, Received] = defaultdict(Received)
        self._schemas: dict[bytes, Any] = {}
        self._consumer = Consumer(
            {
                **settings,
                "group.id": self.group,
                "auto.offset.reset": "earliest",
                "error_cb": self._note,
                "log_level": 0,  # errors come through error_cb
            }
        )
        self._refusal: KafkaError | None = None
        self._consumer.subscribe(list(topics))

    def read(self, enough: Callable[[], bool], seconds: float) -> bool:
        """Read until there is enough, or the time is over; whether there is. Raises RefusedError."""
        end = time.monotonic() + seconds
        while not enough():
            if time.monotonic() > end:
                return False
            message = self._consumer.poll(0.2)
            if self._refusal is not None:
                raise RefusedError(self._refusal)
            if message is not None:
                self._take(message)
        return True

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()

    def _take(self, message: Message) -> None:
        error = message.error()
        if error is not None:
            if error.retriable() or error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                return
            raise RefusedError(error)
        key, value, topic = message.key() or b"", message.value() or b"", message.topic() or ""
        alert = self._decode(key, value)
        received = self.received[topic]
        received.ids[str(alert[id_column(alert)])] += 1
        received.partitions[message.partition() or 0] += 1
        received.keys.add(key)
        received.first = received.first or alert

    def _decode(self, key: bytes, value: bytes) -> dict[str, Any]:
        """The key is the Avro schema as JSON, the value the bare record: what fink-client expects."""
        if key not in self._schemas:
            self._schemas[key] = fastavro.parse_schema(json.loads(key))
        found = fastavro.schemaless_reader(io.BytesIO(value), self._schemas[key], None)
        assert isinstance(found, dict)  # noqa: S101  the schema is a record's
        return found

    def _note(self, error: KafkaError) -> None:
        if error.code() in (KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED):
            self._refusal = error


def refusal(settings: Mapping[str, str], topic: str, group_prefix: str, seconds: float = 20) -> RefusedError | None:
    """Try to read a topic; how Kafka refuses it, or None when it does not."""
    reader = Reader(settings, [topic], group_prefix)
    try:
        reader.read(lambda: bool(reader.received), seconds)
    except RefusedError as error:
        return error
    finally:
        reader.close()
    return None
