"""Reading exactly the files of a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from distribution_job import read_errors
from distribution_job.alert_files import AlertFile, by_layout
from distribution_job.stages import Stage, StageTimes


class AlertReader:
    """Makes one DataFrame of many Parquet files; their columns are the union of theirs, and of `key=value` folders."""

    def __init__(
        self,
        spark: SparkSession,
        base: str,
        look: Callable[[StructType], None] = lambda schema: None,
        times: StageTimes | None = None,
    ) -> None:
        """`look` is shown the columns of each table; `times` is told how long the footers take."""
        self._spark = spark
        self._base = base
        self._look = look
        self._times = times or StageTimes()

    def read(self, files: Sequence[AlertFile]) -> DataFrame:
        """The files as one table; only their footers are read now.

        Raises FileError for a file without a readable footer, and for a single file whose columns make no table.
        """
        reader = self._spark.read.option("basePath", self._base).option("mergeSchema", "true")
        # Spark's own FileStreamSource says so too: a path that was found is no pattern, whatever brackets it has.
        reader = reader.option("__globPaths__", "false")
        try:
            with self._times.of(Stage.PLAN):
                return reader.parquet(*(file.path for file in files))
        except Exception as error:
            blamed = read_errors.unreadable(error, files)
            if blamed is None and len(files) == 1:
                blamed = read_errors.unusable(error, files[0])
            if blamed is not None:
                raise blamed from error
            raise

    def tables(self, files: Sequence[AlertFile]) -> Iterator[tuple[tuple[AlertFile, ...], DataFrame]]:
        """The files in as few tables as Spark allows: one, unless their folders or a column's types differ.

        Raises FileError as `read` does.
        """
        for group in by_layout(files, self._base):
            try:
                table = self.read(group)
            except Exception as error:
                if len(group) == 1 or not read_errors.of_one_table(error):
                    raise
                yield from self.alike(group)
            else:
                self._look(table.schema)
                yield group, table

    def alike(self, files: Sequence[AlertFile]) -> Iterator[tuple[tuple[AlertFile, ...], DataFrame]]:
        """The files in tables of those that have the same columns.

        Raises FileError as `read` does.
        """
        alike: dict[str, list[AlertFile]] = {}
        for file in files:
            alike.setdefault(self.read([file]).schema.json(), []).append(file)
        for group in alike.values():
            table = self.read(group)
            self._look(table.schema)
            yield tuple(group), table
