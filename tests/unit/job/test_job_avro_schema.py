from __future__ import annotations

import json
from typing import Any

import fastavro
import pytest
from pyspark.sql import types as t

from distribution_job import avro_schema
from distribution_job.failures import OutputError, Reason


def field(kind: t.DataType, nullable: bool = False) -> Any:
    """The Avro type of a single column `x`."""
    derived = avro_schema.derive(t.StructType([t.StructField("x", kind, nullable)]))
    return json.loads(derived.text)["fields"][0]["type"]


@pytest.mark.parametrize(
    ("kind", "avro"),
    [
        (t.BooleanType(), "boolean"),
        (t.ByteType(), "int"),
        (t.ShortType(), "int"),
        (t.IntegerType(), "int"),
        (t.LongType(), "long"),
        (t.FloatType(), "float"),
        (t.DoubleType(), "double"),
        (t.StringType(), "string"),
        (t.BinaryType(), "bytes"),
        (t.DateType(), {"type": "int", "logicalType": "date"}),
        (t.TimestampType(), {"type": "long", "logicalType": "timestamp-micros"}),
        (t.TimestampNTZType(), {"type": "long", "logicalType": "local-timestamp-micros"}),
        (t.DecimalType(20, 3), {"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": 3}),
        (t.ArrayType(t.LongType(), containsNull=False), {"type": "array", "items": "long"}),
        (t.ArrayType(t.LongType(), containsNull=True), {"type": "array", "items": ["null", "long"]}),
        (t.MapType(t.StringType(), t.FloatType(), True), {"type": "map", "values": ["null", "float"]}),
    ],
)
def test_types(kind: t.DataType, avro: Any) -> None:
    assert field(kind) == avro
    assert field(kind, nullable=True) == ["null", avro]


def test_the_same_columns_give_the_same_bytes_without_white_space() -> None:
    columns = t.StructType().add("objectId", "string").add("candid", "long")
    again = t.StructType.fromJson(json.loads(columns.json()))
    derived = avro_schema.derive(columns)
    assert derived == avro_schema.derive(again)
    assert " " not in derived.text
    assert derived.text.startswith('{"type":"record","name":"alert","namespace":"fink","fields":[{"name":"objectId"')
    assert derived.name == "fink.alert"


def test_nested_fields_come_in_the_order_of_their_names_whatever_the_files_say() -> None:
    inner = [t.StructField("ra", t.DoubleType()), t.StructField("dec", t.DoubleType(), metadata={"unit": "deg"})]

    def schema(fields: list[t.StructField]) -> t.StructType:
        return (
            t.StructType()
            .add("a", t.StructType(fields))
            .add("l", t.ArrayType(t.MapType(t.StringType(), t.StructType(fields))))
        )

    one, turned = avro_schema.derive(schema(inner)), avro_schema.derive(schema(inner[::-1]))
    assert one == turned
    assert [field["name"] for field in json.loads(one.text)["fields"][0]["type"][1]["fields"]] == ["dec", "ra"]


def test_null_or_not_is_part_of_the_schema() -> None:
    columns = [t.StructType().add(t.StructField("a", t.LongType(), nullable)) for nullable in (True, False)]
    assert len({avro_schema.derive(each).fingerprint for each in columns}) == 2


def test_the_fingerprint_is_that_of_the_schema_and_of_no_other() -> None:
    one = avro_schema.derive(t.StructType().add("a", "long"))
    other = avro_schema.derive(t.StructType().add("a", "integer"))
    assert len(one.fingerprint) == 16
    assert one.fingerprint != other.fingerprint


def test_nested_records_have_unique_names_and_can_be_parsed() -> None:
    inner = t.StructType().add("b", t.StructType().add("x", "integer"))
    columns = (
        t.StructType()
        .add("a", inner)
        .add("a_b", t.StructType().add("y", "integer"))
        .add("l", t.ArrayType(t.StructType().add("z", "integer")))
    )
    derived = json.loads(avro_schema.derive(columns).text)
    fastavro.parse_schema(derived)
    names = [entry["type"][1]["name"] for entry in derived["fields"][:2]]
    assert names == ["alert_a", "alert_a_b_2"]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (t.StructType().add("bad name", "integer"), "bad name"),
        (t.StructType().add("a", t.StructType().add("1st", "integer")), "a.1st"),
        (t.StructType().add("a", t.MapType(t.IntegerType(), t.StringType())), "keys of type int"),
        (t.StructType().add("a", t.CalendarIntervalType()), "interval"),
        (t.StructType().add("a", t.NullType()), "void"),
        (t.StructType().add("a", t.StructType()), "has no fields"),
    ],
)
def test_what_avro_does_not_have_is_refused(columns: t.StructType, said: str) -> None:
    with pytest.raises(OutputError) as caught:
        avro_schema.derive(columns)
    assert caught.value.failure.reason is Reason.ENCODING_FAILED
    assert said in caught.value.failure.message
    assert "select or drop" in caught.value.failure.message
