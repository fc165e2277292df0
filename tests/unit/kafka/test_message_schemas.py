"""Where each format has its schema."""

from __future__ import annotations

import io
import json
from typing import Any

import fastavro
import pytest

from fink_distribution.kafka.message_schemas import NoSchemaError, schema_of
from fink_distribution.kafka.newest import Message

SCHEMA = {
    "type": "record",
    "name": "alert",
    "namespace": "fink",
    "fields": [{"name": "candid", "type": ["null", "long"], "default": None}],
}
FINGERPRINT = fastavro.schema.fingerprint(fastavro.schema.to_parsing_canonical_form(SCHEMA), "CRC-64-AVRO")


def container() -> bytes:
    file = io.BytesIO()
    fastavro.writer(file, SCHEMA, [{"candid": 7}])
    return file.getvalue()


def message(key: bytes, value: bytes, **headers: bytes) -> Message:
    return Message("t", 3, 17, 0, key, value, headers)


def registry(number: int) -> str:
    assert number == 258
    return json.dumps(SCHEMA)


@pytest.mark.parametrize(
    ("of", "form"),
    [
        (message(json.dumps(SCHEMA).encode(), b"\x00\x0e"), "SchemaInKey"),
        (message(b"7", container(), _format=b"avro"), "ObjectContainer"),
        (message(b"7", b"\x00\x00\x00\x01\x02\x02\x0e"), "Confluent, id 258"),
    ],
)
def test_each_format_has_its_schema(of: Message, form: str) -> None:
    found = schema_of(of, registry)
    assert (found.document, found.format, found.fingerprint) == (SCHEMA, form, FINGERPRINT)


@pytest.mark.parametrize(
    ("of", "said"),
    [
        (message(b"7", b"{}", _format=b"json"), "The message at t[3]@17 is JSON, which has no schema"),
        (message(b"7", b"Obj", _format=b"avro"), "says that it is an Avro file, and is none"),
        (message(b"7", b"\x02abc"), "in none of the formats SchemaInKey, ObjectContainer and Confluent"),
        (message(b"", b"\x00\x00"), "in none of the formats"),
        (message(b"{not json", b"\x00"), "has a schema that is none"),
        (message(b'{"type": "record"}', b"\x00"), "has a schema that is none"),
    ],
)
def test_what_has_none_is_told(of: Message, said: str) -> None:
    def never(number: int) -> Any:
        raise AssertionError

    with pytest.raises(NoSchemaError) as caught:
        schema_of(of, never)
    assert said in str(caught.value)
