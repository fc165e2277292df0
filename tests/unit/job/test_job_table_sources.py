"""Where a stream begins in a Delta or an Iceberg table, and in what portions it reads."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from distribution_job import listing, staging
from distribution_job.delta_source import DeltaSource
from distribution_job.drain import Drain
from distribution_job.iceberg_source import IcebergSource
from distribution_job.source_config import Delta, Iceberg
from distribution_job.sources import Source
from distribution_job.staging import Staging
from spark_tables import append


class Place:
    """A table, a checkpoint, and what a driver makes of them at each start."""

    def __init__(self, spark: SparkSession, folder: Path, kind: str) -> None:
        self.spark = spark
        self.kind = kind
        self.table = folder / "table"
        self.checkpoint = folder / "checkpoint"
        self.notes: list[str] = []

    def append(self, *candids: int) -> None:
        rows = self.spark.createDataFrame([(candid,) for candid in candids], "candid BIGINT")
        append(self.kind, self.table, rows.coalesce(1))

    def source(self, starting_from: str) -> Source:
        find = partial(listing.find, self.spark)
        path, folder = str(self.table), self.checkpoint / "source"
        if self.kind == "delta":
            return DeltaSource(self.spark, Delta(path, 1, skip_changes=False), starting_from, folder, find)
        settings = Iceberg(path, 2, skip_changes=False)
        return IcebergSource(self.spark, settings, starting_from, folder, find, self.notes.append)

    def start(self, starting_from: str) -> list[list[int]]:
        """Start a driver, which ends when it has staged all; return the batches that there are then."""
        staged, source = (
            Staging(self.checkpoint / "staging", self.checkpoint / "distributed", Drain()),
            self.source(starting_from),
        )
        source.settle(staged)
        if source.state() is not None:
            source.bring(staged)
        batches = sorted((self.checkpoint / "staging").glob("batch-*"))
        read = [self.spark.read.parquet(*map(str, batch.glob("[0-9]*"))).collect() for batch in batches]
        return [sorted(row["candid"] for row in rows) for rows in read if rows]


@pytest.fixture(params=["delta", "iceberg"])
def place(
    request: pytest.FixtureRequest, spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Place:
    monkeypatch.setattr(staging, "_AHEAD", 100)  # nobody distributes here
    return Place(spark, tmp_path, request.param)


def test_earliest_takes_all_in_portions_and_a_restart_goes_on(place: Place) -> None:
    assert place.start("Earliest") == []
    place.append(1, 2)
    place.append(3)
    place.append(4)
    first = place.start("Earliest")
    assert sorted(candid for batch in first for candid in batch) == [1, 2, 3, 4]
    assert len(first) > 1
    assert max(map(len, first)) <= 2
    place.append(5)
    assert place.start("Latest") == [*first, [5]], "what is changed later changes nothing"
    assert place.start("Latest") == [*first, [5]]


def test_latest_leaves_out_what_was_there_also_when_nothing_came_before_a_restart(place: Place) -> None:
    place.append(1)
    assert place.start("Latest") == []
    place.append(2)
    assert place.start("Latest") == [[2]]


def test_latest_takes_all_of_a_table_that_is_made_later(place: Place) -> None:
    assert place.start("Latest") == []
    place.append(1)
    assert place.start("Latest") == [[1]]


def test_a_time_takes_what_was_committed_since(place: Place) -> None:
    place.append(1)
    moment = datetime.now(UTC).isoformat()
    place.append(2)
    assert place.start(moment) == [[2]]


def test_a_time_to_come_takes_nothing_yet(place: Place) -> None:
    place.append(1)
    assert place.start("2100-01-01T00:00:00Z") == []
