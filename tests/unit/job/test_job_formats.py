"""The formats on real Spark, read back by libraries that know nothing of the job."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import fastavro
import pytest
from job_passes import SCHEMA_ID, headers, physical, prepared
from pyspark.sql import DataFrame, SparkSession

from distribution_job.outputs import Format, Output

# The sizes at which the length of a size changes, and one in between.
LENGTHS = [0, 1, 62, 63, 64, 127, 128, 8190, 8191, 8192, 100_000, 1_048_575, 1_048_576, 3_000_000]


def messages(alerts: DataFrame, *outputs: Output) -> list[Any]:
    return prepared(alerts, outputs).over(alerts).rows.collect()


def test_a_container_is_an_avro_file_of_one_alert_whatever_its_size(spark: SparkSession) -> None:
    alerts = spark.createDataFrame(
        [(number, bytes(length)) for number, length in enumerate(LENGTHS)], "candid long, cutout binary"
    )
    rows = messages(alerts, Output("a", "t", format=Format.OBJECT_CONTAINER))
    found = {}
    for row in rows:
        [alert] = fastavro.reader(io.BytesIO(row["value"]))
        found[alert["candid"]] = len(alert["cutout"])
        assert bytes(row["key"]) == str(alert["candid"]).encode()
        assert headers(row)["_format"] == "avro"
    assert found == dict(enumerate(LENGTHS))


def test_one_container_holds_the_schema_that_its_headers_name(spark: SparkSession) -> None:
    alerts = spark.createDataFrame([(7, 1.5, None)], "candid long, magnitude double, name string")
    [row] = messages(alerts, Output("a", "t", format=Format.OBJECT_CONTAINER))
    reader = fastavro.reader(io.BytesIO(row["value"]))
    assert list(reader) == [{"candid": 7, "magnitude": 1.5, "name": None}]
    canonical = fastavro.schema.to_parsing_canonical_form(json.loads(reader.metadata["avro.schema"]))
    assert fastavro.schema.fingerprint(canonical, "CRC-64-AVRO") == headers(row)["schema_fingerprint"]


def test_json_says_what_avro_says(spark: SparkSession) -> None:
    text = "select 7L candid, double('NaN') a, double('-Infinity') b, cast(null as int) c, binary('x') d, named_struct('e', array(1, 2)) f, '\"é' g"
    [row] = messages(spark.sql(text), Output("a", "t", format=Format.JSON))
    assert json.loads(bytes(row["value"])) == {
        "candid": 7,
        "a": "NaN",
        "b": "-Infinity",
        "c": None,
        "d": base64.b64encode(b"x").decode(),
        "f": {"e": [1, 2]},
        "g": '"é',
    }
    assert bytes(row["key"]) == b"7"
    assert headers(row)["_format"] == "json"


def test_the_formats_of_one_stream_do_not_touch_each_other(spark: SparkSession) -> None:
    alerts = spark.createDataFrame([(1, "x"), (2, "y")], "candid long, name string")
    outputs = [Output(form.value, form.value, format=form) for form in Format]
    rows = messages(alerts, *outputs, Output("too", "too", select=("candid",)))
    by_topic: dict[str, list[Any]] = {}
    for row in rows:
        by_topic.setdefault(row["topic"], []).append(row)
    assert {topic: len(found) for topic, found in by_topic.items()} == dict.fromkeys([*Format, "too"], 2)
    registered = b"\0" + SCHEMA_ID.to_bytes(4)
    assert [bytes(row["value"]) for row in by_topic["Confluent"]] == [
        registered + bytes(row["value"]) for row in by_topic["SchemaInKey"]
    ]
    assert {bytes(row["key"]) for row in by_topic["Confluent"]} == {b"1", b"2"}
    schema = fastavro.parse_schema(json.loads(bytes(by_topic["SchemaInKey"][0]["key"])))
    bare = [fastavro.schemaless_reader(io.BytesIO(row["value"]), schema, None) for row in by_topic["SchemaInKey"]]
    contained = [alert for row in by_topic["ObjectContainer"] for alert in fastavro.reader(io.BytesIO(row["value"]))]
    as_json = [json.loads(bytes(row["value"])) for row in by_topic["Json"]]
    assert bare == contained == as_json == [{"candid": 1, "name": "x"}, {"candid": 2, "name": "y"}]
    assert "_format" not in headers(by_topic["SchemaInKey"][0])


@pytest.mark.parametrize("form", list(Format))
def test_messages_have_the_new_names_and_filters_know_the_old_ones(spark: SparkSession, form: Format) -> None:
    alerts = spark.createDataFrame([(1, 10), (2, 20)], "candid long, magpsf long")
    rename = (("magpsf", "candid"), ("candid", "alert_id"))
    [row] = messages(alerts, Output("a", "t", sql="candid = 2", rename=rename, format=form))
    expected = {"alert_id": 2, "candid": 20}
    if form is Format.JSON:
        assert json.loads(bytes(row["value"])) == expected
    elif form is Format.OBJECT_CONTAINER:
        assert list(fastavro.reader(io.BytesIO(row["value"]))) == [expected]
    elif form is Format.SCHEMA_IN_KEY:
        schema = fastavro.parse_schema(json.loads(bytes(row["key"])))
        assert fastavro.schemaless_reader(io.BytesIO(row["value"]), schema, None) == expected
    else:
        assert bytes(row["value"]).startswith(b"\0" + SCHEMA_ID.to_bytes(4))
    assert headers(row)["id"] == "2"


@pytest.mark.parametrize("form", [Format.OBJECT_CONTAINER, Format.CONFLUENT, Format.JSON])
def test_an_alert_is_encoded_once_for_all_topics_of_a_format(spark: SparkSession, form: Format) -> None:
    alerts = spark.createDataFrame([(1, "x")], "candid long, name string")
    outputs = [Output(f"o{number}", f"t{number}", format=form) for number in range(5)]
    made = prepared(alerts, outputs).over(alerts)
    text = physical(made)
    assert text.count("StructsToJson" if form is Format.JSON else "to_avro(") == 1
    assert len({bytes(row["value"]) for row in made.rows.collect()}) == 1
