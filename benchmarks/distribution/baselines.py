"""What Spark does without this project, in one warm session: a scan, the encoding, and a streaming query for each filter.

Started by `python -m distribution`, with one JSON document as its input; prints a JSON row as each case begins, warm, and one as it ends.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  pyspark's own convention
from pyspark.sql.avro.functions import to_avro

from distribution import filters
from distribution.stage import PACKAGES
from distribution_job import avro_schema, conditions, session
from distribution_job.outputs import FILTER_SECONDS


def main() -> None:
    """Run the cases."""
    asked = json.load(sys.stdin)
    spark = session.start("baselines", asked["conf"])
    cases: list[tuple[str, int | None, Callable[[str], object]]] = [
        ("scan alone", None, lambda folder: _noop(spark.read.parquet(folder))),
        ("encoding alone", None, lambda folder: _noop(_encoded(spark.read.parquet(folder)))),
    ]
    for name, topics in asked["topics"].items():
        cases.append(
            (
                "a query per filter",
                len(topics),
                partial(_queries, spark, filters.named(name, asked["share"]), topics, asked),
            )
        )
    for case, number, run in cases:
        run(asked["warm"])
        run(asked["alerts"])
        print(json.dumps({"begins": case}), flush=True)
        took = []
        for _ in range(asked["drops"]):
            begun = time.perf_counter()
            run(asked["alerts"])
            took.append(time.perf_counter() - begun)
        print(json.dumps({"case": case, "filters": number, "seconds": statistics.median(took)}), flush=True)
    spark.stop()


def _noop(table: DataFrame) -> None:
    table.write.format("noop").mode("overwrite").save()


def _encoded(alerts: DataFrame) -> DataFrame:
    schema = avro_schema.derive(alerts.schema)
    return alerts.select(to_avro(F.struct("*"), schema.text).alias("value"), F.lit(schema.text).alias("key"))


def _queries(
    spark: SparkSession, wanted: list[filters.Filter], topics: list[str], asked: dict[str, Any], folder: str
) -> None:
    """As Fink works today: each filter reads and encodes for itself, and the key is the schema."""
    schema = spark.read.parquet(folder).schema
    running = []
    for one, topic in zip(wanted, topics, strict=True):
        alerts = spark.readStream.schema(schema).option("recursiveFileLookup", "false").parquet(folder)
        writer = (
            _encoded(alerts.where(_condition(alerts, one)))
            .writeStream.format("kafka")
            .options(**asked["kafka"])
            .option("topic", topic)
        )
        place = Path(asked["checkpoints"]) / f"{time.time_ns()}-{topic}"
        running.append(writer.option("checkpointLocation", str(place)).trigger(availableNow=True).start())
    for query in running:
        query.awaitTermination()


def _condition(alerts: DataFrame, one: filters.Filter) -> Column:
    if "sql" in one:
        return F.expr(one["sql"])
    return conditions.python_filter(alerts, one["python"], FILTER_SECONDS, PACKAGES).getField("match")


if __name__ == "__main__":
    main()
