"""The counting itself, in Spark: ids and counts only, which are spilled to the disk, so that no number of alerts fills the memory."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pyspark import StorageLevel
from pyspark.sql import DataFrame, Observation, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812  pyspark's own convention

from distribution_job import formats, java_client, single_pass
from distribution_job.alert_files import encoded, plain
from distribution_job.outputs import Output
from distribution_job.verification import refiltering
from distribution_job.verification.ranges import Range
from distribution_job.verification.report import Difference, TopicCount
from distribution_job.verification.scope import Numbered, Origin
from job_settings.kafka import Kafka

_MESSAGES = "topic STRING, partition INT, offset LONG, id STRING, time LONG, dated BOOLEAN"
_ORIGINS = "topic STRING, path STRING, key STRING, begun LONG"
_NUMBERED = "topic STRING, begun LONG, settled LONG, run INT"
_CUT = "topic STRING, partition INT, until LONG"
_KINDS = ("missing", "twice", "unexpected", "deleted")
_END_OF_TIME = 2**63 - 1


class Recount:
    """Writes the ids of messages into a folder, and holds them against those that `Refiltering` has written there."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        """`folder`: a temporary one, which grows by some 50 bytes for a message."""
        self._spark = spark
        self._folder = folder

    def read(self, kafka: Kafka, ranges: Mapping[str, Sequence[Range]]) -> int:
        """Read the ids of the messages in these ranges, and return how many there are."""
        starts = {topic: {str(each.partition): each.start for each in some} for topic, some in ranges.items()}
        ends = {topic: {str(each.partition): each.end for each in some} for topic, some in ranges.items()}
        assigned = {topic: [each.partition for each in some] for topic, some in ranges.items()}
        messages = (
            self._spark.read.format("kafka")
            .options(**java_client.reader(kafka))
            .option("assign", json.dumps(assigned))
            .option("startingOffsets", json.dumps(starts))
            .option("endingOffsets", json.dumps(ends))
            # What Kafka removes meanwhile is told apart later.
            .option("failOnDataLoss", "false")
            .option("includeHeaders", "true")
            .load()
        )
        published = formats.header_text("producer_timestamp").cast("long")
        rows = messages.select(
            "topic",
            "partition",
            "offset",
            formats.header_text("id").alias("id"),
            F.coalesce(published, F.unix_millis("timestamp")).alias("time"),
            published.isNotNull().alias("dated"),
        )
        counted = Observation()
        rows.observe(counted, F.count(F.lit(1)).alias("rows")).write.parquet(str(self._folder / "published"))
        count: int = counted.get["rows"]
        return count

    def compare(
        self,
        outputs: Sequence[Output],
        window: tuple[int, int],
        ranges: Mapping[str, Sequence[Range]],
        origins: Sequence[Origin],
        numbered: Sequence[Numbered],
        limit: int,
    ) -> list[TopicCount]:
        """Hold what was read against what was expected.

        `window`: messages count that were published later than the first, and, if they are this project's own, not later than the second
        (ms). `limit`: the most differences of a kind that are listed of a topic.
        """
        all_messages = self._table("published", _MESSAGES)
        after, until = window
        inside = all_messages.where((F.col("time") > after) & (~F.col("dated") | (F.col("time") <= until)))
        by_run, messages = self._numbered(inside, numbered)
        both = self._both(messages, origins, self._cut(all_messages, ranges), ranges).persist(StorageLevel.DISK_ONLY)
        try:
            totals = {row["topic"]: row.asDict() for row in self._totals(both).collect()}
            listed = self._listed(both, limit)
        finally:
            both.unpersist()
        names = {plain(origin.file.path): origin for origin in origins}
        return [
            _topic(topic, outputs, totals.get(topic, {}), listed.get(topic, []), names, numbered, by_run)
            for topic in sorted(ranges)
        ]

    def _table(self, name: str, schema: str) -> DataFrame:
        folder = self._folder / name
        if not folder.exists():
            return self._spark.createDataFrame([], schema)
        return self._spark.read.schema(schema).option("recursiveFileLookup", "true").parquet(str(folder))

    def _numbered(self, messages: DataFrame, numbered: Sequence[Numbered]) -> tuple[Mapping[int, int], DataFrame]:
        """How many messages there are of each of `numbered`, and the others."""
        if not numbered:
            return {}, messages
        rows = [(each.topic, each.begun, each.settled, run) for run, each in enumerate(numbered)]
        runs = F.broadcast(self._spark.createDataFrame(rows, _NUMBERED)).alias("run")
        message = messages.alias("message")
        joined = message.join(
            runs,
            (F.col("message.topic") == F.col("run.topic"))
            & F.col("message.time").between(F.col("run.begun"), F.col("run.settled")),
            "left",
        ).select("message.*", "run.run")
        counted = joined.where("run IS NOT NULL").groupBy("run").count().collect()
        return {row["run"]: row["count"] for row in counted}, joined.where("run IS NULL").drop("run")

    def _cut(self, messages: DataFrame, ranges: Mapping[str, Sequence[Range]]) -> DataFrame:
        """The partitions that Kafka has removed messages of, and until when these may have been published."""
        cut = [(topic, each.partition) for topic, some in ranges.items() for each in some if each.is_cut]
        if not cut:
            return self._spark.createDataFrame([], _CUT)
        first = messages.groupBy("topic", "partition").agg(F.min("time").alias("first"))
        known = {(row["topic"], row["partition"]): row["first"] for row in first.collect()}
        return self._spark.createDataFrame([(*place, known.get(place, _END_OF_TIME)) for place in cut], _CUT)

    def _both(
        self,
        messages: DataFrame,
        origins: Sequence[Origin],
        cut: DataFrame,
        ranges: Mapping[str, Sequence[Range]],
    ) -> DataFrame:
        """A row for each id of a topic: how often it is expected and published, and what kind of difference that is."""
        # Two outputs of a topic may have had a file by two deliveries; it is one file all the same.
        places = {
            (origin.topic, place): (origin.key, origin.begun)
            for origin in sorted(origins, key=lambda each: each.begun)
            for place in _spellings(origin.file.path)
        }
        rows = [(*place, *delivery) for place, delivery in places.items()]
        expected = self._table(refiltering.FOLDER, refiltering.SCHEMA)
        expected = expected.join(F.broadcast(self._spark.createDataFrame(rows, _ORIGINS)), ["topic", "path"], "left")
        expected = expected.groupBy("topic", "id").agg(
            F.count(F.lit(1)).alias("expected"), F.max("begun").alias("begun"), F.min("path").alias("path")
        )
        place = F.struct("partition", "offset")
        published = messages.groupBy("topic", "id").agg(
            F.count(F.lit(1)).alias("published"), F.max(place).alias("last")
        )
        both = expected.join(published, ["topic", "id"], "full")
        counts = {name: F.coalesce(F.col(name), F.lit(0)) for name in ("expected", "published")}
        both = both.withColumns(counts)
        partitions = F.coalesce(*(F.when(F.col("topic") == topic, F.lit(len(some))) for topic, some in ranges.items()))
        home = single_pass.partition_of(single_pass.hash_of(F.col("id")), partitions)
        both = both.withColumn("partition", home).join(F.broadcast(cut), ["topic", "partition"], "left")
        is_cut = F.col("until").isNotNull() & (F.coalesce(F.col("begun"), F.lit(0)) <= F.col("until"))
        kind = (
            F.when(F.col("expected") > F.col("published"), F.when(is_cut, F.lit("deleted")).otherwise(F.lit("missing")))
            .when(F.col("expected") == 0, F.lit("unexpected"))
            .when(F.col("expected") < F.col("published"), F.lit("twice"))
        )
        return both.withColumns({"kind": kind, "amount": F.abs(F.col("expected") - F.col("published"))})

    def _totals(self, both: DataFrame) -> DataFrame:
        sums = [F.sum(name).alias(name) for name in ("expected", "published")]
        sums += [F.sum(F.when(F.col("kind") == kind, F.col("amount")).otherwise(0)).alias(kind) for kind in _KINDS]
        return both.groupBy("topic").agg(*sums, F.count_if(F.col("expected") > 1).alias("repeated"))

    def _listed(self, both: DataFrame, limit: int) -> Mapping[str, list[Any]]:
        order = Window.partitionBy("topic", "kind").orderBy("id")
        some = (
            both.where("kind IS NOT NULL").withColumn("rank", F.row_number().over(order)).where(F.col("rank") <= limit)
        )
        found: dict[str, list[Any]] = {}
        for row in some.collect():
            found.setdefault(row["topic"], []).append(row)
        return found


def _topic(
    topic: str,
    outputs: Sequence[Output],
    totals: Mapping[str, Any],
    rows: Sequence[Any],
    origins: Mapping[str, Origin],
    numbered: Sequence[Numbered],
    by_run: Mapping[int, int],
) -> TopicCount:
    runs = [(run, each) for run, each in enumerate(numbered) if each.topic == topic]
    order = {kind: position for position, kind in enumerate(_KINDS)}
    differences = sorted(
        (_difference(row, origins) for row in rows), key=lambda each: (order[each.kind], each.id or "")
    )
    return TopicCount(
        topic=topic,
        outputs=tuple(output.name for output in outputs if output.topic == topic),
        **{name: totals.get(name, 0) for name in ("expected", "published", "repeated", *_KINDS)},
        numbered_deliveries=sum(each.deliveries for _, each in runs),
        numbered_expected=sum(each.published for _, each in runs),
        numbered_published=sum(by_run.get(run, 0) for run, _ in runs),
        differences=tuple(differences),
    )


def _difference(row: Any, origins: Mapping[str, Origin]) -> Difference:
    path, last = row["path"], row["last"]
    origin = next((origins[each] for each in (path, path and unquote(path)) if each in origins), None)
    return Difference(
        kind=row["kind"],
        id=row["id"],
        expected=row["expected"],
        published=row["published"],
        file=origin.file.path if origin else path,
        batch=origin.key if origin else None,
        partition=last and last["partition"],
        offset=last and last["offset"],
    )


def _spellings(path: str) -> set[str]:
    """The path as what is expected has it: Spark percent-encodes what it says of a file, but not everywhere."""
    return {plain(path), encoded(plain(path))}
