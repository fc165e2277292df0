"""Delta and Iceberg tables as the source, written by Spark itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from job_process import JobProcess
from job_stream import Stream
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  pyspark's own convention
from received import ids

from spark_tables import append


def rows(spark: SparkSession, candids: range) -> DataFrame:
    made = spark.range(candids.start, candids.stop, numPartitions=2).withColumnRenamed("id", "candid")
    return made.withColumn("magpsf", F.lit(17.5).cast("float"))


@pytest.mark.parametrize("kind", ["delta", "iceberg"])
def test_each_row_is_distributed_once(
    stream: Stream, job: JobProcess, spark: SparkSession, tmp_path: Path, kind: str
) -> None:
    table, topic = tmp_path / "db" / "alerts", stream.topic("all")
    job.document["source"] = {"type": kind, kind: {"path": str(table)}}
    job.document["outputs"] = [{"name": "all", "topic": topic}]
    job.document["delivery"] = stream.allow_transactions("all")
    append(kind, table, rows(spark, range(20)))
    job.start(killed_at="after Staging.put")
    job.ended(timeout=180)
    job.start()
    job.until(lambda: len(ids(stream.login, topic)) == 20, "what was there is distributed")
    wider = rows(spark, range(20, 30)).withColumn("drb", F.lit(0.5))
    append(kind, table, wider)
    job.until(lambda: len(ids(stream.login, topic)) >= 30, "what was appended is distributed")
    job.until(lambda: job.progress().get("notes"), "the new column is told of")
    assert [note["message"] for note in job.progress()["notes"]] == [
        "The alerts' columns have changed: drb (double) is new."
    ]

    wider.write.format(kind).mode("overwrite").save(str(table))
    job.until(lambda: job.progress().get("lastErrorReason") == "SourceUnavailable", "rows that are changed are told of")
    job.stop()
    job.document["source"][kind]["skipChanges"] = True
    job.start()
    append(kind, table, rows(spark, range(30, 35)).withColumn("drb", F.lit(0.5)))
    job.until(lambda: len(ids(stream.login, topic)) >= 35, "it goes on")
    job.stop()
    assert ids(stream.login, topic) == list(range(35))
