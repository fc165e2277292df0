"""How an alert stands in a message: its value, its key and the header that names the format.

- `SchemaInKey`, Fink's own: the key is the schema as JSON, the value bare Avro. fink-client reads it.
- `ObjectContainer`: the value is a whole Avro file of one alert, schema included (Avro 1.12, "Object Container Files"); the header
  `_format: avro` is how SCiMMA's hop-client knows it.
- `Confluent`: the value is a zero byte, the schema's id in a registry (four bytes, the highest first), and bare Avro: the "wire format" of
  Confluent's serializers.
- `Json`: the value is one JSON object; the header is `_format: json`. Binary columns are base64, and numbers that JSON does not have the strings
  "NaN", "Infinity" and "-Infinity".

The key of all but the first is the alert's id.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence

import fastavro
from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812  pyspark's own convention
from pyspark.sql.avro.functions import to_avro

from distribution_job.avro_schema import AvroSchema
from distribution_job.outputs import Format

WRAPPED = frozenset({Format.OBJECT_CONTAINER, Format.CONFLUENT})
"""Those of which `wrapped` makes something else than it was given."""

_MAGIC = b"\0"
_ONE_OBJECT = b"\x02"  # the number 1 as Avro writes it
_LONGEST_SIZE = 5  # bytes of a size as Avro writes it: more than any message has


_NAMES = {Format.OBJECT_CONTAINER: "avro", Format.JSON: "json"}


def encoded(form: Format, columns: Sequence[Column], schema: AvroSchema) -> Column:
    """Some columns of an alert as bytes; `wrapped` makes them the message's value."""
    alert = F.struct(*columns)
    if form is Format.JSON:
        return F.to_json(alert, {"ignoreNullFields": "false"}).cast("binary")
    return to_avro(alert, schema.text)


def wrapped(form: Format, value: Column, schema: AvroSchema, schema_id: int | None) -> Column:
    """The message's value around what `encoded` gave. It is used several times in it, so it has to be a column by now."""
    if form is Format.CONFLUENT and schema_id is not None:
        return F.concat(F.lit(_MAGIC + schema_id.to_bytes(4)), value)
    if form is not Format.OBJECT_CONTAINER:
        return value
    sync = _sync(schema)
    return F.concat(F.lit(_file_header(schema, sync) + _ONE_OBJECT), _size(value), value, F.lit(sync))


def key(form: Format, identity: Column, schema: AvroSchema) -> Column:
    """The message's key."""
    return F.lit(schema.text.encode()) if form is Format.SCHEMA_IN_KEY else identity.cast("binary")


def headers(form: Format) -> dict[str, str]:
    """The headers by which a reader knows the format, name -> text."""
    return {"_format": _NAMES[form]} if form in _NAMES else {}


def header_text(name: str) -> Column:
    """The first header of this name of a message that Spark has read with `includeHeaders`; null when it has none."""
    found = F.filter(F.col("headers"), lambda header: header["key"] == name)
    return F.get(found, F.lit(0))["value"].cast("string")


def _sync(schema: AvroSchema) -> bytes:
    # Any 16 bytes that are unlikely in the data. Always the same, so that equal alerts are equal messages, which compress well.
    return hashlib.sha256(schema.text.encode()).digest()[:16]


def _file_header(schema: AvroSchema, sync: bytes) -> bytes:
    file = io.BytesIO()
    fastavro.writer(file, json.loads(schema.text), [], codec="null", sync_marker=sync)
    return file.getvalue()


def _size(value: Column) -> Column:
    """A value's length as Avro's long: zig-zag, then seven bits a byte, the lowest first, the top bit while more follow."""
    left = F.octet_length(value).cast("long") * 2
    parts = []
    for position in range(_LONGEST_SIZE):
        low, high = F.shiftright(left, 7 * position), F.shiftright(left, 7 * (position + 1))
        byte = low.bitwiseAND(127) + F.when(high > 0, 128).otherwise(0)
        one = F.unhex(F.lpad(F.hex(byte), 2, "0"))
        parts.append(one if position == 0 else F.when(low > 0, one).otherwise(F.lit(b"")))
    return F.concat(*parts)
