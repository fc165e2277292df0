"""Reading exactly the files of a batch."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import reduce
from operator import or_

from py4j.protocol import Py4JJavaError
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql.types import StructType

from distribution_job import read_errors
from distribution_job.alert_files import AlertFile, by_layout, divided
from distribution_job.stages import Stage, StageTimes

LOG = logging.getLogger(__name__)
_LARGE = 32 * 1024 * 1024  # bytes of a file; smaller ones are not divided
# Of a part, at most. Each costs a read of the whole file, since Spark cannot begin at a row; a transaction's messages lie in the driver's memory.
_PART_BYTES, _PART_ROWS = 128 * 1024 * 1024, 20_000


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
        """The files, or parts of a single file, as one table; only their footers are read now.

        Raises FileError for a file without a readable footer, and for a single file whose columns make no table.
        """
        reader = self._spark.read.option("basePath", self._base).option("mergeSchema", "true")
        # Spark's own FileStreamSource says so too: a path that was found is no pattern, whatever brackets it has.
        reader = reader.option("__globPaths__", "false")
        try:
            with self._times.of(Stage.PLAN):
                table = reader.parquet(*dict.fromkeys(file.path for file in files))
                return table.where(_among(table, files)) if any(file.is_part for file in files) else table
        except Exception as error:
            blamed = read_errors.unreadable(error, files)
            if blamed is None and len(files) == 1:
                blamed = read_errors.unusable(error, files[0])
            if blamed is not None:
                raise blamed from error
            raise

    def parts(self, files: Iterable[AlertFile]) -> Iterator[AlertFile]:
        """The files and parts, and in place of each that is large smaller ones; each is looked at when it is asked for.

        Raises FileError as `read` does.
        """
        for file in files:
            if not file.is_part and file.length <= _LARGE:
                yield file
                continue
            rows = file.rows or self._rows(file)
            part = file if file.is_part else replace(file, end=rows, rows=rows)
            number = max(math.ceil(part.size / _PART_BYTES), math.ceil((part.end - part.begin) / _PART_ROWS))
            if not rows or number < 2:
                yield file
                continue
            if not file.is_part:
                size = file.length >> 20
                LOG.info("%s has %d alerts, %d MiB, and is distributed in %d parts", file.path, rows, size, number)
            yield from divided(part, number)

    def _rows(self, file: AlertFile) -> int:
        """From the footer alone."""
        jvm, conf = self._spark._jvm, self._spark._jsc.hadoopConfiguration()
        place = jvm.org.apache.hadoop.fs.Path(file.path)
        try:
            reader = jvm.org.apache.parquet.hadoop.ParquetFileReader.open(
                jvm.org.apache.parquet.hadoop.util.HadoopInputFile.fromPath(place, conf)
            )
            try:
                return int(reader.getRecordCount())
            finally:
                reader.close()
        except Py4JJavaError:
            self.read([file])  # it knows whether the file is to blame
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


def _among(table: DataFrame, parts: Iterable[AlertFile]) -> Column:
    """Whether a row of the file is in one of the parts."""
    number = table.metadataColumn("_metadata").getField("row_index")
    spans: list[tuple[int, int]] = []
    for part in sorted(parts):
        if spans and spans[-1][1] == part.begin:
            spans[-1] = spans[-1][0], part.end
        else:
            spans.append((part.begin, part.end))
    return reduce(or_, ((number >= begin) & (number < end) for begin, end in spans))
