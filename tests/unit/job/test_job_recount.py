"""The comparison of what should be in topics with what is there, in a real Spark; tests/kafka/job has the topics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from distribution_job.alert_files import AlertFile
from distribution_job.alert_reader import AlertReader
from distribution_job.outputs import Output
from distribution_job.verification.ranges import Range
from distribution_job.verification.recount import Recount
from distribution_job.verification.refiltering import Refiltering
from distribution_job.verification.report import TopicCount
from distribution_job.verification.scope import Numbered, Origin

ALL, BIG, ODD = (
    Output("all", "t-all"),
    Output("big", "t-big", sql="size > 1"),
    Output("odd", "t-big", sql="candid % 2 = 1"),
)
PARTITIONS = 3
Message = tuple[str, int, int, str | None, int, bool]
Compare = Callable[..., dict[str, TopicCount]]


def message(
    identity: int | str | None, topic: str = "t-all", time: int = 150, dated: bool = True, partition: int = 0
) -> Message:
    return topic, partition, 7, None if identity is None else str(identity), time, dated


@pytest.fixture
def compare(spark: SparkSession, tmp_path: Path) -> Iterator[Compare]:
    """Two files of a delivery, with the alerts 1 to 4 and 5; 3 and 4 are big, and 4 is there twice."""
    spark.conf.set("spark.sql.shuffle.partitions", "1")
    science = tmp_path / "a science, 100%"
    science.mkdir()
    tables = {"a": ([1, 2, 3, 4, 4], [0, 0, 2, 2, 2]), "b": ([5], [0])}
    files = []
    for name, (candids, sizes) in tables.items():
        pq.write_table(pa.table({"candid": candids, "size": sizes}), science / f"{name}.parquet")
        files.append(AlertFile(f"file:{science}/{name}.parquet", 1, 1))
    outputs = [ALL, BIG, ODD]
    refiltering = Refiltering(AlertReader(spark, str(science)), tmp_path, None)

    def run(
        messages: Sequence[Message], numbered: Sequence[Numbered] = (), cut: Sequence[int] = (), limit: int = 9
    ) -> dict[str, TopicCount]:
        assert refiltering.write(files, outputs) == []
        schema = "topic STRING, partition INT, offset LONG, id STRING, time LONG, dated BOOLEAN"
        spark.createDataFrame(list(messages), schema).write.parquet(str(tmp_path / "published"))
        ranges = {
            topic: [Range(number, 5, 9, number in cut) for number in range(PARTITIONS)] for topic in ("t-all", "t-big")
        }
        origins = [Origin(file, topic, "batch-1", 120) for file in files for topic in ranges]
        found = Recount(spark, tmp_path).compare(outputs, (100, 200), ranges, origins, numbered, limit)
        return {count.topic: count for count in found}

    yield run
    spark.conf.unset("spark.sql.shuffle.partitions")


WELL = [message(candid) for candid in (1, 2, 3, 4, 4, 5)] + [message(candid, "t-big") for candid in (3, 4, 4, 1, 3, 5)]


def test_an_alert_is_expected_as_often_as_the_source_has_it_and_outputs_of_the_topic_want_it(compare: Compare) -> None:
    found = compare(WELL)
    assert [(each.expected, each.published, each.repeated) for each in found.values()] == [(6, 6, 1), (6, 6, 2)]
    assert [each.outputs for each in found.values()] == [("all",), ("big", "odd")]
    assert not any(each.is_different or each.deleted for each in found.values())


def test_differences_are_told_with_file_and_place_up_to_a_limit_of_each_kind(compare: Compare) -> None:
    changed = [each for each in WELL if each[:4:3] != ("t-all", "5")]
    found = compare([*changed, message(1), message("other", partition=2), message(None), message(None)], limit=1)[
        "t-all"
    ]
    assert (found.missing, found.twice, found.unexpected, found.deleted) == (1, 1, 3, 0)
    missing, twice, unexpected = found.differences
    assert (missing.kind, missing.id, missing.batch) == ("missing", "5", "batch-1")
    assert missing.file is not None
    assert missing.file.endswith("/a science, 100%/b.parquet")
    assert (twice.kind, twice.id, twice.expected, twice.published, twice.offset) == ("twice", "1", 1, 2, 7)
    assert (unexpected.id, unexpected.expected, unexpected.published) == (None, 0, 2), "the other is above the limit"


def test_only_what_was_published_in_that_time_counts_and_what_others_have_published_since(compare: Compare) -> None:
    early, late = message("early", time=100), message("late", time=201)
    foreign, earlier = message("foreign", time=900, dated=False), message("earlier", time=100, dated=False)
    found = compare([*WELL, early, late, foreign, earlier])["t-all"]
    assert [each.id for each in found.differences] == ["foreign"]


def test_what_was_delivered_before_the_first_message_that_is_left_may_have_been_removed(compare: Compare) -> None:
    # One partition begins with a message from before the delivery, one with a later one, and one is empty.
    left = [message("x", partition=0, time=90), message("y", partition=1, time=130)]
    found = compare(left, cut=range(PARTITIONS))["t-all"]
    assert found.missing + found.deleted == 6
    assert found.missing > 0
    assert found.deleted > 0
    whole = {each.id: each.kind for each in found.differences}
    assert set(whole.values()) == {"missing", "deleted", "unexpected"}


def test_messages_of_what_cannot_be_filtered_again_are_counted_alone(compare: Compare) -> None:
    runs = [Numbered("t-all", 160, 170, 2, 3), Numbered("t-big", 160, 170, 1, 1)]
    found = compare([*WELL, *(message(number, time=165) for number in (70, 71))], numbered=runs)
    counted = found["t-all"]
    assert (counted.numbered_deliveries, counted.numbered_expected, counted.numbered_published) == (2, 3, 2)
    assert (counted.missing, counted.unexpected, counted.is_different) == (0, 0, True)
    assert found["t-big"].numbered_published == 0
