"""A Delta table: its appended rows, read by Delta's own streaming source."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  pyspark's own convention

from distribution_job import durable_json, streamed
from distribution_job.alert_files import Find
from distribution_job.source_config import EARLIEST, LATEST, Delta, milliseconds
from distribution_job.staging import Staging


class DeltaSource:
    """Where it begins is settled as a version of the table, whatever times the versions have."""

    SESSION: ClassVar[dict[str, str]] = {
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        # Of the table's log, not of its rows: 50 would be as many tasks for a handful of files.
        "spark.databricks.delta.snapshotPartitions": "2",
    }

    def __init__(self, spark: SparkSession, settings: Delta, starting_from: str, folder: Path, find: Find) -> None:
        self._spark = spark
        self._settings = settings
        self._starting_from = starting_from
        self._folder = folder
        self._find = find
        self._first: int | None = None

    def settle(self, staging: Staging) -> None:
        self._first = durable_json.once(self._folder / "beginning.json", self._beginning)["version"]

    def state(self) -> object:
        log = self._find(f"{self._settings.path}/_delta_log")
        return log.modified if log is not None else None

    def bring(self, staging: Staging) -> None:
        if self._first is not None and self._newest() < self._first:
            return  # Delta refuses a version that is not there yet
        try:
            self._stage(staging)
        except PySparkException as error:
            # Delta ends a query that meets other columns than it began with; a new one knows them.
            if "DELTA_SCHEMA_CHANGED" not in str(error):
                raise
            self._stage(staging)

    def behind(self) -> int | None:
        return None

    def _stage(self, staging: Staging) -> None:
        reader = self._spark.readStream.format("delta").option("maxFilesPerTrigger", self._settings.max_files_per_batch)
        # Rows that are deleted have been distributed, or never will be; what is updated would be lost without a word.
        reader = reader.option("skipChangeCommits" if self._settings.skip_changes else "ignoreDeletes", "true")
        if self._first is not None:
            reader = reader.option("startingVersion", self._first)
        streamed.stage(reader.load(self._settings.path), self._folder / "spark", staging)

    def _beginning(self) -> dict[str, Any]:
        return {"startingFrom": self._starting_from, "version": self._first_version()}

    def _first_version(self) -> int | None:
        """The first version whose rows are distributed; None: all that there is. A table that is made later is new as a whole."""
        if self._starting_from == EARLIEST or self.state() is None:
            return None
        if self._starting_from != LATEST:
            moment = F.lit(milliseconds(self._starting_from))
            since = self._history().where(F.unix_millis("timestamp") >= moment).agg(F.min("version")).first()
            if since is not None and since[0] is not None:
                return int(since[0])
        return self._newest() + 1

    def _newest(self) -> int:
        row = self._history().agg(F.max("version")).first()
        return -1 if row is None or row[0] is None else int(row[0])

    def _history(self) -> DataFrame:
        tables = self._spark._jvm.io.delta.tables.DeltaTable
        return DataFrame(tables.forPath(self._spark._jsparkSession, self._settings.path).history(), self._spark)
