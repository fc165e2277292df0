"""Messages of a topic as tables of alerts, one for each schema that they have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any

import avro.schema
from avro.errors import AvroException
from avro.schema import RecordSchema
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812  pyspark's own convention
from pyspark.sql.avro.functions import from_avro

from distribution_job.registry import Registry
from distribution_job.source_config import AVRO, CONFLUENT, KafkaTopic

_HEAD = 5  # bytes of Confluent's format before the Avro: a zero and the schema's id


class Decoder:
    """What cannot be decoded is left out, and said: it lies in the topic still, and waiting for it would be for ever."""

    def __init__(self, settings: KafkaTopic, registry: Registry | None, note: Callable[[str], None]) -> None:
        self._settings = settings
        self._registry = registry
        self._note = note

    def tables(self, messages: DataFrame) -> Iterator[DataFrame]:
        """The alerts of some messages (key, value, partition, offset). Raises what the registry and Spark raise."""
        named = messages.withColumn("name", self._schema_name())
        # Wrapped, because a set leaves nulls out; an aggregate without groups needs no shuffle.
        names = named.agg(F.collect_set(F.struct("name"))).first()
        for (name,) in names[0] if names is not None else ():
            some = named.where(F.col("name").eqNullSafe(F.lit(name)))
            schema = self._schema(name)
            alerts = _decoded(some, schema, self._body()) if schema is not None else None
            if alerts is None:
                self._tell(some, "their schema is none that can be read")
                continue
            columns = alerts.select("alert.*").columns
            # A value that is not of its schema gives nulls.
            is_bad = reduce(lambda one, other: one & other, (F.col(f"alert.`{name}`").isNull() for name in columns))
            yield alerts.where(~is_bad).select("alert.*")
            self._tell(alerts.where(is_bad), "they are not of their schema")

    def _schema_name(self) -> Column:
        """What says which schema a message has."""
        if self._settings.format == AVRO:
            return F.lit(b"")
        if self._settings.format == CONFLUENT:
            return F.substring("value", 1, _HEAD)
        return F.col("key")

    def _body(self) -> Column:
        value = F.col("value")
        return F.substring(value, _HEAD + 1, 2**31 - 1) if self._settings.format == CONFLUENT else value

    def _schema(self, name: bytes | bytearray | None) -> str | None:
        """The schema as JSON; None when there is none."""
        if self._settings.format == AVRO:
            return self._settings.schema
        if name is None:
            return None
        if self._settings.format != CONFLUENT:
            return name.decode(errors="replace")
        if len(name) < _HEAD or name[0] != 0 or self._registry is None:
            return None
        return self._registry.schema(int.from_bytes(name[1:], "big"))

    def _tell(self, messages: DataFrame, why: str) -> None:
        row = messages.agg(F.count("*"), F.min(F.struct("partition", "offset"))).first()
        if row is None or not row[0]:
            return
        first: Any = row[1]
        self._note(
            f"{row[0]} messages of the topic {self._settings.topic} are left out: {why}. The first is in partition {first[0]} at offset "
            f"{first[1]}."
        )


def _decoded(messages: DataFrame, schema: str, body: Column) -> DataFrame | None:
    """The messages with a column `alert`, a struct; None when it is no schema of a record."""
    try:
        parsed = avro.schema.parse(schema)
    except AvroException:
        return None
    if not isinstance(parsed, RecordSchema):
        return None
    return messages.withColumn("alert", from_avro(body, schema, {"mode": "PERMISSIVE"}))
