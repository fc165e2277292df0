"""An Iceberg table in a folder: its appended rows, read by Iceberg's own streaming source."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  pyspark's own convention

from distribution_job import durable_json, streamed
from distribution_job.alert_files import Find
from distribution_job.source_config import EARLIEST, LATEST, Iceberg, milliseconds
from distribution_job.staging import Staging


class IcebergSource:
    """Where it begins is settled as a time of the table's snapshots, in ms since 1970; no time: with the oldest that is kept."""

    def __init__(
        self,
        spark: SparkSession,
        settings: Iceberg,
        starting_from: str,
        folder: Path,
        find: Find,
        note: Callable[[str], None],
    ) -> None:
        self._spark = spark
        self._settings = settings
        self._starting_from = starting_from
        self._folder = folder
        self._find = find
        self._note = note
        self._since: int | None = None

    def settle(self, staging: Staging) -> None:
        self._since = durable_json.once(self._folder / "beginning.json", self._beginning)["since"]

    def state(self) -> object:
        metadata = self._find(f"{self._settings.path}/metadata")
        return metadata.modified if metadata is not None else None

    def bring(self, staging: Staging) -> None:
        newest = self._newest()
        if newest is None or (self._since is not None and newest < self._since):
            return
        settings = self._settings
        reader = self._spark.readStream.format("iceberg")
        reader = reader.option("streaming-max-rows-per-micro-batch", settings.max_rows_per_batch)
        # Rows that are deleted have been distributed, or never will be; what is overwritten would be lost without a word.
        reader = reader.option("streaming-skip-delete-snapshots", "true")
        reader = reader.option("streaming-skip-overwrite-snapshots", str(settings.skip_changes).lower())
        if self._since is not None:
            reader = reader.option("stream-from-timestamp", self._since)
        streamed.stage(reader.load(settings.path), self._folder / "spark", staging)

    def behind(self) -> int | None:
        return None

    def _beginning(self) -> dict[str, Any]:
        return {"startingFrom": self._starting_from, "since": self._first_time()}

    def _first_time(self) -> int | None:
        if self.state() is None:
            return None  # a table that is made later is new as a whole
        if self._starting_from == EARLIEST:
            self._tell_expired()
            return None
        if self._starting_from != LATEST:
            return milliseconds(self._starting_from)
        newest = self._newest()
        return None if newest is None else newest + 1

    def _tell_expired(self) -> None:
        """Iceberg's source begins with what the oldest snapshot added; that it had rows before is not to go unsaid."""
        oldest = self._snapshots().orderBy("committed_at").first()
        if oldest is None:
            return
        total, added = (int(oldest["summary"].get(name, 0)) for name in ("total-records", "added-records"))
        if total > added:
            self._note(
                f"The oldest snapshot of {self._settings.path} follows others that have expired: {total - added} alerts of the table from "
                "before it are not distributed."
            )

    def _newest(self) -> int | None:
        """The time of the newest snapshot, in ms since 1970."""
        row = self._snapshots().agg(F.max(F.unix_millis("committed_at"))).first()
        return None if row is None or row[0] is None else int(row[0])

    def _snapshots(self) -> DataFrame:
        return self._spark.read.format("iceberg").load(f"{self._settings.path}#snapshots")
