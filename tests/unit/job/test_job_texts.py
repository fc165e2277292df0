"""Text that is not UTF-8, wherever in an alert it stands: what is published is what every reader can decode."""

from __future__ import annotations

import io
from typing import Any

import fastavro
import pytest
from job_passes import physical, prepared
from pyspark.sql import DataFrame, SparkSession

from distribution_job.alert_files import AlertFile
from distribution_job.alert_reader import AlertReader
from distribution_job.outputs import Output

MENDED = "caf\ufffd"
# A column of each kind, made of the text `t`: how it is published, and what of it when `t` is no UTF-8.
COLUMNS: dict[str, tuple[str, Any, Any]] = {
    "plain": ("t", "ü", MENDED),
    "struct": ("named_struct('n', 1, 's', t)", {"n": 1, "s": "ü"}, {"n": 1, "s": MENDED}),
    "deep": (
        "named_struct('a', named_struct('s', t), 'b', array(t), 'n', 2)",
        {"a": {"s": "ü"}, "b": ["ü"], "n": 2},
        {"a": {"s": MENDED}, "b": None, "n": 2},
    ),
    "list": ("array(NULL, t)", [None, "ü"], None),
    "structs": (
        "array(named_struct('n', 1, 's', t), NULL, named_struct('n', NULL, 's', NULL))",
        [{"n": 1, "s": "ü"}, None, {"n": None, "s": None}],
        None,
    ),
    "lists": ("array(array(t), array())", [["ü"], []], None),
    "values": ("map('k', named_struct('s', t))", {"k": {"s": "ü"}}, None),
    "keys": ("map(t, 1)", {"ü": 1}, None),
    "untouched": ("named_struct('n', id, 'l', array(1.5D))", None, None),
    "nothing": ("CAST(NULL AS struct<s: string, l: array<string>>)", None, None),
}
GOOD, BAD = 0, 1


@pytest.fixture(scope="module")
def alerts(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> DataFrame:
    place = tmp_path_factory.mktemp("texts") / "a"
    text = f"CASE WHEN id = {BAD} THEN CAST(X'636166E9' AS STRING) WHEN id = {GOOD} THEN 'ü' END AS t"
    made = spark.range(3).selectExpr("id", text)
    columns = [f"{sql} AS {name}" for name, (sql, _, _) in COLUMNS.items() if name != "keys"]
    keys = "CASE WHEN t IS NULL THEN NULL ELSE map(t, 1) END AS keys"  # a map cannot have null as a key
    made.selectExpr("id AS candid", *columns, keys).coalesce(1).write.parquet(str(place))
    files = [AlertFile(f"file:{file}", 0, 0) for file in place.glob("*.parquet")]
    return AlertReader(spark, str(place)).read(files)


def published(alerts: DataFrame, *outputs: Output) -> tuple[dict[int, Any], Any]:
    single = prepared(alerts, outputs)
    messages = single.over(alerts)
    schema = fastavro.parse_schema(single.projections[0].schema.document)
    found = [fastavro.schemaless_reader(io.BytesIO(row["value"]), schema, None) for row in messages.rows.collect()]
    return {alert["candid"]: alert for alert in found}, messages.counts()[0]


@pytest.mark.parametrize("name", COLUMNS)
def test_a_reader_can_decode_it_wherever_it_stands(alerts: DataFrame, name: str) -> None:
    found, counts = published(alerts, Output("one", "t", select=("candid", name)))
    _, good, bad = COLUMNS[name]
    if name != "untouched":
        assert found[GOOD][name] == good
        assert found[BAD][name] == bad
    counted = "garbled" if name == "plain" else "garbled_inside"
    assert counts[counted] == (None if name in ("untouched", "nothing") else name)


def test_what_is_not_garbled_is_as_it_was(alerts: DataFrame) -> None:
    found, _ = published(alerts.where(f"candid != {BAD}"), Output("all", "t"))
    for row in alerts.where(f"candid != {BAD}").collect():
        expected = {name: value for name, value in row.asDict(recursive=True).items() if name != "lists"}
        assert {name: found[row["candid"]][name] for name in expected} == expected


def test_looking_for_it_stays_in_compiled_code(alerts: DataFrame) -> None:
    plan = physical(prepared(alerts, [Output("all", "t")]).over(alerts))
    projections = [line for line in plan.splitlines() if "Project [" in line]
    assert projections
    assert all("*(" in line for line in projections), plan
