"""The pass as Spark plans it and as it counts, on real Spark and without Kafka."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import fastavro
import pytest
from job_passes import headers, physical, prepared
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from demo import science_alerts
from distribution_job.alert_files import AlertFile
from distribution_job.alert_reader import AlertReader
from distribution_job.failures import OutputError, Reason
from distribution_job.outputs import Output
from distribution_job.sql_filters import condition

SSO = "fink_filters.ztf.livestream.filter_sso_ztf_candidates.filter.sso_ztf_candidates"
EARLY_SN = "fink_filters.ztf.livestream.filter_early_sn_candidates.filter.early_sn_candidates"
BRIGHT = "distribution_job.filters.bright.bright_and_real"
CUTOUTS = ("cutoutScience", "cutoutTemplate", "cutoutDifference")
OUTPUTS = [
    Output("all", "t"),
    Output("sso", "t", python=SSO, drop=CUTOUTS),
    Output("sso-too", "t", python=SSO, select=("objectId", "candid")),
    Output("bright", "t", python=BRIGHT, select=("objectId", "candid")),
    Output("sn", "t", sql="snn_snia_vs_nonia > 0.5 AND snn_sn_vs_all > 0.5", drop=CUTOUTS),
]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("science")
    return science_alerts.write(folder, science_alerts.generate(300, seed=2), files=4)


@pytest.fixture(scope="module")
def alerts(spark: SparkSession, files: list[Path]) -> DataFrame:
    base = str(files[0].parents[3])
    return AlertReader(spark, base).read([AlertFile(f"file:{file}", 0, 0) for file in files])


def nodes(text: str, name: str) -> list[str]:
    return [line for line in text.splitlines() if re.search(rf"[-+* )\d]\b{name}\b", line) or line.startswith(name)]


def test_files_are_scanned_once_and_each_python_filter_is_run_once(alerts: DataFrame) -> None:
    text = physical(prepared(alerts, OUTPUTS).over(alerts))
    assert len(nodes(text, "FileScan parquet")) == 1
    [python] = nodes(text, "ArrowEvalPython")
    assert python.count("sso_ztf_candidates(") == 1
    assert python.count("bright_and_real(") == 1


def test_only_what_a_filter_asks_for_goes_to_python(alerts: DataFrame) -> None:
    [python] = nodes(physical(prepared(alerts, OUTPUTS).over(alerts)), "ArrowEvalPython")
    called = re.findall(r"(\w+)\(([^()]*)\)#", python)
    given = {name: re.sub(r"#\d+L?", "", inputs) for name, inputs in called}
    assert given == {"sso_ztf_candidates": "roid", "bright_and_real": "candidate.magpsf, candidate.drb"}


def test_an_alert_is_encoded_before_it_is_multiplied(alerts: DataFrame) -> None:
    lines = physical(prepared(alerts, OUTPUTS).over(alerts)).splitlines()
    encoding = [number for number, line in enumerate(lines) if "to_avro(" in line]
    explodes = [number for number, line in enumerate(lines) if re.search(r"Generate (pos)?explode", line)]
    assert len(encoding) == 1, "one projection holds all encodings"
    # The plan is printed upside down: outputs are exploded above the encoding, projections below it.
    assert explodes[0] < encoding[0] < explodes[1]
    # What is not compiled copies whole alerts to multiply them.
    assert all(re.search(r"\*\(\d+\) Generate", lines[number]) for number in explodes)
    # One branch for each of the three different choices of columns, though there are five outputs.
    assert lines[encoding[0]].count("to_avro(") == 3


def test_what_is_counted_are_narrow_rows(alerts: DataFrame) -> None:
    lines = physical(prepared(alerts, OUTPUTS).over(alerts)).splitlines()
    [encoding] = [number for number, line in enumerate(lines) if "to_avro(" in line]
    metrics = [number for number, line in enumerate(lines) if "CollectMetrics" in line]
    # Below the encoding it would copy each alert with all its columns, and each aggregate costs every task its time.
    assert len(metrics) == 2
    assert max(metrics) < encoding
    assert lines[metrics[0]].count("approx_top_k(") == 1
    assert "count" not in lines[metrics[0]].replace("approx_top_k(", "")


def test_each_of_a_hundred_outputs_has_its_own_count(alerts: DataFrame) -> None:
    modulo = [Output(f"o{each}", "t", sql=f"pmod(candid, {each + 1}) = 0", select=("candid",)) for each in range(100)]
    made = prepared(alerts, modulo).over(alerts)
    by_topic = len(made.rows.collect())
    _, encoding = made.counts()
    candids = science_alerts.generate(300, seed=2)["candid"].to_pylist()
    expected = [sum(candid % (each + 1) == 0 for candid in candids) for each in range(100)]
    assert [encoding[f"published_{each}"] for each in range(100)] == expected
    assert by_topic == sum(expected)
    assert [encoding[f"large_{each}"] for each in range(100)] == [0] * 100


def test_columns_that_nobody_wants_are_not_read(alerts: DataFrame) -> None:
    narrow = [
        Output("a", "t", python=BRIGHT, select=("objectId",)),
        Output("b", "t", sql="roid = 3", select=("candid",)),
    ]
    [scan] = nodes(physical(prepared(alerts, narrow).over(alerts)), "FileScan parquet")
    read = re.search(r"ReadSchema: (.*)", scan)
    assert read is not None
    assert set(re.findall(r"\w+(?=:)", read.group(1))) == {
        "objectId", "candid", "roid", "candidate", "magpsf", "drb",
    }  # fmt: skip


def test_counts_and_contents_agree_with_pandas(alerts: DataFrame) -> None:
    frame = science_alerts.generate(300, seed=2).to_pandas()
    drb = frame["candidate"].map(lambda candidate: candidate["drb"])
    magnitude = frame["candidate"].map(lambda candidate: candidate["magpsf"])
    expected = {
        "all": 300,
        "sso": int((frame["roid"] == 3).sum()),
        "sso-too": int((frame["roid"] == 3).sum()),
        "bright": int(((magnitude <= 18) & (drb >= 0.9)).sum()),
        "sn": int(((frame["snn_snia_vs_nonia"] > 0.5) & (frame["snn_sn_vs_all"] > 0.5)).sum()),
    }
    assert all(count > 0 for count in expected.values())
    single = prepared(alerts, OUTPUTS)
    made = single.over(alerts)
    rows = made.rows.collect()
    filtering, encoding = made.counts()
    for found in (filtering, single.counted(alerts)):
        names = [routed.output.name for routed in single.outputs]
        assert {name: found[f"matched_{position}"] for position, name in enumerate(names)} == expected
        assert found["rows"] == 300
    assert len(rows) == sum(expected.values())
    assert sum(encoding[f"published_{position}"] for position in range(5)) == len(rows)
    ids = sorted(_decoded(row)["candid"] for row in rows if len(row["key"]) < 200)
    narrow = frame[(frame["roid"] == 3)]["candid"].tolist() + frame[(magnitude <= 18) & (drb >= 0.9)]["candid"].tolist()
    assert ids == sorted(narrow)
    assert {row["partition"] for row in rows} == {0, 1, 2, 3}


def test_the_same_alert_goes_to_the_same_partition_of_topics_alike(alerts: DataFrame) -> None:
    rows = prepared(alerts, OUTPUTS).over(alerts).rows.collect()
    places: dict[str, set[int]] = {}
    for row in rows:
        found = headers(row)
        assert found.keys() == {"id", "schema_name", "schema_fingerprint", "producer_timestamp"}
        places.setdefault(found["id"], set()).add(row["partition"])
    assert len(places) == 300
    assert all(len(partitions) == 1 for partitions in places.values())


def test_a_filter_that_wants_light_curves_gets_them(alerts: DataFrame) -> None:
    single = prepared(alerts, [Output("early", "t", python=EARLY_SN, select=("candid",))])
    made = single.over(alerts)
    made.rows.collect()
    assert made.filtering.get["error_0"] is None


@pytest.mark.parametrize(
    ("sql", "reason", "said"),
    [
        ("roid >", Reason.FILTER_INVALID, "cannot be parsed"),
        ("roid + 1", Reason.FILTER_INVALID, "is of type int, not boolean"),
        ("riod = 3", Reason.COLUMN_MISSING, "Close to it: roid"),
        ("candidate.magpfs < 18", Reason.COLUMN_MISSING, "Close to it: magpsf"),
        ("max(roid) > 1", Reason.FILTER_INVALID, "refused by Spark"),
        ("explode(array(true, false))", Reason.FILTER_INVALID, "refused by Spark"),
        ("row_number() over (order by jd) = 1", Reason.COLUMN_MISSING, "jd"),
        ("row_number() over (order by candid) = 1", Reason.FILTER_INVALID, "refused by Spark"),
        ("no_such_function(roid)", Reason.FILTER_INVALID, "no_such_function"),
        ("exists(select 1)", Reason.FILTER_INVALID, "a subquery"),
        ("roid in (select 1)", Reason.FILTER_INVALID, "a subquery"),
        ("reflect('java.lang.System', 'getProperty', 'user.dir') = 'x'", Reason.FILTER_INVALID, "a Java method"),
        ("java_method('java.lang.System', 'exit', 1) is null", Reason.FILTER_INVALID, "a Java method"),
        ("try_reflect('java.lang.System', 'getenv', 'HOME') = 'x'", Reason.FILTER_INVALID, "a Java method"),
        ("roid = 3; drop table alerts", Reason.FILTER_INVALID, "cannot be parsed"),
        ("roid = 3) or (true", Reason.FILTER_INVALID, "cannot be parsed"),
        ("roid = (select max(roid) from alerts)", Reason.FILTER_INVALID, "refused by Spark"),
        ("roid in (select roid from parquet.`/data`)", Reason.FILTER_INVALID, "refused by Spark"),
        ("roid = ${env:HOME}", Reason.FILTER_INVALID, "near '$'"),
        ("roid = 'x\ny' +", Reason.FILTER_INVALID, "cannot be parsed"),
        ("`roid\n`", Reason.COLUMN_MISSING, "Close to it: roid"),
        ("candidate", Reason.FILTER_INVALID, "is of type struct"),
        ("exists(select * from text.`/etc/hostname`)", Reason.FILTER_INVALID, "refused by Spark"),
    ],
)
def test_sql_filters_that_are_refused(alerts: DataFrame, sql: str, reason: Reason, said: str) -> None:
    with pytest.raises(OutputError) as caught:
        condition(alerts, sql)
    assert (caught.value.failure.reason, said in caught.value.failure.message) == (reason, True), caught.value


def test_null_and_bad_casts_are_no_match(spark: SparkSession) -> None:
    frame = spark.createDataFrame([("x", None), ("7", 1)], "a string, b int")
    assert frame.where(condition(frame, "cast(a as int) > 3")).count() == 1
    assert [row[0] for row in frame.select(condition(frame, "b > 0")).collect()] == [False, True]


def test_files_that_cannot_be_one_table_are_several(spark: SparkSession, tmp_path: Path) -> None:
    def put(name: str, frame: DataFrame) -> AlertFile:
        place = tmp_path / name
        frame.coalesce(1).write.parquet(str(place.parent / f"_{place.stem}"))
        place.parent.mkdir(exist_ok=True)
        next((place.parent / f"_{place.stem}").glob("part-*.parquet")).rename(place)
        return AlertFile(f"file:{place}", 0, 0)

    for folder in ("year=1", "old/year=1"):
        (tmp_path / folder).mkdir(parents=True)
    files = [
        put("a.parquet", spark.sql("select 1L candid, 3 roid")),
        put("b.parquet", spark.sql("select 2L candid, 'x' roid")),
        put("c.parquet", spark.sql("select 3L candid, 4 roid, 5 more")),
        put("year=1/d.parquet", spark.sql("select 4L candid, 3 roid")),
        put("old/year=1/e.parquet", spark.sql("select 5L candid, 3 roid")),
    ]
    tables = list(AlertReader(spark, str(tmp_path)).tables(files))
    assert sorted(row["candid"] for _, table in tables for row in table.collect()) == [1, 2, 3, 4, 5]
    assert sorted(file.path for group, _ in tables for file in group) == sorted(file.path for file in files)
    schemas: list[StructType] = [table.schema for _, table in tables]
    assert any("year" in schema.names for schema in schemas)


def _decoded(row: Any) -> dict[str, Any]:
    import io
    import json

    schema = fastavro.parse_schema(json.loads(bytes(row["key"])))
    decoded = fastavro.schemaless_reader(io.BytesIO(bytes(row["value"])), schema, None)
    assert isinstance(decoded, dict)
    return decoded
