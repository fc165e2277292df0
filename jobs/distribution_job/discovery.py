"""Finding new files, each once, also across restarts.

Spark's file source lists the folder and logs what it has found in the checkpoint before a batch begins. Its `binaryFile`
format is asked for names, times and sizes only: no file is opened here. A batch is then read as Parquet by itself, which
keeps column pruning, lets a file be left out, and lets a batch be repeated for one output.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  pyspark's own convention
from pyspark.sql.streaming import DataStreamWriter, StreamingQuery

from distribution_job.alert_files import AlertFile

_COLUMNS = "path STRING, modificationTime TIMESTAMP, length BIGINT, content BINARY"
_ALL = 2**31 - 1


class Discovery:
    def __init__(self, spark: SparkSession, folder: str, checkpoint: Path, files_per_batch: int, seconds: int) -> None:
        """`checkpoint`: Spark's own folder; `seconds` between two looks at `folder`."""
        self._spark = spark
        self._folder = folder
        self._checkpoint = checkpoint
        self._files_per_batch = files_per_batch
        self._seconds = seconds

    def folder_exists(self) -> bool:
        """Whether there is anything to look at yet. Raises what the file system raises."""
        return self.find(self._folder) is not None

    def began(self) -> bool:
        """Whether a batch has ever been begun with this checkpoint."""
        return any((self._checkpoint / "offsets").glob("[0-9]*"))

    def find(self, path: str) -> AlertFile | None:
        """The file (or folder) as it is now; None when it is not there."""
        jvm = self._spark._jvm
        place = jvm.org.apache.hadoop.fs.Path(path)
        system = place.getFileSystem(self._spark._jsc.hadoopConfiguration())
        if not system.exists(place):
            return None
        status = system.getFileStatus(place)
        return AlertFile(path, status.getModificationTime(), status.getLen())

    def start(self, batch: Callable[[int, Sequence[AlertFile]], None]) -> StreamingQuery:
        """Begin; `batch` is called with each batch's number and files, and its return commits the batch."""
        writer = self._writer(self._files_per_batch, lambda found, number: batch(number, _files(found)))
        return writer.trigger(processingTime=f"{self._seconds} seconds").start()

    def pass_over(self) -> int:
        """Take all files that are there now for found, and return how many they are; no batch has them."""
        counts: list[int] = []
        writer = self._writer(_ALL, lambda found, _: counts.append(found.count()))
        writer.trigger(availableNow=True).start().awaitTermination()
        return sum(counts)

    def _writer(self, most: int, batch: Callable[[DataFrame, int], None]) -> DataStreamWriter:
        return self._stream(most).writeStream.foreachBatch(batch).option("checkpointLocation", str(self._checkpoint))

    def _stream(self, most: int) -> DataFrame:
        """The stream of files, at most so many at a time: path, modified (ms since epoch), length (bytes)."""
        return (
            self._spark.readStream.format("binaryFile")
            .schema(_COLUMNS)
            .option("recursiveFileLookup", "true")
            .option("pathGlobFilter", "*.parquet")
            .option("maxFilesPerTrigger", most)
            # The default of a week would skip older files without a word.
            .option("maxFileAge", "36500d")
            # Of a batch that is repeated after a restart, when its files have been cleaned up meanwhile.
            .option("ignoreMissingFiles", "true")
            .load(self._folder)
            .select("path", F.unix_millis("modificationTime").alias("modified"), "length")
        )


def _files(found: DataFrame) -> list[AlertFile]:
    return sorted(AlertFile(row["path"], row["modified"], row["length"]) for row in found.collect())
