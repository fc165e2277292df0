"""A table of a real PostgreSQL, read by cursors of each type and from each beginning."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from distribution_job import staging
from distribution_job.drain import Drain
from distribution_job.failures import BatchError, Reason
from distribution_job.jdbc_source import JdbcSource
from distribution_job.source_config import Jdbc
from distribution_job.staging import Staging
from testbed.postgres import Postgres

TABLE = """
CREATE TABLE alerts (candid bigint, moment timestamptz, plain timestamp, number numeric(10, 2), more jsonb);
INSERT INTO alerts SELECT i, '2026-01-31 22:00:00+00'::timestamptz + i / 10 * interval '1 second', '2026-01-31 22:00:00', 1.5, '{}'
    FROM generate_series(0, 29) i;
"""
LATER = """
INSERT INTO alerts (candid, moment) VALUES (100, '2026-01-31 22:00:02+00'), (101, '2026-01-31 22:00:01+00'), (102, NULL);
"""


class Driver:
    """A stream's checkpoint, and what lies in it after each start."""

    def __init__(self, spark: SparkSession, settings: Jdbc, starting_from: str, folder: Path) -> None:
        self._spark = spark
        self._settings = settings
        self._starting_from = starting_from
        self._folder = folder / starting_from / settings.cursor_column

    def start(self) -> list[int]:
        staged = Staging(self._folder / "staging", self._folder / "distributed.json", Drain())
        source = JdbcSource(self._spark, self._settings, self._starting_from)
        source.settle(staged)
        source.bring(staged)
        tables = [str(table) for table in (self._folder / "staging").glob("batch-*/[0-9]*")]
        rows = self._spark.read.parquet(*tables).collect() if tables else []
        return sorted(row["candid"] for row in rows)


def test_rows_are_staged_once_from_where_the_stream_begins(
    spark: SparkSession, postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "_AHEAD", 100)  # nobody distributes here
    postgres.sql(TABLE)
    (tmp_path / "username").write_text(postgres.user)
    (tmp_path / "password").write_text(postgres.password)

    def driver(starting_from: str, cursor: str, *keys: str) -> Driver:
        settings = Jdbc(postgres.url, "public.alerts", cursor, keys, 30, 25, tmp_path, None)
        return Driver(spark, settings, starting_from, tmp_path)

    earliest, latest = driver("Earliest", "moment", "candid"), driver("Latest", "moment", "candid")
    since = driver("2026-01-31T22:00:02Z", "moment", "candid")
    assert [each.start() for each in (earliest, latest, since)] == [list(range(30)), [], list(range(20, 30))]
    assert driver("Earliest", "candid", "moment").start() == list(range(30))
    assert driver("Earliest", "plain", "candid").start() == list(range(30)), "that all have the same cursor"
    postgres.sql(LATER)
    assert earliest.start() == [*range(30), 100, 101]
    assert earliest.start() == [*range(30), 100, 101]
    assert latest.start() == [100, 101]
    assert since.start() == [*range(20, 30), 100]

    for wrong, said in (
        (driver("2026-01-31T22:00:02Z", "candid", "moment"), "the cursor column candid is none (bigint)"),
        (driver("Earliest", "momentum", "candid"), "has no column momentum. Close to it: moment"),
        (
            driver("Earliest", "more", "candid"),
            "more is of the type string. Name a column of whole numbers or of times",
        ),
    ):
        with pytest.raises(BatchError) as caught:
            wrong.start()
        assert caught.value.failure.reason is Reason.SOURCE_INVALID
        assert said in caught.value.failure.message
