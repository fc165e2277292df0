"""Sources that are no folder of Parquet files: what each has to be able to do, and which one the configuration names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pyspark.sql import SparkSession

from distribution_job.alert_files import Find
from distribution_job.config import JobConfig
from distribution_job.delta_source import DeltaSource
from distribution_job.drain import Drain
from distribution_job.iceberg_source import IcebergSource
from distribution_job.jdbc_source import JdbcSource
from distribution_job.kafka_source import KafkaSource
from distribution_job.source_config import EARLIEST, Delta, Iceberg, Jdbc, KafkaTopic, Parquet
from distribution_job.staging import Staging

Note = Callable[[str], None]
_MANY_FILES = 1000


class Source(Protocol):
    """Brings alerts into the staging folder; used by one thread. All methods raise whatever keeps them from their work."""

    def settle(self, staging: Staging) -> None:
        """See that it is kept on disk where the stream begins, before anything is looked for."""
        ...

    def state(self) -> object:
        """Something that is another thing when there may be new alerts; None while there is nothing to look at."""
        ...

    def bring(self, staging: Staging) -> None:
        """Stage what is new, a batch at a time, from where the last one ended. Raises Draining when the job is to end."""
        ...

    def behind(self) -> int | None:
        """How many messages are not staged yet, at most; None where that is not known, or would cost a look at the alerts themselves.

        It is asked by another thread than the rest.
        """
        ...


def session(config: JobConfig) -> Mapping[str, str]:
    """The Spark properties that the source needs."""
    return DeltaSource.SESSION if isinstance(config.source.part, Delta) else {}


def is_staged(config: JobConfig) -> bool:
    """Whether discovery looks at staged alerts, and not at the source itself."""
    return not isinstance(config.source.part, Parquet)


def source(config: JobConfig, spark: SparkSession, find: Find, note: Note) -> Source:
    """The source to stage from.

    `find`: the file or folder at a path as it is now. `note` is told what a person should know of.
    """
    part, folder = config.source.part, config.checkpoint / "source"
    match part:
        case Delta():
            return DeltaSource(spark, part, config.source.starting_from, folder, find)
        case Iceberg():
            return IcebergSource(spark, part, config.source.starting_from, folder, find, note)
        case Jdbc():
            return JdbcSource(spark, part, config.source.starting_from)
        case KafkaTopic():
            return KafkaSource(spark, config, part, folder, note)
        case Parquet():
            raise TypeError("a folder of Parquet files is not staged")


@dataclass(frozen=True)
class Watched:
    """What discovery looks at."""

    folder: str
    files_per_batch: int
    starting_from: str


def watched(config: JobConfig) -> Watched:
    """The source itself, or where its alerts are staged."""
    part = config.source.part
    if isinstance(part, Parquet):
        return Watched(part.path, part.max_files_per_batch, config.source.starting_from)
    # All that is staged is wanted, and there is never much.
    return Watched(str(_staging_folder(config)), _MANY_FILES, EARLIEST)


def staging(config: JobConfig, drain: Drain) -> Staging:
    """Where a source's alerts are staged. The folder is there from now on: executors cannot be started without it."""
    return Staging(_staging_folder(config), config.checkpoint / "distributed.json", drain)


def _staging_folder(config: JobConfig) -> Path:
    return config.checkpoint / "staging"
