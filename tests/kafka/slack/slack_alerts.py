"""Alerts as the distribution job writes them to topics, made without Spark."""

from __future__ import annotations

import io
import json
from typing import Any

import fastavro
from confluent_kafka import Producer

SCHEMA = {
    "type": "record",
    "name": "alert",
    "namespace": "fink",
    "fields": [
        {"name": "objectId", "type": "string"},
        {"name": "cdsxmatch", "type": ["null", "string"]},
        {"name": "magpsf", "type": "double"},
    ],
}
KEY = json.dumps(SCHEMA, separators=(",", ":")).encode()
_PARSED = fastavro.parse_schema(SCHEMA)
Sent = tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]


def alert(number: int, name: str = "RRLyr") -> dict[str, Any]:
    return {"objectId": f"ZTF26a{number:06d}", "cdsxmatch": name, "magpsf": 18.0}


def schema_in_key(one: dict[str, Any]) -> Sent:
    data = io.BytesIO()
    fastavro.schemaless_writer(data, _PARSED, one)
    return KEY, data.getvalue(), []


def container(one: dict[str, Any]) -> Sent:
    data = io.BytesIO()
    fastavro.writer(data, _PARSED, [one])
    return b"1", data.getvalue(), [("_format", b"avro")]


def as_json(one: dict[str, Any]) -> Sent:
    return b"1", json.dumps(one).encode(), [("_format", b"json")]


def send(login: dict[str, str], topic: str, messages: list[Sent], aborted: bool = False) -> None:
    """Send messages in one transaction, which `aborted` then takes back."""
    producer = Producer({**login, "transactional.id": topic})
    producer.init_transactions(30)
    producer.begin_transaction()
    for key, value, headers in messages:
        producer.produce(topic, value=value, key=key, headers=headers)
    producer.flush(30)
    if aborted:
        producer.abort_transaction(30)
    else:
        producer.commit_transaction(30)
