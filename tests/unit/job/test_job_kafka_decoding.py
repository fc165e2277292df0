"""Messages of a topic in each of the formats, without Kafka."""

from __future__ import annotations

import io
import json
from typing import Any

import fastavro
import pytest
from pyspark.sql import SparkSession

from distribution_job.kafka_decoding import Decoder
from distribution_job.registry import Registry
from distribution_job.source_config import KafkaTopic

SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "alert",
    "fields": [{"name": "candid", "type": "long"}, {"name": "tag", "type": ["null", "string"], "default": None}],
}
NEWER = {**SCHEMA, "fields": [*SCHEMA["fields"], {"name": "drb", "type": "double"}]}
Message = tuple[bytes | None, bytes | None]


def avro(schema: dict[str, Any], candid: int) -> bytes:
    value = io.BytesIO()
    fastavro.schemaless_writer(value, schema, {"candid": candid, "tag": "a", "drb": 0.5})
    return value.getvalue()


def decoded(
    spark: SparkSession, settings: KafkaTopic, messages: list[Message], registry: Registry | None = None
) -> tuple[list[dict[str, Any]], list[str]]:
    """The alerts, and what is said of the others."""
    found = [(key, value, 3, offset) for offset, (key, value) in enumerate(messages, 100)]
    frame = spark.createDataFrame(found, "key BINARY, value BINARY, partition INT, offset BIGINT")
    notes: list[str] = []
    tables = Decoder(settings, registry, notes.append).tables(frame)
    rows = [row.asDict() for table in tables for row in table.collect()]
    return sorted(rows, key=lambda row: row["candid"]), notes


def test_the_key_is_the_schema(spark: SparkSession) -> None:
    key, newer = json.dumps(SCHEMA).encode(), json.dumps(NEWER).encode()
    messages: list[Message] = [(key, avro(SCHEMA, 1)), (newer, avro(NEWER, 2)), (key, avro(SCHEMA, 3)), (None, b"x")]
    messages += [(b'"string"', b"x"), (b'{"type": "record", "name": "a"}', b"x"), (key, b"\x80"), (key, None)]
    rows, notes = decoded(spark, KafkaTopic("raw", "SchemaInKey", None, 10), messages)
    assert rows == [{"candid": 1, "tag": "a"}, {"candid": 2, "tag": "a", "drb": 0.5}, {"candid": 3, "tag": "a"}]
    left_out = "1 messages of the topic raw are left out: their schema is none that can be read. The first is in partition 3 at offset {}."
    assert sorted(notes) == [
        *(left_out.format(offset) for offset in (103, 104, 105)),
        "2 messages of the topic raw are left out: they are not of their schema. The first is in partition 3 at offset 106.",
    ]


def test_all_have_the_one_schema(spark: SparkSession) -> None:
    settings = KafkaTopic("raw", "Avro", json.dumps(SCHEMA), 10)
    rows, notes = decoded(spark, settings, [(None, avro(SCHEMA, 1)), (b"any", avro(SCHEMA, 2))])
    assert ([row["candid"] for row in rows], notes) == ([1, 2], [])


def test_the_registry_has_the_schemas(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = Registry(None)  # type: ignore[arg-type]  it is not asked, see tests/kafka for a real one
    known = {7: json.dumps(SCHEMA), 2**31 - 1: json.dumps(NEWER)}
    monkeypatch.setattr(registry, "schema", known.get)
    messages: list[Message] = [
        (None, b"\x00\x00\x00\x00\x07" + avro(SCHEMA, 1)),
        (b"2", b"\x00\x7f\xff\xff\xff" + avro(NEWER, 2)),
        (b"3", b"\x00\x00\x00\x00\x08" + avro(SCHEMA, 3)),
        (b"4", b"\x01\x00\x00\x00\x07" + avro(SCHEMA, 4)),
        (b"5", b"\x00\x00"),
    ]
    rows, notes = decoded(spark, KafkaTopic("raw", "Confluent", None, 10), messages, registry)
    assert [row["candid"] for row in rows] == [1, 2]
    assert len(notes) == 3
