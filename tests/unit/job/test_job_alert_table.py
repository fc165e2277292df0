"""Alerts as a table for people, and the schema that they are decoded with."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import types as spark

from distribution_job import avro_schema
from distribution_job.alert_table import simple_columns, table, unknown_columns
from distribution_job.stored_schema import StoredSchema

ALERT = spark.StructType(
    [
        spark.StructField("anomaly_score", spark.DoubleType()),
        spark.StructField("candid", spark.LongType()),
        spark.StructField(
            "candidate",
            spark.StructType(
                [spark.StructField("ra", spark.DoubleType()), spark.StructField("stamp", spark.BinaryType())]
            ),
        ),
        spark.StructField("cutout", spark.BinaryType()),
        spark.StructField("history", spark.ArrayType(spark.LongType())),
        spark.StructField("mangrove", spark.MapType(spark.StringType(), spark.StringType())),
        spark.StructField("objectId", spark.StringType()),
        spark.StructField("timestamp", spark.TimestampType()),
    ]
)


def test_simple_columns_begin_with_what_tells_alerts_apart() -> None:
    assert simple_columns(ALERT) == ["objectId", "candid", "anomaly_score", "timestamp"]


def test_columns_that_are_not_there() -> None:
    asked = ["candidate.ra", "candidate", "objectId", "candidate.dec", "ra", "candid.ra"]
    assert unknown_columns(asked, avro_schema.derive(ALERT).document) == ["candidate.dec", "ra", "candid.ra"]


def test_cells_stand_below_their_names() -> None:
    shown = table(["objectId", "n", "cutout"], [("ZTF1", 1, b"abc"), ("ZTF22", None, None)])
    assert shown == "objectId  n  cutout\nZTF1      1  3 bytes\nZTF22"


def test_only_so_many_columns_are_shown_as_fit() -> None:
    rows = [("ZTF18acsbtwe", 697252844515015002, 0.5)]
    assert table(["objectId", "candid", "score"], rows, 32) == "objectId      candid\nZTF18acsbtwe  697252844515015002"
    assert table(["objectId", "candid", "score"], rows, 5).splitlines()[0] == "objectId"
    assert "score" in table(["objectId", "candid", "score"], rows)


def test_a_cell_is_cut_and_does_not_steer_the_terminal() -> None:
    (_, line) = table(["a"], [("\x1b[31m\n" + "x" * 100,)]).splitlines()
    assert line == " [31m " + "x" * 33 + "…"


def test_a_stored_schema_is_the_one_that_was_written_whatever_its_blanks(tmp_path: Path) -> None:
    derived = avro_schema.derive(ALERT)
    stored = StoredSchema(tmp_path / "schema")
    assert stored.read() is None
    stored.file.write_text(derived.text.replace(",", ", "))
    found = stored.read()
    assert found is not None
    assert (found.fingerprint, found.name) == (derived.fingerprint, "fink.alert")
    other = avro_schema.derive(spark.StructType(ALERT.fields[:2]))
    stored.file.write_text(other.text)
    changed = stored.read()
    assert changed is not None
    assert changed.fingerprint == other.fingerprint


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '"string"', '{"type": "record", "name": "a"}', '{"type": "recrd", "name": "a"}']
)
def test_a_file_that_holds_no_schema_is_said(tmp_path: Path, text: str) -> None:
    stored = StoredSchema(tmp_path / "schema")
    stored.file.write_text(text)
    with pytest.raises(ValueError, match="holds no Avro schema") as caught:
        stored.read()
    assert str(stored.file) in str(caught.value)
